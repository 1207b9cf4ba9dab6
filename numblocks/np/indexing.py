"""`x[key]` and `x[key] = value`: basic keys are views, integer arrays and masks gather and scatter."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval, ndarray
from ..errors import MXNetError, TraceError
from ..op import current
from ..ops import advanced, move
from ..ops.elementwise import astype
from ..ops.index import rows
from ..ops.index import take as _take
from ..ops.kinds import normalize_axis
from ..shortcut.arrays import indexed
from ..shortcut.small import view
from .creation import array

_INT64 = numpy.dtype("int64")
_INTS = (int, numpy.integer)
_BASIC = frozenset((int, slice, type(None), type(Ellipsis)))


def _is_basic(part) -> bool:
    return isinstance(part, (*_INTS, slice)) or part is None or part is Ellipsis


def _plain(part):
    """Slices with array or NumPy bounds as slices of ints."""
    if isinstance(part, slice):
        return slice(*(None if b is None else b.__index__() for b in (part.start, part.stop, part.step)))
    return int(part) if isinstance(part, numpy.integer) else part


def getitem(x: ndarray, key) -> ndarray:
    """The part of `x` that `key` names; differentiable."""
    parts = key if type(key) is tuple else (key,)
    data = x._data
    if type(data) is numpy.ndarray:
        for part in parts:
            if type(part) not in _BASIC:
                break
        else:
            try:
                y = data[key]
            except IndexError as error:
                raise IndexError(f"index: {error} (array of shape {x.shape}).") from None
            return view(move.slice_, x, y, {"key": parts})
    if type(key) is ndarray and key._data.dtype is _INT64:
        return _rows_of(x, key)
    return _get_parts(x, parts)


def _get_parts(x, parts):
    if all(_is_basic(p) and not isinstance(p, bool) for p in parts):
        return move.slice_(x, key=move.freeze_key(tuple(_plain(p) for p in parts)))
    frozen, indices = freeze(x, parts)
    return advanced.gather(x, *indices, key=frozen)


# one array of whole numbers picks from the first axis, as `take` does
_rows_of = indexed(_take, lambda d, i: rows(d, i, 0, "raise"), lambda d: {"axis": 0, "mode": "raise"},
                   lambda x, index: _get_parts(x, (index,)), source=numpy.inf)  # fmt: skip


def freeze(x: ndarray, parts):
    """Key with arrays taken out: `(hashable key, index arrays)`. Masks become the indices where they hold."""
    frozen, indices = [], []

    def add(index):
        frozen.append(("a", len(indices)))
        indices.append(index)

    for part in parts:
        if isinstance(part, range):
            part = list(part)
        if isinstance(part, (list, tuple)):
            part = numpy.asarray([p.item() if isinstance(p, ndarray) else p for p in part])
            if part.size == 0:
                part = part.astype(numpy.int64)
        if isinstance(part, numpy.ndarray):
            part = array(part)
        if isinstance(part, bool):
            part = array(numpy.asarray(part))
        if isinstance(part, ndarray):
            if part.dtype.kind == "b":
                if isinstance(part._data, Aval):
                    raise TraceError(
                        "index: a traced mask cannot select elements, because the shape of the answer would depend on"
                        " values. Use np.where(mask, x, 0), or leave this Block unhybridized."
                    )
                for where_true in numpy.nonzero(part._data):
                    add(array(where_true))
            else:
                add(part)
        elif _is_basic(part):
            frozen.append(move.freeze_key((_plain(part),))[0])
        else:
            raise IndexError(
                f"index: {part!r} ({type(part).__name__}) cannot index an array of shape {x.shape}. Indices are ints,"
                f" slices, None, Ellipsis, lists and integer or bool arrays. Convert it."
            )
    return tuple(frozen), indices


def setitem(x: ndarray, key, value) -> None:
    """Write `value` (a number or an array that broadcasts) into the part of `x` that `key` names."""
    check_writable(x, "assignment to x[...]", value)
    if isinstance(value, ndarray):
        value = value._data
        if value.size == 1:  # one value fits everywhere, also where one element is named: nd has no 0-d arrays
            value = value.reshape(())
    parts = key if type(key) is tuple else (key,)
    raw = tuple(_raw_index(p) for p in parts)
    try:
        x._data[raw] = value
    except IndexError as error:
        raise IndexError(f"index: {error} (array of shape {x.shape}).") from None
    except ValueError as error:
        raise ValueError(
            f"x[...] = value: {error} (array of shape {x.shape}). The value must broadcast to the part."
        ) from None


def _raw_index(part):
    if isinstance(part, ndarray):
        data = part._data
        return data.astype(numpy.int64) if data.dtype.kind == "f" else data
    if isinstance(part, (list, range)):
        part = numpy.asarray([p.item() if isinstance(p, ndarray) else p for p in part])
        return part if part.size else part.astype(numpy.int64)
    return part


def check_writable(x: ndarray, what: str, *values) -> None:
    """In-place writes are refused where the tape or a trace would not see them."""
    if isinstance(x._data, Aval):
        raise TraceError(
            f"{what}: a traced array cannot be written in place, since the compiled function must not change"
            " its inputs."
            f" Build a new array instead (x = x + 1, np.where, np.concatenate), or leave this Block unhybridized."
        )
    if any(isinstance(v, ndarray) and isinstance(v._data, Aval) for v in values):
        raise TraceError(f"{what}: the value is a traced array and the target is not. Return it from forward instead.")
    if current.record is not None and (
        x._node is not None or any(isinstance(v, ndarray) and v._node is not None for v in values)
    ):
        raise MXNetError(
            f"{what}: the array (shape {x.shape}) or the value is part of a computational graph being recorded."
            " Writing in"
            " place (x[i] = v, x += v, out=x) would make its gradients wrong. Write outside record(), or make"
            " a new array."
        )


def take(a, indices, axis=None, mode="raise", out=None) -> ndarray:
    """Elements of `a` at `indices` along `axis` (None: of the flat array); mode 'clip', 'wrap' or 'raise'."""
    if out is None and type(axis) is int:
        return _taken(a, indices, axis, mode)
    return _take_any(a, indices, axis, mode, out)


def _take_any(a, indices, axis, mode, out=None):
    if not isinstance(indices, ndarray):
        indices = array(indices, dtype="int64")
    if axis is None:
        a, axis = a.reshape(-1), 0
    if mode not in ("clip", "wrap", "raise"):
        raise ValueError(
            f"take: unknown mode {mode!r}. It says what happens out of range. Use 'clip', 'wrap' or 'raise'."
        )
    indices = astype(indices, "int64") if indices.dtype != dt.int64 else indices
    y = _take(a, indices, axis=normalize_axis("take", axis, a.ndim)[0], mode=mode)
    if out is None:
        return y
    setitem(out, ..., y)
    return out


_taken = indexed(
    _take, rows, lambda d, axis, mode: {"axis": axis % d.ndim, "mode": mode}, _take_any, source=numpy.inf
)


def put_along_axis(arr, indices, values, axis) -> None:
    """Write `values` into `arr` at `indices` along `axis`, in place."""
    check_writable(arr, "put_along_axis", values)
    raw = [x._data if isinstance(x, ndarray) else x for x in (indices, values)]
    numpy.put_along_axis(arr._data, raw[0].astype(numpy.int64), raw[1], axis)


__all__ = ["check_writable", "getitem", "put_along_axis", "setitem", "take"]
