"""Sorting, searching and counting. `sort` is differentiable; indices and counts are not."""

from __future__ import annotations

import numpy

from ..array import ndarray, wrap
from ..ops.kinds import normalize_axis
from .creation import array
from .indexing import getitem
from .math import operand
from .reductions import _as_array


def argsort(a, axis=-1, kind=None, order=None, descending=False) -> ndarray:
    """Indices (int64) that sort along `axis` (None: the flat array); equal values keep their order."""
    a = _as_array(a)
    data = a._data if axis is not None else a._data.ravel()
    k = -1 if axis is None else axis
    if descending:
        n = data.shape[k]
        found = n - 1 - numpy.flip(numpy.argsort(numpy.flip(data, k), axis=k, kind="stable"), k)
    else:
        found = numpy.argsort(data, axis=k, kind="stable")
    return wrap(found.astype(numpy.int64), a._device, type(a))


def sort(a, axis=-1, kind=None, order=None, descending=False) -> ndarray:
    """Values in ascending order along `axis` (None: of the flat array)."""
    a = _as_array(a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    k = normalize_axis("sort", axis, a.ndim)[0]
    return take_along_axis(a, argsort(a.detach(), k, descending=descending), k)


def take_along_axis(a, indices, axis) -> ndarray:
    """Elements of `a` at `indices` along `axis`; the other axes match."""
    a = _as_array(a)
    k = normalize_axis("take_along_axis", axis, a.ndim)[0]
    key = []
    for j, n in enumerate(indices.shape):
        along = numpy.arange(n).reshape(tuple(n if i == j else 1 for i in range(a.ndim)))
        key.append(indices if j == k else array(along))
    return getitem(a, tuple(key))


def unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None):
    """The sorted distinct values, and where asked their first index, inverse and counts."""
    found = numpy.unique(
        _as_array(ar)._data, return_index=return_index, return_inverse=return_inverse, return_counts=return_counts, axis=axis
    )
    return tuple(array(f) for f in found) if isinstance(found, tuple) else array(found)


def searchsorted(a, v, side="left") -> ndarray:
    """Where `v` would go in the sorted `a` (int64)."""
    return array(numpy.searchsorted(_as_array(a)._data, _as_array(v)._data, side))


def bincount(x, weights=None, minlength=0) -> ndarray:
    """How often each non-negative integer occurs."""
    w = None if weights is None else _as_array(weights)._data
    return array(numpy.bincount(_as_array(x)._data.astype(numpy.int64), w, minlength))


def flatnonzero(a) -> ndarray:
    """Indices of the elements of the flat array that are not zero."""
    return array(numpy.flatnonzero(operand(a)._data))


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False) -> ndarray:
    """Elementwise |a - b| <= atol + rtol * |b| (bool)."""
    return array(numpy.isclose(_as_array(a)._data, _as_array(b)._data, rtol, atol, equal_nan))


def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False) -> bool:
    """Whether all elements are close."""
    return bool(numpy.allclose(_as_array(a)._data, _as_array(b)._data, rtol, atol, equal_nan))


def array_equal(a, b) -> bool:
    """Whether shapes and all elements are equal."""
    return bool(numpy.array_equal(_as_array(a)._data, _as_array(b)._data))


__all__ = [
    "allclose", "argsort", "array_equal", "bincount", "flatnonzero", "isclose", "searchsorted", "sort",
    "take_along_axis", "unique",
]  # fmt: skip
