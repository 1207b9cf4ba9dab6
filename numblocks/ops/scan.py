"""Scans: each element depends on those before it along an axis."""

from __future__ import annotations

import numpy

from ..array import Aval
from .kinds import primitive
from .move import freeze_key, slice_


def flip(x, axis: int):
    """`x` in reverse order along `axis`."""
    return slice_(x, key=freeze_key((slice(None),) * axis + (slice(None, None, -1),)))


def _infer(x, *, axis):
    return Aval(x.shape, x.dtype if x.dtype.kind == "f" else numpy.dtype("int64"))


@primitive(
    kind="scan",
    infer=_infer,
    vjp=(lambda g, y, x, *, axis: flip(cumsum(flip(g, axis), axis=axis), axis),),
    examples=((((3, 4),), {"axis": 1}), (((5,),), {"axis": 0})),
)
def cumsum(x, *, axis, out=None):
    """Running sum along `axis`; small integers and bools sum to int64."""
    return numpy.cumsum(x, axis=axis, out=out, dtype=None if x.dtype.kind == "f" else numpy.int64)


def _cumprod_vjp(g, y, x, *, axis):
    return flip(cumsum(flip(g * y, axis), axis=axis), axis) / x


@primitive(kind="scan", infer=_infer, vjp=(_cumprod_vjp,), domain=(0.5, 2.0))
def cumprod(x, *, axis, out=None):
    """Running product along `axis`; small integers and bools give int64. The gradient is for values other than 0."""
    return numpy.cumprod(x, axis=axis, out=out, dtype=None if x.dtype.kind == "f" else numpy.int64)
