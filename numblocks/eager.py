"""Eager evaluation on the CPU: NumPy's own loop where the record names one, a generated kernel where it does not.
Operands on a GPU are `numblocks.cuda`'s.

The functions here are the `eager` field of the kinds in `numblocks.ops`. They take the op's arguments as they come
(ndarrays of one device, NumPy arrays, Python scalars) and return a new ndarray.
"""

from __future__ import annotations

import functools

import numpy

from . import dtype as dt
from .array import ndarray, same_device, wrap
from .device import backend, usable
from .errors import MXNetError
from .kernels import few, lanes, loops, mathlib, reuse, rows
from .op import Op, current

try:  # entering numpy.errstate costs three times as much as a small ufunc; this is the same, prebuilt
    from numpy._core.umath import _extobj_contextvar, _make_extobj

    QUIET = _make_extobj(all="ignore")
    silence, restore = _extobj_contextvar.set, _extobj_contextvar.reset
except ImportError:  # a NumPy that arranges its internals differently
    QUIET = {"all": "ignore"}

    def silence(how):
        """No floating-point warnings until `restore` is called with what this returns."""
        state = numpy.errstate(**how)
        state.__enter__()
        return state

    def restore(state) -> None:
        """Undo `silence`."""
        state.__exit__(None, None, None)


def quiet(function, *args, **kwargs):
    """`function(*args, **kwargs)` without floating-point warnings: inf and nan are answers here."""
    token = silence(QUIET)
    try:
        return function(*args, **kwargs)
    finally:
        restore(token)


SMALL = 1 << 15  # elements from which an operation is worth a generated kernel whatever it takes to start one


def is_series(op: Op) -> bool:
    """Whether an elementwise op computes something like exp: several instructions for each byte."""
    code = getattr(op.scalar, "__code__", None)
    return code is not None and "math" in code.co_names and not loops.CHEAP.issuperset(set(code.co_names) - {"math"})


@functools.cache
def own_loop(op: Op) -> bool:
    """Whether an elementwise op runs its own loop over C-contiguous floats of one shape however few they are, and so
    has one answer for all sizes: where NumPy would make several passes, or its loop may differ in the last bit.
    """
    return op.result in ("same", "float") and (not isinstance(op.numpy, numpy.ufunc) or is_series(op))


@functools.cache
def small_for(op: Op) -> int:
    """Elements below which an op is left to NumPy, whose loops are as good for cheap arithmetic."""
    if not isinstance(op.numpy, numpy.ufunc):
        return SMALL // 16  # several passes
    return SMALL // 8 if is_series(op) else SMALL // 4


def aligned(raw) -> bool:
    """Whether the arrays among the operands are C-contiguous and have one shape."""
    shapes = [r.shape for r in raw if type(r) is numpy.ndarray and r.flags.c_contiguous]
    return shapes.count(shapes[0]) == sum(type(r) is numpy.ndarray for r in raw) if shapes else False


def unpack(op: Op, args):
    """Raw operands, their device and the class of the answer; Python scalars pass through."""
    raw, arrays = [], []
    for a in args:
        if isinstance(a, ndarray):
            arrays.append(a)
            raw.append(a._data)
        elif isinstance(a, numpy.generic):
            raw.append(a.item())
        elif isinstance(a, (numpy.ndarray, int, float)):
            raw.append(a)
        else:
            raise TypeError(
                f"{op.name}: argument {len(raw)} is {a!r} ({type(a).__name__}). Operands are arrays or numbers."
                f" Convert it with np.array first."
            )
    if not arrays:
        return raw, usable(None), ndarray
    device = arrays[0]._device
    cls = type(arrays[0])
    for a in arrays[1:]:
        if a._device is not device:
            device = same_device(op.name, arrays)
        if type(a) is not cls and issubclass(type(a), cls):
            cls = type(a)
    return raw, device, cls


def broadcast(op: Op, raw) -> tuple[int, ...]:
    """The common shape of the operands, or `MXNetError` naming theirs."""
    shapes = {getattr(r, "shape", ()) for r in raw}
    if len(shapes) > 1:
        shapes.discard(())
    if len(shapes) == 1:
        return shapes.pop()
    shapes = [getattr(r, "shape", ()) for r in raw]
    try:
        return numpy.broadcast_shapes(*shapes)
    except ValueError:
        raise MXNetError(
            f"{op.name}: operands could not be broadcast together with shapes {' '.join(map(str, shapes))}."
            " Axes must be"
            f" equal or 1, counted from the right. Reshape one of them."
        ) from None


def operand_dtype(op: Op, raw) -> numpy.dtype:
    """The dtype an elementwise op computes in."""
    dtypes = [r.dtype for r in raw if isinstance(r, numpy.ndarray)]
    if op.result == "where":
        dtypes = dtypes[1:] if isinstance(raw[0], numpy.ndarray) else dtypes
    if dtypes:
        found = dt.promote(*dtypes)
        for r in raw:
            if not isinstance(r, numpy.ndarray):
                found = dt.weak(found, r)
    else:
        found = dt.DEFAULT
    return dt.as_float(found) if op.result == "float" else found


def result_dtype(op: Op, computed: numpy.dtype) -> numpy.dtype:
    """The dtype of the answer of an op that computes in `computed`."""
    return dt.bool_ if op.result == "bool" else computed


def elementwise(op: Op, args, spec) -> ndarray:
    """One loop over the broadcast operands."""
    raw, first, plain = [], None, True
    for a in args:  # the common case, decided in one pass: ndarrays of one class, dtype and device, and numbers
        if isinstance(a, ndarray):
            d = a._data
            if first is None:
                first, dtype, device, cls = a, d.dtype, a._device, type(a)
            elif d.dtype is not dtype or a._device is not device or type(a) is not cls:
                plain = False
            raw.append(d)
        else:
            plain = plain and (type(a) is float or type(a) is int)
            raw.append(a)
    if first is not None and type(first._data) is not numpy.ndarray:
        return elsewhere(op, args, spec)
    if not (plain and first is not None and dtype.kind == "f" and op.result != "where"):
        raw, device, cls = unpack(op, args)
        dtype = operand_dtype(op, raw)
        skip = 1 if op.result == "where" and isinstance(raw[0], numpy.ndarray) else 0
        for k in range(skip, len(raw)):
            r = raw[k]
            if isinstance(r, numpy.ndarray) and r.dtype != dtype:
                raw[k] = r.astype(dtype)
            elif not isinstance(r, numpy.ndarray) and dtype.kind == "b" and type(r) is not bool:
                raw[k] = bool(r)
    size = max([r.size for r in raw if type(r) is numpy.ndarray], default=1)
    numpy_loop = op.numpy
    if numpy_loop is not None and (
        op.scalar is None
        or size < small_for(op) and not (own_loop(op) and aligned(raw))
        or dtype.kind != "f"
        or dtype.itemsize == 2
        or one_lane(op.scalar, dtype)
    ):
        try:
            y = quiet(numpy_loop, *raw)
        except ValueError:
            broadcast(op, raw)
            raise
        if type(y) is not numpy.ndarray:
            y = numpy.asarray(y)
        want = dt.bool_ if op.result == "bool" else dtype
        if y.dtype != want:
            y = y.astype(want)
    else:
        shape = broadcast(op, raw)
        y = reuse.empty(shape, result_dtype(op, dtype))
        loops.run_scalar(op.scalar, raw, y, dtype)
    x = cls.__new__(cls)
    x._data, x._device, x._node = y, device, None
    return x


@functools.cache
def one_lane(function, dtype: numpy.dtype) -> bool:
    """Whether a scalar function calls the C library, element by element, where NumPy has vectors."""
    bits = 8 * dtype.itemsize
    return any(f in lanes.LIBM and not mathlib.has(f"{f}_f{bits}") for f in loops.as_scalar(function).calls)


def reduce(op: Op, args, spec) -> ndarray:
    """A reduction of one array over `axis` (a tuple, normalized)."""
    x = args[0]
    if type(x._data) is not numpy.ndarray:
        return elsewhere(op, args, spec)
    if x._data.size >= rows.REDUCED:
        y = rows.reduce(x._data, op.result, **spec)
    else:
        y = few.total(x._data, spec["axis"]) if op.result == "sum" and not spec["keepdims"] else None
    if y is None or y is NotImplemented:
        y = quiet(op.run, x._data, **spec)
    return wrap(y if type(y) is numpy.ndarray else numpy.asarray(y), x._device, type(x))


_valid: set[tuple] = set()  # calls whose operands fit, by shape, dtype and spec


def plain(op: Op, args, spec):
    """Any op whose `run` takes and returns NumPy arrays; validated by its `infer` first, when it has one."""
    raw, device, cls = unpack(op, args)
    if device.far:
        return elsewhere(op, args, spec)
    if op.infer is not None:
        key = (op, *[(r.shape, r.dtype.num) if type(r) is numpy.ndarray else r for r in raw], *spec.items())
        if key not in _valid:
            op.infer(*raw, **spec)
            if len(_valid) >= loops.KEPT:
                _valid.clear()
            _valid.add(key)
    y = quiet(op.run, *raw, **spec)
    if op.nout > 1:
        return tuple(wrap(numpy.asarray(part), device, cls) for part in y)
    return wrap(y if type(y) is numpy.ndarray else numpy.asarray(y), device, cls)


def move(op: Op, args, spec) -> ndarray:
    """A view (or a copy, where no view exists) of one array."""
    x = args[0]
    if type(x._data) is not numpy.ndarray:
        return elsewhere(op, args, spec)
    try:
        y = op.run(x._data, **spec)
    except (ValueError, IndexError):
        op.infer(x._data, **spec)
        raise
    return wrap(y if type(y) is numpy.ndarray else numpy.asarray(y), x._device, type(x))


def elsewhere(op: Op, args, spec):
    """The same on a GPU."""
    return backend().evaluate(op, args, spec)


def evaluate(op: Op, args, spec):
    """The evaluator in force unless a trace pushes its own."""
    return op.eager(op, args, spec)


type(current).evaluate = staticmethod(evaluate)
