"""Loops over few elements, where what a call costs is finding out what to run: that is remembered by shape.

Each function takes NumPy arrays and gives a new one, or `NotImplemented` for what it has no loop for (arrays that are
not C-contiguous, dtypes without a kernel, Pythons without `entry`): the caller has another way.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from . import copying, entry, library, loops, rows
from .scratch import NAMES

_UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}  # elements are moved as bits
_WHOLE = {np.dtype(name): name for name in ("int64", "int32")}
_NO = (None, (), None)
empty = np.empty
MANY = 1 << 15  # elements that are not few: there are threads to share them


class _Known(dict):
    """What `find(*key)` gave for a key; forgotten as a whole when it is much."""

    def __init__(self, find):
        self.find = find

    def __missing__(self, key):
        found = self.find(*key)
        if len(self) >= loops.KEPT:
            self.clear()
        self[key] = found
        return found


def _launch(kernel, extent: int, words, operands):
    """`launch(*arrays) -> bool` over all of `[0, extent)`; every kernel here has a single-threaded fit."""
    return entry.launcher(kernel, extent, extent, words, operands) if kernel.address is not None else None


def joiner(new: bool):
    """`join(arrays, axis)`: arrays one after the other along `axis`, which is `new` or one of theirs.

    That takes arrays of any kind and size, and raises `ValueError` if their shapes do not fit. `NotImplemented` is for
    several dtypes.

    >>> joiner(False)([np.zeros((2, 3)), np.ones((2, 3))], 1).shape
    (2, 6)
    """
    known = _Known(functools.partial(_find_join, new))

    def join(arrays, axis: int):
        x = arrays[0]
        launch, shape, dtype = known[x.shape, x.dtype, axis, len(arrays)]
        if launch is not None:
            y = empty(shape, dtype)
            if launch(y, *arrays):
                return y
        return _join(arrays, axis, new)

    return join


def _join(arrays, axis, new):
    dtype, size = arrays[0].dtype, 0
    for x in arrays:
        if type(x) is not np.ndarray or x.dtype is not dtype:
            return NotImplemented
        size += x.nbytes
    return copying.join(arrays, axis, new) if new or size >= copying.LARGE else np.concatenate(arrays, axis)


def _find_join(new, shape, dtype, axis, count):
    ndim = len(shape) + new
    if type(axis) is not int or not -ndim <= axis < ndim or dtype.itemsize not in _UNSIGNED or dtype.hasobject:
        return _NO
    axis %= ndim
    if count * math.prod(shape) > MANY:
        return _NO
    outer, inner = math.prod(shape[:axis]), math.prod(shape[axis:])
    kernel = library.get("move.join", T=_UNSIGNED[dtype.itemsize])
    operands = [(0, entry.ARRAY)] + [(3 + k, dtype) for k in range(count)]
    launch = _launch(kernel, outer, [0, count, inner] + [0] * count, operands)
    length = (count,) if new else (count * shape[axis],)
    return launch, (*shape[:axis], *length, *shape[axis + (not new) :]), dtype


def cumsum(x, axis: int):
    """Running sums along `axis`, in the order and precision of `numpy.cumsum`.

    >>> cumsum(np.ones((2, 3)), 1)[1]
    array([1., 2., 3.])
    """
    launch = _running[x.shape, x.dtype, axis]
    if launch is None:
        return NotImplemented
    y = empty(x.shape, x.dtype)
    return y if launch(x, y) else NotImplemented


def _find_cumsum(shape, dtype, axis):
    ndim = len(shape)
    if type(axis) is not int or not -ndim <= axis < ndim or dtype not in NAMES or not math.prod(shape):
        return None
    axis %= ndim
    n, rows = shape[axis], math.prod(shape[:axis])
    if axis < ndim - 1:
        kernel = library.get("scan.cumsum_across", T=NAMES[dtype])
        return _launch(kernel, rows, [0, 0, n, math.prod(shape[axis + 1 :])], [(0, dtype), (1, dtype)])
    kernel = library.get("scan.cumsum", T=NAMES[dtype])
    return _launch(kernel, -(-rows // 8), [0, 0, rows, n], [(0, dtype), (1, dtype)])


_running = _Known(_find_cumsum)


def extremum(how: str):
    """`reduce(x, axis)`: the 'max' or 'min' along one axis (None: of all elements), NaN if there is one.

    >>> extremum("max")(np.arange(6.0).reshape(2, 3), 1)
    array([2., 5.])
    """

    def reduce(x, axis):
        return _reduce(x, axis if axis is None else (axis,), how)

    return reduce


def total(x, axes: tuple[int, ...] | None):
    """Sums of floats over `axes` (None: all), added up in float64.

    >>> total(np.arange(6.0).reshape(2, 3), (0,))
    array([3., 5., 7.])
    """
    return _reduce(x, axes, "sum") if x.dtype.kind == "f" else NotImplemented


def _reduce(x, axes, how: str):
    launch, shape = _reduced[x.shape, x.strides, x.dtype, axes, how]
    if launch is None:
        return NotImplemented
    y = empty(shape, x.dtype)
    return y if launch(x, y) else NotImplemented


def _find_reduced(shape, strides, dtype, axes, how: str):
    ndim = len(shape)
    if dtype not in NAMES or 0 in shape:
        return None, ()
    if axes is not None and not all(type(k) is int and -ndim <= k < ndim for k in axes):
        return None, ()
    axes = tuple(range(ndim)) if axes is None else tuple(k % ndim for k in axes)
    if not axes:
        return None, ()
    x = np.lib.stride_tricks.as_strided(empty(1, dtype), shape, strides)  # like the operand; nobody looks into it
    y = np.broadcast_to(empty([1 if k in axes else n for k, n in enumerate(shape)], dtype), shape)
    found = rows.prepared(how, x, y, axes)
    return found and found.launch, tuple(n for k, n in enumerate(shape) if k not in axes)


_reduced = _Known(_find_reduced)


def pick(x, index, wraps: bool = False):
    """One element of each row of `x`; `index`, whole numbers, is cut off at the ends of a row, or wraps around.

    >>> pick(np.arange(6.0).reshape(2, 3), np.array([1, 7]))
    array([1., 5.])
    """
    launch = _picked[x.shape, x.dtype, index.shape, index.dtype, wraps]
    if launch is None:
        return NotImplemented
    y = empty(index.shape, x.dtype)
    return y if x.flags.c_contiguous and launch(x, index, y) else NotImplemented


def _find_pick(shape, dtype, places, kind, wraps):
    fits = shape and places == shape[:-1] and math.prod(shape) and not dtype.hasobject
    if not fits or kind not in _WHOLE or dtype.itemsize not in _UNSIGNED:
        return None
    kernel = library.get("gather.pick", T=_UNSIGNED[dtype.itemsize], I=_WHOLE[kind], WRAPS=str(int(wraps)))
    words = [0, 0, 0, shape[-1]]
    return _launch(kernel, math.prod(places), words, [(0, entry.ARRAY), (1, kind), (2, entry.ARRAY)])


_picked = _Known(_find_pick)


def one_hot(index, depth: int, dtype):
    """1 at the index, 0 elsewhere along a new last axis of length `depth`; no 1 for an index out of range.

    >>> one_hot(np.array([1, 3]), 3, np.dtype("float32")).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    launch, shape, dtype = _marked[index.shape, index.dtype, depth, dtype]
    if launch is None:
        return NotImplemented
    y = empty(shape, dtype)
    return y if launch(index, y) else NotImplemented


def _find_one_hot(shape, kind, depth, dtype):
    dtype = np.dtype(dtype)
    if type(depth) is not int or depth < 0 or kind not in _WHOLE or dtype not in NAMES:
        return _NO
    kernel = library.get("gather.one_hot", T=NAMES[dtype], I=_WHOLE[kind])
    launch = _launch(kernel, math.prod(shape), [0, 0, depth], [(0, kind), (1, entry.ARRAY)])
    return launch, (*shape, depth), dtype


_marked = _Known(_find_one_hot)


FIRST = 32  # of a row, at most: they are kept in order by insertion


def top(x, axis: int, k: int, descending: bool):
    """`(values, places)` of the first `k` in order along the last axis; equal values keep their order.

    >>> top(np.array([[3.0, 1.0, 2.0]]), 1, 2, True)[0]
    array([[3., 2.]])
    """
    launch, shape, dtype = _ranked[x.shape, x.dtype, axis, k, descending]
    if launch is None:
        return NotImplemented
    values, places = empty(shape, dtype), empty(shape, np.int64)
    return (values, places) if launch(x, values, places) else NotImplemented


def _find_top(shape, dtype, axis, k, descending):
    if type(axis) is not int or axis not in (-1, len(shape) - 1) or dtype not in NAMES or not math.prod(shape):
        return _NO
    n = shape[-1]
    k = min(k, n)
    if type(k) is not int or not 0 < k <= FIRST:
        return _NO
    kernel = library.get("order.top", T=NAMES[dtype], DESCENDING=str(int(bool(descending))))
    operands, rows = [(0, dtype), (1, entry.ARRAY), (2, entry.ARRAY)], math.prod(shape[:-1])
    if rows * n <= MANY:
        return _launch(kernel, rows, [0, 0, 0, n, k], operands), (*shape[:-1], k), dtype
    run = copying.launcher(kernel, rows, [0, 0, 0, n, k], (0, 1, 2), max(1, MANY // 8 // n), rows * n * 8)

    def launch(x, values, places):
        return x.flags.c_contiguous and x.flags.aligned and run(x, values, places) is None

    return launch, (*shape[:-1], k), dtype


_ranked = _Known(_find_top)
