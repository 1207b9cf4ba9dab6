"""Shapes and places: reshape with codes, arrays like others, elements by whole index tuples."""

from __future__ import annotations

import builtins
import math

import numpy

from ..array import Aval, ndarray, wrap
from ..errors import MXNetError
from ..np.creation import arange
from ..np.creation import array as make
from ..np.math import layer_function
from ..ops import advanced as ad
from ..ops import elementwise as ew
from ..ops import move, special
from ..ops import reduce as red

erfinv, gamma, gammaln, digamma = map(
    layer_function, (special.erfinv, special.gamma, special.gammaln, special.digamma)
)


def coded_shape(shape, codes) -> tuple[int, ...]:
    """The shape that `npx.reshape` codes name: -1 inferred, -2 this size, -3 drop a size 1, -4 all that are left,
    -5 two
    sizes multiplied, -6 one size split in the two that follow.

    >>> coded_shape((2, 3, 4), (-2, -5)), coded_shape((8, 3), (-6, 2, -1, -2)), coded_shape((1, 6), (-3, 2, -1))
    ((2, 12), (2, 4, 3), (2, -1))
    """
    found, at, k, codes = [], 0, 0, tuple(codes)
    while k < len(codes):
        code = codes[k]
        if code >= -1:
            found.append(code)
            at += 1
        elif code == -2:
            found.append(shape[at])
            at += 1
        elif code == -3:
            if shape[at] != 1:
                raise MXNetError(
                    f"reshape: -3 drops axis {at} of shape {shape}, which has size {shape[at]}. It must be 1."
                )
            at += 1
        elif code == -4:
            found += shape[at:]
            at = len(shape)
        elif code == -5:
            found.append(shape[at] * shape[at + 1])
            at += 2
        elif code == -6:
            found += split_size(shape[at], codes[k + 1], codes[k + 2])
            at, k = at + 1, k + 2
        else:
            raise MXNetError(f"reshape: code {code} is unknown. Codes are -1 to -6. Give sizes, or one of these.")
        k += 1
    return tuple(found)


def split_size(n: int, a: int, b: int) -> list[int]:
    """`n` as the product of two sizes, one of which may be -1."""
    a, b = (n // b if a == -1 else a), (n // a if b == -1 else b)
    if a * b != n:
        raise MXNetError(f"reshape: a size of {n} cannot be split into {a} times {b}. Their product must be {n}.")
    return [a, b]


def reshape(a, newshape, reverse=False, order="C") -> ndarray:
    """`a` in another shape; `newshape` may hold codes (see `coded_shape`), read from the right if `reverse`."""
    codes = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    if not reverse:
        return move.reshape(a, shape=coded_shape(a.shape, codes))
    k, turned = 0, []
    while k < len(codes):  # the two sizes behind -6 stay behind it
        n = 3 if codes[k] == -6 else 1
        turned.insert(0, codes[k : k + n] if n == 1 else (codes[k], codes[k + 2], codes[k + 1]))
        k += n
    codes = tuple(c for part in turned for c in part)
    return move.reshape(a, shape=coded_shape(a.shape[::-1], codes)[::-1])


def reshape_like(lhs, rhs, lhs_begin=None, lhs_end=None, rhs_begin=None, rhs_end=None) -> ndarray:
    """`lhs` in the shape of `rhs`, or with some of its axes replaced by some of those of `rhs`."""
    if lhs_begin is None and rhs_begin is None and lhs_end is None and rhs_end is None:
        return move.reshape(lhs, shape=rhs.shape)
    place = lambda v, n, default: default if v is None else v + n if v < 0 else v
    low, high = place(lhs_begin, lhs.ndim, 0), place(lhs_end, lhs.ndim, lhs.ndim)
    first, last = place(rhs_begin, rhs.ndim, 0), place(rhs_end, rhs.ndim, rhs.ndim)
    return move.reshape(lhs, shape=lhs.shape[:low] + rhs.shape[first:last] + lhs.shape[high:])


def broadcast_like(lhs, rhs, lhs_axes=None, rhs_axes=None) -> ndarray:
    """`lhs` repeated to the shape of `rhs`, or along `lhs_axes` to the sizes of `rhs_axes`."""
    shape = list(rhs.shape if lhs_axes is None else lhs.shape)
    for a, b in zip(lhs_axes or (), rhs_axes or (), strict=True):
        shape[a] = rhs.shape[b]
    return red.broadcast_to(lhs, shape=tuple(shape))


def arange_like(data, start=0.0, step=1.0, repeat=1, ctx=None, axis=None) -> ndarray:
    """`start, start + step, ...`, each `repeat` times: as many as `data` has elements, in its shape, or along
    `axis`."""
    n = data.size if axis is None else data.shape[axis]
    y = arange(-(-n // repeat), dtype="float32", ctx=ctx or data.ctx) * float(step) + float(start)
    if repeat > 1:
        y = red.broadcast_to(move.reshape(y, shape=(-1, 1)), shape=(y.size, repeat))
        y = move.slice_(move.reshape(y, shape=(-1,)), key=move.freeze_key(builtins.slice(0, n)))
    return move.reshape(y, shape=data.shape) if axis is None else y


def shape_array(data) -> ndarray:
    """The shape as an int64 array."""
    return make(list(data.shape), dtype="int64", ctx=data.ctx)


def cast(data, dtype) -> ndarray:
    """The same values in another dtype."""
    return ew.astype(data, dtype)


def slice(data, begin, end, step=None) -> ndarray:  # noqa: A001 - MXNet's name
    """The part from `begin` to `end` by `step` along the first axes; None for a whole side."""
    step = (None,) * len(begin) if not step else tuple(step)
    parts = tuple(("s", b, e, s) for b, e, s in zip(begin, end, step, strict=True))
    return move.slice_(data, key=parts)


def _index_rows(indices) -> list[ndarray]:
    """The rows of `(axes, ...)` indices."""
    return [move.slice_(ew.astype(indices, "int64"), key=(k,)) for k in range(indices.shape[0])]


def gather_nd(data, indices) -> ndarray:
    """`data[indices[0], indices[1], ...]`: `indices.shape[1:] + data.shape[indices.shape[0]:]`."""
    rows = _index_rows(indices)
    return ad.gather(data, *rows, key=tuple(("a", k) for k in range(len(rows))))


def scatter_nd(data, indices, shape) -> ndarray:
    """Zeros of `shape` with `data` put at `indices` (rows name axes); where an index is repeated, values add up."""
    rows = _index_rows(indices)
    return ad.index_add(data, *rows, key=tuple(("a", k) for k in range(len(rows))), shape=tuple(shape))


def index_add(a, ind, val) -> ndarray:
    """`a` with `val` added at `ind` (rows name axes); repeated indices add up."""
    val = val if isinstance(val, ndarray) else make(val, dtype=a.dtype, ctx=a.ctx)
    shape = tuple(ind.shape[1:]) + a.shape[ind.shape[0] :]
    return a + scatter_nd(red.broadcast_to(ew.astype(val, a.dtype), shape=shape), ind, a.shape)


def index_update(a, ind, val) -> ndarray:
    """`a` with `val` put at `ind` (rows name axes)."""
    val = val if isinstance(val, ndarray) else make(val, dtype=a.dtype, ctx=a.ctx)
    shape = tuple(ind.shape[1:]) + a.shape[ind.shape[0] :]
    hit = scatter_nd(red.broadcast_to(make(1.0, dtype="float32", ctx=a.ctx), shape=shape), ind, a.shape)
    new = scatter_nd(red.broadcast_to(ew.astype(val, a.dtype), shape=shape), ind, a.shape)
    return ew.where(ew.greater(hit, 0), new / ew.astype(ew.maximum(hit, 1.0), a.dtype), a)


def _values(where: str, x):
    if isinstance(x._data, Aval):
        raise MXNetError(
            f"{where}: the shape of the answer depends on values, which a hybridized Block does not know while it"
            f" is traced."
            f" Compute it outside, or use npx.sequence_mask or np.where."
        )
    return x._data


def boolean_mask(data, index, axis=0) -> ndarray:
    """The parts of `data` along `axis` where `index: (size of the axis,)` is not 0. Not in hybridized Blocks."""
    (rows,) = _values("boolean_mask", index).astype(bool).nonzero()
    key = (("s", None, None, None),) * axis + (("a", 0),)
    return ad.gather(data, wrap(rows, data.ctx), key=key)


def nonzero(a) -> ndarray:
    """Indices of the elements that are not 0: int64 `(count, axes)`. Not in hybridized Blocks."""
    return wrap(numpy.ascontiguousarray(numpy.argwhere(_values("nonzero", a))), a.ctx)


def constraint_check(x, msg="Constraint violated!") -> ndarray:
    """True if all elements are; `ValueError(msg)` otherwise."""
    if not _values("constraint_check", x).all():
        raise ValueError(f"constraint_check: {msg}")
    return make([True], dtype="bool", ctx=x.ctx)


def index_array(data, axes=None) -> ndarray:
    """The index of each element: int64 `data.shape + (axes,)`."""
    axes = tuple(range(data.ndim)) if axes is None else tuple(axes)
    parts = [red.broadcast_to(move.reshape(arange(data.shape[k], dtype="int64"),
        shape=(-1,) + (1,) * (data.ndim - 1 - k % data.ndim)),
                              shape=data.shape) for k in axes]  # fmt: skip
    return move.concat(*(move.expand_dims(p, data.ndim) for p in parts), axis=data.ndim)


def ravel_multi_index(data, shape) -> ndarray:
    """Flat indices of the index columns of `data: (axes, n)`."""
    total = None
    for k, row in enumerate(_index_rows(data)):
        part = row * math.prod(shape[k + 1 :])
        total = part if total is None else total + part
    return ew.astype(total, data.dtype)


__all__ = [
    "arange_like", "boolean_mask", "broadcast_like", "cast", "constraint_check", "digamma", "erfinv", "gamma",
    "gammaln",
    "gather_nd", "index_add", "index_array", "index_update", "nonzero", "ravel_multi_index", "reshape", "reshape_like",
    "scatter_nd", "shape_array", "slice",
]  # fmt: skip
