"""The shortest way through an op: what `bind` does, decided in advance for the simple case.

Small arrays are worth a microsecond at most, and looking things up takes longer than adding 320 numbers. So each op
is given a function for the case that occurs: concrete arrays of one class on one device, few enough for NumPy's loop,
and numbers. Everything the function knows comes from the op's record (its NumPy loop, its kind of result, whether it
has VJPs); all other cases, errors included, go `otherwise`, which is `bind` in the end.

Two facts make the short way the same as the long one. Evaluators that a trace pushes leave ops on concrete arrays to
eager evaluation, so the evaluator in force need not be asked. And NumPy's dtype is ours when it equals that of an
operand that may decide it, so it is checked after the fact; where the two tables of promotion differ, the answer is
dropped and the long way taken.
"""

from __future__ import annotations

import numpy

from ..eager import QUIET, restore, silence, small_for
from ..kernels import few, products
from ..kernels.rows import REDUCED, reduce
from ..op import Op, bind, current
from . import concrete
from .concrete import ALL, BOOL, FLOAT32, FLOAT64, NO_SPEC

asarray = numpy.asarray
WHOLE = tuple({"axis": axis, "keepdims": False} for axis in ALL)  # keywords of a reduction over all axes

# Loops that raise no floating-point flags, whatever they meet: nothing needs to be silenced.
SILENT = frozenset(
    (
        numpy.maximum, numpy.minimum, numpy.negative, numpy.absolute, numpy.sign, numpy.equal, numpy.not_equal,
        numpy.less, numpy.less_equal, numpy.greater, numpy.greater_equal, numpy.logical_and, numpy.logical_or,
        numpy.logical_xor, numpy.logical_not, numpy.isnan, numpy.isinf, numpy.isfinite,
    )
)  # fmt: skip


def unary(op: Op, otherwise):
    """`call(x)` for an elementwise op of one argument."""
    small = small_for(op)
    loop, on_tape = op.numpy, op.vjp is not None
    quiet = not (op.silent or loop in SILENT)
    boolean, floating = op.result == "bool", op.result == "float"

    def call(x):
        try:
            d = x._data
            if type(d) is concrete.CONCRETE and d.size < small:
                if quiet:
                    token = silence(QUIET)
                    try:
                        z = loop(d)
                    finally:
                        restore(token)
                else:
                    z = loop(d)
                if z.dtype is (BOOL if boolean else d.dtype) and (not floating or z.dtype.kind == "f"):
                    if type(z) is not concrete.CONCRETE:
                        z = asarray(z)  # NumPy makes scalars of 0-d arrays
                    y = type(x)()
                    y._data, y._device, y._node = z, x._device, None
                    node = x._node
                    if node is not None and on_tape:
                        record = current.record
                        if record is not None:
                            record(op, (x,), NO_SPEC, y, (node,))
                    return y
        except (AttributeError, TypeError, ValueError):
            pass  # the long way says what is wrong
        return otherwise(x)

    return call


def binary(op: Op, otherwise):
    """`call(a, b)` for an elementwise op of two arguments whose answer has their dtype."""
    small = small_for(op)
    loop, on_tape = op.numpy, op.vjp is not None

    def call(a, b):
        try:
            cls = type(a)
            kind = type(b)
            d = a._data
            device = a._device
            if kind is cls:
                e = b._data
                node = b._node
                if type(e) is not concrete.CONCRETE or b._device is not device or e.size > small:
                    return otherwise(a, b)
            elif kind is float or kind is int:
                e, node = b, None
            else:
                return otherwise(a, b)
            if type(d) is concrete.CONCRETE and d.size < small:
                token = silence(QUIET)
                try:
                    z = loop(d, e)
                finally:
                    restore(token)
                if z.dtype is d.dtype:
                    if type(z) is not concrete.CONCRETE:
                        z = asarray(z)
                    y = cls()
                    y._data, y._device, y._node = z, device, None
                    first = a._node
                    if (first is not None or node is not None) and on_tape:
                        record = current.record
                        if record is not None:
                            record(op, (a, b), NO_SPEC, y, (first, node))
                    return y
        except (AttributeError, TypeError, ValueError, OverflowError):
            pass
        return otherwise(a, b)

    return call


def reflected(op: Op, otherwise):
    """`call(a, b)` for `op(b, a)`, where `b` is a number: the operators of arrays that stand on the right."""
    small = small_for(op)
    loop, on_tape = op.numpy, op.vjp is not None

    def call(a, b):
        kind = type(b)
        d = a._data
        if (kind is float or kind is int) and type(d) is concrete.CONCRETE and d.size < small:
            token = silence(QUIET)
            try:
                z = loop(b, d)
            except (TypeError, ValueError, OverflowError):
                return otherwise(a, b)
            finally:
                restore(token)
            if z.dtype is d.dtype:
                if type(z) is not concrete.CONCRETE:
                    z = asarray(z)
                y = type(a)()
                y._data, y._device, y._node = z, a._device, None
                node = a._node
                if node is not None and on_tape:
                    record = current.record
                    if record is not None:
                        record(op, (b, a), NO_SPEC, y, (None, node))
                return y
        return otherwise(a, b)

    return call


def comparison(op: Op, otherwise):
    """`call(a, b)` for an elementwise op of two arguments whose answer is bool; it is on no tape."""
    small = small_for(op)
    loop = op.numpy

    def call(a, b):
        try:
            cls, kind, d = type(a), type(b), a._data
            if kind is cls:
                e = b._data
                if type(e) is not concrete.CONCRETE or e.size > small:
                    return otherwise(a, b)
                if b._device is not a._device or e.dtype is not d.dtype:
                    return otherwise(a, b)
            elif (kind is float or kind is int) and d.dtype.kind == "f":
                e = b
            else:
                return otherwise(a, b)
            if type(d) is concrete.CONCRETE and d.size < small:
                z = loop(d, e)
                y = cls()
                y._data, y._device, y._node = z if type(z) is concrete.CONCRETE else asarray(z), a._device, None
                return y
        except (AttributeError, TypeError, ValueError, OverflowError):
            pass
        return otherwise(a, b)

    return call


def choice(op: Op, otherwise):
    """`call(c, a, b)` for `where`: `a` where `c` holds, else `b`; one of `a` and `b` may be a number."""
    small = small_for(op)
    loop = op.numpy

    def call(c, a, b):
        try:
            m, cls, device = c._data, type(c), c._device
            dtype = nodes = None
            raw = []
            for x in (a, b):
                kind = type(x)
                if kind is cls:
                    d = x._data
                    if type(d) is not concrete.CONCRETE or x._device is not device or d.size > small:
                        return otherwise(c, a, b)
                    if dtype is None:
                        dtype = d.dtype
                    nodes = nodes or x._node is not None
                    raw.append(d)
                elif kind is float or kind is int:
                    raw.append(x)
                else:
                    return otherwise(c, a, b)
            if dtype is not None and type(m) is concrete.CONCRETE and m.dtype is BOOL and m.size < small:
                z = loop(m, *raw)
                if z.dtype is dtype:
                    y = cls()
                    y._data, y._device, y._node = z, device, None
                    if nodes:
                        record = current.record
                        if record is not None:
                            record(op, (c, a, b), NO_SPEC, y)
                    return y
        except (AttributeError, TypeError, ValueError, OverflowError):
            pass
        return otherwise(c, a, b)

    return call


def reduction(op: Op, ufunc):
    """`call(x, axis, keepdims)` for the reduction of floats by a ufunc; `axis` is a tuple, or None for all axes."""
    loop, additive, how = ufunc.reduce, ufunc is numpy.add, op.result

    def call(x, axis, keepdims):
        d = x._data
        dtype = d.dtype
        size = d.size
        if type(d) is concrete.CONCRETE and (dtype is FLOAT32 or dtype is FLOAT64) and (additive or size):
            if size >= REDUCED:
                z = reduce(d, how, ALL[d.ndim] if axis is None else axis, keepdims)
            else:
                z = few.total(d, axis) if additive and not keepdims else None
            if z is None or z is NotImplemented:
                token = silence(QUIET)
                try:
                    z = loop(d, axis, None, None, keepdims)
                finally:
                    restore(token)
            y = type(x)()
            y._data, y._device, y._node = z if type(z) is concrete.CONCRETE else asarray(z), x._device, None
            node = x._node
            if node is not None:
                record = current.record
                if record is not None:
                    if axis is None and not keepdims:
                        record(op, (x,), WHOLE[d.ndim], y, (node,))
                    else:
                        axis = ALL[d.ndim] if axis is None else axis
                        record(op, (x,), {"axis": axis, "keepdims": keepdims}, y, (node,))
            return y
        return bind(op, (x,), {"axis": ALL[d.ndim] if axis is None else axis, "keepdims": keepdims})

    return call


def matrices(op: Op, otherwise, most: int = 64):
    """`call(a, b)` for the product of two matrices, or stacks with up to `most` axes, of one float dtype, by BLAS."""

    def call(a, b):
        cls = type(a)
        if type(b) is not cls:
            return otherwise(a, b)
        try:
            d, e, device = a._data, b._data, a._device
            if type(d) is concrete.CONCRETE is type(e) and b._device is device and 2 <= d.ndim == e.ndim <= most:
                dtype = d.dtype
                if dtype is e.dtype and (dtype is FLOAT32 or dtype is FLOAT64):
                    token = silence(QUIET)
                    try:
                        if d.size <= 26_000 and e.size <= 26_000 and d.ndim == 2:
                            z = d.dot(e)  # takes half the time of numpy.matmul for the same
                        else:
                            z = products.matmul(d, e)
                    finally:
                        restore(token)
                    y = cls()
                    y._data, y._device, y._node = z, device, None
                    first, second = a._node, b._node
                    if first is not None or second is not None:
                        record = current.record
                        if record is not None:
                            record(op, (a, b), NO_SPEC, y, (first, second))
                    return y
        except (AttributeError, ValueError):
            pass
        return otherwise(a, b)

    return call


def whole(op: Op):
    """`call(x, **spec)` for an op that is a NumPy function of one small float array: `op.numpy`."""
    small = small_for(op)
    loop = op.numpy

    def call(x, **spec):
        d = x._data
        if type(d) is concrete.CONCRETE and d.size < small and ((dtype := d.dtype) is FLOAT32 or dtype is FLOAT64):
            token = silence(QUIET)
            try:
                z = loop(d, **spec)
            except ValueError:
                return bind(op, (x,), spec)
            finally:
                restore(token)
            return view(op, x, z, spec)
        return bind(op, (x,), spec)

    return call


def opaque(op: Op):
    """`call(*arrays, **spec)` for an op that is a NumPy function of concrete float arrays of one dtype: `op.numpy`."""
    small = small_for(op)
    loop = op.numpy

    def call(*xs, **spec):
        try:
            x = xs[0]
            d, cls, device = x._data, type(x), x._device
            dtype = d.dtype
            if type(d) is concrete.CONCRETE and d.size < small and (dtype is FLOAT32 or dtype is FLOAT64):
                raw, nodes, on_tape = [], [], False
                for x in xs:
                    if type(x) is not cls:
                        return bind(op, xs, spec)
                    e = x._data
                    if type(e) is not concrete.CONCRETE or e.dtype is not dtype or x._device is not device:
                        return bind(op, xs, spec)
                    raw.append(e)
                    node = x._node
                    nodes.append(node)
                    if node is not None:
                        on_tape = True
                token = silence(QUIET)
                try:
                    z = loop(*raw, **spec)
                finally:
                    restore(token)
                y = cls()
                y._data, y._device, y._node = z, device, None
                if on_tape:
                    record = current.record
                    if record is not None:
                        record(op, xs, spec, y, nodes)
                return y
        except (AttributeError, TypeError, ValueError):
            pass
        return bind(op, xs, spec)

    return call


def movement(op: Op):
    """`call(x, **spec)` for a view."""
    run = op.run

    def call(x, **spec):
        d = x._data
        if type(d) is concrete.CONCRETE:
            try:
                z = run(d, **spec)
            except (ValueError, IndexError):
                return bind(op, (x,), spec)
            return view(op, x, z, spec)
        return bind(op, (x,), spec)

    return call


def view(op: Op, x, z, spec):
    """The ndarray over `z`, which `op` made of the concrete array `x`; noted on the tape."""
    y = type(x)()
    y._data, y._device, y._node = z if type(z) is concrete.CONCRETE else asarray(z), x._device, None
    node = x._node
    if node is not None:
        record = current.record
        if record is not None:
            record(op, (x,), spec, y, (node,))
    return y
