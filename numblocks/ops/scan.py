"""Scans: each element depends on those before it along an axis."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval
from ..errors import MXNetError
from ..kernels import reuse, scanning
from .kinds import primitive
from .move import freeze_key, pad, slice_


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
    wide = x.dtype.kind == "f" and x.dtype.itemsize > 2
    if wide and axis == x.ndim - 1 and x.size >= scanning.LARGE and x.flags.c_contiguous and x.size >= 8 * x.shape[-1]:
        if out is None or (out.dtype == x.dtype and out.flags.c_contiguous):
            return scanning.cumsum(x, reuse.empty(x.shape, x.dtype) if out is None else out)
    return numpy.cumsum(x, axis=axis, out=out, dtype=None if x.dtype.kind == "f" else numpy.int64)


def later(x, axis: int, value: float):
    """`x` moved one place along `axis`: `value`, and all elements but the last."""
    if not x.shape[axis]:
        return x
    kept = slice_(x, key=freeze_key((slice(None),) * axis + (slice(0, x.shape[axis] - 1),)))
    return pad(kept, widths=((0, 0),) * axis + ((1, 0),) + ((0, 0),) * (x.ndim - axis - 1), value=value)


def _back(g, factors, axis: int):
    """The recurrence from the end: `r[k] = g[k] + factors[k + 1] * r[k + 1]`."""
    return flip(recurrence(later(flip(factors, axis), axis, 0.0), flip(g, axis), axis=axis), axis)


def _infer_recurrence(factors, terms, *, axis):
    if tuple(factors.shape) != tuple(terms.shape):
        raise MXNetError(
            f"recurrence: factors of shape {tuple(factors.shape)} and terms of shape {tuple(terms.shape)}. Each step"
            f" takes one of both. Give them one shape."
        )
    return Aval(tuple(terms.shape), dt.as_float(dt.promote(factors.dtype, terms.dtype)))


@primitive(
    kind="scan", nin=2, infer=_infer_recurrence, domain=(-1.5, 1.5),
    vjp=(lambda g, y, p, b, *, axis: _back(g, p, axis) * later(y, axis, 0.0),
         lambda g, y, p, b, *, axis: _back(g, p, axis)),
    examples=((((3, 4), (3, 4)), {"axis": 1}), (((12, 2), (12, 2)), {"axis": 0}), (((0, 2), (0, 2)), {"axis": 0})),
)  # fmt: skip
def recurrence(factors, terms, *, axis, out=None):
    """y[k] = factors[k] * y[k - 1] + terms[k] along `axis`, with 0 before the first (its factor is not used)."""
    want = _infer_recurrence(factors, terms, axis=axis).dtype
    compute = numpy.dtype("float32") if want.itemsize == 2 else want
    operands = [numpy.ascontiguousarray(x, compute) for x in (factors, terms)]
    direct = out is not None and out.dtype == compute and out.flags.c_contiguous
    y = scanning.recurrence(*operands, out if direct else numpy.empty(terms.shape, compute), axis)
    if out is None:
        return y.astype(want, copy=False)
    if not direct:
        out[...] = y
    return out


def _cumprod_vjp(g, y, x, *, axis):
    """The product of all before an element times the sum of `g` times what lies between: no division by `x`."""
    return later(y, axis, 1.0) * _back(g, x, axis)


@primitive(kind="scan", infer=_infer, vjp=(_cumprod_vjp,))
def cumprod(x, *, axis, out=None):
    """Running product along `axis`; small integers and bools give int64. Differentiable where elements are 0, too."""
    return numpy.cumprod(x, axis=axis, out=out, dtype=None if x.dtype.kind == "f" else numpy.int64)
