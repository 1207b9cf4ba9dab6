"""Detection with anchor boxes: non-maximum suppression, training targets, decoded detections.

These decide (which box stays, which anchor is whose) and have no derivative. Boxes are corners x1, y1, x2, y2.
"""

from __future__ import annotations

import numpy

from ..array import Aval
from ..errors import MXNetError
from .kinds import primitive

INT64 = numpy.dtype("int64")


def corners(boxes: numpy.ndarray, form: str) -> numpy.ndarray:
    """Boxes as corners, from corners or from centre and size."""
    if form == "corner":
        return boxes
    half = boxes[..., 2:] / 2
    return numpy.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], -1)


def overlaps(a: numpy.ndarray, b: numpy.ndarray) -> numpy.ndarray:
    """Intersection over union of every box in `a: (n, 4)` with every one in `b: (m, 4)`."""
    low = numpy.maximum(a[:, None, :2], b[None, :, :2])
    high = numpy.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = (high - low).clip(0).prod(-1)
    area = lambda x: (x[:, 2] - x[:, 0]).clip(0) * (x[:, 3] - x[:, 1]).clip(0)
    union = area(a)[:, None] + area(b)[None] - inside
    return numpy.where(union > 0, inside / numpy.where(union > 0, union, 1), 0.0)


def suppress(boxes, ids, threshold, together) -> list[int]:
    """Indices of the boxes that stay, best first; `boxes` are sorted. `together`: classes suppress each other."""
    kept: list[int] = []
    alive = numpy.ones(len(boxes), bool)
    for k in range(len(boxes)):
        if not alive[k]:
            continue
        kept.append(k)
        hit = overlaps(boxes[k : k + 1], boxes[k + 1 :])[0] > threshold
        if not together and ids is not None:
            hit &= ids[k + 1 :] == ids[k]
        alive[k + 1 :] &= ~hit
    return kept


def _infer_nms(x, *, scores, coords, ids, **ignored):
    width = x.shape[-1] if x.ndim else 0
    if x.ndim < 2 or not (0 <= scores < width and 0 <= coords <= width - 4 and ids < width):
        raise MXNetError(
            f"box_nms: data of shape {tuple(x.shape)} with score_index {scores}, coord_start {coords}, id_index"
            f" {ids}. Data are"
            f" (..., boxes, values), the values hold a score and 4 coordinates. Correct the indices."
        )
    return Aval(tuple(x.shape[:-1]), INT64)


@primitive(kind="gather", infer=_infer_nms)
def nms_places(x, *, threshold, lowest, topk, coords, scores, ids, background, together, form, out=None):
    """For each place of the answer of box_nms the number of the box that comes there, -1 for none.

    Args:
        x: `(..., boxes, values)`.
        threshold: overlap above which the worse box goes.
        lowest: boxes need a score above it.
        topk: only so many of the best are looked at; -1 for all.
        coords, scores, ids: where coordinates begin, the score and the class lie among the values (ids -1: none).
        background: class that is passed over, -1 for none.
        together: boxes of different classes suppress each other.
        form: 'corner' or 'center'.
    """
    found = numpy.full(x.shape[:-1], -1, INT64) if out is None else out
    found[...] = -1
    for at in numpy.ndindex(*x.shape[:-2]):
        row, boxes = found[at], x[at]
        valid = boxes[:, scores] > lowest
        if ids >= 0 and background >= 0:
            valid &= boxes[:, ids] != background
        order = numpy.flatnonzero(valid)
        order = order[numpy.argsort(-boxes[order, scores], kind="stable")][: topk if topk > 0 else None]
        sorted_boxes = corners(boxes[order, coords : coords + 4].astype("f8"), form)
        kept = suppress(sorted_boxes, boxes[order, ids] if ids >= 0 else None, threshold, together)
        row[: len(kept)] = order[kept]
    return found


def encode(gt, anchors, variances) -> numpy.ndarray:
    """Where ground-truth boxes lie relative to anchors: shifts and logarithms of sizes, over `variances`."""
    size, wanted = anchors[:, 2:] - anchors[:, :2], gt[:, 2:] - gt[:, :2]
    shift = (gt[:, :2] + gt[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2 / size
    with numpy.errstate(all="ignore"):
        return numpy.concatenate([shift, numpy.log(wanted / size)], 1) / numpy.asarray(variances)


def match(iou: numpy.ndarray, threshold: float) -> numpy.ndarray:
    """For each anchor the ground truth it belongs to, -1 for none: each ground truth first takes its best free
    anchor, the largest overlap first; then anchors take ground truths they overlap by more than `threshold`."""
    anchors, _ = iou.shape
    owner, free = numpy.full(anchors, -1, INT64), iou.copy()
    for _ in range(min(iou.shape)):
        a, g = numpy.unravel_index(free.argmax(), free.shape)
        if free[a, g] < 1e-6:
            break
        owner[a] = g
        free[a, :] = free[:, g] = -1
    best = iou.argmax(1)
    more = (owner < 0) & (iou.max(1) > threshold)
    owner[more] = best[more]
    return owner


def _infer_target(anchors, labels, predictions, **ignored):
    if anchors.ndim != 3 or anchors.shape[2] != 4 or labels.ndim != 3 or labels.shape[2] < 5 or predictions.ndim != 3:
        raise MXNetError(
            f"multibox_target: anchors {tuple(anchors.shape)}, labels {tuple(labels.shape)}, predictions"
            f" {tuple(predictions.shape)}. They are (1, anchors, 4), (batch, objects, 5) and (batch, classes, anchors)."
        )
    count, batch = anchors.shape[1], labels.shape[0]
    wide = Aval((batch, count * 4), anchors.dtype)
    return wide, wide, Aval((batch, count), anchors.dtype)


@primitive(kind="gather", nin=3, nout=3, infer=_infer_target)
def multibox_target(anchors, labels, predictions, *, threshold, ignore, ratio, mining, least, variances, out=None):
    """Training targets of anchors (Liu et al., SSD, 2016): offsets, their mask, and classes (0 is background).

    Args:
        anchors: `(1, anchors, 4)`.
        labels: `(batch, objects, 5)`: class (-1: no object) and box.
        predictions: `(batch, classes, anchors)`: scores, for mining of negatives.
        threshold: overlap above which an anchor belongs to an object.
        ignore: class of anchors that are neither.
        ratio: negatives for each positive; -1 for all anchors that are not positive.
        mining: negatives overlap objects by less than this.
        least: negatives at least.
        variances: of the four offsets.
    """
    boxes, (batch, count) = anchors[0].astype("f8"), (labels.shape[0], anchors.shape[1])
    shapes = ((batch, count * 4), (batch, count * 4), (batch, count))
    offsets, mask, classes = out if out is not None else (numpy.empty(s, anchors.dtype) for s in shapes)
    offsets[...], mask[...], classes[...] = 0, 0, ignore
    for b in range(batch):
        gone = numpy.flatnonzero(labels[b, :, 0] == -1)
        gt = labels[b, : gone[0] if len(gone) else None].astype("f8")
        if not len(gt):
            continue
        iou = overlaps(boxes, gt[:, 1:5])
        owner = match(iou, threshold)
        positive = owner >= 0
        negative = ~positive
        if ratio > 0:
            wanted = min(max(int(positive.sum() * ratio), least), count - positive.sum())
            scores = predictions[b].astype("f8")
            shifted = numpy.exp(scores - scores.max(0))
            easy = numpy.where(negative & (iou.max(1) < mining), shifted[0] / shifted.sum(0), numpy.inf)
            order = numpy.argsort(easy, kind="stable")[:wanted]
            negative = numpy.zeros(count, bool)
            negative[order[numpy.isfinite(easy[order])]] = True
        classes[b, negative] = 0
        classes[b, positive] = gt[owner[positive], 0] + 1
        rows = offsets[b].reshape(count, 4)
        rows[positive] = encode(gt[owner[positive], 1:5], boxes[positive], variances)
        mask[b].reshape(count, 4)[positive] = 1
    return offsets, mask, classes


def _infer_detection(probabilities, offsets, anchors, **ignored):
    return Aval((probabilities.shape[0], anchors.shape[1], 6), probabilities.dtype)


@primitive(kind="gather", nin=3, infer=_infer_detection)
def multibox_detection(probabilities, offsets, anchors, *, clip, threshold, background, nms, together, variances, topk,
                       out=None):  # fmt: skip
    """Boxes from class probabilities and offsets: `(batch, anchors, 6)` rows class, score, x1, y1, x2, y2, best first;
    class -1 for what was suppressed, all -1 for what was too unlikely.

    Args:
        probabilities: `(batch, classes, anchors)`.
        offsets: `(batch, anchors * 4)`.
        anchors: `(1, anchors, 4)`.
        clip: cut boxes off at 0 and 1.
        threshold: lowest probability.
        background: class that is none.
        nms, together, topk: as of `nms_places`; at 0 or below nothing is suppressed.
        variances: of the four offsets.
    """
    count = anchors.shape[1]
    y = numpy.empty((probabilities.shape[0], count, 6), probabilities.dtype) if out is None else out
    y[...] = -1
    base = anchors[0].astype("f8")
    centre, size = (base[:, :2] + base[:, 2:]) / 2, base[:, 2:] - base[:, :2]
    for b in range(len(y)):
        moved = offsets[b].reshape(count, 4).astype("f8") * numpy.asarray(variances)
        mid, half = centre + moved[:, :2] * size, numpy.exp(moved[:, 2:]) * size / 2
        boxes = numpy.concatenate([mid - half, mid + half], 1)
        boxes = boxes.clip(0, 1) if clip else boxes
        scores = numpy.delete(probabilities[b].astype("f8"), background, 0)
        ids, best = scores.argmax(0), scores.max(0)
        order = numpy.flatnonzero(best >= threshold)
        order = order[numpy.argsort(-best[order], kind="stable")]
        rows = numpy.concatenate([ids[order, None], best[order, None], boxes[order]], 1)
        limit = min(topk, len(order)) if topk > 0 else len(order)
        if 0 < nms <= 1:
            gone = numpy.ones(len(order), bool)
            gone[suppress(boxes[order[:limit]], ids[order[:limit]], nms, together)] = False
            rows[gone, 0] = -1
            rows[limit:] = rows[limit:] if topk <= 0 else -1
        y[b, : len(order)] = rows
    return y
