"""The shortest way through ops that are one NumPy function of whole arrays: rows picked, sorted, joined, inverted ...

As in `small`, a function is made for the case that occurs, small concrete arrays of one class on one device; all
other cases, errors included, go `otherwise`. Arguments travel by position, as the public function's caller wrote them
(an axis may be negative), and are made the op's keywords for the tape alone.
"""

from __future__ import annotations

import numpy

from ..eager import QUIET, SMALL, restore, silence
from ..op import Op, current
from . import concrete

asarray, INT64 = numpy.asarray, numpy.dtype("int64")


def one(op: Op, loop, spec, otherwise, small: int = SMALL):
    """`call(x, *rest)` for an op that is `loop(d, *rest)` of one small array.

    Args:
        loop: raises no floating-point flags; refuses what it does not take by an `IndexError`, `TypeError`,
            `ValueError` or by NotImplemented in the place of an array.
        spec: `(d, *rest) -> keywords` of the op, None for an op that is on no tape.
        small: elements from which the long way is as short.
    """

    def call(x, *rest):
        try:
            d = x._data
            if type(d) is concrete.CONCRETE and 1 < d.size < small:  # NumPy gives 0-d arrays an axis where we give none
                z = loop(d, *rest)
                if type(z) is not numpy.ndarray:
                    if z is NotImplemented:
                        return otherwise(x, *rest)
                    z = asarray(z)  # NumPy makes scalars of 0-d arrays
                y = type(x)()
                y._data, y._device, y._node = z, x._device, None
                node = x._node
                if node is not None and spec is not None:
                    record = current.record
                    if record is not None:
                        record(op, (x,), spec(d, *rest), y, (node,))
                return y
        except (AttributeError, TypeError, ValueError, IndexError):
            pass  # the long way says what is wrong
        return otherwise(x, *rest)

    return call


def indexed(op: Op, loop, spec, otherwise, small: int = SMALL, source: float = SMALL, convert=None):
    """`call(x, index, *rest)` for an op that is `loop(d, i, *rest)` of an array of less than `source` elements, and a
    small one of int64.

    Args:
        convert: makes such an index of another, or raises `ValueError`.
    """

    def call(x, index, *rest):
        try:
            d, i = x._data, index._data
            cls, device = type(x), x._device
            if (
                type(d) is concrete.CONCRETE is type(i)
                and type(index) is cls
                and index._device is device
                and 1 < d.size < source
                and i.size < small
            ):
                if i.dtype is not INT64:
                    i = convert(i)
                z = loop(d, i, *rest)
                if type(z) is numpy.ndarray:
                    y = cls()
                    y._data, y._device, y._node = z, device, None
                    node = x._node
                    if node is not None:
                        record = current.record
                        if record is not None:
                            record(op, (x, index), spec(d, *rest), y, (node, index._node))
                    return y
        except (AttributeError, TypeError, ValueError, IndexError):
            pass
        return otherwise(x, index, *rest)

    return call


def several(op: Op, loop, spec, otherwise):
    """`call(xs, axis)` for an op that is `loop([d, ...], axis)` of a list or tuple of arrays.

    `loop` answers `NotImplemented` unless they are concrete and of one dtype; `spec` is given the first of them.
    """

    def call(xs, axis):
        try:
            first = xs[0]
            cls, device = type(first), first._device
            raw, tracked = [], False
            for x in xs:
                if type(x) is not cls or x._device is not device:
                    return otherwise(xs, axis)
                if x._node is not None:
                    tracked = True
                raw.append(x._data)
            if (
                type(raw[0]) is concrete.CONCRETE
                and (type(xs) is list or type(xs) is tuple)
                and (z := loop(raw, axis)) is not NotImplemented
            ):
                y = cls()
                y._data, y._device, y._node = z, device, None
                if tracked:
                    record = current.record
                    if record is not None:
                        record(op, tuple(xs), spec(raw[0], axis), y, [x._node for x in xs])
                return y
        except (AttributeError, TypeError, ValueError, IndexError):
            pass
        return otherwise(xs, axis)

    return call


def flagged(loop):
    """`loop` where floating-point flags warn of nothing: inf and nan are answers here."""

    def call(*args):
        token = silence(QUIET)
        try:
            return loop(*args)
        finally:
            restore(token)

    return call


def along(d, axis: int) -> dict:
    """Keywords of an op along one axis, which may be counted from the end."""
    return {"axis": axis % d.ndim}
