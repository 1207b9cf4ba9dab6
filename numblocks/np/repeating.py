"""Elements again, or in another order: `repeat`, `tile`, `flip`, `roll`."""

from __future__ import annotations

import builtins
import functools

import numpy

from ..array import ndarray
from ..eager import SMALL
from ..op import Op
from ..ops import move
from ..ops import reduce as red
from ..ops.kinds import normalize_axis
from ..shortcut.arrays import one
from .creation import array
from .math import deliver, operand
from .shape import _at_least, concatenate, ravel


def repeat(a, repeats: int, axis=None) -> ndarray:
    """Each element `repeats` times in a row along `axis` (None: of the flat array)."""
    if axis is None:
        a, axis = ravel(a), 0
    if type(repeats) is int and type(axis) is int:
        return _repeat(a, repeats, axis)
    return _each_repeated(a, repeats, axis)


def _each_repeated(a, repeats, axis):
    k = normalize_axis("repeat", axis, a.ndim)[0]
    if not isinstance(repeats, int):
        positions = numpy.repeat(
            numpy.arange(a.shape[k]), numpy.asarray(repeats.asnumpy() if isinstance(repeats, ndarray) else repeats)
        )
        return a[(builtins.slice(None),) * k + (array(positions),)]
    wide = red.broadcast_to(move.expand_dims(a, k + 1), shape=a.shape[: k + 1] + (repeats,) + a.shape[k + 1 :])
    return move.reshape(wide, shape=a.shape[:k] + (a.shape[k] * repeats,) + a.shape[k + 1 :])


def _each_repeated_vjp(g, y, x, *, repeats, axis):
    """The sum over the repetitions."""
    k = axis % x.ndim + 1
    return red.sum_(move.reshape(g, shape=x.shape[:k] + (repeats,) + x.shape[k:]), axis=(k,), keepdims=False)


_repeat = one(Op("repeat", "move", None, registered=False, vjp=(_each_repeated_vjp,)), numpy.ndarray.repeat,
              lambda d, repeats, axis: {"repeats": repeats, "axis": axis}, _each_repeated)  # fmt: skip


def tile(A, reps) -> ndarray:
    """The whole array repeated `reps` times along each axis."""
    return _tile(A, (reps,) if type(reps) is int else reps)


def _tiled(A, reps):
    A = operand(A)
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    n = builtins.max(A.ndim, len(reps))
    A, reps = _at_least(A, n), (1,) * (n - len(reps)) + reps
    spread = red.broadcast_to(
        move.reshape(A, shape=tuple(m for size in A.shape for m in (1, size))),
        shape=tuple(m for r, size in zip(reps, A.shape, strict=True) for m in (r, size)),
    )
    return move.reshape(spread, shape=tuple(r * size for r, size in zip(reps, A.shape, strict=True)))


@functools.lru_cache(maxsize=1024)
def _tiles(shape, reps):
    """Of a tiled array: the shape of what is repeated, with a 1 for each repetition; that of the answer, with the
    repetitions as axes; and that of the answer.
    """
    n = builtins.max(len(shape), len(reps))
    shape, reps = (1,) * (n - len(shape)) + shape, (1,) * (n - len(reps)) + reps
    pairs = tuple(zip(reps, shape, strict=True))
    wide = tuple(m for pair in pairs for m in pair)
    return tuple(m for _, size in pairs for m in (1, size)), wide, tuple(r * size for r, size in pairs)


def _repeated(d, reps):
    for r in reps:
        if type(r) is not int:
            return NotImplemented
    one_each, wide, shape = _tiles(d.shape, reps)
    z = numpy.empty(shape, d.dtype)
    if z.size >= SMALL:
        return NotImplemented
    z.reshape(wide)[...] = d.reshape(one_each)
    return z


def _repeated_vjp(g, y, x, *, reps):
    """The sum over the repetitions."""
    wide = _tiles(x.shape, reps)[1]
    return move.reshape(red.sum_(move.reshape(g, shape=wide), axis=tuple(range(0, len(wide), 2)), keepdims=False),
                        shape=x.shape)  # fmt: skip


_tile = one(Op("tile", "move", None, registered=False, vjp=(_repeated_vjp,)), _repeated,
            lambda d, reps: {"reps": reps}, _tiled)  # fmt: skip


def flip(m, axis=None, out=None) -> ndarray:
    """Reversed along `axis` (None: all)."""
    if out is None and (axis is None or type(axis) is int):
        return _flip(m, axis)
    return deliver(_flipped(m, axis), out)


@functools.lru_cache(maxsize=256)
def _reversing(axis, ndim):
    axes = normalize_axis("flip", axis, ndim)
    return tuple(builtins.slice(None, None, -1) if k in axes else builtins.slice(None) for k in range(ndim))


def _flipped(m, axis):
    return move.slice_(m, key=move.freeze_key(_reversing(axis, m.ndim)))


_flip = one(move.slice_, lambda d, axis: d[_reversing(axis, d.ndim)], lambda d, axis: {"key": _reversing(axis, d.ndim)},
            _flipped, numpy.inf)  # fmt: skip


def flipud(m) -> ndarray:
    """Rows reversed."""
    return flip(m, 0)


def fliplr(m) -> ndarray:
    """Columns reversed."""
    return flip(m, 1)


def roll(a, shift, axis=None) -> ndarray:
    """Elements moved by `shift` along `axis`, those pushed out coming in at the other end."""
    if type(shift) is int and (axis is None or type(axis) is int):
        return _roll(a, shift, axis)
    return _rolled(a, shift, axis)


def _rolled(a, shift, axis):
    if axis is None:
        return move.reshape(roll(ravel(a), shift, 0), shape=a.shape)
    shifts = (shift,) if isinstance(shift, int) else tuple(shift)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for s, ax in zip(shifts, axes, strict=True):
        k = normalize_axis("roll", ax, a.ndim)[0]
        n = a.shape[k]
        s = s % n if n else 0
        if s:
            lead = (builtins.slice(None),) * k
            a = concatenate([a[lead + (builtins.slice(n - s, None),)], a[lead + (builtins.slice(None, n - s),)]], k)
    return a


def _moved(d, shift, axis):
    if d.size >= SMALL:
        return NotImplemented
    z = numpy.empty(d.shape, d.dtype)
    if axis is None:
        _move(d.reshape(-1), z.reshape(-1), shift, 0)
    else:
        _move(d, z, shift, axis)
    return z


def _move(d, z, shift, axis):
    n = d.shape[axis]
    s, lead = shift % n, (_ALL,) * (axis % d.ndim)
    z[(*lead, builtins.slice(s, None))] = d[(*lead, builtins.slice(None, n - s))]
    z[(*lead, builtins.slice(None, s))] = d[(*lead, builtins.slice(n - s, None))]


_ALL = builtins.slice(None)
_roll = one(Op("roll", "move", None, registered=False, vjp=(lambda g, y, x, *, shift, axis: roll(g, -shift, axis),)),
            _moved, lambda d, shift, axis: {"shift": shift, "axis": axis}, _rolled)  # fmt: skip


__all__ = ["flip", "fliplr", "flipud", "repeat", "roll", "tile"]
