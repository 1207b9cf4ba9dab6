"""The Fourier transform of the last axis as real arrays, real and imaginary parts in turn; each op is the other's
gradient."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval
from ..errors import MXNetError
from .kinds import primitive


def _given(y, out, want):
    if out is None:
        return numpy.ascontiguousarray(y, want)
    out[...] = y
    return out


def _infer(x):
    if not x.ndim or not x.shape[-1]:
        raise MXNetError(f"fft: an array of shape {tuple(x.shape)}. Its last axis is transformed. Give it a length.")
    return Aval((*x.shape[:-1], 2 * x.shape[-1]), dt.as_float(x.dtype))


@primitive(kind="linalg", infer=_infer, vjp=(lambda g, y, x: unfft(g),), examples=((((2, 5),), {}), (((4,),), {})))
def fft(x, *, out=None):
    """`(..., n)` real to `(..., 2 n)`: sum of x[j] exp(-2 pi i j k / n), interleaved."""
    y = numpy.fft.fft(x, axis=-1)
    return _given(numpy.stack([y.real, y.imag], -1).reshape(_infer(x).shape), out, _infer(x).dtype)


def _infer_back(x):
    if not x.ndim or x.shape[-1] % 2 or not x.shape[-1]:
        raise MXNetError(
            f"ifft: an array of shape {tuple(x.shape)}. Its last axis holds real and imaginary parts in turn. Give it"
            f" an even length."
        )
    return Aval((*x.shape[:-1], x.shape[-1] // 2), dt.as_float(x.dtype))


@primitive(kind="linalg", infer=_infer_back, vjp=(lambda g, y, x: fft(g),),
           examples=((((2, 6),), {}), (((4,),), {})))  # fmt: skip
def unfft(x, *, out=None):
    """`(..., 2 n)` interleaved to `(..., n)`: the real part of the sum of x[k] exp(2 pi i j k / n), without 1 / n."""
    pairs = numpy.asarray(x).reshape(*x.shape[:-1], -1, 2)
    y = numpy.fft.ifft(pairs[..., 0] + 1j * pairs[..., 1], axis=-1).real * pairs.shape[-2]
    return _given(y, out, _infer_back(x).dtype)


__all__ = ["fft", "unfft"]
