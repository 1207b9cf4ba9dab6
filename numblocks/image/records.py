"""Record files with the arguments of MXNet's compiled iterators."""

from __future__ import annotations

import numpy

from ..npx.colours import EIGENVALUES, EIGENVECTORS
from .augmenter import Augmenter
from .crop import copyMakeBorder
from .iterator import ImageIter
from .jitter import BrightnessJitterAug as Brightness
from .jitter import CastAug, ColorNormalizeAug, ContrastJitterAug, LightingAug
from .jitter import SaturationJitterAug as Saturation
from .shapes import CenterCropAug, HorizontalFlipAug, RandomCropAug, RandomSizedCropAug, ResizeAug

# of MXNet's arguments, those about threads, memory and talk
_WITHOUT_EFFECT = {
    "preprocess_threads", "prefetch_buffer", "verbose", "device_id", "ctx", "seed", "seed_aug", "shuffle_chunk_size",
    "shuffle_chunk_seed", "aug_seq",
}  # fmt: skip


class _Pad(Augmenter):
    """A border of one colour."""

    def __init__(self, pad, fill_value):
        super().__init__(pad=pad, fill_value=fill_value)

    def __call__(self, src):
        return copyMakeBorder(src, *(self.pad,) * 4, value=self.fill_value)


class _Scale(Augmenter):
    """Multiplied by a number."""

    def __init__(self, scale):
        super().__init__(scale=scale)

    def __call__(self, src):
        return src * numpy.float32(self.scale)


class ImageRecordIter(ImageIter):
    """`ImageIter` over a record file, with the arguments of MXNet's compiled iterator.

    Args:
        path_imgrec, path_imgidx, path_imglist, data_shape, batch_size, label_width, shuffle, num_parts, part_index,
            data_name, label_name, dtype: as for `ImageIter`.
        round_batch: fill the last batch from the beginning, else leave it out.
        resize: make the shorter side this long; -1 for not.
        pad, fill_value: a border of so many pixels, before cropping.
        rand_crop: crop at random, else at the centre.
        random_resized_crop: crop a random size and shape: a share of the area from `min_random_area` to
            `max_random_area`, width / height from `min_aspect_ratio` to `max_aspect_ratio`.
        rand_mirror, mirror: exchange left and right, half of the time or always.
        brightness, contrast, saturation, pca_noise: strengths of jitter.
        mean_r, mean_g, mean_b, std_r, std_g, std_b: to normalize with; `scale` multiplies after that.
        inter_method: of resizing.
        others: arguments about threads, memory and talk are accepted and change nothing: wrap the iterator in
            `io.PrefetchingIter` to read ahead. `numblocks.random.seed` takes the place of `seed`.

    Raises:
        TypeError: other arguments of MXNet's (rotation, shear, HSL jitter, mean images), which are not supported.

    >>> ImageRecordIter.__mro__[1].__name__
    'ImageIter'
    """

    _dtype = "float32"

    def __init__(
        self, path_imgrec, data_shape, batch_size, path_imgidx=None, path_imglist=None, label_width=1, shuffle=False,
        num_parts=1, part_index=0, round_batch=True, resize=-1, pad=0, fill_value=255, rand_crop=False,
        random_resized_crop=False, min_random_area=1.0, max_random_area=1.0, min_aspect_ratio=None,
        max_aspect_ratio=0.0, rand_mirror=False, mirror=False, brightness=0.0, contrast=0.0, saturation=0.0,
        pca_noise=0.0, mean_r=0.0, mean_g=0.0, mean_b=0.0, std_r=1.0, std_g=1.0, std_b=1.0, scale=1.0, inter_method=1,
        data_name="data", label_name="softmax_label", dtype=None, **others,
    ):  # fmt: skip
        unknown = sorted(set(others) - _WITHOUT_EFFECT)
        if unknown:
            raise TypeError(
                f"{type(self).__name__}: {', '.join(unknown)}. These are not supported. Leave them out, or pass"
                f" augmenters of your own to image.ImageIter."
            )
        size = data_shape[2], data_shape[1]
        steps = [ResizeAug(resize, inter_method)] if resize > 0 else []
        steps += [_Pad(pad, fill_value)] if pad > 0 else []
        if random_resized_crop:
            least = 1 - max_aspect_ratio if min_aspect_ratio is None else min_aspect_ratio
            most = 1 + max_aspect_ratio if min_aspect_ratio is None else max_aspect_ratio
            steps.append(RandomSizedCropAug(size, (min_random_area, max_random_area), (least, most), inter_method))
        else:
            steps.append((RandomCropAug if rand_crop else CenterCropAug)(size, inter_method))
        steps += [HorizontalFlipAug(1.0 if mirror else 0.5)] if mirror or rand_mirror else []
        steps.append(CastAug())
        strengths = (Brightness, brightness), (ContrastJitterAug, contrast), (Saturation, saturation)
        steps += [kind(strength) for kind, strength in strengths if strength > 0]
        steps += [LightingAug(pca_noise, EIGENVALUES, EIGENVECTORS)] if pca_noise > 0 else []
        channels = data_shape[0]
        mean, std = (numpy.array(v[:channels], "float32") for v in ((mean_r, mean_g, mean_b), (std_r, std_g, std_b)))
        steps += [ColorNormalizeAug(mean, std)] if mean.any() or (std != 1).any() else []
        steps += [_Scale(scale)] if scale != 1 else []
        super().__init__(
            batch_size, data_shape, label_width, path_imgrec, path_imglist, None, path_imgidx, shuffle, part_index,
            num_parts, steps, None, data_name, label_name, dtype or self._dtype, "pad" if round_batch else "discard",
        )  # fmt: skip


class ImageRecordUInt8Iter(ImageRecordIter):
    """`ImageRecordIter` with batches of uint8.

    >>> ImageRecordUInt8Iter._dtype
    'uint8'
    """

    _dtype = "uint8"


class ImageRecordInt8Iter(ImageRecordIter):
    """`ImageRecordIter` with batches of int8: subtract a mean so that values fit.

    >>> ImageRecordInt8Iter._dtype
    'int8'
    """

    _dtype = "int8"
