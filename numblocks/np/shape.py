"""Rearranging under NumPy's names: reshape, transpose, join, split, repeat."""

from __future__ import annotations

import builtins
import functools

import numpy

from .. import dtype as dt
from ..array import ndarray
from ..kernels import few
from ..op import Op
from ..ops import elementwise as ew
from ..ops import move
from ..ops import reduce as red
from ..ops.kinds import normalize_axis
from ..shortcut.arrays import along, one, several
from .creation import array
from .math import deliver, operand

_ALL = builtins.slice(None)


def _arrays(where, seq):
    items = [x if isinstance(x, ndarray) else array(operand(x)) for x in seq]
    if not items:
        raise ValueError(f"{where}: got no arrays. At least one is needed. Pass a non-empty list.")
    common = dt.promote(*(x.dtype for x in items))
    return [ew.astype(x, common) for x in items]


def reshape(a, newshape=None, order="C", out=None, shape=None) -> ndarray:
    """Another shape with as many elements; one size may be -1. A view where possible."""
    a = operand(a)
    shape = newshape if shape is None else shape
    shape = tuple(int(n) for n in shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    return deliver(move.reshape(a, shape=shape), out)


def ravel(x, order="C") -> ndarray:
    """One axis."""
    x = operand(x)
    return move.reshape(x, shape=(-1,) if x.size else (0,))


def transpose(a, axes=None) -> ndarray:
    """Axes reversed, or in the order `axes`."""
    return _transpose(a, axes)


def _transposed(a, axes):
    n = a.ndim
    return move.transpose(a, axes=_order(n, axes))


def _order(ndim, axes):
    if axes is None:
        return tuple(range(ndim - 1, -1, -1))
    return tuple(k + ndim if k < 0 else k for k in axes)


_transpose = one(move.transpose, numpy.ndarray.transpose, lambda d, axes: {"axes": _order(d.ndim, axes)}, _transposed,
                 numpy.inf)  # fmt: skip


def swapaxes(a, axis1: int, axis2: int) -> ndarray:
    """Two axes exchanged."""
    return _swap(a, axis1, axis2)


def _exchanged(ndim, axis1, axis2):
    axes = list(range(ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return tuple(axes)


def _swapped(a, axis1, axis2):
    (i,), (j,) = normalize_axis("swapaxes", axis1, a.ndim), normalize_axis("swapaxes", axis2, a.ndim)
    return move.transpose(a, axes=_exchanged(a.ndim, i, j))


_swap = one(move.transpose, numpy.ndarray.swapaxes, lambda d, i, j: {"axes": _exchanged(d.ndim, i, j)}, _swapped,
            numpy.inf)  # fmt: skip


def moveaxis(a, source, destination) -> ndarray:
    """Axes moved to new places, the others in order."""
    if type(source) is int and type(destination) is int:
        return _move_one(a, source, destination)
    return move.transpose(a, axes=_moved(a.ndim, source, destination))


def _moved(ndim, source, destination):
    source = [source] if isinstance(source, int) else list(source)
    destination = [destination] if isinstance(destination, int) else list(destination)
    source, destination = [s % ndim for s in source], [d % ndim for d in destination]
    order = [k for k in range(ndim) if k not in source]
    for d, s in sorted(zip(destination, source, strict=True)):
        order.insert(d, s)
    return tuple(order)


_move_order = functools.lru_cache(maxsize=256)(_moved)
_move_one = one(move.transpose, lambda d, s, t: d.transpose(_move_order(d.ndim, s, t)),
                lambda d, s, t: {"axes": _move_order(d.ndim, s, t)},
                lambda a, s, t: move.transpose(a, axes=_moved(a.ndim, s, t)), numpy.inf)  # fmt: skip


def expand_dims(a, axis: int) -> ndarray:
    """A new axis of length 1 at `axis`."""
    return _expand(a, axis) if type(axis) is int else move.expand_dims(operand(a), axis)


@functools.lru_cache(maxsize=256)
def _new_axis(ndim, axis):
    if not -ndim - 1 <= axis <= ndim:
        raise ValueError
    return (_ALL,) * (axis % (ndim + 1)) + (None,)


_expand = one(move.reshape, lambda d, axis: d[_new_axis(d.ndim, axis)],
              lambda d, axis: {"shape": d[_new_axis(d.ndim, axis)].shape},
              lambda a, axis: move.expand_dims(operand(a), axis), numpy.inf)  # fmt: skip


def squeeze(a, axis=None, out=None) -> ndarray:
    """Without axes of length 1 (those in `axis`, or all)."""
    if out is None and (axis is None or type(axis) is int):
        return _squeeze(a, axis)
    return _squeezed(a, axis, out)


def _squeezed(a, axis, out=None):
    if axis is None:
        return deliver(move.reshape(a, shape=tuple(n for n in a.shape if n != 1)), out)
    axes = normalize_axis("squeeze", axis, a.ndim)
    for k in axes:
        if a.shape[k] != 1:
            raise ValueError(f"squeeze: axis {k} of shape {a.shape} has length {a.shape[k]}. Only axes of length 1 go.")
    return deliver(move.reshape(a, shape=tuple(n for k, n in enumerate(a.shape) if k not in axes)), out)


_squeeze = one(move.reshape, numpy.ndarray.squeeze, lambda d, axis: {"shape": d.squeeze(axis).shape}, _squeezed,
               numpy.inf)  # fmt: skip


def broadcast_to(array, shape) -> ndarray:
    """Repeated along new axes and axes of length 1."""
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    return red.broadcast_to(operand(array), shape=shape)


def broadcast_arrays(*args) -> list[ndarray]:
    """All arrays at their common shape."""
    shape = numpy.broadcast_shapes(*(a.shape for a in args))
    return [red.broadcast_to(a, shape=shape) for a in args]


def concatenate(seq, axis=0, out=None) -> ndarray:
    """Arrays one after the other along an existing `axis` (None: flattened first)."""
    if out is None and type(axis) is int:
        return _concatenate(seq, axis)
    return _concatenated(seq, axis, out)


def _concatenated(seq, axis, out=None):
    items = _arrays("concatenate", seq)
    if axis is None:
        items, axis = [ravel(x) for x in items], 0
    return deliver(move.concat(*items, axis=normalize_axis("concatenate", axis, items[0].ndim)[0]), out)


def stack(arrays, axis=0, out=None) -> ndarray:
    """Arrays of one shape along a new `axis`."""
    if out is None and type(axis) is int:
        return _stack(arrays, axis)
    return _stacked(arrays, axis, out)


def _stacked(arrays, axis, out=None):
    items = _arrays("stack", arrays)
    for k, x in enumerate(items):
        if x.shape != items[0].shape:
            raise ValueError(
                f"stack: argument 0 has shape {items[0].shape} and argument {k} has shape {x.shape}. All must agree."
            )
    k = normalize_axis("stack", axis, items[0].ndim + 1)[0]
    return deliver(move.concat(*[move.expand_dims(x, k) for x in items], axis=k), out)


_concatenate = several(move.concat, few.joiner(False), along, _concatenated)

# how a stack stands on the tape: each array gets back its part of the new axis
_on_new_axis = Op("stack", "join", None, registered=False,
                  vjp=lambda g, y, *xs, index, axis: move.slice_(g, key=(*move.freeze_key((_ALL,) * axis), index)))
_stack = several(_on_new_axis, few.joiner(True), lambda d, axis: {"axis": axis % (d.ndim + 1)}, _stacked)


def _at_least(x, n):
    return x if x.ndim >= n else move.reshape(x, shape=(1,) * (n - x.ndim) + x.shape)


def _are_planes(arrays) -> bool:
    """Whether all have two axes at least."""
    if not arrays or type(arrays) is not list and type(arrays) is not tuple:
        return False
    for x in arrays:
        if type(x) is not ndarray or x._data.ndim < 2:
            return False
    return True


def vstack(arrays, out=None) -> ndarray:
    """Arrays row after row."""
    if out is None and _are_planes(arrays):
        return _concatenate(arrays, 0)
    return concatenate([_at_least(x, 2) for x in _arrays("vstack", arrays)], 0, out)


row_stack = vstack


def hstack(arrays) -> ndarray:
    """Arrays column after column (along the only axis of vectors)."""
    if _are_planes(arrays):
        return _concatenate(arrays, 1)
    items = [_at_least(x, 1) for x in _arrays("hstack", arrays)]
    return concatenate(items, 0 if items[0].ndim == 1 else 1)


def dstack(arrays) -> ndarray:
    """Arrays along a third axis."""
    return concatenate(
        [x if x.ndim > 2 else move.expand_dims(_at_least(x, 2), 2) for x in _arrays("dstack", arrays)], 2
    )


def column_stack(tup) -> ndarray:
    """Vectors as columns."""
    return concatenate([move.expand_dims(x, 1) if x.ndim == 1 else x for x in _arrays("column_stack", tup)], 1)


def split(ary, indices_or_sections, axis=0) -> list[ndarray]:
    """Equal parts along `axis`, or the parts between indices."""
    if isinstance(indices_or_sections, int) and ary.shape[axis] % indices_or_sections:
        raise ValueError(
            f"split: axis {axis} of shape {ary.shape} cannot be cut into {indices_or_sections} equal parts. The length"
            f" must be a multiple. Use array_split for unequal parts."
        )
    return array_split(ary, indices_or_sections, axis)


def array_split(ary, indices_or_sections, axis=0) -> list[ndarray]:
    """Parts along `axis`, the first ones longer by one where the length is not a multiple."""
    k = normalize_axis("split", axis, ary.ndim)[0]
    n = ary.shape[k]
    if isinstance(indices_or_sections, int):
        each, more = divmod(n, indices_or_sections)
        cuts, at = [], 0
        for i in range(indices_or_sections - 1):
            at += each + (i < more)
            cuts.append(at)
    else:
        cuts = [int(i) for i in indices_or_sections]
    bounds = [0, *cuts, n]
    lead = (builtins.slice(None),) * k
    return [_part(ary, lead + (builtins.slice(a, b),)) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


_part = one(move.slice_, numpy.ndarray.__getitem__, lambda d, key: {"key": key},
            lambda x, key: move.slice_(x, key=move.freeze_key(key)), numpy.inf)  # fmt: skip


def vsplit(ary, indices_or_sections) -> list[ndarray]:
    """Parts along axis 0."""
    return split(ary, indices_or_sections, 0)


def hsplit(ary, indices_or_sections) -> list[ndarray]:
    """Parts along axis 1 (axis 0 of vectors)."""
    return split(ary, indices_or_sections, 0 if ary.ndim == 1 else 1)


def atleast_1d(*arys):
    """At least one axis."""
    ys = [_at_least(operand(a), 1) for a in arys]
    return ys[0] if len(ys) == 1 else ys


def atleast_2d(*arys):
    """At least two axes."""
    ys = [_at_least(operand(a), 2) for a in arys]
    return ys[0] if len(ys) == 1 else ys


def tril(m, k=0) -> ndarray:
    """The lower triangle, zeros above the k-th diagonal."""
    mask = array(numpy.tri(m.shape[-2], m.shape[-1], k, dtype=bool))
    return ew.where(mask, m, 0.0 if m.dtype.kind == "f" else 0)


def triu(m, k=0) -> ndarray:
    """The upper triangle, zeros below the k-th diagonal."""
    mask = array(~numpy.tri(m.shape[-2], m.shape[-1], k - 1, dtype=bool))
    return ew.where(mask, m, 0.0 if m.dtype.kind == "f" else 0)


def diag(array, k=0) -> ndarray:
    """The k-th diagonal of a matrix, or a matrix with a vector on it."""
    return _diagonal(array, k)


def _diagonal(v, k) -> ndarray:
    if v.ndim == 1:
        n = v.shape[0] + builtins.abs(k)
        mask = array(numpy.eye(n, n, k, dtype=bool))
        row = move.pad(v, widths=((builtins.max(k, 0), builtins.max(-k, 0)),), value=0.0)
        return ew.where(mask, row if k >= 0 else move.expand_dims(move.pad(v, widths=((-k, 0),), value=0.0), 1), 0.0)
    rows = numpy.arange(builtins.max(-k, 0), builtins.min(v.shape[0], v.shape[1] - k))
    return v[array(rows), array(rows + k)]


__all__ = [
    "array_split", "atleast_1d", "atleast_2d", "broadcast_arrays", "broadcast_to", "column_stack",
    "concatenate", "diag", "dstack", "expand_dims", "hsplit", "hstack",
    "moveaxis", "ravel", "reshape", "row_stack", "split", "squeeze", "stack", "swapaxes",
    "transpose", "tril", "triu", "vsplit", "vstack",
]  # fmt: skip
