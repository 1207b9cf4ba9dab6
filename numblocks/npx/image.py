"""`npx.image`: images `(height, width, channels)` or batches of them, as arrays."""

from __future__ import annotations

import numpy

from .. import np
from .. import random as _random
from ..array import ndarray, place
from ..ops import elementwise as ew
from ..ops import matmul as mm
from ..ops import move
from . import colours
from .interpolate import dense


def to_tensor(data) -> ndarray:
    """`(height, width, channels)` of 0 to 255 to `(channels, height, width)` of 0 to 1; batches likewise."""
    axes = (2, 0, 1) if data.ndim == 3 else (0, 3, 1, 2)
    return move.transpose(ew.astype(data, "float32") / 255.0, axes=axes)


def normalize(data, mean=0.0, std=1.0) -> ndarray:
    """`(channels, height, width)` minus mean, over deviation, each a number or one per channel."""
    column = lambda v: np.array(numpy.reshape(numpy.asarray(v, "f4"), (-1, 1, 1)), ctx=data.ctx)
    return (data - column(mean)) / column(std)


def flip_left_right(data) -> ndarray:
    """Mirrored along the width."""
    return np.flip(data, -2)


def flip_top_bottom(data) -> ndarray:
    """Mirrored along the height."""
    return np.flip(data, -3)


def _coin(p: float) -> bool:
    return bool(_random.numpy_generator().random() < p)


def random_flip_left_right(data, p=0.5) -> ndarray:
    """Mirrored along the width with probability `p`."""
    return flip_left_right(data) if _coin(p) else data


def random_flip_top_bottom(data, p=0.5) -> ndarray:
    """Mirrored along the height with probability `p`."""
    return flip_top_bottom(data) if _coin(p) else data


def crop(data, x=0, y=0, width=1, height=1) -> ndarray:
    """The part that begins at column `x`, row `y`."""
    lead = (slice(None),) * (data.ndim - 3)
    return move.slice_(data, key=move.freeze_key((*lead, slice(y, y + height), slice(x, x + width))))


def resize(data, size=(0, 0), keep_ratio=False, interp=1) -> ndarray:
    """Resized to `size` (width, height), or the shorter side to an int with `keep_ratio`; `interp` is a code
    of `npx.interpolate`: 1 linear between pixels, 0 the nearest one.
    """
    h, w = data.shape[-3:-1]
    size = (size, size) if isinstance(size, int) else tuple(size)
    if keep_ratio:
        scale = size[0] / min(h, w)
        size = (max(int(w * scale), 1), max(int(h * scale), 1)) if min(h, w) != w else (size[0], max(int(h * scale), 1))
    width, height = size
    # Interpolation is linear: one small matrix for rows and one for columns. It runs on any device, traced or not.
    rows = place(dense(h, height, interp), data.ctx, type(data))
    columns = place(dense(w, width, interp), data.ctx, type(data))
    lead, channels = data.shape[:-3], data.shape[-1]
    y = ew.astype(data, "float32").reshape((*lead, h, w * channels))
    y = mm.matmul(rows, y).reshape((*lead, height, w, channels))
    y = mm.matmul(columns, y)
    return y if data.dtype.kind == "f" else ew.astype(ew.clip(ew.rint(y), 0.0, 255.0), data.dtype)


def _changed(data, change):
    """`change(x)` for a float x; integers are cut off at 0 and 255."""
    if data.dtype.kind == "f":
        return change(data)
    return ew.astype(ew.clip(change(ew.astype(data, "float32")), 0.0, 255.0), data.dtype)


def _factor(low: float, high: float) -> float:
    return float(_random.numpy_generator().uniform(low, high))


def random_brightness(data, min_factor, max_factor) -> ndarray:
    """Multiplied by a random factor."""
    factor = _factor(min_factor, max_factor)
    return _changed(data, lambda x: x * factor)


def random_contrast(data, min_factor, max_factor) -> ndarray:
    """Moved towards (or from) the mean gray by a random factor."""
    factor = _factor(min_factor, max_factor)
    return _changed(data, lambda x: colours.contrast(x, factor))


def random_saturation(data, min_factor, max_factor) -> ndarray:
    """Moved towards (or from) gray by a random factor."""
    factor = _factor(min_factor, max_factor)
    return _changed(data, lambda x: colours.saturation(x, factor))


def random_hue(data, min_factor, max_factor) -> ndarray:
    """Colours turned by a random angle, factor 1 being a whole turn, about the gray axis in YIQ."""
    angle = 2 * numpy.pi * _factor(min_factor, max_factor)
    cosine, sine = float(numpy.cos(angle)), float(numpy.sin(angle))
    return _changed(data, lambda x: colours.hue(x, cosine, sine))


def random_color_jitter(data, brightness=0.0, contrast=0.0, saturation=0.0, hue=0.0) -> ndarray:
    """Brightness, contrast, saturation and hue changed by up to these amounts."""
    for change, amount in (
        (random_brightness, brightness),
        (random_contrast, contrast),
        (random_saturation, saturation),
    ):
        data = change(data, max(0.0, 1.0 - amount), 1.0 + amount) if amount else data
    return random_hue(data, -hue, hue) if hue else data


def adjust_lighting(data, alpha) -> ndarray:
    """`alpha` times the principal components of ImageNet's colours added (Krizhevsky et al. 2012)."""
    shift = colours.EIGENVECTORS @ (numpy.asarray(alpha) * colours.EIGENVALUES)
    return _changed(data, lambda x: x + colours.constant(shift, x))


def random_lighting(data, alpha_std=0.05) -> ndarray:
    """`adjust_lighting` with normal numbers."""
    return adjust_lighting(data, _random.numpy_generator().normal(0, alpha_std, 3))


__all__ = [
    "adjust_lighting", "crop", "flip_left_right", "flip_top_bottom", "normalize", "random_brightness",
    "random_color_jitter",
    "random_contrast", "random_flip_left_right", "random_flip_top_bottom", "random_hue", "random_lighting",
    "random_saturation", "resize", "to_tensor",
]  # fmt: skip
