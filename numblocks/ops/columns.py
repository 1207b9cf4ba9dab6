"""Sliding blocks as columns, and back: `im2col` and its transpose."""

from __future__ import annotations

import itertools
import math

import numpy

from ..array import Aval
from ..errors import MXNetError
from .conv import out_size
from .kinds import primitive


def _sizes(where, shape, kernel, stride, dilate, pad):
    out = out_size(shape[2:], kernel, stride, pad, dilate)
    if len(shape) != len(kernel) + 2 or min(out) < 1:
        raise MXNetError(
            f"{where}: data of shape {tuple(shape)} and kernel {kernel}, stride {stride}, dilate {dilate}, pad"
            f" {pad} give"
            f" spatial sizes {out}. Data are (batch, channels, *spatial), and the kernel must fit. Use a smaller"
            f" kernel."
        )
    return out


def _windows(padded, kernel, stride, dilate, out):
    """For each tap of the kernel, its index among the taps and the elements it meets, a view."""
    for k, tap in enumerate(itertools.product(*(range(n) for n in kernel))):
        at = tuple(
            slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in zip(tap, dilate, out, stride, strict=True)
        )
        yield k, padded[(slice(None), slice(None), *at)]


def _infer(x, *, kernel, stride, dilate, pad):
    out = _sizes("im2col", x.shape, kernel, stride, dilate, pad)
    return Aval((x.shape[0], x.shape[1] * math.prod(kernel), math.prod(out)), x.dtype)


@primitive(
    kind="window", infer=_infer, vjp=(lambda g, y, x, **spec: col2im(g, size=tuple(x.shape[2:]), **spec),),
    examples=((((2, 3, 5, 4),), {"kernel": (2, 3), "stride": (2, 1), "dilate": (1, 1), "pad": (1, 0)}),
              (((1, 2, 7),), {"kernel": (3,), "stride": (1,), "dilate": (2,), "pad": (0,)})),
)  # fmt: skip
def im2col(x, *, kernel, stride, dilate, pad, out=None):
    """`(batch, channels, *spatial)` to `(batch, channels * taps, positions)`: each window as a column."""
    sizes = _sizes("im2col", x.shape, kernel, stride, dilate, pad)
    padded = numpy.pad(x, ((0, 0), (0, 0), *((p, p) for p in pad)))
    y = numpy.empty((*x.shape[:2], math.prod(kernel), *sizes), x.dtype)
    for k, window in _windows(padded, kernel, stride, dilate, sizes):
        y[:, :, k] = window
    y = y.reshape(x.shape[0], -1, math.prod(sizes))
    if out is None:
        return y
    out[...] = y
    return out


def _infer_back(g, *, size, kernel, stride, dilate, pad):
    channels, taps = g.shape[1] // math.prod(kernel), math.prod(kernel)
    out = _sizes("col2im", (g.shape[0], channels, *size), kernel, stride, dilate, pad)
    if g.ndim != 3 or g.shape[1] % taps or g.shape[2] != math.prod(out):
        raise MXNetError(
            f"col2im: columns of shape {tuple(g.shape)} do not fit spatial sizes {tuple(size)} with kernel {kernel}."
            f" They are (batch, channels * {taps}, {math.prod(out)}). Pass the arguments im2col was called with."
        )
    return Aval((g.shape[0], channels, *size), g.dtype)


@primitive(
    kind="window", infer=_infer_back, vjp=(lambda h, y, g, *, size, **spec: im2col(h, **spec),),
    examples=((((2, 18, 12), ), {"size": (5, 4), "kernel": (2, 3), "stride": (2, 1), "dilate": (1, 1), "pad": (1,
    1)}),),
)  # fmt: skip
def col2im(g, *, size, kernel, stride, dilate, pad, out=None):
    """The transpose of `im2col`: columns added up where their windows lie, `(batch, channels, *size)`."""
    channels = g.shape[1] // math.prod(kernel)
    sizes = out_size(size, kernel, stride, pad, dilate)
    columns = g.reshape(g.shape[0], channels, math.prod(kernel), *sizes)
    padded = numpy.zeros((g.shape[0], channels, *(n + 2 * p for n, p in zip(size, pad, strict=True))), g.dtype)
    for k, window in _windows(padded, kernel, stride, dilate, sizes):
        window += columns[:, :, k]
    y = padded[(slice(None), slice(None), *(slice(p, p + n) for n, p in zip(size, pad, strict=True)))]
    if out is None:
        return numpy.ascontiguousarray(y)
    out[...] = y
    return out
