"""Pictures with another mean and deviation."""

from __future__ import annotations

import numpy

from .pixels import like, pixels


def color_normalize(src, mean, std=None):
    """`(src - mean) / std`, each a number or one for each channel; None leaves that step out.

    Args:
        src: `(height, width, channels)`.

    Returns:
        float32 (float64 stays).

    >>> color_normalize(np.full((1, 1, 3), 5), [1, 2, 3], [2, 2, 2])
    array([[[2. , 1.5, 1. ]]])
    """
    x = pixels("color_normalize", src)
    x = x if x.dtype.kind == "f" else x.astype("float32")
    for value, change in ((mean, numpy.subtract), (std, numpy.divide)):
        if value is not None:
            x = change(x, numpy.asarray(value, x.dtype))
    return like(x, src)
