"""The way of elementwise ops on arrays that are worth a generated loop: one launch, decided in advance.

It stands between the short way of small arrays (`small`), whose functions these resemble, and `bind`: concrete
C-contiguous arrays of one class, shape, float dtype and device, and numbers; two arrays may have two shapes. All other
cases go `otherwise`.
"""

from __future__ import annotations

import numpy

from ..eager import one_lane, own_loop, small_for
from ..kernels import mapping
from ..kernels.reuse import LARGE, empty
from ..op import Op, current
from . import concrete
from .concrete import BOOL, FLOAT32, FLOAT64, NO_SPEC

FEW = LARGE // 8  # elements that are below LARGE bytes in any case
new = numpy.empty
MOST = 1 << 20  # elements above which no loop is launched with the GIL held
KEPT = 256  # pairs of shapes and strides that an op remembers


class Launches(dict):
    """Launches of an op by the dtypes of its operands (None: a number); of one operand, by its dtype."""

    def __init__(self, op: Op):
        self.op = op

    def __missing__(self, key):
        op, dtypes = self.op, key if isinstance(key, tuple) else (key,)
        dtypes = tuple(None if d is None else numpy.dtype(d.name) for d in dtypes)  # machine code compares identities
        deciding = [d for d in dtypes[op.result == "where" :] if d is not None]
        dtype = deciding[0] if deciding else None
        fits = any(dtype is d for d in (FLOAT32, FLOAT64)) and all(d is dtype for d in deciding)
        fits = fits and (op.result != "where" or dtypes[0] is BOOL) and not one_lane(op.scalar, dtype)
        out = BOOL if op.result == "bool" else dtype
        self[key] = (out, mapping.launcher(op.scalar, dtypes, out, dtype)) if fits else (None, None)
        return self[key]


def unary(op: Op, otherwise):
    """`call(x)`."""
    launches, small, on_tape = Launches(op), least(op), op.vjp is not None

    def call(x):
        try:
            d = x._data
            if type(d) is concrete.CONCRETE and small <= d.size <= MOST:
                out, launch = launches[d.dtype]
                if launch is not None and launch(d, z := (new if d.size < FEW else empty)(d.shape, out)):
                    y = type(x)()
                    y._data, y._device, y._node = z, x._device, None
                    node = x._node
                    if node is not None and on_tape:
                        record = current.record
                        if record is not None:
                            record(op, (x,), NO_SPEC, y, (node,))
                    return y
        except AttributeError:
            pass
        return otherwise(x)

    return call


def binary(op: Op, otherwise):
    """`call(a, b)`; the arrays may also broadcast."""
    launches, small, on_tape = Launches(op), least(op), op.vjp is not None
    wide = small if op.numpy is None else small_for(op)  # elements from which broadcasting is not left to NumPy
    broadcasts: dict[tuple, tuple] = {}

    def call(a, b):
        try:
            cls, kind = type(a), type(b)
            d, device, node = a._data, a._device, None
            if kind is cls:
                e, node = b._data, b._node
                if b._device is not device:
                    return otherwise(a, b)
                key = (d.dtype, e.dtype)
            elif kind is float or kind is int:
                e, key = b, (d.dtype, None)
            else:
                return otherwise(a, b)
            if type(d) is concrete.CONCRETE and small <= d.size <= MOST:
                out, launch = launches[key]
                if launch is not None and (
                    launch(d, e, z := (new if d.size < FEW else empty)(d.shape, out))
                    if e is b or d.shape == e.shape
                    else d.size >= wide and (z := spread(op, d, e, out, broadcasts)) is not None
                ):
                    y = cls()
                    y._data, y._device, y._node = z, device, None
                    first = a._node
                    if (first is not None or node is not None) and on_tape:
                        record = current.record
                        if record is not None:
                            record(op, (a, b), NO_SPEC, y, (first, node))
                    return y
        except (AttributeError, OverflowError):
            pass
        return otherwise(a, b)

    return call


def spread(op: Op, d, e, out, broadcasts: dict):
    """`op(d, e)` for arrays of two shapes, or None."""
    key = (d.shape, e.shape, d.strides, e.strides, d.dtype)
    if key not in broadcasts:
        if len(broadcasts) >= KEPT:
            broadcasts.clear()
        try:
            z = empty(numpy.broadcast_shapes(d.shape, e.shape), out)
        except ValueError:
            return None  # the long way says what is wrong
        broadcasts[key] = z.shape, mapping.broadcast(op.scalar, (d, e), z, d.dtype)
    shape, launch = broadcasts[key]
    if launch is None:
        return None
    z = empty(shape, out)
    return z if launch(d, e, z) else None


def several(op: Op, otherwise):
    """`call(*args)` of any number of operands."""
    launches, small, on_tape = Launches(op), least(op), op.vjp is not None

    def call(*args):
        cls = first = device = None
        raw, key, tracked = [], [], False
        try:
            for x in args:
                kind = type(x)
                if kind is float or kind is int:
                    raw.append(x)
                    key.append(None)
                    continue
                d = x._data
                if type(d) is not concrete.CONCRETE:
                    return otherwise(*args)
                if first is None:
                    cls, first, device = kind, d, x._device
                    if d.size < small:
                        return otherwise(*args)
                elif kind is not cls or x._device is not device:
                    return otherwise(*args)
                if x._node is not None:
                    tracked = on_tape
                raw.append(d)
                key.append(d.dtype)
            out, launch = launches[tuple(key)]
            if launch is None or first is None:
                return otherwise(*args)
            z = (new if first.size < FEW else empty)(first.shape, out)
            if not launch(*raw, z):
                return otherwise(*args)
        except (AttributeError, OverflowError):
            return otherwise(*args)
        y = cls()
        y._data, y._device, y._node = z, device, None
        if tracked:
            record = current.record
            if record is not None:
                record(op, args, NO_SPEC, y)
        return y

    return call


def least(op: Op) -> int:
    """Elements from which the op is not left to NumPy."""
    return 0 if op.numpy is None or own_loop(op) else small_for(op)


def launched(op: Op, otherwise):
    """The way for `op`; what does not fit goes `otherwise`."""
    return (unary if op.nin == 1 else binary if op.nin == 2 and op.result != "where" else several)(op, otherwise)


def reflected(op: Op, otherwise):
    """`call(a, b)` for `op(b, a)`, where `b` is a number."""
    call = several(op, lambda b, a: otherwise(a, b))
    return lambda a, b: call(b, a)


__all__ = ["launched", "reflected"]
