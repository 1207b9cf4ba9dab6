"""Parts put in, taken out and turned: insert, delete, append, resize, rot90 and their relatives."""

from __future__ import annotations

import builtins
import math

import numpy

from ..array import ndarray
from ..ops import elementwise as ew
from ..ops import move
from ..ops.diagonal import undiagonal
from ..ops.kinds import normalize_axis
from .creation import array
from .host import values
from .math import operand
from .reductions import _as_array
from .repeating import flip
from .shape import broadcast_to, concatenate, ravel, reshape, split, stack, swapaxes, transpose


def append(arr, values, axis=None) -> ndarray:
    """`values` behind `arr` along `axis` (None: both flattened)."""
    return concatenate([_as_array(arr), _as_array(values)], axis)


def _positions(where, obj, n):
    """Indices along an axis of length n as a NumPy vector of non-negative ints; slices and masks are spelled out."""
    if isinstance(obj, builtins.slice):
        return numpy.arange(n)[obj]
    found = numpy.atleast_1d(numpy.asarray(values(obj, where)))
    if found.dtype.kind == "b":
        return numpy.flatnonzero(found)
    found = found.astype(numpy.int64)
    wrong = found[(found < -n) | (found > n)]
    if wrong.size:
        raise IndexError(f"{where}: index {wrong[0]} is out of bounds for an axis of length {n}. Use {-n}..{n}.")
    return numpy.where(found < 0, found + n, found)


def _flat_if_none(arr, axis):
    a = _as_array(arr)
    return (ravel(a), 0) if axis is None else (a, normalize_axis("axis", axis, a.ndim)[0])


def delete(arr, obj, axis=None) -> ndarray:
    """`arr` without the places `obj` (an int, a slice, integers or a mask) along `axis` (None: of the flat array)."""
    a, k = _flat_if_none(arr, axis)
    n = a.shape[k]
    gone = _positions("delete", obj, n)
    if gone.size and gone.max() >= n:
        raise IndexError(f"delete: index {gone.max()} is out of bounds for an axis of length {n}. Use {-n}..{n - 1}.")
    kept = numpy.setdiff1d(numpy.arange(n), gone)
    return a[(builtins.slice(None),) * k + (array(kept),)]


def insert(arr, obj, values, axis=None) -> ndarray:
    """`values` put before the places `obj` along `axis` (None: of the flat array); differentiable in both.

    >>> insert(array([1., 2.]), 1, 5.0)
    array([1., 5., 2.])
    """
    a, k = _flat_if_none(arr, axis)
    n, v = a.shape[k], ew.astype(_as_array(values), a.dtype)
    at = _positions("insert", obj, n)
    if at.size == 1:  # all values go before one place
        if numpy.ndim(obj) == 0 and not isinstance(obj, builtins.slice) and 0 < v.ndim:
            # an int takes the place of the axis, so the values' first axis is the one they are counted along
            v = reshape(v, (1,) * (a.ndim - v.ndim) + v.shape)
            v = transpose(v, [*range(1, k + 1), 0, *range(k + 1, v.ndim)])
        count = v.shape[k] if v.ndim == a.ndim else 1
        at = numpy.repeat(at, count)
    shape = a.shape[:k] + (at.size,) + a.shape[k + 1 :]
    v = broadcast_to(v, shape)
    order = numpy.argsort(numpy.concatenate([at - 0.5, numpy.arange(n)]), kind="stable")
    return concatenate([v, a], k)[(builtins.slice(None),) * k + (array(order),)]


def resize(a, new_shape) -> ndarray:
    """The elements of `a`, repeated or cut off, in another shape."""
    a = ravel(_as_array(a))
    shape = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    size = math.prod(shape)
    if a.size == 0 or size == 0:
        return array(numpy.zeros(shape, a.dtype))
    whole = concatenate([a] * -(-size // a.size)) if size > a.size else a
    return reshape(whole[:size], shape)


def rot90(m, k=1, axes=(0, 1)) -> ndarray:
    """Turned by 90 degrees `k` times, from the first of `axes` towards the second."""
    m = _as_array(m)
    i, j = (normalize_axis("rot90", a, m.ndim)[0] for a in axes)
    if i == j:
        raise ValueError(f"rot90: axes {axes} are the same axis. A rotation needs two. Name another.")
    k %= 4
    if k == 0:
        return m.copy()
    if k == 2:
        return flip(flip(m, i), j)
    return flip(swapaxes(m, i, j), i) if k == 1 else swapaxes(flip(m, i), i, j)


def rollaxis(a, axis, start=0) -> ndarray:
    """`axis` moved before the axis `start`."""
    n, k = a.ndim, normalize_axis("rollaxis", axis, a.ndim)[0]
    start = start + n if start < 0 else start
    order = [j for j in range(n) if j != k]
    order.insert(start - (k < start), k)
    return transpose(a, order)


def dsplit(ary, indices_or_sections) -> list[ndarray]:
    """Parts along axis 2."""
    if ary.ndim < 3:
        raise ValueError(f"dsplit: the array has shape {ary.shape}. It is cut along axis 2. Give it three axes.")
    return split(ary, indices_or_sections, 2)


def atleast_3d(*arys):
    """At least three axes: a vector becomes (1, n, 1), a matrix (m, n, 1)."""
    found = []
    for a in arys:
        a = _as_array(a)
        shape = {0: (1, 1, 1), 1: (1, a.size, 1), 2: (*a.shape, 1)}.get(a.ndim, a.shape)
        found.append(reshape(a, shape))
    return found[0] if len(found) == 1 else found


def diagflat(array, k=0) -> ndarray:
    """A matrix with the flattened `array` on its k-th diagonal."""
    flat = ravel(_as_array(array))
    n = flat.size + builtins.abs(k)
    return undiagonal(flat, offset=int(k), shape=(n, n))


def vander(x, N=None, increasing=False) -> ndarray:
    """Powers of `x` as columns, descending unless `increasing`."""
    x = _as_array(x)
    n = x.shape[0] if N is None else N
    powers = [x * 0 + 1]
    for _ in range(n - 1):
        powers.append(powers[-1] * x)
    if n == 0:
        return array(numpy.zeros((x.shape[0], 0), x.dtype))
    return stack(powers[:n] if increasing else powers[:n][::-1], axis=1)


def apply_along_axis(func1d, axis, arr, *args, **kwargs) -> ndarray:
    """`func1d` of every vector along `axis`; its answers take the place of the axis. Differentiable if `func1d` is."""
    a = _as_array(arr)
    k = normalize_axis("apply_along_axis", axis, a.ndim)[0]
    rest = a.shape[:k] + a.shape[k + 1 :]
    found = [
        _as_array(func1d(a[at[:k] + (builtins.slice(None),) + at[k:]], *args, **kwargs)) for at in numpy.ndindex(*rest)
    ]
    y = reshape(stack(found), rest + found[0].shape)
    order = list(range(k)) + list(range(len(rest), y.ndim)) + list(range(k, len(rest)))
    return transpose(y, order)


def apply_over_axes(func, a, axes) -> ndarray:
    """`func(a, axis)` for one axis after the other, the axes kept with length 1."""
    y = _as_array(a)
    for axis in [axes] if isinstance(axes, int) else axes:
        k = normalize_axis("apply_over_axes", axis, y.ndim)[0]
        found = func(y, k)
        y = move.expand_dims(found, k) if found.ndim < y.ndim else found
    return y


def copyto(dst, src, casting="same_kind", where=True) -> None:
    """Write `src` into `dst` (only where `where` holds)."""
    dst[...] = src if where is True else ew.where(operand(where), operand(src), dst)


__all__ = [
    "append", "apply_along_axis", "apply_over_axes", "atleast_3d", "copyto", "delete", "diagflat", "dsplit", "insert",
    "resize", "rollaxis", "rot90", "vander",
]  # fmt: skip
