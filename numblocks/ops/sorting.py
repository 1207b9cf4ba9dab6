"""Order: `sort`, `argsort`, `searchsorted`, and elements taken along an axis by an array of indices."""

from __future__ import annotations

import numpy

from ..array import Aval, wrap
from .advanced import gather
from .kinds import primitive

_INT = numpy.dtype("int64")


@primitive(kind="sort", infer=lambda x, *, axis, descending: Aval(x.shape, _INT))
def argsort(x, *, axis, descending, out=None):
    """Indices (int64) that sort along `axis`, an int >= 0; equal values keep their order, NaN comes last."""
    if descending:
        n = x.shape[axis]
        y = n - 1 - numpy.flip(numpy.argsort(numpy.flip(x, axis), axis=axis, kind="stable"), axis)
    else:
        y = numpy.argsort(x, axis=axis, kind="stable")
    if out is None:
        return y
    out[...] = y
    return out


def take_along(x, indices, axis: int):
    """Elements of `x` at `indices` along `axis`; the other axes match. Differentiable in `x`."""
    key, arrays = [], []
    for k in range(x.ndim):
        if k == axis:
            arrays.append(indices)
        else:
            along = numpy.arange(x.shape[k]).reshape(tuple(-1 if j == k else 1 for j in range(x.ndim)))
            arrays.append(wrap(along, x._device))
        key.append(("a", k))
    return gather(x, *arrays, key=tuple(key))


def _sort_vjp(g, y, x, *, axis, descending):
    order = argsort(x, axis=axis, descending=descending)
    return take_along(g, argsort(order, axis=axis, descending=False), axis)  # the inverse permutation


def _gaps(x, *ignored):
    """Distances between values; sort has no derivative where two are equal."""
    flat = numpy.sort(numpy.ravel(x))
    return numpy.diff(flat) if flat.size > 1 else numpy.ones(1)


@primitive(kind="sort", infer=lambda x, *, axis, descending: Aval(x.shape, x.dtype), vjp=(_sort_vjp,), kinks=_gaps)
def sort(x, *, axis, descending, out=None):
    """Values in order along `axis`, an int >= 0; NaN comes last."""
    if descending:
        y = numpy.take_along_axis(x, argsort.run(x, axis=axis, descending=True), axis)
    else:
        y = numpy.sort(x, axis=axis)
    if out is None:
        return y
    out[...] = y
    return out


@primitive(kind="sort", nin=2, infer=lambda a, v, *, side: Aval(v.shape, _INT))
def searchsorted(a, v, *, side, out=None):
    """Where each of `v` would go in the sorted vector `a` (int64), left or right of equal values."""
    y = numpy.searchsorted(a, v, side)
    if out is None:
        return numpy.asarray(y, _INT)
    out[...] = y
    return out


__all__ = ["argsort", "searchsorted", "sort", "take_along"]
