"""Flips and rotations, and transforms that are applied or not."""

from __future__ import annotations

from ..... import np, random
from .....npx.rotation import one_zoom, rotate
from .....random import numpy_generator
from ....block import Block
from ....hybrid import HybridBlock
from ....nn import HybridSequential, Sequential


class _Flip(HybridBlock):
    axis = -1

    def __init__(self, p=0.5):
        super().__init__()
        self._p = p

    def forward(self, x):
        if x.ndim not in (3, 4):
            raise ValueError(
                f"{type(self).__name__}: an array of shape {x.shape}. Images are (height, width, channels), batches"
                f" have one"
                f" axis more. Put it before ToTensor."
            )
        return np.where(random.uniform(shape=(1,)) < self._p, np.flip(x, self.axis), x)


class RandomFlipLeftRight(_Flip):
    """Mirrors images `(H, W, C)` or `(N, H, W, C)` with probability `p`, a batch as a whole.

    >>> RandomFlipLeftRight()(np.ones((2, 3, 3))).shape
    (2, 3, 3)
    """

    axis = -2


class RandomFlipTopBottom(_Flip):
    """Turns images `(H, W, C)` or `(N, H, W, C)` upside down, mirrored, with probability `p`, a batch as a whole.

    >>> RandomFlipTopBottom()(np.ones((2, 3, 3))).shape
    (2, 3, 3)
    """

    axis = -3


class Rotate(Block):
    """Rotates images `(C, H, W)` or `(N, C, H, W)` about their centre, counter-clockwise; 0 where nothing was.

    Args:
        rotation_degrees: the angle.
        zoom_in: enlarge so far that no such 0 is seen.
        zoom_out: shrink so far that the whole image is seen.

    Raises:
        TypeError: images of integers, or of other shape.

    >>> Rotate(90)(np.arange(4).reshape((1, 2, 2)))[0].round(3)
    array([[1., 3.],
           [0., 2.]])
    """

    def __init__(self, rotation_degrees, zoom_in=False, zoom_out=False):
        super().__init__()
        one_zoom("Rotate", zoom_in, zoom_out)
        self._degrees, self._zoom = rotation_degrees, (zoom_in, zoom_out)

    def forward(self, x):
        return rotate("Rotate", x, self._degrees, *self._zoom)


class RandomRotation(Block):
    """`Rotate` by a random angle.

    Args:
        angle_limits: least and greatest angle in degrees.
        zoom_in, zoom_out: as for `Rotate`.
        rotate_with_proba: probability that it rotates at all.

    >>> RandomRotation((-10, 10))(np.ones((3, 4, 4))).shape
    (3, 4, 4)
    """

    def __init__(self, angle_limits, zoom_in=False, zoom_out=False, rotate_with_proba=1.0):
        super().__init__()
        one_zoom("RandomRotation", zoom_in, zoom_out)
        lower, upper = angle_limits
        if lower >= upper:
            raise ValueError(
                f"RandomRotation: angle_limits={angle_limits}. They are the least and the greatest. Swap them."
            )
        if not 0 <= rotate_with_proba <= 1:
            raise ValueError(f"RandomRotation: rotate_with_proba={rotate_with_proba}. A probability is 0 to 1.")
        self._limits, self._zoom, self._p = (lower, upper), (zoom_in, zoom_out), rotate_with_proba

    def forward(self, x):
        draw = numpy_generator()
        if draw.random() >= self._p:
            return x
        return rotate("RandomRotation", x, draw.uniform(*self._limits), *self._zoom)


class RandomApply(Sequential):
    """All of some transforms, or none, with probability `p`.

    Args:
        transforms: a Block, or a list of Blocks.

    >>> RandomApply([RandomRotation((0, 9))], p=0.0)(np.ones((3, 4, 4))).shape
    (3, 4, 4)
    """

    def __init__(self, transforms, p=0.5):
        super().__init__()
        self.add(*(transforms if isinstance(transforms, (list, tuple)) else [transforms]))
        self._p = p

    def forward(self, x):
        return super().forward(x) if numpy_generator().random() < self._p else x


class HybridRandomApply(HybridSequential):
    """`RandomApply` that can be hybridized: the transforms are computed, and their result is taken or not.

    Args:
        transforms: a HybridBlock, or a list of them, that keep shape and dtype.

    >>> HybridRandomApply([RandomFlipLeftRight()], p=1.0)(np.ones((2, 3, 3))).shape
    (2, 3, 3)
    """

    def __init__(self, transforms, p=0.5):
        super().__init__()
        self.add(*(transforms if isinstance(transforms, (list, tuple)) else [transforms]))
        self._p = p

    def forward(self, x):
        return np.where(random.uniform(shape=(1,)) < self._p, super().forward(x), x)
