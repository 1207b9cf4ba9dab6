"""Parts of images `(H, W, C)` or `(N, H, W, C)`."""

from __future__ import annotations

import math

from ..... import np
from .....random import numpy_generator
from ....block import Block
from .basic import Resize


def _pair(size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))


def _checked(where: str, x):
    if x.ndim not in (3, 4):
        raise ValueError(
            f"{where}: an array of shape {x.shape}. Images are (height, width, channels), batches have one axis"
            f" more. Put"
            f" it before ToTensor."
        )
    return x.shape[-3], x.shape[-2]


def _cut(x, left, top, width, height):
    return x[..., top : top + height, left : left + width, :]


class _Crop(Block):
    """Prints without what it is made of, as the original does."""

    def __repr__(self):
        return f"{type(self).__name__}(\n\n)"


class CropResize(_Crop):
    """The rectangle at `(x, y)`, scaled if asked for.

    Args:
        x, y: its left and top edge.
        width, height: its size.
        size: `(width, height)` of the result, or one number for both; None does not scale.
        interpolation: as for `Resize`.

    Raises:
        ValueError: the rectangle is not inside the image.

    >>> CropResize(1, 2, 4, 3, size=(8, 6))(np.zeros((5, 5, 3))).shape
    (6, 8, 3)
    """

    def __init__(self, x, y, width, height, size=None, interpolation=None):
        super().__init__()
        self._box = (x, y, width, height)
        self._resize = size and Resize(_pair(size), interpolation=1 if interpolation is None else interpolation)

    def forward(self, x):
        height, width = _checked("CropResize", x)
        left, top, w, h = self._box
        if min(left, top) < 0 or min(w, h) < 1 or left + w > width or top + h > height:
            raise ValueError(
                f"CropResize: {w}x{h} pixels at ({left}, {top}) of an image of {width}x{height}. The rectangle must"
                f" lie inside"
                f" the image. Choose a smaller one."
            )
        y = _cut(x, *self._box)
        return self._resize(y) if self._resize else y


class CenterCrop(_Crop):
    """The middle of an image; where the image is smaller, the largest part of that shape, scaled up.

    Args:
        size: `(width, height)`, or one number for both.
        interpolation: as for `Resize`.

    >>> CenterCrop((4, 2))(np.zeros((5, 5, 3))).shape
    (2, 4, 3)
    """

    def __init__(self, size, interpolation=1):
        super().__init__()
        self._size = _pair(size)
        self._resize = Resize(self._size, interpolation=interpolation)

    def forward(self, x):
        height, width = _checked("CenterCrop", x)
        w, h = _fitting(self._size, width, height)
        return self._resize(_cut(x, (width - w) // 2, (height - h) // 2, w, h))


def _fitting(size, width, height) -> tuple[int, int]:
    """`size`, or the largest rectangle of its shape in an image that is smaller."""
    share = min(1.0, width / size[0], height / size[1])
    return max(1, int(size[0] * share)), max(1, int(size[1] * share))


class RandomCrop(_Crop):
    """A part of the image at a random place.

    Args:
        size: `(width, height)`, or one number for both.
        pad: how many pixels to add around the image first: one number, or `(vertical, horizontal)`.
        pad_value: their value.
        interpolation: as for `Resize`; images that are smaller are scaled up.

    >>> RandomCrop(4, pad=1)(np.zeros((4, 4, 3))).shape
    (4, 4, 3)
    """

    def __init__(self, size, pad=None, pad_value=0, interpolation=1):
        super().__init__()
        self._size, self._pad, self._pad_value = _pair(size), _pair(pad or 0), pad_value
        self._resize = Resize(self._size, interpolation=interpolation)

    def forward(self, x):
        _checked("RandomCrop", x)
        if any(self._pad):
            around = ((0, 0),) * (x.ndim - 3) + tuple((n, n) for n in self._pad) + ((0, 0),)
            x = np.pad(x, around, constant_values=self._pad_value)
        height, width = x.shape[-3:-1]
        w, h = _fitting(self._size, width, height)
        draw = numpy_generator()
        left, top = int(draw.integers(width - w + 1)), int(draw.integers(height - h + 1))
        return self._resize(_cut(x, left, top, w, h))


class RandomResizedCrop(_Crop):
    """A part of random size, shape and place, scaled to one size (Szegedy et al. 2015, arXiv:1409.4842).

    Args:
        size: `(width, height)` of the result, or one number for both.
        scale: least and greatest share of the image's area.
        ratio: least and greatest width / height, drawn evenly in its logarithm.
        interpolation: as for `Resize`.

    >>> RandomResizedCrop((6, 4))(np.zeros((9, 9, 3))).shape
    (4, 6, 3)
    """

    def __init__(self, size, scale=(0.08, 1.0), ratio=(3.0 / 4.0, 4.0 / 3.0), interpolation=1):
        super().__init__()
        scale = (scale, 1.0) if isinstance(scale, (int, float)) else tuple(scale)
        if not 0 < scale[0] <= scale[1] or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(
                f"RandomResizedCrop: scale={scale}, ratio={ratio}. Each is a smaller and a larger positive number."
                f" Swap them."
            )
        self._scale, self._ratio = scale, tuple(map(math.log, ratio))
        self._middle = CenterCrop(size, interpolation)

    def forward(self, x):
        height, width = _checked("RandomResizedCrop", x)
        draw = numpy_generator()
        for _ in range(10):  # a long shape of a large area may not fit; then another is drawn
            area = height * width * draw.uniform(*self._scale)
            shape = math.exp(draw.uniform(*self._ratio))
            w, h = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if 0 < w <= width and 0 < h <= height:
                left, top = int(draw.integers(width - w + 1)), int(draw.integers(height - h + 1))
                return self._middle._resize(_cut(x, left, top, w, h))
        return self._middle(x)
