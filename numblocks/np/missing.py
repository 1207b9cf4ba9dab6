"""Reductions that leave NaN out."""

from __future__ import annotations

import math

import numpy

from ..array import ndarray
from ..ops import elementwise as ew
from . import calculus, reductions
from .host import on_host
from .math import deliver
from .reductions import _as_array


def _filled(a, value):
    """`a` with NaN replaced, and where it was not NaN."""
    a = _as_array(a)
    if a.dtype.kind != "f":
        return a, ew.equal(a, a)
    missing = ew.isnan(a)
    return ew.where(missing, value, a), ew.logical_not(missing)


def nansum(a, axis=None, dtype=None, out=None, keepdims=False) -> ndarray:
    """The sum of what is not NaN.

    >>> from numblocks import np
    >>> nansum(np.array([1.0, math.nan]))
    array(1.)
    """
    return reductions.sum(_filled(a, 0.0)[0], axis, dtype, out, keepdims)


def nanprod(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True) -> ndarray:
    """The product of what is not NaN."""
    return reductions.prod(_filled(a, 1.0)[0], axis, dtype, out, keepdims, initial, where)


def nancumsum(a, axis=None, dtype=None, out=None) -> ndarray:
    """The running sum, NaN counting as 0."""
    return reductions.cumsum(_filled(a, 0.0)[0], axis, dtype, out)


def nancumprod(a, axis=None, dtype=None, out=None) -> ndarray:
    """The running product, NaN counting as 1."""
    return calculus.cumprod(_filled(a, 1.0)[0], axis, dtype, out)


def _extremum(reduce, a, worst, axis, out, keepdims, initial, where):
    values, there = _filled(a, worst)
    y = reduce(values, axis, keepdims=keepdims, initial=initial, where=where)
    if values.dtype.kind == "f" and initial is None:
        there = there if where is True else ew.logical_and(there, _as_array(where))
        y = ew.where(reductions.any(there, axis, keepdims=keepdims), y, math.nan)
    return deliver(y, out)


def nanmax(a, axis=None, out=None, keepdims=False, initial=None, where=True) -> ndarray:
    """The largest value that is not NaN; NaN where there is none."""
    return _extremum(reductions.max, a, -math.inf, axis, out, keepdims, initial, where)


def nanmin(a, axis=None, out=None, keepdims=False, initial=None, where=True) -> ndarray:
    """The smallest value that is not NaN; NaN where there is none."""
    return _extremum(reductions.min, a, math.inf, axis, out, keepdims, initial, where)


def nanargmax(a, axis=None, out=None, keepdims=False) -> ndarray:
    """The index (int64) of the first largest value that is not NaN."""
    return reductions.argmax(_filled(a, -math.inf)[0], axis, out, keepdims)


def nanargmin(a, axis=None, out=None, keepdims=False) -> ndarray:
    """The index (int64) of the first smallest value that is not NaN."""
    return reductions.argmin(_filled(a, math.inf)[0], axis, out, keepdims)


def nanmean(a, axis=None, dtype=None, out=None, keepdims=False) -> ndarray:
    """The mean of what is not NaN."""
    values, there = _filled(a, 0.0)
    total = reductions.sum(values, axis, dtype, None, keepdims)
    return deliver(total / reductions.sum(there, axis, keepdims=keepdims), out)


def nanvar(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False) -> ndarray:
    """The variance of what is not NaN."""
    values, there = _filled(a, 0.0)
    centred = ew.where(there, values - nanmean(a, axis, dtype, keepdims=True), 0.0)
    count = reductions.sum(there, axis, keepdims=keepdims)
    return deliver(reductions.sum(ew.square(centred), axis, keepdims=keepdims) / (count - ddof), out)


def nanstd(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False) -> ndarray:
    """The standard deviation of what is not NaN."""
    return deliver(ew.sqrt(nanvar(a, axis, dtype, None, ddof, keepdims)), out)


def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=False) -> ndarray:
    """The median of what is not NaN; not differentiable."""
    return deliver(on_host("nanmedian", numpy.nanmedian, _as_array(a), axis, keepdims=keepdims), out)


def nanquantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *,
                interpolation=None) -> ndarray:  # fmt: skip
    """The quantile of what is not NaN; not differentiable."""
    a = _as_array(a)
    method = interpolation or method
    return deliver(on_host("nanquantile", numpy.nanquantile, a, q, axis, method=method, keepdims=keepdims), out)


def nanpercentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *,
                  interpolation=None) -> ndarray:  # fmt: skip
    """The percentile of what is not NaN; not differentiable."""
    a = _as_array(a)
    method = interpolation or method
    return deliver(on_host("nanpercentile", numpy.nanpercentile, a, q, axis, method=method, keepdims=keepdims), out)


__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile",
    "nanprod", "nanquantile", "nanstd", "nansum", "nanvar",
]  # fmt: skip
