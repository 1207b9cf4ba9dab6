"""Arithmetic of colours `(..., 3)`, red first: one set of formulas for transforms, augmenters and `npx.image`.

Every function takes NumPy arrays or ndarrays of a real-valued dtype, and amounts that are numbers or arrays of shape
(1,), so a hybridized Block can draw them.
"""

from __future__ import annotations

import numpy

from ..array import place

GRAY = (0.299, 0.587, 0.114)  # ITU-R BT.601: how bright red, green and blue look
# one luma and two colour axes (NTSC's YIQ), in which hue is an angle
_TO_YIQ = numpy.array([GRAY, [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
_FROM_YIQ = numpy.linalg.inv(_TO_YIQ)
# A turn of the hue is linear: what stays, what goes with the cosine of the angle, what goes with its sine.
_STAY, _COSINE, _SINE = (
    (_FROM_YIQ @ numpy.array(part) @ _TO_YIQ).T
    for part in (numpy.diag([1, 0, 0]), numpy.diag([0, 1, 1]), [[0, 0, 0], [0, 0, -1], [0, 1, 0]])
)
# Principal components of the pixels of ImageNet, for values 0 to 255 (Krizhevsky et al. 2012).
EIGENVALUES = numpy.array([55.46, 4.794, 1.148])
EIGENVECTORS = numpy.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
# mean and deviation of the pixels of ImageNet, for values 0 to 255
MEAN, DEVIATION = (123.68, 116.28, 103.53), (58.395, 57.12, 57.375)


def constant(values, like):
    """`values` as an array of the kind, dtype and device of `like`."""
    values = numpy.asarray(values, like.dtype)
    return values if isinstance(like, numpy.ndarray) else place(values, like.ctx, type(like))


def gray(x, weights=GRAY):
    """How bright each pixel is, `(..., 1)`.

    >>> gray(numpy.ones((1, 3))).round(3).tolist()
    [[1.0]]
    """
    return (x * constant(weights, x)).sum(axis=-1, keepdims=True)


def contrast(x, factor):
    """All pixels `factor` times as far from the mean brightness of their picture `(..., height, width, 3)`."""
    return x * factor + gray(x).mean(axis=(-3, -2), keepdims=True) * (1.0 - factor)


def saturation(x, factor):
    """Each pixel `factor` times as far from its own brightness."""
    return x * factor + gray(x) * (1.0 - factor)


def hue(x, cosine, sine):
    """The hue turned by an angle given as cosine and sine; the brightness stays.

    >>> hue(numpy.array([[0.2, 0.5, 0.3]]), 1.0, 0.0).round(6).tolist()
    [[0.2, 0.5, 0.3]]
    """
    return x @ constant(_STAY, x) + (x @ constant(_COSINE, x)) * cosine + (x @ constant(_SINE, x)) * sine
