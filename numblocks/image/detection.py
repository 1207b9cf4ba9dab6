"""Augmenters for object detection: they change a picture and its boxes together."""

from __future__ import annotations

import math

from ..errors import warn
from .augmenter import Augmenter, Described
from .boxes import cropped, kept_enough, mirrored, moved
from .crop import copyMakeBorder, fixed_crop
from .pixels import generator, like, pixels


class DetAugmenter(Described):
    """The base of all that change a picture and its label: override `__call__`.

    A label is a float NumPy array `(objects, 5 or more)`: class, left, top, right, bottom as shares of width and
    height, and what else there is. Random numbers come from where those of `Augmenter` come from.

    Args:
        kwargs: what `dumps` tells.

    >>> DetAugmenter(p=0.5).dumps()
    '["detaugmenter", {"p": 0.5}]'
    """

    def __call__(self, src, label):
        """The changed picture `(height, width, channels)` and its label."""
        raise NotImplementedError(f"{type(self).__name__} has no __call__. It changes pictures and boxes. Write one.")


class DetBorrowAug(DetAugmenter):
    """An augmenter for classifiers that leaves boxes where they are, such as one of colours.

    Args:
        augmenter: an `Augmenter`.

    >>> from numblocks.image import CastAug
    >>> DetBorrowAug(CastAug())(np.ones((2, 2, 3)), None)[1] is None
    True
    """

    def __init__(self, augmenter):
        if not isinstance(augmenter, Augmenter):
            raise TypeError(
                f"DetBorrowAug: a {type(augmenter).__name__}. It takes an Augmenter of pictures. Pass one."
            )
        super().__init__()
        self.augmenter = augmenter

    def dumps(self):
        return [type(self).__name__.lower(), self.augmenter.dumps()]

    def __call__(self, src, label):
        return self.augmenter(src), label


class DetRandomSelectAug(DetAugmenter):
    """One of several augmenters at random, or none.

    Args:
        aug_list: DetAugmenters; empty for none ever.
        skip_prob: probability of none.

    >>> DetRandomSelectAug([DetHorizontalFlipAug(1.0)], skip_prob=1)(np.ones((1, 1, 3)), None)[1] is None
    True
    """

    def __init__(self, aug_list, skip_prob=0):
        aug_list = list(aug_list) if isinstance(aug_list, (list, tuple)) else [aug_list]
        for aug in aug_list:
            if not isinstance(aug, DetAugmenter):
                raise ValueError(
                    f"DetRandomSelectAug: a {type(aug).__name__} in aug_list. Allow DetAugmenter in list only: boxes"
                    f" must move with pictures. Wrap it in DetBorrowAug."
                )
        super().__init__(skip_prob=skip_prob if aug_list else 1)
        self.aug_list = aug_list

    def dumps(self):
        return [type(self).__name__.lower(), [aug.dumps() for aug in self.aug_list]]

    def __call__(self, src, label):
        draw = generator()
        if draw.random() < self.skip_prob:
            return src, label
        return self.aug_list[int(draw.integers(len(self.aug_list)))](src, label)


class DetHorizontalFlipAug(DetAugmenter):
    """Left and right exchanged with probability `p`.

    >>> import numpy
    >>> DetHorizontalFlipAug(1.0)(np.ones((2, 2, 3)), numpy.array([[1, 0, 0, 0.25, 1]]))[1].tolist()
    [[1.0, 0.75, 0.0, 1.0, 1.0]]
    """

    def __init__(self, p):
        super().__init__(p=p)

    def __call__(self, src, label):
        if generator().random() >= self.p:
            return src, label
        return like(pixels("DetHorizontalFlipAug", src)[:, ::-1], src), mirrored(label)


def _pair(value):
    return (value, 1.0) if isinstance(value, (int, float)) else tuple(value)


def _usable(who, aspect_ratio_range, area_range, least_area) -> bool:
    """Whether the ranges are; a warning if not, and the augmenter then changes nothing."""
    good = 0 < aspect_ratio_range[0] <= aspect_ratio_range[1] and least_area < area_range[1] >= area_range[0]
    if not good:
        warn(
            f"{who}: aspect_ratio_range={aspect_ratio_range}, area_range={area_range} leave nothing to draw from, so it"
            f" changes nothing. A range is a smaller and a larger positive number.",
        )
    return good


def _sides(area, ratio) -> tuple[int, int]:
    """Width and height in pixels of a rectangle of this area and width / height."""
    return round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))


class DetRandomCropAug(DetAugmenter):
    """A random part of the picture that does not cut objects too much (W. Liu et al., SSD, arXiv:1512.02325).

    Args:
        min_object_covered: of every object in the part more than this share must be in it.
        aspect_ratio_range: least and greatest width / height of the part.
        area_range: least and greatest share of the picture's area.
        min_eject_coverage: objects of which this share or less is left are dropped from the label.
        max_attempts: how many parts to draw until one fits; after that the picture stays whole.

    Attributes:
        enabled: False where the ranges are empty; it warns and changes nothing then.

    >>> import numpy
    >>> DetRandomCropAug()(np.ones((8, 8, 3)), numpy.array([[1, 0.25, 0.25, 0.75, 0.75]]))[1].shape
    (1, 5)
    """

    def __init__(
        self, min_object_covered=0.1, aspect_ratio_range=(0.75, 1.33), area_range=(0.05, 1.0), min_eject_coverage=0.3,
        max_attempts=50,
    ):  # fmt: skip
        area_range = _pair(area_range)
        if isinstance(aspect_ratio_range, (int, float)):
            aspect_ratio_range = aspect_ratio_range, aspect_ratio_range
        super().__init__(
            min_object_covered=min_object_covered, aspect_ratio_range=tuple(aspect_ratio_range), area_range=area_range,
            min_eject_coverage=min_eject_coverage, max_attempts=max_attempts,
        )  # fmt: skip
        self.enabled = _usable("DetRandomCropAug", self.aspect_ratio_range, area_range, 0)

    def __call__(self, src, label):
        height, width = pixels("DetRandomCropAug", src).shape[:2]
        for _ in range(self.max_attempts if self.enabled else 0):
            box = self._part(width, height)
            if box is None or not kept_enough(label, *box, width, height, self.min_object_covered):
                continue
            new = cropped(label, *box, width, height, self.min_eject_coverage)
            if len(new):
                return fixed_crop(src, *box), new
        return src, label

    def _part(self, width, height):
        draw = generator()
        ratio = draw.uniform(*self.aspect_ratio_range)
        # what is larger than the picture is not drawn: a range may go beyond it
        most = min(self.area_range[1], 1.0, width / height / ratio, height / width * ratio)
        if most < self.area_range[0]:
            return None
        w, h = _sides(draw.uniform(self.area_range[0], most) * width * height, ratio)
        w, h = min(w, width), min(h, height)
        if w < 1 or h < 1:
            return None
        return int(draw.integers(width - w + 1)), int(draw.integers(height - h + 1)), w, h


class DetRandomPadAug(DetAugmenter):
    """The picture at a random place of a larger one of a single colour: objects get smaller.

    Args:
        aspect_ratio_range: least and greatest width / height of the larger picture.
        area_range: least and greatest area of it, in areas of the picture.
        max_attempts: how many sizes to draw until one fits; after that the picture stays as it is.
        pad_val: the colour.

    Attributes:
        enabled: False where the ranges are empty; it warns and changes nothing then.

    >>> import numpy
    >>> x, label = DetRandomPadAug(area_range=(4, 4))(np.ones((8, 8, 3)), numpy.array([[1, 0, 0, 1, 1.0]]))
    >>> x.size > 8 * 8 * 3, float(label[0, 3] - label[0, 1]) < 1
    (True, True)
    """

    def __init__(
        self, aspect_ratio_range=(0.75, 1.33), area_range=(1.0, 3.0), max_attempts=50, pad_val=(128, 128, 128)
    ):
        pad_val = (pad_val,) if isinstance(pad_val, (int, float)) else tuple(pad_val)
        if isinstance(aspect_ratio_range, (int, float)):
            aspect_ratio_range = aspect_ratio_range, aspect_ratio_range
        area_range = (area_range, area_range) if isinstance(area_range, (int, float)) else tuple(area_range)
        super().__init__(
            aspect_ratio_range=tuple(aspect_ratio_range), area_range=area_range, max_attempts=max_attempts,
            pad_val=pad_val,
        )  # fmt: skip
        self.enabled = _usable("DetRandomPadAug", self.aspect_ratio_range, area_range, 1)

    def __call__(self, src, label):
        height, width = pixels("DetRandomPadAug", src).shape[:2]
        draw = generator()
        for _ in range(self.max_attempts if self.enabled else 0):
            ratio = draw.uniform(*self.aspect_ratio_range)
            w, h = _sides(draw.uniform(*self.area_range) * width * height, ratio)
            if w < width or h < height or (w, h) == (width, height):
                continue
            x, y = int(draw.integers(w - width + 1)), int(draw.integers(h - height + 1))
            border = y, h - height - y, x, w - width - x
            return copyMakeBorder(src, *border, values=self.pad_val), moved(label, -x, -y, w, h, width, height)
        return src, label
