"""From strided operands to a launch on a GPU; `kernels/loops.py` for its programs, nests and layouts.

A device is a `driver.Gpu` or a `simulated.SimulatedGpu`; an operand is anything with `address`, `shape`, `strides` in
bytes, `dtype`, `itemsize` and `ndim`.
"""

from __future__ import annotations

import functools
import struct
from typing import NamedTuple

import numpy

from .. import loops
from ..emit_cuda import accumulator, emit, threads
from ..program import CAST, INDEX, Line, Operand, Program, Reduce, Store
from ..scalars import scalar as as_scalar

LIMIT = 1 << 31  # indices below fit uint32 whatever is added to them
_FORMATS = {"float16": "<e", "float32": "<f", "float64": "<d"}

__all__ = ["Prepared", "bits", "launch", "prepare", "run_cast", "run_lines", "run_reduce", "run_scalar"]


def bits(value, dtype: str) -> int:
    """The int64 whose low bytes are `value` in `dtype`: how a scalar parameter travels.

    >>> hex(bits(1.0, "float32"))
    '0x3f800000'
    """
    if dtype.startswith("float"):
        held = "float32" if dtype == "float16" else dtype
        rounded = numpy.dtype(dtype).type(value)
        return int.from_bytes(struct.pack(_FORMATS[held], float(rounded)), "little", signed=held == "float64")
    value = int(value)
    return value - (1 << 64) if value >= 1 << 63 else value


class Prepared(NamedTuple):
    """A launch but for the addresses of its operands.

    Attributes:
        function: of the device; None where there is nothing to do.
        grid, block: numbers of blocks, and of threads in each.
        words: the parameters' bits, 0 for addresses.
        places: which word is the address of each operand.
        scalars: which word is the first scalar.
    """

    function: object
    grid: int
    block: int
    words: list[int]
    places: tuple[int, ...]
    scalars: int


def prepare(device, program: Program, sizes, strides, scalars=()) -> Prepared:
    """What `launch` does before it knows where its operands lie; see there."""
    n = threads(program, sizes)
    if not n:
        return Prepared(None, 0, 0, [0] * (len(sizes) + len(strides)), tuple(range(len(strides))), len(strides))
    words, places = list(sizes), []
    for operand, steps in zip(program.reads + program.writes, strides, strict=True):
        places.append(len(words))
        words.append(0)
        words.extend(s for s, letter in zip(steps, operand.layout, strict=True) if letter == "s")
    first = len(words)
    for (_, dtype), value in zip(program.scalars, scalars, strict=True):
        words.append(bits(value, dtype))
    function = _function(device, program, too_wide(sizes, strides))
    if program.kind == "row":
        inner = 1
        for letter, size in zip(program.axes, sizes, strict=True):
            inner *= size if letter == "r" else 1
        grid, block = n, min(max(-(-inner // 32), 1) * 32, device.most)
    else:
        grid, block = -(-n // device.threads), device.threads
    return Prepared(function, grid, block, words, tuple(places), first)


def launch(device, program: Program, sizes, addresses, strides, scalars=()) -> None:
    """Run `program` over axes of these sizes.

    Args:
        addresses: of each read, then each write.
        strides: of each, in elements along the axes.
        scalars: their values.
    """
    made = prepare(device, program, sizes, strides, scalars)
    if made.function is not None:
        for place, address in zip(made.places, addresses, strict=True):
            made.words[place] = address
        device.launch(made.function, made.grid, made.block, made.words)


def too_wide(sizes, strides) -> bool:
    """Whether indices need int64: 2**31 elements or more in the loop space or an operand, or a negative stride."""
    total = 1
    for size in sizes:
        total *= size
    if total >= LIMIT:
        return True
    for steps in strides:
        if sum(s * (size - 1) for s, size in zip(steps, sizes, strict=True) if size) >= LIMIT or min(steps) < 0:
            return True
    return False


@functools.cache
def _function(device, program: Program, wide: bool):
    return device.load(emit(program, wide))


@functools.cache
def _map(function, axes, layouts, dtypes, out) -> Program:
    """`out = function(x0, x1, ...)`; operands without a layout are scalars."""
    names = tuple(f"x{k}" for k in range(len(dtypes)))
    given = list(zip(names, dtypes, layouts, strict=False))
    reads = tuple(Operand(n, d, lay) for n, d, lay in given if lay is not None)
    constants = tuple((n, d) for n, d, lay in given if lay is None)
    body = (Line("t", CAST if function is None else as_scalar(function), names, out), Store("y", "t"))
    return Program(axes, reads, (Operand("y", out, layouts[-1]),), constants, body)


class Form(NamedTuple):
    """All of an array that a launch depends on, but for where it lies."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: numpy.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize


def run_scalar(device, function, raw, out, compute: str) -> None:
    """Fill `out` with `function` over broadcast operands; see `loops.run_scalar`.

    Args:
        function: a plain scalar function, None for a copy with a cast.
        raw: arrays of the device and Python numbers.
        out: array of the device, of any strides that name no element twice.
        compute: dtype name Python numbers are taken in.
    """
    forms, addresses, values = [], [], []
    for x in raw:
        address = getattr(x, "address", None)
        if address is None:
            values.append(bits(x, compute))
            forms.append(None)
        else:
            addresses.append(address)
            forms.append(Form(x.shape, x.strides, x.dtype))
    addresses.append(out.address)
    for made, offsets in _ready(device, function, tuple(forms), Form(out.shape, out.strides, out.dtype), compute):
        words = made.words.copy()
        for place, address, offset in zip(made.places, addresses, offsets, strict=True):
            words[place] = address + offset
        words[made.scalars :] = values
        device.launch(made.function, made.grid, made.block, words)


@functools.lru_cache(maxsize=4096)
def _ready(device, function, forms, out: Form, compute: str) -> list:
    """Launches but for addresses and scalars, each with what to add to the addresses; one, or none, or one for each
    place along the axes beyond what a kernel takes."""
    arrays = [x for x in forms if x is not None]
    steps = [loops.aligned_strides(x, out.shape) for x in (*arrays, out)]
    axes, sizes, steps = loops.nest(out.shape, steps)
    lead = max(len(axes) - loops.MAPPED, 0)
    per_array = iter(steps)
    layouts = [None if x is None else loops.layout(next(per_array)[lead:]) for x in forms]
    dtypes = tuple(compute if x is None else x.dtype.name for x in forms)
    program = _map(function, axes[lead:], (*layouts, loops.layout(steps[-1][lead:])), dtypes, out.dtype.name)
    made = prepare(device, program, sizes[lead:], [s[lead:] for s in steps], [0] * forms.count(None))
    if made.function is None:
        return []
    return [
        (made, [x.itemsize * sum(i * s for i, s in zip(at, step, strict=False)) for x, step in
                zip((*arrays, out), steps, strict=True)])
        for at in numpy.ndindex(*sizes[:lead])
    ]  # fmt: skip


def run_cast(device, value, out, compute: str) -> None:
    """Fill `out` with `value` (an array that broadcasts, or a number taken as `compute`), cast to its dtype."""
    run_scalar(device, None, [value], out, compute)


@functools.cache
def _reduction(how, axes, layouts, dtype, out) -> Program:
    body = (Reduce("t", how, "x", out), Store("y", "t"))
    return Program(axes, (Operand("x", dtype, layouts[0]),), (Operand("y", out, layouts[1]),), (), body)


def run_reduce(device, how: str, x, out, reduced) -> None:
    """Fill `out` with sum, prod, max or min of `x` over the axes `reduced`.

    Args:
        out: array of the device, C-contiguous, with the axes that stay (length 1 for the others, or without them).
        reduced: a tuple.
    """
    stages = _stages(device, how, Form(x.shape, x.strides, x.dtype), out.dtype, reduced)
    between = None
    for made, nbytes, last in stages:
        source = x.address if between is None else between.address
        between = device.pool.get(nbytes) if nbytes else between
        words = made.words.copy()
        words[made.places[0]], words[made.places[1]] = source, between.address if nbytes else out.address
        device.launch(made.function, made.grid, made.block, [*words, *last])


@functools.lru_cache(maxsize=4096)
def _stages(device, how: str, x: Form, out: numpy.dtype, reduced) -> list:
    """The launches of a reduction: each with the bytes of memory it fills for the next (0: the answer), and the words
    that follow its own. Few rows that are long are shared among blocks; a second launch joins what they found."""
    natural = iter(loops.natural_strides([n for k, n in enumerate(x.shape) if k not in reduced]))
    target = [0 if k in reduced else next(natural) for k in range(x.ndim)]
    axes, sizes, steps = loops.nest(x.shape, [loops.aligned_strides(x, x.shape), target], reduced)
    layouts = tuple(map(loops.layout, steps))
    program = _reduction(how, axes, layouts, x.dtype.name, out.name)
    rows, size = threads(program, sizes), 1
    for n in sizes:
        size *= n
    parts = min(size // max(rows, 1) // device.share, device.busy // max(rows, 1)) if program.kind == "row" else 0
    if parts < 2:
        made = prepare(device, program, sizes, steps)
        return [(made, 0, ())] if made.function is not None else []
    between = numpy.dtype(accumulator(how, x.dtype.name, out.name))
    program = _reduction(how, axes, layouts, x.dtype.name, between.name)
    first = prepare(device, program, sizes, steps)
    function = _split(device, program, too_wide(sizes, steps))
    first = first._replace(function=function, grid=rows * parts, block=device.most)
    join = _reduction(how, "mr", ("sc", "c0"), between.name, out.name)
    second = prepare(device, join, (rows, parts), [(parts, 1), (1, 0)])
    return [(first, rows * parts * between.itemsize, (parts,)), (second, 0, ())]


@functools.cache
def _split(device, program: Program, wide: bool):
    return device.load(emit(program, wide, split=True))


@functools.cache
def numbers(lines, dtype: str) -> Program:
    """The program of random numbers; `lines` as of a random op."""
    body = loops.Body()
    index = body.line(None, (INDEX,), "uint64")
    value = lines(body.line, "key", index, dtype)
    return Program("m", (), (Operand("y", dtype, "c"),), (("key", "uint64"),), (*body.statements, Store("y", value)))


def run_lines(device, lines, key: int, out) -> None:
    """Fill `out`, C-contiguous, with random numbers: element for element those of the CPU (`loops.run_lines`)."""
    size = 1
    for n in out.shape:
        size *= n
    launch(device, numbers(lines, out.dtype.name), (size,), [out.address], [(1,)], [key])
