"""Large copies of NumPy arrays, shared among threads; small ones, and those no kernel is made for, are NumPy's.

One thread moves a third of what the memory of most machines could; NumPy copies element by element what runs
backwards.
"""

from __future__ import annotations

import numpy as np

from . import addresses, build, entry, library, loops, reuse, transposing, workers

LARGE = 1 << 16  # bytes from which a copy is worth a kernel
GRAIN = 1 << 16  # bytes worth another thread: 3 us
STRIP = 1 << 14  # bytes of a line that are not divided
BRIEF = 1 << 22  # bytes up to which the GIL stays held
_UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}


def copy(x: np.ndarray) -> np.ndarray:
    """`x` in C order in memory of its own.

    >>> copy(np.arange(6).reshape(2, 3)[:, ::-1])
    array([[2, 1, 0],
           [5, 4, 3]])
    """
    if x.nbytes < LARGE:
        return x.copy()
    y = reuse.empty(x.shape, x.dtype)
    copyto(y, x)
    return y


def copyto(y: np.ndarray, x: np.ndarray) -> None:
    """`y[...] = x` for arrays that do not overlap; `x` broadcasts."""
    if y.nbytes >= LARGE and x.dtype is y.dtype:
        move = loops.remembered(("copy", y.shape, y.strides, x.shape, x.strides, x.dtype), lambda: _plan(y, x))
        if move is not None:
            move(x, y)
            return
    np.copyto(y, x)


def reshape(x: np.ndarray, shape) -> np.ndarray:
    """`x.reshape(shape)`: a view, or a copy where none exists."""
    if x.nbytes < LARGE or x.flags.c_contiguous:
        return x.reshape(shape)
    try:
        return x.reshape(shape, copy=False)
    except ValueError:
        return copy(x).reshape(shape)
    except TypeError:  # NumPy 2.0 knows no `copy=`
        return x.reshape(shape)


def join(arrays, axis: int, new: bool = False) -> np.ndarray:
    """Arrays of one dtype one after the other along `axis`, which is `new` or one of theirs.

    Raises:
        ValueError: their shapes differ elsewhere, or there is no such axis.

    >>> join([np.zeros((2, 3)), np.ones((1, 3))], 0).shape
    (3, 3)
    """
    shape, ndim = arrays[0].shape, arrays[0].ndim + new
    if not -ndim <= axis < ndim:
        raise ValueError(f"axis {axis} is out of range for {ndim} axes")
    axis %= ndim
    head, tail, length = shape[:axis], shape[axis + (not new) :], 0
    for x in arrays:
        if x.shape[:axis] != head or x.shape[axis + (not new) :] != tail or x.ndim + new != ndim:
            raise ValueError(f"shapes {shape} and {x.shape} differ")
        length += 1 if new else x.shape[axis]
    y, before, start = reuse.empty((*head, length, *tail), arrays[0].dtype), (slice(None),) * axis, 0
    for x in arrays:
        if new:
            copyto(y[(*before, start)], x)
            start += 1
        else:
            end = start + x.shape[axis]
            copyto(y[(*before, slice(start, end))], x)
            start = end
    return y


def _plan(y, x):
    """The function of `(x, y)` that copies, or None."""
    item = x.itemsize
    if item not in _UNSIGNED or x.dtype.hasobject or build.interpreted() or x.ndim > y.ndim or not y.size:
        return None
    x = np.broadcast_to(x, y.shape)
    if any(s % item for s in (*x.strides, *y.strides)) or not (x.flags.aligned and y.flags.aligned):
        return None
    steps = [[s // item for s, n in zip(a.strides, a.shape, strict=True) if n > 1] for a in (x, y)]
    _, sizes, (xs, ys) = loops.nest([n for n in y.shape if n > 1], steps)
    if len(sizes) == 2 and xs[0] == 1 == ys[1] and xs[1] > 1 and item in (4, 8):
        return _plan_transpose(sizes, xs, ys, item)
    if len(sizes) > 3 or ys[-1] != 1 or xs[-1] not in (1, 0, -1):
        return None
    sizes, xs, ys = ((fill,) * (3 - len(v)) + tuple(v) for v, fill in ((sizes, 1), (xs, 0), (ys, 0)))
    step = min(sizes[2], STRIP // item)
    extent = sizes[0] * sizes[1] * -(-sizes[2] // step)
    kernel = library.get("copy.strips", T=_UNSIGNED[item], WAY=str(xs[2]))
    words = [0, 0, sizes[2], step, sizes[1], xs[0], xs[1], ys[0], ys[1]]
    return launcher(kernel, extent, words, (0, 1), max(GRAIN // (step * item), 1), y.nbytes)


def _plan_transpose(sizes, xs, ys, item):
    dtype = np.dtype(f"float{8 * item}")  # numbers are moved, not looked at
    words = [0, 0, sizes[1], sizes[0], xs[1], ys[0]]
    grain = max(GRAIN // (max(sizes[1], 1) * 64), 1)
    extent = transposing.bands(sizes[0], dtype)
    return launcher(transposing.kernel(dtype), extent, words, (0, 1), grain, sizes[0] * sizes[1] * item)


def launcher(kernel, extent: int, words: list[int], places, grain: int, size: int):
    """`run(*arrays)`: `kernel` over `[0, extent)` with the arrays' addresses at `places` of `words`.

    Args:
        grain: indices worth another thread.
        size: bytes that are moved; beyond `BRIEF` the GIL is released meanwhile.
    """

    def run(*arrays):
        packed = np.array(words, np.int64)
        for k, x in zip(places, arrays, strict=True):
            packed[k] = addresses.address(x)
        build.run(kernel, extent, addresses.address(packed), grain)

    shared, before = kernel, []
    if extent >= 2 * grain:
        shared, before = workers.prefixed(kernel.address, grain, build.load)
    operands = [(len(before) + k, entry.ARRAY) for k in places]
    launch = entry.launcher(shared, extent, extent, [*before, *words], operands) if size <= BRIEF else None
    if launch is None:
        return run

    def brief(*arrays):
        if build.recorder is not None or not launch(*arrays):
            run(*arrays)

    return brief


def take(x: np.ndarray, index: np.ndarray, axis: int, y: np.ndarray) -> bool:
    """`y = x.take(index, axis)` for C-contiguous arrays of one dtype and int64 indices in range; False: not done."""
    inner = y.itemsize
    for n in x.shape[axis + 1 :]:
        inner *= n
    if y.nbytes < LARGE or inner < 64 or x.itemsize not in _UNSIGNED or not x.flags.c_contiguous or x.dtype.hasobject:
        return False
    if build.interpreted() or index.dtype != np.int64 or not index.flags.c_contiguous:
        return False
    key = ("take", x.shape, index.size, axis, x.itemsize)
    loops.remembered(key, lambda: _plan_take(x, index, axis, y, inner))(x, index, y)
    return True


def _plan_take(x, index, axis, y, inner):
    outer = 1
    for n in x.shape[:axis]:
        outer *= n
    kernel = library.get("copy.take", T=_UNSIGNED[x.itemsize])
    words = [0, 0, 0, x.shape[axis], index.size, inner // x.itemsize]
    return launcher(kernel, outer * index.size, words, (0, 1, 2), max(GRAIN // inner, 1), y.nbytes)
