"""Elements by index along one axis: `take` (embedding rows), `pick` (one element a row), and their
transposes.

Indices may be of any integer dtype, or floats that are whole numbers, as Gluon's labels often are.
"""

from __future__ import annotations

import functools

import numpy

from .. import dtype as dt
from ..array import Aval, wrap
from ..eager import quiet
from ..errors import MXNetError
from ..kernels import copying, gathering, reuse
from ..op import bind, current
from ..shortcut.arrays import indexed
from . import elementwise as ew
from .kinds import primitive
from .move import reshape
from .reduce import max_, sum_

MODES = ("raise", "clip", "wrap", "strict")


def whole(where: str, index: numpy.ndarray, error: type = ValueError) -> numpy.ndarray:
    """`index` as int64; `error` for NaN and fractions.

    >>> whole("take", numpy.array([1.0, 2.0])).tolist()
    [1, 2]
    """
    if index.dtype.kind != "f":
        return index.astype(numpy.int64, copy=False)
    found = quiet(index.astype, numpy.int64)  # NaN has no integer; it is reported below
    if index.size <= 1024 and found.astype(index.dtype).tobytes() == index.tobytes():
        return found  # three short copies take a third of what a loop and a reduction take
    wrong = found != index
    if wrong.any():
        raise error(
            f"{where}: index {index[wrong].flat[0]} in an index array of dtype {index.dtype} is not a whole"
            " number. Elements"
            f" are numbered by integers. Round the indices, or look for NaN in them."
        )
    return found


def in_range(where: str, index: numpy.ndarray, n: int, mode: str) -> numpy.ndarray:
    """C-contiguous int64 indices in `[0, n)`: cut off ('clip'), modulo n ('wrap'), or `IndexError` ('raise').

    In 'raise' mode -n to -1 count from the end; in 'strict' mode, for class labels, they are refused, too.

    >>> in_range("take", numpy.array([-1, 7]), 5, "wrap").tolist()
    [4, 2]
    """
    found = whole(where, index)
    if found.size == 0:
        return found
    if found.size <= 64:
        values = found.ravel().tolist()
        low, high = min(values), max(values)
    elif found.flags.c_contiguous and (found.view(numpy.uint64) < n).all():
        return found  # one pass over them, where all is well
    else:
        low, high = found.min(), found.max()
    lowest = 0 if mode == "strict" else -n
    if n == 0 or (mode in ("raise", "strict") and (low < lowest or high >= n)):
        wrong = low if n == 0 or low < lowest else high
        raise IndexError(
            f"{where}: index {wrong} is out of bounds for axis of size {n}. Valid indices are {lowest} to"
            f" {n - 1}. Correct the"
            f" indices, enlarge the axis, or use mode='clip'."
        )
    if low < 0 or high >= n:
        if mode == "clip":
            found = found.clip(0, n - 1)
        elif mode == "wrap":
            found = found % n
        else:
            found = numpy.where(found < 0, found + n, found)
    return numpy.asarray(found, order="C")


def _axis(where, axis, ndim, mode):
    if mode not in MODES:
        raise ValueError(
            f"{where}: mode {mode!r} is unknown. It says what to do with an index out of range. Use one of"
            f" {MODES}."
        )
    if not 0 <= axis < ndim:
        raise ValueError(
            f"{where}: axis {axis} is out of range for {ndim} axes. Ops take normalized axes. Use"
            f" 0..{ndim - 1}."
        )


def _infer_take(x, index, *, axis=0, mode="raise"):
    _axis("take", axis, len(x.shape), mode)
    return Aval((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]), x.dtype)


@primitive(
    kind="gather",
    nin=2,
    infer=_infer_take,
    vjp=(
        lambda g, y, x, index, *, axis=0, mode="raise": scatter_add(
            g, index, axis=axis, size=x.shape[axis], mode=mode
        ),
        None,
    ),
)
def take(x, index, *, axis=0, mode="raise", out=None):
    """Elements of `x` along `axis`; with axis 0, rows, as an embedding does.

    Args:
        x: any shape.
        index: any shape; integers, or floats that are whole numbers.
        axis: non-negative.
        mode: for an index out of range: 'raise', 'clip' to the nearest, or 'wrap' around.

    Returns:
        `x.shape[:axis] + index.shape + x.shape[axis + 1:]`.

    Raises:
        IndexError: out of range in mode 'raise'.
        ValueError: an index that is no whole number.

    Example:
        >>> from numblocks import np
        >>> take(np.array([[1, 2], [3, 4]]), np.array([1, 1, 0]), axis=0).tolist()
        [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]
    """
    places = in_range("take", index, x.shape[axis], mode)
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    y = (
        out
        if out is not None and out.dtype == x.dtype and out.flags.c_contiguous
        else reuse.empty(shape, x.dtype)
    )
    if y.size and not copying.take(x, places, axis, y):
        # mode='raise', NumPy's default, would copy `out`; the indices are in range already
        numpy.take(x, places, axis, out=y, mode="clip")
    if out is not None and y is not out:
        numpy.copyto(out, y, casting="same_kind")
        return out
    return y


def rows(d, i, axis, mode):
    """`take` of a NumPy array by int64 indices, without checks that NumPy makes, too."""
    if d.nbytes < copying.LARGE:
        return d.take(i, axis, None, mode)
    if mode not in ("clip", "wrap", "raise") or not -d.ndim <= axis < d.ndim:
        return NotImplemented
    return take.run(d, i, axis=axis % d.ndim, mode=mode)


_rows = indexed(
    take,
    rows,
    lambda d, axis, mode: {"axis": axis, "mode": mode},
    lambda x, index, axis, mode: bind(take, (x, index), {"axis": axis, "mode": mode}),
    source=numpy.inf,
    convert=functools.partial(whole, "take"),
)
take.direct = lambda x, index, *, axis=0, mode="raise": (
    _rows(x, index, axis, mode) if axis >= 0 else bind(take, (x, index), {"axis": axis, "mode": mode})
)


def _infer_scatter(g, index, *, axis, size, mode="raise"):
    _axis("scatter_add", axis, len(g.shape) - len(index.shape) + 1, mode)
    if tuple(g.shape[axis : axis + len(index.shape)]) != tuple(index.shape):
        raise MXNetError(
            f"scatter_add: values have shape {tuple(g.shape)} and indices {tuple(index.shape)}. From axis"
            f" {axis} on the values"
            f" must have the shape of the indices. Reshape one of them."
        )
    return Aval((*g.shape[:axis], size, *g.shape[axis + len(index.shape) :]), g.dtype)


@primitive(
    kind="gather",
    nin=2,
    infer=_infer_scatter,
    vjp=(lambda h, y, g, index, *, axis, size, mode="raise": take(h, index, axis=axis, mode=mode), None),
)
def scatter_add(g, index, *, axis, size, mode="raise", out=None):
    """The transpose of `take`: zeros with `size` places on `axis`, `g` added at `index`; repeated indices
    add up.

    Args:
        g: `outer + index.shape + inner`, `axis` axes in `outer`.

    Example:
        >>> from numblocks import np
        >>> scatter_add(np.array([1, 2, 3]), np.array([0, 2, 0]), axis=0, size=3).tolist()
        [4.0, 0.0, 2.0]
    """
    places = in_range("scatter_add", index, size, mode)
    computed = (
        numpy.dtype(numpy.float64)
        if g.dtype.kind != "f"
        else max(g.dtype, dt.float32, key=lambda d: d.itemsize)
    )
    shape = (*g.shape[:axis], size, *g.shape[axis + index.ndim :])
    y = (
        out
        if out is not None and out.dtype == computed and out.flags.c_contiguous
        else reuse.empty(shape, computed)
    )
    if y.size:
        gathering.add(numpy.ascontiguousarray(g, computed), places, y, axis)
    if out is None:
        return y if y.dtype == g.dtype else y.astype(g.dtype)
    if y is not out:
        numpy.copyto(out, y, casting="unsafe")
    return out


def _picked(shape, axis, keepdims):
    return (*shape[:axis], *((1,) if keepdims else ()), *shape[axis + 1 :])


@functools.lru_cache(maxsize=64)
def _starts(outer: int, n: int, inner: int) -> numpy.ndarray:
    """Flat position of element 0 of each line along the middle axis of `(outer, n, inner)`."""
    return (numpy.arange(outer)[:, None] * (n * inner) + numpy.arange(inner)).ravel()


def _flat(where, index, shape, axis, mode):
    inner = 1
    for n in shape[axis + 1 :]:
        inner *= n
    places = in_range(where, index, shape[axis], mode).reshape(-1)
    return _starts(places.size // max(inner, 1), shape[axis], inner) + (
        places if inner == 1 else places * inner
    )


def _check_pick(where, shape, index, axis, mode):
    _axis(where, axis, len(shape), mode)
    if tuple(index.shape) not in (_picked(shape, axis, False), _picked(shape, axis, True)):
        raise MXNetError(
            f"{where}: data has shape {tuple(shape)} and index {tuple(index.shape)}. Without axis {axis}"
            " the data have shape"
            f" {_picked(shape, axis, False)}, and each place needs one index. Reshape the index."
        )


def _infer_pick(x, index, *, axis, mode="clip", keepdims=False):
    _check_pick("pick", x.shape, index, axis, mode)
    return Aval(_picked(x.shape, axis, keepdims), x.dtype)


@functools.lru_cache(maxsize=64)
def _positions(n: int, after: int, dtype, device):
    """0 to n - 1 along an axis with `after` axes behind it."""
    return wrap(numpy.arange(n, dtype=dtype).reshape((n,) + (1,) * after), device)


def _line(index, shape, axis, mode):
    """For graphs: `(indices, positions)` that broadcast against data of `shape`; they are equal where to pick."""
    n = shape[axis]
    i = reshape(index, shape=_picked(shape, axis, True))
    positions = _positions(n, len(shape) - axis - 1, index.dtype, index._device)
    if mode == "clip":
        i = ew.minimum(ew.maximum(i, 0), n - 1)
    elif mode == "wrap":
        i = ew.mod(i, n)
    else:
        low = 0 if mode == "strict" else -n
        wrong = ew.logical_or(ew.less(i, low), ew.greater_equal(i, n))
        if index.dtype.kind == "f":  # NaN equals nothing, its own floor included
            wrong = ew.logical_or(wrong, ew.not_equal(i, ew.floor(i)))
        flag = max_(ew.cast(wrong, dtype="int32"), axis=tuple(range(len(shape))), keepdims=False)
        current.guard(flag, index, lambda values: None if values is None else in_range("pick", values, n, mode))
        if mode == "raise":
            i = ew.where(ew.less(i, 0), i + n, i)
    return i, positions


def _traced_pick(x, index, *, axis, mode="clip", keepdims=False):
    _check_pick("pick", x.shape, index, axis, mode)
    i, positions = _line(index, x.shape, axis, mode)
    y = sum_(ew.where(ew.equal(i, positions), x, False), axis=(axis,), keepdims=keepdims)  # False: 0 of any dtype
    return ew.astype(y, x.dtype)


def _traced_pick_grad(g, index, *, axis, shape, mode="clip"):
    i, positions = _line(index, shape, axis, mode)
    return ew.where(ew.equal(i, positions), reshape(g, shape=_picked(shape, axis, True)), False)


@primitive(
    kind="gather",
    nin=2,
    infer=_infer_pick,
    traced=_traced_pick,
    vjp=(
        lambda g, y, x, index, *, axis, mode="clip", keepdims=False: pick_grad(
            g, index, axis=axis, shape=tuple(x.shape), mode=mode
        ),
        None,
    ),
)
def pick(x, index, *, axis, mode="clip", keepdims=False, out=None):
    """One element of each line of `x` along `axis`, as cross entropy picks the label's log-probability.

    Args:
        x: any shape.
        index: the shape of `x` without `axis` (or with 1 there); integers, or floats that are whole numbers.
        mode: for an index out of range: 'clip', 'wrap' or 'raise'.
        keepdims: keep `axis` with length 1.

    Raises:
        IndexError, ValueError: as `take`.
        MXNetError: the shapes do not fit.

    Example:
        >>> from numblocks import np
        >>> pick(np.array([[1, 2], [3, 4]]), np.array([1, 0]), axis=1).tolist()
        [2.0, 3.0]
    """
    shape = _picked(x.shape, axis, keepdims)
    y = numpy.ascontiguousarray(x).reshape(-1)[_flat("pick", index, x.shape, axis, mode)].reshape(shape)
    if out is None:
        return y
    numpy.copyto(out, y, casting="same_kind")
    return out


def _infer_pick_grad(g, index, *, axis, shape, mode="clip"):
    _check_pick("pick_grad", shape, index, axis, mode)
    return Aval(tuple(shape), g.dtype)


@primitive(
    kind="gather",
    nin=2,
    infer=_infer_pick_grad,
    traced=_traced_pick_grad,
    vjp=(
        lambda h, y, g, index, *, axis, shape, mode="clip": pick(
            h, index, axis=axis, mode=mode, keepdims=len(g.shape) == len(shape)
        ),
        None,
    ),
)
def pick_grad(g, index, *, axis, shape, mode="clip", out=None):
    """The transpose of `pick`: zeros of `shape` with `g` at the picked places."""
    y = (
        out
        if out is not None and out.flags.c_contiguous
        else reuse.empty(shape, g.dtype if out is None else out.dtype)
    )
    y[...] = 0
    y.reshape(-1)[_flat("pick_grad", index, tuple(shape), axis, mode)] = g.reshape(-1)
    if out is not None and y is not out:
        out[...] = y
        return out
    return y
