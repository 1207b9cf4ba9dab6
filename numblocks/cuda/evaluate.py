"""Eager evaluation on a GPU: what `numblocks.eager` does on the CPU. One kernel for an op, made from its record.

Rules of shape and dtype are the CPU's. Ops without a form here raise; none goes through the CPU unasked.
"""

from __future__ import annotations

import functools
import math

import numpy

from .. import eager
from ..array import ndarray, wrap
from ..errors import MXNetError
from ..kernels.cuda import devices, gather, launch, threads
from ..op import REGISTRY, Op, current
from . import windows
from .buffer import Buffer, empty, unavailable, upload
from .matrices import matmul


def evaluate(op: Op, args, spec):
    """The answer of `op` for operands on a GPU.

    Raises:
        MXNetError: the operands are on different devices, or the op has no kernel for a GPU.
    """
    if op.kind == "move":
        return moved(op, args[0], spec)
    raw, device, cls = eager.unpack(op, args)
    for k, r in enumerate(raw):
        if isinstance(r, numpy.ndarray):
            raw[k] = upload(r, device)
        elif isinstance(r, Buffer) and r.device is not device:
            raise MXNetError(
                f"{op.name}: argument 0 is on {device} and argument {k} on {r.device}. An operation runs on one device."
                f" Move one of them with .as_in_ctx({device})."
            )
    if op.kind == "elementwise" and (op.scalar is not None or op.result == "cast"):
        found = cast(raw[0], spec["dtype"]) if op.result == "cast" else elementwise(op, raw, device)
    elif op.kind == "reduce" and op.result in ("sum", "prod", "max", "min"):
        found = reduce(op, raw[0], spec)
    elif op.gpu is not None:
        op.infer(*raw, **spec)
        found = op.gpu(*raw, **spec)
    elif op.name in OWN:
        op.infer(*raw, **spec)
        found = OWN[op.name](*raw, **spec)
    elif op.name in ("argmax", "argmin"):
        return parts(functools.partial(first, op.name.removeprefix("arg")), args, spec)
    elif op.traced is not None:
        return parts(op.traced, args, spec)
    else:
        raise unavailable(op.name, device)
    return wrap(found, device, cls)


@functools.cache
def stand_in(dtype) -> numpy.ndarray:
    """A NumPy array of a dtype: for rules of dtype written for those."""
    return numpy.zeros((), dtype)


def elementwise(op: Op, raw, device) -> Buffer:
    """One loop over the broadcast operands."""
    dtype = eager.operand_dtype(op, [stand_in(r.dtype) if isinstance(r, Buffer) else r for r in raw])
    skip = 1 if op.result == "where" and isinstance(raw[0], Buffer) else 0
    for k in range(skip, len(raw)):
        if isinstance(raw[k], Buffer):
            raw[k] = cast(raw[k], dtype)
        elif dtype.kind == "b":
            raw[k] = bool(raw[k])
    shapes = {r.shape for r in raw if isinstance(r, Buffer)}
    out = empty(shapes.pop() if len(shapes) == 1 else eager.broadcast(op, raw), eager.result_dtype(op, dtype), device)
    try:
        launch.run_scalar(out.gpu, op.scalar, raw, out, dtype.name)
    except TypeError as error:
        raise MXNetError(f"{op.name}: {error}. So {dtype} has no kernel on {device}. Cast the operands.") from error
    return out


def cast(x: Buffer, dtype) -> Buffer:
    """`x` itself if it has the dtype."""
    return x if x.dtype == dtype else x.astype(dtype)


def reduce(op: Op, x: Buffer, spec) -> Buffer:
    """A reduction over the axes `spec["axis"]`."""
    axis = spec["axis"]
    if x.size == 0:  # the identity, or the op's own error
        return upload(numpy.asarray(op.run(numpy.empty(x.shape, x.dtype), **spec)), x.device)
    promised = op.infer(x, **spec)
    if not axis:
        return x.astype(promised.dtype)
    out = empty(promised.shape, promised.dtype, x.device)
    launch.run_reduce(x.gpu, op.result, x, out, axis)
    return out


def moved(op: Op, x: ndarray, spec) -> ndarray:
    """A view, or the view of a copy where there is none."""
    try:
        return wrap(op.run(x._data, **spec), x._device, type(x))
    except (ValueError, IndexError):
        op.infer(x._data, **spec)
        raise


def parts(function, args, spec):
    """An op by its parts, with the tape off; `bind` records the whole."""
    before = current.record, current.guard
    current.record, current.guard = None, guarded
    try:
        return function(*args, **spec)
    finally:
        current.record, current.guard = before


def first(how: str, x: ndarray, *, axis, keepdims) -> ndarray:
    """Index of the first largest or smallest element (`how`), NaN above all, in ops."""
    shape = x.shape
    if axis is None:
        x, axis = REGISTRY["reshape"](x, shape=(-1,)), 0
    n = x.shape[axis]
    if n == 0:
        raise ValueError(f"arg{how}: an array of shape {shape} has no elements. Check that it is not empty first.")
    extremum = REGISTRY[how](x, axis=(axis,), keepdims=True)
    hit = REGISTRY["logical_or"](REGISTRY["equal"](x, extremum), REGISTRY["isnan"](x))
    numbers = wrap(numpy.arange(n).reshape((n,) + (1,) * (x.ndim - axis - 1)), x._device)
    y = REGISTRY["min"](REGISTRY["where"](hit, numbers, n), axis=(axis,), keepdims=keepdims)
    return REGISTRY["reshape"](y, shape=(1,) * len(shape)) if keepdims and len(shape) != x.ndim else y


def guarded(flag: ndarray, on: ndarray, check) -> None:
    """Raise what `check` raises for the values of `on` if `flag` is set: waits for the device."""
    if flag._data:
        check(on._data.fetch())


# --- joins and rows ---


def concat(*xs: Buffer, axis: int) -> Buffer:
    """Arrays one after the other."""
    shape, start = list(xs[0].shape), 0
    shape[axis] = sum(x.shape[axis] for x in xs)
    out = empty(tuple(shape), numpy.result_type(*(x.dtype for x in xs)), xs[0].device)
    for x in xs:
        out[(slice(None),) * axis + (slice(start, start + x.shape[axis]),)] = x
        start += x.shape[axis]
    return out


def unslice(g: Buffer, *, key, shape) -> Buffer:
    """Zeros with `g` put where `key` points."""
    out = empty(shape, g.dtype, g.device)
    out[...] = 0
    out[tuple(slice(*k[1:]) if isinstance(k, tuple) else k for k in key)] = g
    return out


def pad(x: Buffer, *, widths, value) -> Buffer:
    """A frame of `value` around `x`."""
    out = empty(tuple(n + lo + hi for n, (lo, hi) in zip(x.shape, widths, strict=True)), x.dtype, x.device)
    out[...] = value
    out[tuple(slice(lo, lo + n) for (lo, _), n in zip(widths, x.shape, strict=True))] = x
    return out


def places(index: Buffer, size: int, mode: str) -> Buffer:
    """Indices as int64 in `[0, size)`; 'clip' of integers is left to the kernels, all else waits for the values."""
    if mode == "clip" and index.dtype.kind != "f":
        found = cast(index, "int64")
        return found if found.contiguous else found.copy()
    # the CPU's op, taking from the numbers of the rows, gives the indices made whole, or its own error
    return upload(REGISTRY["take"].run(numpy.arange(size), index.fetch(), axis=0, mode=mode), index.device)


def take(x: Buffer, index: Buffer, *, axis=0, mode="raise") -> Buffer:
    """Elements of `x` along `axis`."""
    shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
    out = empty(shape, x.dtype, x.device)
    rows = places(index, x.shape[axis], mode)
    sizes = math.prod(x.shape[:axis]), index.size, x.shape[axis], math.prod(x.shape[axis + 1 :])
    gather.run(x.gpu, "take", x if x.contiguous else x.copy(), rows, out, *sizes)
    return out


def scatter_add(g: Buffer, index: Buffer, *, axis, size, mode="raise") -> Buffer:
    """Zeros with `g` added at `index`."""
    inner = g.shape[axis + index.ndim :]
    out = empty((*g.shape[:axis], size, *inner), g.dtype, g.device)
    out[...] = 0
    rows = places(index, size, mode)
    sizes = math.prod(g.shape[:axis]), index.size, size, math.prod(inner)
    gather.run(g.gpu, "add", g if g.contiguous else g.copy(), rows, out, *sizes)
    return out


OWN = {
    "matmul": matmul, "concat": concat, "unslice": unslice, "pad": pad, "take": take, "scatter_add": scatter_add,
    **windows.OWN,
}  # fmt: skip


def run_threads(source: str, count: int, promised, operands) -> Buffer:
    """An answer of the promised shape and dtype, filled by `count` threads of a function's source."""
    out = empty(promised.shape, promised.dtype, operands[0].device)
    threads.run(out.gpu, source, out, [x if x.contiguous else x.copy() for x in operands], count)
    return out


def draw(op: Op, key: int, shape, dtype, device) -> Buffer:
    """Random numbers on the device: those of the CPU, element for element."""
    name = dtype.name if dtype.itemsize > 2 else "float32"
    out = empty(shape, name, device)
    launch.run_lines(devices.get(device.device_id), op.lines, key, out)
    return cast(out, dtype)
