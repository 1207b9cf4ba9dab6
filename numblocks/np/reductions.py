"""Reductions and statistics under NumPy's names."""

from __future__ import annotations

import functools
import math

import numpy

from ..array import ndarray
from ..kernels import few, scanning
from ..ops import elementwise as ew
from ..ops import reduce as red
from ..ops import scan
from ..ops.kinds import normalize_axis
from ..shortcut.arrays import along, one
from ..shortcut.replayed import fixed, settled
from .creation import array
from .math import deliver, operand

_sum, _prod = red.sum_.direct, red.prod.direct


def _as_array(a) -> ndarray:
    if type(a) is ndarray:
        return a
    a = operand(a)
    return a if isinstance(a, ndarray) else array(a)


def _in_order(out, keepdims):
    """MXNet 1.9 has `keepdims` where NumPy has `out`: a bool there is meant so."""
    return (None, out) if isinstance(out, bool) else (out, keepdims)


def _only(a, where, otherwise):
    """`a` where `where` holds, else what the reduction passes over."""
    if where is True:
        return a
    return ew.where(_as_array(where), a, otherwise if a.dtype.kind == "f" else _least(a.dtype, otherwise))


def _least(dtype, value):
    if not math.isinf(value):
        return int(value)
    if dtype.kind == "b":
        return value > 0
    info = numpy.iinfo(dtype)
    return int(info.max if value > 0 else info.min)


def sum(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True) -> ndarray:
    """Sum over `axis` (None: all, an int or a tuple) of what `where` holds for; integers and bools sum to int64.

    >>> sum(array([[1., 2.], [3., 4.]]), axis=0)
    array([4., 6.])
    """
    if type(a) is not ndarray:
        a = _as_array(a)
    if dtype is not None:
        a = ew.astype(a, dtype)
    if where is not True:
        a = _only(a, where, 0.0)
    if axis is not None:
        axis = normalize_axis("sum", axis, a._data.ndim)
    y = _sum(a, axis, keepdims and bool(keepdims))
    if initial is not None:
        y = y + initial
    if out is None:
        return y
    return sum(a, axis, None, None, out, initial) if isinstance(out, bool) else deliver(y, out)


def prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True) -> ndarray:
    """Product over `axis`."""
    a = _as_array(a)
    if dtype is not None:
        a = ew.astype(a, dtype)
    if where is not True:
        a = _only(a, where, 1.0)
    y = _prod(a, axis if axis is None else normalize_axis("prod", axis, a._data.ndim), keepdims and bool(keepdims))
    if initial is not None:
        y = y * initial
    return y if out is None else deliver(y, out)


def mean(a, axis=None, dtype=None, out=None, keepdims=False, where=True) -> ndarray:
    """Arithmetic mean over `axis`; float32 for integers."""
    a = _as_array(a)
    if where is not True:
        held = red.broadcast_to(_as_array(where), shape=a.shape)
        return deliver(sum(a, axis, dtype, None, keepdims, None, where) / sum(held, axis, keepdims=keepdims), out)
    if dtype is not None:
        a = ew.astype(a, dtype)
    y = _settle(red.mean, axis, a._data.ndim, keepdims)(a)
    return y if out is None else deliver(y, out)


@settled
def _settle(op, axis, ndim, keepdims, *ddof):
    """`op` over `axis` of arrays with so many axes."""
    spec = {"axis": normalize_axis(op.name, axis, ndim), "keepdims": bool(keepdims)}
    return fixed(op, {**spec, "ddof": ddof[0]} if ddof else spec)


def var(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False) -> ndarray:
    """Variance over `axis` with n - ddof in the denominator."""
    a = _as_array(a)
    if dtype is not None:
        a = ew.astype(a, dtype)
    y = _settle(red.variance, axis, a._data.ndim, keepdims, ddof)(a)
    return y if out is None else deliver(y, out)


def std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False) -> ndarray:
    """Standard deviation over `axis`."""
    a = _as_array(a)
    if dtype is not None:
        a = ew.astype(a, dtype)
    return deliver(red.std(a, axis=normalize_axis("std", axis, a.ndim), keepdims=bool(keepdims), ddof=ddof), out)


def max(a, axis=None, out=None, keepdims=False, initial=None, where=True) -> ndarray:
    """Largest value over `axis`; equal values share the gradient."""
    if out is None and keepdims is False and initial is None and where is True:
        return _max(a, axis)
    out, keepdims = _in_order(out, keepdims)
    a = _as_array(a)
    a = _only(a, where, -math.inf)
    y = red.max_(a, axis=normalize_axis("max", axis, a.ndim), keepdims=bool(keepdims))
    return deliver(y if initial is None else ew.maximum(y, initial), out)


def min(a, axis=None, out=None, keepdims=False, initial=None, where=True) -> ndarray:
    """Smallest value over `axis`; equal values share the gradient."""
    if out is None and keepdims is False and initial is None and where is True:
        return _min(a, axis)
    out, keepdims = _in_order(out, keepdims)
    a = _as_array(a)
    a = _only(a, where, math.inf)
    y = red.min_(a, axis=normalize_axis("min", axis, a.ndim), keepdims=bool(keepdims))
    return deliver(y if initial is None else ew.minimum(y, initial), out)


def _extremum(op, how):
    """`call(a, axis)` without all that is seldom asked for."""

    def plain(a, axis):
        a = _as_array(a)
        return op(a, axis=normalize_axis(how, axis, a.ndim), keepdims=False)

    whole = lambda d, axis: {"axis": normalize_axis(how, axis, d.ndim), "keepdims": False}
    return one(op, few.extremum(how), whole, plain)


_max, _min = _extremum(red.max_, "max"), _extremum(red.min_, "min")
amax, amin, product = max, min, prod


def argmax(a, axis=None, out=None, keepdims=False) -> ndarray:
    """Index (int64) of the first largest value along `axis`, or of the flat array."""
    if out is None and keepdims is False:
        return _argmax(a, axis)
    return _place(red.argmax, a, axis, out, keepdims)


def argmin(a, axis=None, out=None, keepdims=False) -> ndarray:
    """Index (int64) of the first smallest value along `axis`, or of the flat array."""
    if out is None and keepdims is False:
        return _argmin(a, axis)
    return _place(red.argmin, a, axis, out, keepdims)


def _place(op, a, axis, out=None, keepdims=False):
    a = _as_array(a)
    k = None if axis is None else normalize_axis(op.name, axis, a.ndim)[0]
    return deliver(op(a, axis=k, keepdims=bool(keepdims)), out)


_argmax = one(red.argmax, numpy.ndarray.argmax, None, functools.partial(_place, red.argmax))
_argmin = one(red.argmin, numpy.ndarray.argmin, None, functools.partial(_place, red.argmin))


def any(a, axis=None, out=None, keepdims=False) -> ndarray:
    """Whether any element is not zero (bool)."""
    out, keepdims = _in_order(out, keepdims)
    hits = sum(ew.not_equal(_as_array(a), 0), axis=axis, keepdims=keepdims)
    return deliver(ew.greater(hits, 0), out)


def all(a, axis=None, out=None, keepdims=False) -> ndarray:
    """Whether every element is not zero (bool)."""
    out, keepdims = _in_order(out, keepdims)
    misses = sum(ew.equal(_as_array(a), 0), axis=axis, keepdims=keepdims)
    return deliver(ew.equal(misses, 0), out)


alltrue, sometrue = all, any


def average(a, axis=None, weights=None, returned=False, out=None):
    """Weighted mean over `axis`."""
    a = _as_array(a)
    if weights is None:
        y = mean(a, axis)
        total = array(float(a.size) / y.size)
    else:
        w = _as_array(weights)
        if w.shape != a.shape and w.ndim == 1 and axis is not None:
            w = w.reshape((-1,) + (1,) * (a.ndim - 1 - normalize_axis("average", axis, a.ndim)[0]))
        total = sum(w + 0 * a, axis=axis)
        y = sum(a * w, axis=axis) / total
    y = deliver(y, out)
    return (y, total) if returned else y


def cumsum(a, axis=None, dtype=None, out=None) -> ndarray:
    """Running sum along `axis`, or over the flat array."""
    if dtype is None and out is None and type(axis) is int:
        return _cumsum(a, axis)
    a = _as_array(a)
    if dtype is None and out is None and axis is None:
        return _cumsum(a.reshape(-1), 0)
    if dtype is not None:
        a = ew.astype(a, dtype)
    if axis is None:
        a, axis = a.reshape(-1), 0
    return deliver(_cumsum_along(a, axis), out)


def _cumsum_along(a, axis):
    a = _as_array(a)
    return scan.cumsum(a, axis=normalize_axis("cumsum", axis, a.ndim)[0])


_cumsum = one(scan.cumsum, few.cumsum, along, _cumsum_along, scanning.LARGE)

__all__ = [
    "all", "alltrue", "amax", "amin", "any", "argmax", "argmin", "average", "cumsum", "max", "mean", "min",
    "prod", "product", "sometrue", "std", "sum", "var",
]  # fmt: skip
