"""The usual chain of augmenters for object detection."""

from __future__ import annotations

from .create import normalizing, of_colours
from .detection import (
    DetAugmenter,
    DetBorrowAug,
    DetHorizontalFlipAug,
    DetRandomCropAug,
    DetRandomPadAug,
    DetRandomSelectAug,
)
from .jitter import CastAug
from .shapes import ForceResizeAug, ResizeAug


def CreateMultiRandCropAugmenter(
    min_object_covered=0.1, aspect_ratio_range=(0.75, 1.33), area_range=(0.05, 1.0), min_eject_coverage=0.3,
    max_attempts=50, skip_prob=0,
) -> DetRandomSelectAug:  # fmt: skip
    """One of several random crops, each with arguments of its own.

    Args:
        min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts: as for
            `DetRandomCropAug`, or lists of such: crop k takes the k-th of each list.
        skip_prob: probability of no crop.

    Raises:
        ValueError: lists of different length.

    >>> len(CreateMultiRandCropAugmenter(min_object_covered=[0.1, 0.5, 0.9]).aug_list)
    3
    """
    columns = [min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts]
    columns = [column if isinstance(column, list) else [column] for column in columns]
    lengths = {len(column) for column in columns} - {1}
    if len(lengths) > 1:
        raise ValueError(
            f"CreateMultiRandCropAugmenter: lists of {sorted(lengths)} entries. Crop k takes the k-th of each. Give the"
            f" lists one length."
        )
    count = max(len(column) for column in columns)
    columns = [column * count if len(column) == 1 else column for column in columns]
    return DetRandomSelectAug([DetRandomCropAug(*row) for row in zip(*columns, strict=True)], skip_prob)


def CreateDetAugmenter(
    data_shape, resize=0, rand_crop=0, rand_pad=0, rand_gray=0, rand_mirror=False, mean=None, std=None, brightness=0,
    contrast=0, saturation=0, pca_noise=0, hue=0, inter_method=2, min_object_covered=0.1,
    aspect_ratio_range=(0.75, 1.33), area_range=(0.05, 3.0), min_eject_coverage=0.3, max_attempts=50,
    pad_val=(127, 127, 127),
) -> list[DetAugmenter]:  # fmt: skip
    """The augmenters for object detection, in the usual order; the last size is `data_shape`, whatever the shape was.

    Args:
        data_shape: `(channels, height, width)` of the result.
        resize: first make the shorter side this long; 0 for not.
        rand_crop, rand_pad: probabilities of cropping and of padding.
        rand_gray: probability of grey.
        rand_mirror: exchange left and right half of the time.
        mean, std, brightness, contrast, saturation, pca_noise, hue: as for `CreateAugmenter`.
        inter_method: of resizing, as for `imresize`.
        min_object_covered, aspect_ratio_range, min_eject_coverage, max_attempts: of cropping, as for
            `CreateMultiRandCropAugmenter`; ranges and attempts of padding, too.
        area_range: least area of a crop and greatest area of padding, in areas of the picture.
        pad_val: the colour around padded pictures.

    >>> [type(a).__name__ for a in CreateDetAugmenter((3, 4, 4), rand_crop=0.5, rand_mirror=True)]
    ['DetRandomSelectAug', 'DetHorizontalFlipAug', 'DetBorrowAug', 'DetBorrowAug']
    """
    chain: list[DetAugmenter] = [DetBorrowAug(ResizeAug(resize, inter_method))] if resize > 0 else []
    if rand_crop > 0:
        chain.append(CreateMultiRandCropAugmenter(
            min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts, 1 - rand_crop
        ))  # fmt: skip
    if rand_mirror:
        chain.append(DetHorizontalFlipAug(0.5))
    if rand_pad > 0:
        ratios = aspect_ratio_range[0] if isinstance(aspect_ratio_range, list) else aspect_ratio_range
        most = max(high for _, high in area_range) if isinstance(area_range, list) else area_range[1]
        attempts = max_attempts[0] if isinstance(max_attempts, list) else max_attempts
        chain.append(DetRandomSelectAug([DetRandomPadAug(ratios, (1.0, most), attempts, pad_val)], 1 - rand_pad))
    plain = [ForceResizeAug((data_shape[2], data_shape[1]), inter_method), CastAug()]
    plain += of_colours(brightness, contrast, saturation, hue, pca_noise, rand_gray)
    plain += normalizing("CreateDetAugmenter", mean, std)
    return chain + [DetBorrowAug(aug) for aug in plain]
