"""The shortest way through an op with a loop of its own: one entry into machine code, which looks at the arrays."""

from __future__ import annotations

import numpy

from . import shortcut
from .eager import one_lane, result_dtype
from .kernels import loops
from .op import Op, current
from .shortcut import FLOAT32, FLOAT64, NO_SPEC

empty = numpy.empty


def series(op: Op, otherwise):
    """`call(*xs)` for an elementwise op that costs more than a pass over memory: its own loop, however short that is.

    The arrays are C-contiguous, of one float dtype and one shape; the others are numbers. One loop for all sizes gives
    one answer for all sizes, where NumPy's would differ from it in the last bit.
    """
    known: dict = {}  # by dtype and the places of numbers: the launch, up to how many elements, dtype of the result
    on_tape = op.vjp is not None

    def one(x):
        try:
            d = x._data
            launch, limit, result = known[d.dtype]
            if type(d) is shortcut.CONCRETE and d.size <= limit:
                z = empty(d.shape, result)
                if launch(d, z):
                    y = type(x)()
                    y._data, y._device, y._node = z, x._device, None
                    node = x._node
                    if node is not None and on_tape:
                        record = current.record
                        if record is not None:
                            record(op, (x,), NO_SPEC, y, (node,))
                    return y
        except KeyError:
            learn(op, (x,), d, d.dtype, known)
        except (AttributeError, TypeError):
            pass
        return otherwise(x)

    def several(*xs):
        cls = d = dtype = device = None
        raw, places, tracked = [], 0, False
        try:
            for x in xs:
                kind = type(x)
                places += places
                if kind is cls:
                    d = x._data
                    if x._device is not device:
                        return otherwise(*xs)
                elif kind is float or kind is int:
                    places += 1
                    raw.append(x)
                    continue
                elif cls is None:
                    d = x._data
                    cls, device, dtype = kind, x._device, d.dtype
                else:
                    return otherwise(*xs)
                if x._node is not None:
                    tracked = on_tape
                raw.append(d)
            launch, limit, result = known[dtype, places]
            if type(d) is shortcut.CONCRETE and d.size <= limit:
                z = empty(d.shape, result)
                if launch(*raw, z):
                    y = cls()
                    y._data, y._device, y._node = z, device, None
                    if tracked:
                        record = current.record
                        if record is not None:
                            record(op, xs, NO_SPEC, y)
                    return y
        except KeyError:
            learn(op, xs, d, (dtype, places), known)
        except (AttributeError, TypeError, OverflowError):
            pass
        return otherwise(*xs)

    return one if op.nin == 1 else several


UNKNOWN = (None, -1, None)  # a loop over so many elements is none


def learn(op: Op, xs, d, key, known: dict) -> None:
    """Note in `known` what `series` asks for, or that there is no such loop; `d` is one of the operands."""
    if type(d) is not shortcut.CONCRETE:
        return
    known[key], dtype = UNKNOWN, d.dtype
    if (dtype is FLOAT32 or dtype is FLOAT64) and len(xs) == op.nin and not one_lane(op.scalar, dtype):
        result = result_dtype(op, dtype)
        found = loops.each(op.scalar, [type(x) not in (float, int) for x in xs], dtype, result)
        if found is not None:
            known[key] = (*found, result)
