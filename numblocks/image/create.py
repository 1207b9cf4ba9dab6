"""The usual chain of augmenters for classifiers."""

from __future__ import annotations

import numpy

from ..npx.colours import DEVIATION, EIGENVALUES, EIGENVECTORS, MEAN
from .augmenter import Augmenter
from .jitter import CastAug, ColorJitterAug, ColorNormalizeAug, HueJitterAug, LightingAug, RandomGrayAug
from .shapes import CenterCropAug, HorizontalFlipAug, RandomCropAug, RandomSizedCropAug, ResizeAug


def of_colours(brightness, contrast, saturation, hue, pca_noise, rand_gray) -> list[Augmenter]:
    """Augmenters of colours with these strengths, 0 for none.

    >>> [type(a).__name__ for a in of_colours(0, 0, 0, 0.1, 0, 0.2)]
    ['HueJitterAug', 'RandomGrayAug']
    """
    found = []
    if brightness or contrast or saturation:
        found.append(ColorJitterAug(brightness, contrast, saturation))
    if hue:
        found.append(HueJitterAug(hue))
    if pca_noise > 0:
        found.append(LightingAug(pca_noise, EIGENVALUES, EIGENVECTORS))
    if rand_gray > 0:
        found.append(RandomGrayAug(rand_gray))
    return found


def normalizing(where, mean, std) -> list[Augmenter]:
    """An augmenter with this mean and deviation: True for ImageNet's, None for neither.

    >>> normalizing('doc', True, None)[0].mean
    array([123.68, 116.28, 103.53], dtype=float32)
    """
    mean = _of_channels(where, "mean", mean, MEAN)
    std = _of_channels(where, "std", std, DEVIATION)
    return [] if mean is None and std is None else [ColorNormalizeAug(mean, std)]


def _of_channels(where, name, value, imagenet):
    if value is None or value is False:
        return None
    value = numpy.asarray(imagenet if value is True else value, "float32")
    if value.ndim > 1 or value.size not in (1, 3):
        raise ValueError(
            f"{where}: {name} of shape {value.shape}. It has one number, or one for each of three channels. Change it."
        )
    return value


def CreateAugmenter(
    data_shape, resize=0, rand_crop=False, rand_resize=False, rand_mirror=False, mean=None, std=None, brightness=0,
    contrast=0, saturation=0, hue=0, pca_noise=0, rand_gray=0, inter_method=2,
) -> list[Augmenter]:  # fmt: skip
    """The augmenters for a classifier, in the usual order.

    Args:
        data_shape: `(channels, height, width)` of the result.
        resize: first make the shorter side this long; 0 for not.
        rand_crop: crop at random, else at the centre.
        rand_resize: crop a random size and shape; needs `rand_crop`.
        rand_mirror: exchange left and right half of the time.
        mean, std: to normalize with: one number for each channel, True for ImageNet's, None for not.
        brightness, contrast, saturation, hue: strengths of jitter.
        pca_noise: of lighting.
        rand_gray: probability of grey.
        inter_method: of resizing, as for `imresize`.

    Raises:
        ValueError: `rand_resize` without `rand_crop`; mean or std of another length.

    >>> [type(a).__name__ for a in CreateAugmenter((3, 4, 4), resize=6, rand_mirror=True)]
    ['ResizeAug', 'CenterCropAug', 'HorizontalFlipAug', 'CastAug']
    """
    size = data_shape[2], data_shape[1]
    chain = [ResizeAug(resize, inter_method)] if resize > 0 else []
    if rand_resize:
        if not rand_crop:
            raise ValueError(
                "CreateAugmenter: rand_resize without rand_crop. It crops random sizes at random places. Set both."
            )
        chain.append(RandomSizedCropAug(size, 0.08, (3.0 / 4.0, 4.0 / 3.0), inter_method))
    else:
        chain.append((RandomCropAug if rand_crop else CenterCropAug)(size, inter_method))
    if rand_mirror:
        chain.append(HorizontalFlipAug(0.5))
    chain.append(CastAug())
    chain += of_colours(brightness, contrast, saturation, hue, pca_noise, rand_gray)
    return chain + normalizing("CreateAugmenter", mean, std)
