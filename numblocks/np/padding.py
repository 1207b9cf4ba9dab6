"""A frame around an array: `pad`."""

from __future__ import annotations

import builtins
import functools

import numpy

from ..array import ndarray
from ..kernels import copying
from ..ops import move
from ..ops import reduce as red
from ..shortcut.arrays import one
from .creation import array
from .math import operand
from .shape import concatenate

_BY_POSITION = ("edge", "reflect", "symmetric", "wrap")
_BY_VALUE = {"maximum": red.max_, "minimum": red.min_, "mean": red.mean}


def pad(x, pad_width, mode="constant", constant_values=0.0, **kwargs) -> ndarray:
    """A frame around `x`.

    Args:
        pad_width: one number, one (before, after), or one pair for each axis.
        mode: 'constant' (`constant_values`), 'edge', 'reflect', 'symmetric', 'wrap', 'maximum', 'minimum', 'mean',
            'linear_ramp' (towards `end_values`) or 'empty'.
        kwargs: `reflect_type`, `stat_length`, `end_values` as NumPy's.
    """
    if mode == "constant" and not kwargs and type(constant_values) in _NUMBERS:
        return _pad(x, pad_width, constant_values)
    x = operand(x)
    widths = _widths(pad_width, x.ndim)
    if mode in ("constant", "empty") and isinstance(constant_values, (int, float)):
        return move.pad(x, widths=widths, value=float(constant_values))
    if mode in _BY_POSITION and kwargs.get("reflect_type", "even") == "even":
        for k, (n, w) in enumerate(zip(x.shape, widths, strict=True)):
            if w != (0, 0):
                x = x[(builtins.slice(None),) * k + (array(numpy.pad(numpy.arange(n), w, mode=mode)),)]
        return x
    ends = constant_values if mode == "constant" else kwargs.get("end_values", 0.0)
    ends = numpy.broadcast_to(numpy.asarray(ends, numpy.float64), (x.ndim, 2))
    if mode not in ("constant", "linear_ramp", *_BY_VALUE):
        raise ValueError(
            f"pad: mode {mode!r} is unknown. It says what fills the frame. Use 'constant', 'edge', 'reflect' ..."
        )
    length = numpy.broadcast_to(numpy.asarray(kwargs.get("stat_length") or 0), (x.ndim, 2))
    for k, (before, after) in enumerate(widths):
        side = lambda which, n: _side(x, k, n, which, mode, ends[k, which], int(length[k, which]))  # noqa: B023
        x = concatenate([side(0, before), x, side(1, after)], k)
    return x


_NUMBERS = frozenset((int, float))


def _widths(pad_width, ndim):
    """One (before, after) for each axis."""
    return tuple((int(a), int(b)) for a, b in numpy.broadcast_to(numpy.asarray(pad_width), (ndim, 2)).tolist())


def _framed(x, pad_width, value):
    x = operand(x)
    return move.pad(x, widths=_widths(pad_width, x.ndim), value=float(value))


_remembered_widths = functools.lru_cache(maxsize=256)(_widths)  # what cannot be hashed goes the long way
_frame = functools.lru_cache(maxsize=256)(move.frame)


def _in_frame(d, pad_width, value):
    widths = _remembered_widths(pad_width, d.ndim)
    if d.nbytes >= copying.LARGE:
        return move.pad.run(d, widths=widths, value=value)
    shape, inside = _frame(d.shape, widths)
    if value:
        z = numpy.full(shape, value, d.dtype)
    else:
        z = numpy.zeros(shape, d.dtype)
    z[inside] = d
    return z


_pad = one(
    move.pad,
    _in_frame,
    lambda d, pad_width, value: {"widths": _remembered_widths(pad_width, d.ndim), "value": value},
    _framed,
    numpy.inf,
)


def _side(x, axis, width, side, mode, end, length):
    """The frame of one side of one axis, `width` wide."""
    lead = (builtins.slice(None),) * axis
    steps = numpy.arange(width)[:: -1 if side == 0 else 1].reshape((-1,) + (1,) * (x.ndim - axis - 1))
    if mode == "constant":
        part = x[(*lead, builtins.slice(0, 1))] * 0 + float(end)
    elif mode == "linear_ramp":
        edge = x[(*lead, builtins.slice(0, 1) if side == 0 else builtins.slice(-1, None))]
        share = array(((steps + 1) / builtins.max(width, 1)).astype(x.dtype))
        return edge + (float(end) - edge) * share
    else:
        n = length or x.shape[axis]
        near = x[(*lead, builtins.slice(0, n) if side == 0 else builtins.slice(-n, None))]
        part = _BY_VALUE[mode](near, axis=(axis,), keepdims=True)
    return red.broadcast_to(part, shape=x.shape[:axis] + (width,) + x.shape[axis + 1 :])


__all__ = ["pad"]
