"""Parts of pictures, and pictures with something around them."""

from __future__ import annotations

import math

import numpy

from ..errors import warn
from .pixels import generator, like, pixels
from .resize import imresize, scale_down


def fixed_crop(src, x0, y0, w, h, size=None, interp=2):
    """The rectangle of `w` x `h` pixels at column `x0`, row `y0`, scaled to `size` (width, height) if that differs.

    Raises:
        ValueError: the rectangle is not inside the picture.

    >>> fixed_crop(np.zeros((5, 5, 3)), 1, 2, 4, 3, size=(8, 6)).shape
    (6, 8, 3)
    """
    x = pixels("fixed_crop", src)
    height, width = x.shape[:2]
    if min(x0, y0) < 0 or min(w, h) < 1 or x0 + w > width or y0 + h > height:
        raise ValueError(
            f"fixed_crop: {w}x{h} pixels at ({x0}, {y0}) of a picture of {width}x{height}. The rectangle must lie"
            f" inside the picture. Choose a smaller one."
        )
    y = like(x[y0 : y0 + h, x0 : x0 + w], src)
    return y if size is None or tuple(size) == (w, h) else imresize(y, *size, interp=interp)


def center_crop(src, size, interp=2):
    """The middle of a picture; of one that is too small, the largest part of that shape, scaled up.

    Args:
        src: `(height, width, channels)`.
        size: `(width, height)`.
        interp: as for `imresize`.

    Returns:
        `(picture, (x0, y0, w, h))`: what was cut out, and where.

    >>> picture, where = center_crop(np.zeros((7, 9, 3)), (5, 4))
    >>> picture.shape, where
    ((4, 5, 3), (2, 1, 5, 4))
    """
    height, width = pixels("center_crop", src).shape[:2]
    w, h = _fitting((width, height), size)
    box = (width - w) // 2, (height - h) // 2, w, h
    return fixed_crop(src, *box, size, interp), box


def random_crop(src, size, interp=2):
    """A part of a picture at a random place; arguments and result of `center_crop`.

    >>> random_crop(np.zeros((7, 9, 3)), (5, 4))[0].shape
    (4, 5, 3)
    """
    height, width = pixels("random_crop", src).shape[:2]
    box = _somewhere(width, height, *_fitting((width, height), size))
    return fixed_crop(src, *box, size, interp), box


def _fitting(old, size):
    return tuple(max(1, n) for n in scale_down(old, size))


def _somewhere(width, height, w, h):
    draw = generator()
    return int(draw.integers(width - w + 1)), int(draw.integers(height - h + 1)), w, h


def random_size_crop(src, size, area, ratio, interp=2, max_attempts=10, **kwargs):
    """A part of random size, shape and place, scaled to one size (Szegedy et al. 2015, arXiv:1409.4842).

    Args:
        src: `(height, width, channels)`.
        size: `(width, height)` of the result.
        area: least and greatest share of the picture's area; a number is the least, the greatest is 1 then.
        ratio: least and greatest width / height, drawn evenly in its logarithm.
        interp: as for `imresize`.
        max_attempts: how many shapes to draw until one fits; after that the centre is taken.
        kwargs: `min_area`, the old name of the least area.

    Returns:
        `(picture, (x0, y0, w, h))`.

    >>> random_size_crop(np.zeros((7, 9, 3)), (5, 4), (0.2, 1), (0.75, 1.33))[0].shape
    (4, 5, 3)
    """
    if "min_area" in kwargs:
        warn("random_size_crop: min_area is called area now.", DeprecationWarning)
        area = kwargs.pop("min_area")
    if kwargs:
        raise TypeError(f"random_size_crop: unknown arguments {sorted(kwargs)}. Leave them out.")
    least, most = (area, 1.0) if isinstance(area, (int, float)) else area
    if not 0 <= least <= most or not 0 < ratio[0] <= ratio[1]:
        raise ValueError(
            f"random_size_crop: area={area}, ratio={ratio}. Each is a smaller and a larger positive number. Swap them."
        )
    height, width = pixels("random_size_crop", src).shape[:2]
    draw = generator()
    for _ in range(max_attempts):
        room = height * width * draw.uniform(least, most)
        shape = math.exp(draw.uniform(math.log(ratio[0]), math.log(ratio[1])))
        w, h = round(math.sqrt(room * shape)), round(math.sqrt(room / shape))
        if 0 < w <= width and 0 < h <= height:
            box = int(draw.integers(width - w + 1)), int(draw.integers(height - h + 1)), w, h
            return fixed_crop(src, *box, size, interp), box
    return center_crop(src, size, interp)


# the codes of OpenCV's borders, as numpy.pad calls them
_BORDERS = {0: "constant", 1: "edge", 2: "symmetric", 3: "wrap", 4: "reflect"}


def copyMakeBorder(src, top, bot, left, right, type=0, value=0.0, values=None, out=None):
    """A picture with a border.

    Args:
        src: `(height, width, channels)`.
        top, bot, left, right: pixels on each side.
        type: 0 fills with `values`, 1 repeats the edge, 2 mirrors with the edge, 3 begins again at the other side,
            4 mirrors without the edge.
        value: what to fill with.
        values: the same, one for each channel.
        out: an array of that shape to fill.

    >>> copyMakeBorder(np.ones((1, 1, 1)), 0, 1, 1, 0)[..., 0]
    array([[0., 1.],
           [0., 0.]])
    """
    x = pixels("copyMakeBorder", src)
    if type not in _BORDERS or min(top, bot, left, right) < 0:
        raise ValueError(
            f"copyMakeBorder: type={type}, {top}, {bot}, {left} and {right} pixels. Types are {_BORDERS}, and a border"
            f" is not negative. Change one."
        )
    y = numpy.pad(x, ((top, bot), (left, right), (0, 0)), _BORDERS[type])
    if type == 0:
        inside = numpy.zeros(y.shape[:2], bool)
        inside[top : top + x.shape[0], left : left + x.shape[1]] = True
        y[~inside] = value if values is None or len(values) == 0 else values
    if out is None:
        return like(y, src)
    out[:] = y
    return out
