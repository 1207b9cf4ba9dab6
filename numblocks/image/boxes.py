"""Boxes in pictures: what becomes of labels when a picture is cropped, padded or mirrored.

A label is a float array `(objects, 5 or more)`: class, left, top, right, bottom as shares of width and height, and
what else there is. No function changes its arguments.
"""

from __future__ import annotations

import numpy


def areas(boxes) -> numpy.ndarray:
    """Areas of boxes `(n, 4)`, 0 for those turned inside out.

    >>> areas(numpy.array([[0.0, 0.0, 0.5, 0.5], [0.5, 0.0, 0.0, 0.5]])).tolist()
    [0.25, 0.0]
    """
    sides = numpy.maximum(0, boxes[:, 2:4] - boxes[:, :2])
    return sides[:, 0] * sides[:, 1]


def overlaps(boxes, box) -> numpy.ndarray:
    """The areas that boxes `(n, 4)` have in common with one box.

    >>> overlaps(numpy.array([[0.0, 0.0, 0.5, 0.5]]), (0.25, 0.25, 1, 1)).tolist()
    [0.0625]
    """
    box = numpy.asarray(box, boxes.dtype)
    return areas(numpy.hstack([numpy.maximum(boxes[:, :2], box[:2]), numpy.minimum(boxes[:, 2:4], box[2:])]))


def mirrored(label) -> numpy.ndarray:
    """The label of the picture with left and right exchanged.

    >>> mirrored(numpy.array([[1, 0.25, 0, 0.5, 1]])).tolist()
    [[1.0, 0.5, 0.0, 0.75, 1.0]]
    """
    out = label.copy()
    out[:, 1], out[:, 3] = 1.0 - label[:, 3], 1.0 - label[:, 1]
    return out


def moved(label, x, y, width, height, old_width, old_height) -> numpy.ndarray:
    """The label as seen from a window of the picture, not cut off.

    Args:
        label: see the module.
        x, y, width, height: the window in pixels; it may lie partly outside.
        old_width, old_height: of the picture.

    >>> moved(numpy.array([[1, 0, 0, 0.5, 1]]), -2, 0, 8, 4, 4, 4).tolist()
    [[1.0, 0.25, 0.0, 0.5, 1.0]]
    """
    out = label.copy()
    out[:, 1:5:2] = (label[:, 1:5:2] * old_width - x) / width
    out[:, 2:5:2] = (label[:, 2:5:2] * old_height - y) / height
    return out


def cropped(label, x, y, width, height, old_width, old_height, least) -> numpy.ndarray:
    """The label of a part of a picture; objects of which a share of `least` or less is left are dropped.

    >>> cropped(numpy.array([[1, 0, 0, 0.5, 1], [2, 0, 0, 0.1, 1]]), 1, 0, 3, 4, 4, 4, 0.3).round(3).tolist()
    [[1.0, 0.0, 0.0, 0.333, 1.0]]
    """
    out = moved(label, x, y, width, height, old_width, old_height)
    out[:, 1:5] = numpy.clip(out[:, 1:5], 0, 1)
    left = areas(out[:, 1:]) * (width * height) / (old_width * old_height)
    whole = areas(label[:, 1:])
    share = numpy.divide(left, whole, out=numpy.zeros_like(left), where=whole > 0)
    return out[(out[:, 3] > out[:, 1]) & (out[:, 4] > out[:, 2]) & (share > least)]


def kept_enough(label, x, y, width, height, old_width, old_height, least) -> bool:
    """Whether a window holds more than a share of `least` of every object it touches, and touches one.

    Objects of two square pixels or less do not count.

    >>> label = numpy.array([[1, 0, 0, 0.5, 1]])
    >>> kept_enough(label, 1, 0, 3, 4, 4, 4, 0.4), kept_enough(label, 1, 0, 3, 4, 4, 4, 0.6)
    (True, False)
    """
    if width * height < 2:
        return False
    whole = areas(label[:, 1:])
    big = whole * old_width * old_height > 2
    box = x / old_width, y / old_height, (x + width) / old_width, (y + height) / old_height
    share = overlaps(label[big, 1:5], box) / whole[big]
    share = share[share > 0]
    return bool(len(share) and share.min() > least)


def outline(picture, boxes, color, thickness) -> None:
    """Draw boxes `(n, 4)`, as shares of width and height, into a picture `(height, width, channels)`.

    >>> picture = numpy.zeros((3, 3, 1))
    >>> outline(picture, [(0, 0, 1, 1)], (9,), 1)
    >>> picture[..., 0].tolist()
    [[9.0, 9.0, 9.0], [9.0, 0.0, 9.0], [9.0, 9.0, 9.0]]
    """
    height, width, channels = picture.shape
    for left, top, right, bottom in boxes:
        x0, x1 = (round(float(v) * (width - 1)) for v in (left, right))
        y0, y1 = (round(float(v) * (height - 1)) for v in (top, bottom))
        row, column = numpy.arange(height)[:, None], numpy.arange(width)
        # how far each pixel lies inside the box: 0 on its border, negative outside
        inside = numpy.minimum(numpy.minimum(row - y0, y1 - row), numpy.minimum(column - x0, x1 - column))
        picture[(inside >= 0) & (inside < thickness)] = color[:channels]
