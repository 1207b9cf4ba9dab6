"""From stored images, `(height, width, channels)` uint8, to what a net takes. Each transform is a Block.

>>> to_net = Compose([ToTensor(), Normalize(0.5, 0.25)])
"""

from __future__ import annotations

import itertools

import numpy

from ..... import np, npx
from .....array import wrap
from .....npx.interpolate import CODES
from ....hybrid import HybridBlock
from ....nn import HybridSequential, Sequential


class Compose(Sequential):
    """Transforms one after the other; HybridBlocks in a row become one HybridSequential.

    Args:
        transforms: a list of Blocks.
    """

    def __init__(self, transforms):
        super().__init__()
        for hybrid, row in itertools.groupby(transforms, lambda step: isinstance(step, HybridBlock)):
            row = list(row)
            if hybrid and len(row) > 1:
                # Not hybridized as in the original: pictures come in many sizes, and each would be traced.
                together = HybridSequential()
                together.add(*row)
                row = [together]
            self.add(*row)


class HybridCompose(HybridSequential):
    """Transforms one after the other, which can be hybridized together.

    Args:
        transforms: a list of HybridBlocks.

    >>> HybridCompose([ToTensor(), Normalize(0.5)])(np.zeros((4, 6, 3))).shape
    (3, 4, 6)
    """

    def __init__(self, transforms):
        super().__init__()
        self.add(*transforms)


class Cast(HybridBlock):
    """Converts to a dtype.

    Args:
        dtype: of the result.
    """

    def __init__(self, dtype="float32"):
        super().__init__()
        self._dtype = dtype

    def forward(self, x):
        return x.astype(self._dtype)


class ToTensor(HybridBlock):
    """Images `(H, W, C)` or `(N, H, W, C)` of 0 to 255 become `(C, H, W)` or `(N, C, H, W)` float32 of 0 to
    1.

    Raises:
        ValueError: neither 3 nor 4 axes.

    >>> ToTensor()(np.full((8, 6, 1), 255)).shape
    (1, 8, 6)
    """

    def forward(self, x):
        if x.ndim not in (3, 4):
            raise ValueError(
                f"ToTensor: an array of shape {x.shape}. Images are (height, width, channels), batches have"
                f" one axis more. Add the missing axis, e.g. x.expand_dims(-1)."
            )
        axes = (2, 0, 1) if x.ndim == 3 else (0, 3, 1, 2)
        return np.transpose(x, axes).astype("float32") / 255.0


class Normalize(HybridBlock):
    """`(x - mean) / std` for images `(C, H, W)` or `(N, C, H, W)`.

    Args:
        mean, std: a number, or one for each channel.
    """

    def __init__(self, mean=0.0, std=1.0):
        super().__init__()
        self._mean, self._std = (numpy.asarray(v, "float32").reshape(-1, 1, 1) for v in (mean, std))

    def forward(self, x):
        if x.dtype.kind != "f":
            raise TypeError(
                f"Normalize: images of dtype {x.dtype}. The result is real-valued. Put ToTensor or Cast"
                f" before it."
            )
        return (x - wrap(self._mean, x.ctx, type(x))) / wrap(self._std, x.ctx, type(x))


class Resize(HybridBlock):
    """Scales images `(H, W, C)` or `(N, H, W, C)`.

    Args:
        size: `(width, height)`, or one number for both; with `keep_ratio` the shorter side becomes this
            number.
        keep_ratio: see `size`.
        interpolation: 0 takes the nearest pixel, 1 is bilinear between pixel centres, 2 bicubic, 3 the mean of the
            area, 4 Lanczos's; see `npx.interpolate`.

    >>> Resize((6, 4))(np.zeros((8, 8, 3))).shape
    (4, 6, 3)
    """

    def __init__(self, size, keep_ratio=False, interpolation=1):
        super().__init__()
        if interpolation not in CODES:
            raise ValueError(f"Resize: interpolation={interpolation}. There are {CODES}. Use one of these numbers.")
        self._size, self._keep_ratio, self._interpolation = size, keep_ratio, interpolation

    def _target(self, height, width) -> tuple[int, int]:
        if not isinstance(self._size, int):
            width, height = self._size
            return height, width
        if not self._keep_ratio:
            return self._size, self._size
        if height < width:
            return self._size, max(1, width * self._size // height)
        return max(1, height * self._size // width), self._size

    def forward(self, x):
        height, width = x.shape[-3:-1]
        new_height, new_width = self._target(height, width)
        if (new_height, new_width) == (height, width):
            return x
        return npx.image.resize(x, (new_width, new_height), interp=self._interpolation)
