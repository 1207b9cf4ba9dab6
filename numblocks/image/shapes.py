"""Augmenters that change size and place: resizing, cropping, mirroring."""

from __future__ import annotations

from .augmenter import Augmenter
from .crop import center_crop, random_crop, random_size_crop
from .pixels import generator, like, pixels
from .resize import imresize, resize_short


class ResizeAug(Augmenter):
    """`resize_short`: the shorter side becomes `size`.

    >>> ResizeAug(2)(np.ones((4, 6, 3))).shape
    (2, 3, 3)
    """

    def __init__(self, size, interp=2):
        super().__init__(size=size, interp=interp)

    def __call__(self, src):
        return resize_short(src, self.size, self.interp)


class ForceResizeAug(Augmenter):
    """`imresize` to `size` (width, height), whatever the shape was.

    >>> ForceResizeAug((2, 3))(np.ones((4, 6, 3))).shape
    (3, 2, 3)
    """

    def __init__(self, size, interp=2):
        super().__init__(size=size, interp=interp)

    def __call__(self, src):
        return imresize(src, *self.size, interp=self.interp)


class RandomCropAug(Augmenter):
    """`random_crop` to `size` (width, height).

    >>> RandomCropAug((2, 3))(np.ones((4, 6, 3))).shape
    (3, 2, 3)
    """

    def __init__(self, size, interp=2):
        super().__init__(size=size, interp=interp)

    def __call__(self, src):
        return random_crop(src, self.size, self.interp)[0]


class CenterCropAug(Augmenter):
    """`center_crop` to `size` (width, height).

    >>> CenterCropAug((2, 3))(np.ones((4, 6, 3))).shape
    (3, 2, 3)
    """

    def __init__(self, size, interp=2):
        super().__init__(size=size, interp=interp)

    def __call__(self, src):
        return center_crop(src, self.size, self.interp)[0]


class RandomSizedCropAug(Augmenter):
    """`random_size_crop` to `size` (width, height).

    Args:
        size, area, ratio, interp: as for `random_size_crop`.
        kwargs: `min_area`, the old name of the least area.

    >>> RandomSizedCropAug((2, 3), 0.08, (0.75, 1.33))(np.ones((4, 6, 3))).shape
    (3, 2, 3)
    """

    def __init__(self, size, area, ratio, interp=2, **kwargs):
        area = kwargs.pop("min_area", area)
        if kwargs:
            raise TypeError(f"RandomSizedCropAug: unknown arguments {sorted(kwargs)}. Leave them out.")
        super().__init__(size=size, area=area, ratio=ratio, interp=interp)

    def __call__(self, src):
        return random_size_crop(src, self.size, self.area, self.ratio, self.interp)[0]


class HorizontalFlipAug(Augmenter):
    """Left and right exchanged with probability `p`.

    >>> HorizontalFlipAug(1.0)(np.array([[[1.0], [2.0]]])).ravel()
    array([2., 1.])
    """

    def __init__(self, p):
        super().__init__(p=p)

    def __call__(self, src):
        if generator().random() >= self.p:
            return src
        return like(pixels("HorizontalFlipAug", src)[:, ::-1], src)
