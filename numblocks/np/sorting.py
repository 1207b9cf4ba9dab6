"""Order under NumPy's names. `sort` is differentiable; indices and counts are not."""

from __future__ import annotations

import functools

from ..array import ndarray
from ..ops import elementwise as ew
from ..ops import sorting as order_ops
from ..ops.kinds import normalize_axis
from ..shortcut.arrays import along, one
from .creation import array
from .host import from_numpy, on_host
from .math import deliver, operand
from .reductions import _as_array


def argsort(a, axis=-1, kind=None, order=None, descending=False) -> ndarray:
    """Indices (int64) that sort along `axis` (None: the flat array); equal values keep their order."""
    if not descending:
        return _argsort(a, axis)
    return _ordered(order_ops.argsort, a, axis, descending)


def sort(a, axis=-1, kind=None, order=None, descending=False) -> ndarray:
    """Values in ascending order along `axis` (None: of the flat array).

    >>> sort(array([3., 1., 2.]))
    array([1., 2., 3.])
    """
    if not descending:
        return _sort(a, axis)
    return _ordered(order_ops.sort, a, axis, descending)


def _ordered(op, a, axis, descending=False):
    a = _as_array(a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    return op(a, axis=normalize_axis(op.name, axis, a.ndim)[0], descending=bool(descending))


def _sorted(d, axis):
    if axis is None:
        return NotImplemented
    z = d.copy()
    z.sort(axis)
    return z


def _order(d, axis):
    return NotImplemented if axis is None else d.argsort(axis, "stable")


_argsort = one(order_ops.argsort, _order, None, functools.partial(_ordered, order_ops.argsort), order_ops.PACKED)
_sort = one(order_ops.sort, _sorted, lambda d, axis: along(d, axis) | {"descending": False},
            functools.partial(_ordered, order_ops.sort))  # fmt: skip


def msort(a) -> ndarray:
    """Sorted along the first axis."""
    return sort(a, axis=0)


def partition(a, kth, axis=-1, kind=None, order=None) -> ndarray:
    """Sorted along `axis`: the element at `kth` is in place, smaller ones before, larger ones behind."""
    return sort(a, axis)


def argpartition(a, kth, axis=-1, kind=None, order=None) -> ndarray:
    """The indices (int64) of `partition`."""
    return argsort(a, axis)


def lexsort(keys, axis=-1) -> ndarray:
    """Indices that sort by several keys, the last one first."""
    keys = list(keys)
    found = argsort(keys[0], axis)
    k = normalize_axis("lexsort", axis, found.ndim)[0]
    for key in keys[1:]:
        key = _as_array(key)
        found = order_ops.take_along(found, argsort(order_ops.take_along(key, found, k), k), k)
    return found


def take_along_axis(arr, indices, axis) -> ndarray:
    """Elements of `arr` at `indices` along `axis`; the other axes match or are 1."""
    a = _as_array(arr)
    if axis is None:
        a, axis = a.reshape(-1), 0
    return order_ops.take_along(a, _as_array(indices), normalize_axis("take_along_axis", axis, a.ndim)[0])


def searchsorted(a, v, side="left", sorter=None) -> ndarray:
    """Where each of `v` would go in the sorted vector `a` (int64)."""
    if side not in ("left", "right"):
        raise ValueError(
            f"searchsorted: side {side!r} is unknown. It says where equal values go. Use 'left' or 'right'."
        )
    a = _as_array(a)
    return order_ops.searchsorted(a if sorter is None else a[sorter], _as_array(v), side=side)


def digitize(x, bins, right=False) -> ndarray:
    """The number of the bin of each element (int64); `bins` ascend or descend."""
    bins = _as_array(bins)
    data = on_host("digitize", lambda b: b, bins)._data
    if data.size > 1 and data[0] > data[-1]:
        return len(bins) - searchsorted(bins[::-1], x, "left" if not right else "right")
    return searchsorted(bins, x, "left" if right else "right")


bincount = from_numpy("bincount", "How often each non-negative integer occurs, or the sum of its weights.")
flatnonzero = from_numpy("flatnonzero", "Indices (int64) of the elements of the flat array that are not zero.")
argwhere = from_numpy("argwhere", "Indices (int64) of the elements that are not zero, a row for each.")
extract = from_numpy("extract", "The elements of the flat `arr` where `condition` holds.")
compress = from_numpy("compress", "Slices along an axis where `condition` holds.")


def count_nonzero(a, axis=None, keepdims=False) -> ndarray:
    """How many elements are not zero (int64)."""
    return ew.not_equal(_as_array(a), 0).sum(axis=axis, keepdims=keepdims)


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False) -> ndarray:
    """Elementwise |a - b| <= atol + rtol * |b| (bool)."""
    a, b = _as_array(a), operand(b)
    close = ew.less_equal(ew.abs_(a - b), ew.abs_(_as_array(b)) * rtol + atol)
    y = ew.logical_or(ew.logical_and(close, ew.isfinite(_as_array(b))), ew.equal(a, b))
    if equal_nan:
        y = ew.logical_or(y, ew.logical_and(ew.isnan(a), ew.isnan(_as_array(b))))
    return y


def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False) -> bool:
    """Whether all elements are close."""
    return bool(isclose(a, b, rtol, atol, equal_nan).all())


def array_equal(a1, a2, equal_nan=False) -> bool:
    """Whether shapes and all elements are equal."""
    a, b = _as_array(a1), _as_array(a2)
    if a.shape != b.shape:
        return False
    same = ew.equal(a, b)
    if equal_nan:
        same = ew.logical_or(same, ew.logical_and(ew.isnan(a), ew.isnan(b)))
    return bool(same.all())


def array_equiv(a1, a2) -> bool:
    """Whether all elements are equal after broadcasting."""
    try:
        return bool(ew.equal(_as_array(a1), _as_array(a2)).all())
    except RuntimeError:
        return False


def choose(a, choices, out=None, mode="raise") -> ndarray:
    """For each integer of `a`, the element of that choice; differentiable in the choices."""
    a = _as_array(a)
    n = len(choices)
    if mode == "wrap":
        a = a % n
    elif mode == "clip":
        a = a.clip(0, n - 1)
    elif bool(ew.logical_or(a < 0, a >= n).any()):
        raise ValueError(f"choose: an index is not in 0..{n - 1}. There are {n} choices. Use mode='clip' or 'wrap'.")
    y = _as_array(choices[0])
    for k in range(n - 1, -1, -1):
        y = ew.where(ew.equal(a, k), _as_array(choices[k]), y)
    return deliver(y, out)


def select(condlist, choicelist, default=0) -> ndarray:
    """For each place the choice of the first condition that holds, else `default`."""
    y = array(default) if not isinstance(default, (ndarray, int, float)) else default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        y = ew.where(_as_array(condition), operand(choice), y)
    return y


def piecewise(x, condlist, funclist, *args, **kw) -> ndarray:
    """`x` through the function (or number) of the condition that holds, 0 or the extra last one where none does."""
    x = _as_array(x)
    condlist = list(condlist) if isinstance(condlist, (list, tuple)) else [condlist]
    value = lambda f: f(x, *args, **kw) if callable(f) else f
    extra = len(funclist) == len(condlist) + 1
    y = x * 0 + (value(funclist[-1]) if extra else 0)
    for condition, f in zip(condlist, funclist, strict=False):
        y = ew.where(_as_array(condition), value(f), y)
    return y


__all__ = [
    "allclose", "argpartition", "argsort", "argwhere", "array_equal", "array_equiv", "bincount", "choose", "compress",
    "count_nonzero", "digitize", "extract", "flatnonzero", "isclose", "lexsort", "msort", "partition", "piecewise",
    "searchsorted", "select", "sort", "take_along_axis",
]  # fmt: skip
