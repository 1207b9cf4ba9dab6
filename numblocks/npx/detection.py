"""Object detection: anchors, targets, suppression, regions of interest."""

from __future__ import annotations

import math

import numpy

from ..array import ndarray, wrap
from ..errors import MXNetError
from ..ops import advanced as ad
from ..ops import boxes as bx
from ..ops import diagonal, move, roi
from ..ops import elementwise as ew
from ..ops import reduce as red


def multibox_prior(data, sizes=(1.0,), ratios=(1.0,), clip=False, steps=(-1.0, -1.0), offsets=(0.5, 0.5)) -> ndarray:
    """Anchor boxes round every pixel of a feature map: `(1, height * width * (sizes + ratios - 1), 4)`, corners.

    Args:
        data: `(batch, channels, height, width)`; only its shape matters.
        sizes: heights relative to the image, each with the first ratio.
        ratios: width over height, each (but the first) with the first size.
        clip: cut off at 0 and 1.
        steps: between pixels, y and x; by default 1 / height and 1 / width.
        offsets: of the centre within a pixel, y and x.
    """
    sizes, ratios = _floats(sizes), _floats(ratios)
    height, width = data.shape[-2:]
    down, across = (1.0 / n if s <= 0 else s for s, n in zip(steps, (height, width), strict=True))
    y, x = (numpy.arange(height) + offsets[0]) * down, (numpy.arange(width) + offsets[1]) * across
    shapes = [(s * height / width * math.sqrt(ratios[0]), s / math.sqrt(ratios[0])) for s in sizes]
    shapes += [(sizes[0] * height / width * math.sqrt(r), sizes[0] / math.sqrt(r)) for r in ratios[1:]]
    half = numpy.array(shapes) / 2
    centre = numpy.stack([numpy.tile(x, height), numpy.repeat(y, width)], 1)[:, None]
    boxes = numpy.concatenate([centre - half, centre + half], 2).reshape(1, -1, 4)
    return wrap((boxes.clip(0, 1) if clip else boxes).astype("float32"), data.ctx, type(data))


def _floats(values) -> tuple[float, ...]:
    return (float(values),) if isinstance(values, (int, float)) else tuple(float(v) for v in values)


def multibox_target(anchor, label, cls_pred, overlap_threshold=0.5, ignore_label=-1.0, negative_mining_ratio=-1.0,
                    negative_mining_thresh=0.5, minimum_negative_samples=0, variances=(0.1, 0.1, 0.2,
                    0.2)):  # fmt: skip
    """Training targets of anchors: `[offsets, mask, classes]`, `(batch, anchors * 4)` twice and `(batch, anchors)`.

    Args:
        anchor: `(1, anchors, 4)`; label: `(batch, objects, 5)`, class (-1: none) and corners;
        cls_pred: `(batch, classes, anchors)`.
        overlap_threshold: overlap from which an anchor belongs to an object.
        ignore_label: class of anchors that take no part.
        negative_mining_ratio: negatives for each positive, the hardest; -1 for all.
    """
    found = bx.multibox_target(
        anchor.detach(), label.detach(), cls_pred.detach(), threshold=float(overlap_threshold),
        ignore=float(ignore_label),
        ratio=float(negative_mining_ratio), mining=float(negative_mining_thresh), least=int(minimum_negative_samples),
        variances=_floats(variances),
    )  # fmt: skip
    return list(found)


def multibox_detection(cls_prob, loc_pred, anchor, clip=True, threshold=0.01, background_id=0, nms_threshold=0.5,
                       force_suppress=False, variances=(0.1, 0.1, 0.2, 0.2), nms_topk=-1) -> ndarray:  # fmt: skip
    """Detections `(batch, anchors, 6)`: rows of class (-1: none), score, x1, y1, x2, y2, the best first.

    Args:
        cls_prob: `(batch, classes, anchors)`; loc_pred: `(batch, anchors * 4)`; anchor: `(1, anchors, 4)`.
        threshold: lowest probability.
        nms_threshold: overlap from which the worse box of a class is suppressed.
        force_suppress: across classes, too.
    """
    return bx.multibox_detection(
        cls_prob.detach(), loc_pred.detach(), anchor.detach(), clip=bool(clip), threshold=float(threshold),
        background=int(background_id), nms=float(nms_threshold), together=bool(force_suppress),
        variances=_floats(variances), topk=int(nms_topk),
    )  # fmt: skip


def box_iou(lhs, rhs, format="corner") -> ndarray:
    """Intersection over union of every box in `lhs: (..., 4)` with every one in `rhs: (..., 4)`."""
    pair = [
        move.reshape(x, shape=x.shape[:-1] + (1,) * (rhs.ndim - 1) + (4,)) if k == 0 else x
        for k, x in enumerate((lhs, rhs))
    ]
    (a1, a2), (b1, b2) = (_ends(x, format) for x in pair)
    size = ew.maximum(ew.minimum(a2, b2) - ew.maximum(a1, b1), 0.0)
    inside = _product(size)
    union = _product(ew.maximum(a2 - a1, 0.0)) + _product(ew.maximum(b2 - b1, 0.0)) - inside
    return ew.where(ew.greater(union, 0.0), inside / ew.where(ew.greater(union, 0.0), union, 1.0), 0.0)


def _cut(x, start, stop):
    return move.slice_(x, key=move.freeze_key((Ellipsis, slice(start, stop))))


def _ends(x, form):
    if form not in ("corner", "center"):
        raise ValueError(f"box_iou: format {form!r} is unknown. Use 'corner' or 'center'.")
    first, second = _cut(x, 0, 2), _cut(x, 2, 4)
    return (first, second) if form == "corner" else (first - second / 2, first + second / 2)


def _product(x):
    return move.slice_(x, key=(Ellipsis, 0)) * move.slice_(x, key=(Ellipsis, 1))


def box_nms(data, overlap_thresh=0.5, valid_thresh=0.0, topk=-1, coord_start=2, score_index=1, id_index=-1,
            background_id=-1, force_suppress=False, in_format="corner", out_format="corner") -> ndarray:  # fmt: skip
    """Non-maximum suppression: the boxes that stay, the best first, then rows of -1. Gradients reach those that stay.

    Args:
        data: `(..., boxes, values)`, each box with a score, four coordinates from `coord_start` on, and maybe a class.
        overlap_thresh: a box that overlaps a better one by more goes.
        valid_thresh: lowest score.
        topk: look at the best ones only.
        force_suppress: boxes suppress each other across classes.
    """
    places = bx.nms_places(
        data.detach(), threshold=float(overlap_thresh), lowest=float(valid_thresh), topk=int(topk),
        coords=int(coord_start),
        scores=int(score_index), ids=int(id_index), background=int(background_id), together=bool(force_suppress),
        form=in_format,
    )  # fmt: skip
    flat = move.reshape(data, shape=(-1, data.shape[-1]))
    count, boxes = flat.shape[0] // max(data.shape[-2], 1), data.shape[-2]
    start = wrap(numpy.repeat(numpy.arange(count) * boxes, boxes), data.ctx)
    rows = ew.maximum(move.reshape(places, shape=(-1,)), 0) + start
    kept = move.reshape(ad.gather(flat, rows, key=(("a", 0),)), shape=data.shape)
    if in_format != out_format:
        kept = _reformed(kept, coord_start, out_format)
    return ew.where(ew.less(move.expand_dims(places, -1), 0), -1.0, kept)


def _reformed(x, start, form):
    before, box, after = _cut(x, 0, start), _cut(x, start, start + 4), _cut(x, start + 4, None)
    a, b = _cut(box, 0, 2), _cut(box, 2, 4)
    parts = ((a + b) / 2, b - a) if form == "center" else (a - b / 2, a + b / 2)
    return move.concat(before, *parts, after, axis=x.ndim - 1)


def roi_pooling(data, rois, pooled_size=None, spatial_scale=None) -> ndarray:
    """The maximum of each bin of each region: `(regions, channels, *pooled_size)`.

    Args:
        data: `(batch, channels, height, width)`.
        rois: `(regions, 5)`: number in the batch, x1, y1, x2, y2 in coordinates of the image, ends included.
        pooled_size: bins along height and width.
        spatial_scale: size of `data` relative to the image.
    """
    size = (pooled_size,) * 2 if isinstance(pooled_size, int) else tuple(pooled_size)
    places = roi.roi_places(data.detach(), rois.detach(), size=size, scale=float(spatial_scale))
    values = ad.gather(move.reshape(data, shape=(-1,)), ew.maximum(places, 0), key=(("a", 0),))
    return ew.where(ew.less(places, 0), 0.0, values)


def roi_align(data, rois, pooled_size=None, spatial_scale=None, sample_ratio=-1, position_sensitive=False,
              aligned=False) -> ndarray:  # fmt: skip
    """Bilinear samples of each region, averaged in bins: `(regions, channels, *pooled_size)`.

    Args:
        data, rois, pooled_size, spatial_scale: as of `roi_pooling`.
        sample_ratio: samples along each side of a bin; -1 for as many as it is long.
        aligned: half a pixel to the left and up.
        position_sensitive: bin `(i, j)` of channel k comes from channel `(k * height + i) * width + j` of the data.
    """
    size = (pooled_size,) * 2 if isinstance(pooled_size, int) else tuple(pooled_size)
    y = roi.roi_align(
        data, rois, size=size, scale=float(spatial_scale), ratio=int(sample_ratio), aligned=bool(aligned)
    )
    return own_bins("roi_align", y) if position_sensitive else y


def own_bins(where: str, y) -> ndarray:
    """Each bin from the channel that belongs to it: `(n, c * height * width, height, width) -> (n, c, height, width)`.

    Channel `(k * height + i) * width + j` is read at `(i, j)` only (Li et al., Light-Head R-CNN, 2017).
    """
    n, channels, height, width = y.shape
    if channels % (height * width):
        raise MXNetError(
            f"{where}: {channels} channels for {height} x {width} bins. Where position counts, each bin has channels of"
            f" its own. Give it a multiple of {height * width} channels."
        )
    y = move.reshape(y, shape=(n, channels // (height * width), height * width, height * width))
    return move.reshape(diagonal.diagonal(y, offset=0), shape=(n, channels // (height * width), height, width))


def box_encode(samples, matches, anchors, refs, means=(0.0, 0.0, 0.0, 0.0), stds=(0.1, 0.1, 0.2, 0.2)):
    """Offsets of matched boxes relative to anchors, and their mask: `[(batch, n, 4), (batch, n, 4)]`.

    Args:
        samples: `(batch, n)`, 1 where positive; matches: `(batch, n)`, number of the ground truth;
        anchors: `(batch, n, 4)`; refs: `(batch, m, 4)`, corners.
    """
    rows = wrap(numpy.arange(refs.shape[0])[:, None], refs.ctx)
    gt = ad.gather(refs, rows, ew.astype(matches, "int64"), key=(("a", 0), ("a", 1)))
    (a1, a2), (g1, g2) = _ends(anchors, "corner"), _ends(gt, "corner")
    size, wanted = a2 - a1, g2 - g1
    offsets = move.concat((g1 + g2 - a1 - a2) / 2.0 / size, ew.log(wanted / size), axis=2)
    offsets = (offsets - _row(means, offsets)) / _row(stds, offsets)
    positive = move.expand_dims(ew.greater(samples, 0.5), 2)
    mask = red.broadcast_to(ew.where(positive, 1.0, 0.0), shape=offsets.shape)
    return [ew.where(positive, offsets, 0.0), mask]


def box_decode(data, anchors, std0=1.0, std1=1.0, std2=1.0, std3=1.0, clip=-1.0, format="center") -> ndarray:
    """Boxes from offsets `(batch, n, 4)` and anchors `(1, n, 4)`: corners."""
    first, second = _ends(anchors, format)
    size, centre = second - first, (first + second) / 2.0
    scaled = data * _row((std0, std1, std2, std3), data)
    grown = _cut(scaled, 2, 4)
    grown = ew.minimum(grown, float(clip)) if clip > 0 else grown
    mid, half = centre + _cut(scaled, 0, 2) * size, ew.exp(grown) * size / 2.0
    return move.concat(mid - half, mid + half, axis=2)


def _row(values, like) -> ndarray:
    return wrap(numpy.array(_floats(values), like.dtype), like.ctx)


__all__ = [
    "box_decode", "box_encode", "box_iou", "box_nms", "multibox_detection", "multibox_prior", "multibox_target",
    "roi_align",
    "roi_pooling",
]  # fmt: skip
