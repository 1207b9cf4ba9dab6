"""`Proposal` and `MultiProposal`: boxes that may hold objects, from the scores of a region proposal network.

Ren et al., Faster R-CNN, 2015. Boxes count pixels: one from x1 to x2 is x2 - x1 + 1 wide. Computed on the host; the
original has no gradient either.
"""

from __future__ import annotations

import math

import numpy

from ..array import wrap
from ..errors import MXNetError
from ..np.host import values
from .array import NDArray


def _anchors(stride: int, ratios, scales) -> numpy.ndarray:
    """`(ratios * scales, 4)`: corners of boxes round the first pixel of the picture."""
    found, centre = [], 0.5 * (stride - 1)
    for ratio in ratios:
        width = math.floor(math.sqrt(math.floor(stride * stride / ratio)) + 0.5)
        height = math.floor(width * ratio + 0.5)
        for scale in scales:
            w, h = 0.5 * (width * scale - 1), 0.5 * (height * scale - 1)
            found.append([centre - w, centre - h, centre + w, centre + h])
    return numpy.array(found, "f4")


def _moved(anchors, deltas, corners: bool) -> numpy.ndarray:
    """Boxes from anchors and `(n, 4)` predictions: of centres and sizes, or with `corners` of the corners."""
    if corners:
        return anchors + deltas
    size = anchors[:, 2:] - anchors[:, :2] + 1
    centre = anchors[:, :2] + 0.5 * (size - 1) + deltas[:, :2] * size
    half = 0.5 * (numpy.exp(deltas[:, 2:]) * size - 1)
    return numpy.concatenate([centre - half, centre + half], 1)


def _kept(boxes, threshold: float, most: int) -> list[int]:
    """Greedy suppression of boxes that come in order of their scores."""
    area = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    gone, kept = numpy.zeros(len(boxes), bool), []
    for k in range(len(boxes)):
        if gone[k]:
            continue
        kept.append(k)
        if len(kept) == most:
            break
        low, high = numpy.maximum(boxes[k, :2], boxes[k:, :2]), numpy.minimum(boxes[k, 2:], boxes[k:, 2:])
        both = numpy.maximum(high - low + 1, 0).prod(1)
        gone[k:] |= both / (area[k] + area[k:] - both) > threshold
    return kept


def _of_image(scores, deltas, info, anchors, o) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Boxes `(post, 4)` and scores `(post, 1)` of one image: `scores: (anchors, h, w)`, `deltas: (4 anchors, h, w)`."""
    count, height, width = scores.shape
    rows, columns = numpy.mgrid[:height, :width] * o["feature_stride"]
    shift = numpy.stack([columns, rows, columns, rows], -1).reshape(-1, 1, 4).astype("f4")
    places = (anchors + shift).reshape(-1, 4)
    deltas = deltas.reshape(count, 4, height, width).transpose(2, 3, 0, 1).reshape(-1, 4)
    scores = scores.transpose(1, 2, 0).copy()
    boxes = _moved(places, deltas, o["iou_loss"])
    limit = numpy.array([info[1], info[0], info[1], info[0]], "f4") - 1
    boxes = numpy.clip(boxes, 0, limit)
    scores[int(info[0] / o["feature_stride"]) :] = -1  # padding of the batch
    scores[:, int(info[1] / o["feature_stride"]) :] = -1
    scores, least = scores.reshape(-1), o["rpn_min_size"] * info[2]
    small = (boxes[:, 2] - boxes[:, 0] + 1 < least) | (boxes[:, 3] - boxes[:, 1] + 1 < least)
    boxes[small] += numpy.array([-1, -1, 1, 1], "f4") * (least / 2)
    scores[small] = -1
    top, post = o["rpn_pre_nms_top_n"], o["rpn_post_nms_top_n"]
    order = numpy.argsort(-scores, kind="stable")[: top if top > 0 else None]
    kept = _kept(boxes[order], o["threshold"], post)
    at = order[[kept[k % len(kept)] for k in range(post)]]
    return boxes[at], scores[at, None]


def MultiProposal(cls_prob, bbox_pred, im_info, rpn_pre_nms_top_n=6000, rpn_post_nms_top_n=300, threshold=0.7,
                  rpn_min_size=16, scales=(4, 8, 16, 32), ratios=(0.5, 1, 2), feature_stride=16, output_score=False,
                  iou_loss=False):  # fmt: skip
    """The best boxes of each image that do not overlap much.

    Args:
        cls_prob: `(batch, 2 * anchors, height, width)`: background, then foreground.
        bbox_pred: `(batch, 4 * anchors, height, width)`.
        im_info: `(batch, 3)`: height and width of the picture, and how it was scaled.
        rpn_pre_nms_top_n, rpn_post_nms_top_n: boxes before and after the suppression; fewer are repeated.
        iou_loss: predictions are of corners.

    Returns:
        `(batch * post, 5)`: number in the batch and corners; with `output_score` also the scores `(batch * post, 1)`.
    """
    o = {"feature_stride": feature_stride, "iou_loss": iou_loss, "rpn_min_size": rpn_min_size, "threshold": threshold,
         "rpn_pre_nms_top_n": rpn_pre_nms_top_n, "rpn_post_nms_top_n": rpn_post_nms_top_n}  # fmt: skip
    scores, deltas, info = (values(x, "Proposal") for x in (cls_prob, bbox_pred, im_info))
    anchors = _anchors(feature_stride, ratios, scales)
    count = len(anchors)
    if scores.shape[1] != 2 * count or deltas.shape[1] != 4 * count:
        raise MXNetError(
            f"Proposal: scores of shape {scores.shape} and predictions of shape {deltas.shape} for {count} anchors."
            f" There are {2 * count} and {4 * count} channels then. Check scales and ratios."
        )
    found = [_of_image(scores[b, count:], deltas[b], info[b], anchors, o) for b in range(len(scores))]
    boxes = [numpy.concatenate([numpy.full((len(x), 1), b), x], 1) for b, (x, _) in enumerate(found)]
    made = [numpy.concatenate(boxes), numpy.concatenate([s for _, s in found])]
    made = [wrap(numpy.ascontiguousarray(x, cls_prob.dtype), cls_prob.ctx, NDArray) for x in made]
    return made if output_score else made[0]


def Proposal(cls_prob, bbox_pred, im_info, **options):
    """`MultiProposal` of one image."""
    if cls_prob.shape[0] != 1:
        raise MXNetError(f"Proposal: a batch of {cls_prob.shape[0]}. It takes one image. Use MultiProposal.")
    return MultiProposal(cls_prob, bbox_pred, im_info, **options)


__all__ = ["MultiProposal", "Proposal"]
