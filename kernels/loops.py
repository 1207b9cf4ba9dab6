"""From strided operands to a loop nest: collapse axes, name layouts, pack arguments, run.

Programs are keyed by structure, never by size, so nothing here looks at a size to decide (an axis of length 1 is an
axis like any other): axes merge when every operand's strides allow it, and an operand that lacks an axis has stride
0 there.
"""

from __future__ import annotations

import functools
import re
import struct
from array import array
from collections.abc import Sequence

import numpy as np

from . import build, entry, native, workers
from .program import CAST, INDEX, Line, Operand, Program, Store
from .scalars import CHEAP
from .scalars import scalar as as_scalar

GRAIN = 1 << 14  # elements times statements that are worth another thread that is awake: 2 to 4 us
ALONE = 8  # grains of work up to which one thread does all: a helper that is held up would cost more than it saves
BRIEF = 128  # grains of work up to which the GIL stays held: 100 to 300 us
SERIES = 6  # statements that exp or tanh counts for
_NEST = re.compile("m+|m*r+|m*r+m")


def natural_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements of a C-contiguous array.

    >>> natural_strides((2, 3, 4))
    (12, 4, 1)
    """
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def aligned_strides(x: np.ndarray, shape: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements of `x` as broadcast to `shape`; 0 where `x` lacks the axis or repeats along it."""
    lead = len(shape) - x.ndim
    natural = natural_strides(x.shape)
    strides = [0] * lead
    for k, n in enumerate(x.shape):
        if n == 1 and shape[lead + k] != 1:
            strides.append(0)
        else:
            strides.append(natural[k] if n <= 1 else x.strides[k] // x.itemsize)
    return tuple(strides)


MAPPED = 5  # mapped axes that a loop nest has at most


def nest(shape: Sequence[int], strides: Sequence[Sequence[int]], reduced: Sequence[int] = ()):
    """The loop nest over `shape` for operands with these `strides`.

    Args:
        shape: the loop space.
        strides: for each operand one stride (in elements) per axis of `shape`.
        reduced: axes that are summed over.

    Returns:
        `(axes, sizes, strides)`: letters as in `Program.axes`, their sizes and each operand's strides along them.
        Mapped axes come first, but for the last one of a column (`'rm'`, `'mrm'`).
    """
    merged: list[list] = []  # [letter, size, strides of every operand]
    for k, n in enumerate(shape):
        letter = "r" if k in reduced else "m"
        steps = [s[k] for s in strides]
        if merged and merged[-1][0] == letter and all(a == b * n for a, b in zip(merged[-1][2], steps, strict=True)):
            merged[-1][1] *= n
            merged[-1][2] = steps
        else:
            merged.append([letter, n, steps])
    if not merged or all(letter == "r" for letter, *_ in merged):
        merged.insert(0, ["m", 1, [0 if reduced else 1 for _ in strides]])
    letters = "".join(letter for letter, *_ in merged)
    if not _NEST.fullmatch(letters):
        tail = merged.pop() if letters.endswith("m") and "r" in letters else None
        merged.sort(key=lambda axis: axis[0])  # stable: 'm' before 'r'
        if tail:
            merged.append(tail)
        letters = "".join(axis[0] for axis in merged)
    return letters, tuple(a[1] for a in merged), [tuple(a[2][i] for a in merged) for i in range(len(strides))]


def fits(axes: str) -> bool:
    """Whether there is a loop nest for what `nest` found."""
    return len(axes) <= MAPPED and _NEST.fullmatch(axes) is not None


def layout(strides: Sequence[int]) -> str:
    """Layout letters of an operand: stride 1 on the last axis is 'c', stride 0 is '0', all else 's'."""
    last = len(strides) - 1
    return "".join("0" if s == 0 else "c" if s == 1 and k == last else "s" for k, s in enumerate(strides))


def scalar_bits(value, dtype: str) -> int:
    """The int64 that carries a scalar argument: the bits of a float64, or the integer itself."""
    if dtype.startswith("float"):
        return struct.unpack("<q", struct.pack("<d", float(value)))[0]
    return int(value) - (1 << 64) if value >= 1 << 63 else int(value)


def pack(program: Program, sizes, addresses, strides, scalars=()) -> np.ndarray:
    """The packed arguments of a launch, in the order the emitter reads them."""
    words = list(sizes)
    for operand, address, steps in zip(program.reads + program.writes, addresses, strides, strict=True):
        words.append(address)
        words.extend(s for s, letter in zip(steps, operand.layout, strict=True) if letter == "s")
    for (_, dtype), value in zip(program.scalars, scalars, strict=True):
        words.append(scalar_bits(value, dtype))
    return np.array(words, dtype=np.int64)


def grain(program: Program, sizes: Sequence[int], extent: int) -> int:
    """How many parallel indices one thread should at least take, so that it has `GRAIN` to do; all, if they are few."""
    total = sum(SERIES if isinstance(s, Line) and s.fn.calls - CHEAP else 1 for s in program.body)
    for n in sizes:
        total *= n
    return max(1, extent if total < ALONE * GRAIN else GRAIN * extent // total)


_kernels: dict[Program, build.Kernel] = {}


def program_kernel(program: Program, where: dict[str, str] | None = None) -> build.Kernel:
    """The compiled kernel of a program, from memory, disk or a fresh build.

    Args:
        where: the user's `file:line` for names of statements, written into the kernel's file if that is new.
    """
    kernel = _kernels.get(program)
    if kernel is None:
        kernel = _kernels[program] = build.load(program.name(), functools.partial(_text, program), where)
    return kernel


def _text(program: Program) -> str:
    from .emit_cpu import emit  # not needed where all kernels lie on disk

    return emit(program)[1]


@functools.cache
def _single(function, axes, layouts, dtypes, out) -> tuple[Program, object]:
    names = tuple(f"x{k}" for k in range(len(dtypes)))
    reads = tuple(Operand(n, d, lay) for n, d, lay in zip(names, dtypes, layouts, strict=False) if lay is not None)
    constants = tuple((n, d) for n, d, lay in zip(names, dtypes, layouts, strict=False) if lay is None)
    write = Operand("y", out, layouts[-1])
    body = (Line("t", as_scalar(function), names, out), Store("y", "t"))
    program = Program(axes, reads, (write,), constants, body)
    return program, program_kernel(program)


class Prepared:
    """A launch but for what changes from call to call: the addresses of the operands and the numbers.

    Args:
        program, kernel: what to run.
        sizes: of the axes.
        strides: of reads and writes along the axes, in elements.
    """

    __slots__ = ("kernel", "template", "places", "numbers", "extent", "grain", "launch")

    def __init__(self, program: Program, kernel, sizes, strides):
        self.kernel, self.extent = kernel, program.extent(sizes)
        self.grain = grain(program, sizes, self.extent)
        packed = pack(program, sizes, [0] * len(strides), strides, [0] * len(program.scalars))
        self.template, self.places, position = array("q", packed.tobytes()), [], len(sizes)
        for operand in program.reads + program.writes:
            self.places.append(position)
            position += 1 + operand.layout.count("s")
        self.numbers = [(position + k, dtype) for k, (_, dtype) in enumerate(program.scalars)]
        kinds = [entry.FLOAT if dtype.startswith("float") else entry.INTEGER for _, dtype in program.scalars]
        operands = [(k, entry.ARRAY) for k in self.places] + [(k, kind) for (k, _), kind in zip(self.numbers, kinds)]  # noqa: B905
        words = []
        if self.extent >= 2 * self.grain and not build.interpreted():  # there is work for a second thread
            kernel, words = workers.prefixed(kernel.address, self.grain, build.load)
        operands = [(position + len(words), kind) for position, kind in operands]
        brief = self.extent <= BRIEF * self.grain
        launch = entry.launcher(kernel, self.extent, self.extent, [*words, *self.template], operands) if brief else None
        self.launch = launch

    def run(self, arrays, values=()) -> None:
        """Run on arrays (reads, then writes) and numbers."""
        if self.launch is not None and build.recorder is None and self.launch(*arrays, *values):
            return
        if not self.extent:
            return
        packed = self.template[:]
        for position, x in zip(self.places, arrays):  # noqa: B905
            packed[position] = native.address(x)
        for (position, dtype), value in zip(self.numbers, values):  # noqa: B905
            packed[position] = scalar_bits(value, dtype)
        build.run(self.kernel, self.extent, packed.buffer_info()[0], self.grain)


KEPT = 4096  # prepared launches that are remembered; beyond, all are forgotten
_prepared: dict[tuple, Prepared | None] = {}


def remembered(key: tuple, make) -> Prepared | None:
    """The launch prepared for `key`, by `make()` if it is new; None where that found no way."""
    try:
        return _prepared[key]
    except KeyError:
        if len(_prepared) >= KEPT:
            _prepared.clear()
        found = _prepared[key] = make()
        return found


def run_scalar(function, raw, out: np.ndarray, compute: np.dtype) -> None:
    """Fill `out` with `function` applied over broadcast operands.

    Args:
        function: a plain scalar function (see `typed.scalar`).
        raw: NumPy arrays and Python numbers; arrays broadcast to `out.shape`.
        out: C-contiguous result, written in full.
        compute: dtype Python numbers are taken in.
    """
    key: list = [function, compute.num, out.shape, out.dtype.num]
    arrays, values = [], []
    for x in raw:
        if isinstance(x, np.ndarray):
            key += (x.shape, x.strides, x.dtype.num)
            arrays.append(x)
        else:
            key.append(None)
            values.append(x)
    arrays.append(out)
    found = remembered(tuple(key), lambda: _prepare_scalar(function, raw, out, compute.name))
    if found is None:  # broadcast in memory, axes merge
        raw = [np.ascontiguousarray(np.broadcast_to(x, out.shape)) if isinstance(x, np.ndarray) else x for x in raw]
        return run_scalar(function, raw, out, compute)
    found.run(arrays, values)


def _prepare_scalar(function, raw, out, compute: str) -> Prepared | None:
    """None where the operands have more axes that do not merge than a nest has."""
    arrays = [x for x in raw if isinstance(x, np.ndarray)]
    steps = [aligned_strides(x, out.shape) for x in arrays] + [natural_strides(out.shape)]
    axes, sizes, steps = nest(out.shape, steps)
    if not fits(axes):
        return None
    per_array = iter(steps)
    layouts = [layout(next(per_array)) if isinstance(x, np.ndarray) else None for x in raw]
    dtypes = tuple(x.dtype.name if isinstance(x, np.ndarray) else compute for x in raw)
    program, kernel = _single(function, axes, (*layouts, layout(steps[-1])), dtypes, out.dtype.name)
    return Prepared(program, kernel, sizes, steps)


class Body:
    """Statements of a loop under construction; `line` adds one and returns its name."""

    def __init__(self):
        self.statements: list = []

    def line(self, function, args, dtype: str) -> str:
        """`function(*args)` (None: a cast) in `dtype`."""
        name = f"t{len(self.statements)}"
        self.statements.append(Line(name, CAST if function is None else as_scalar(function), tuple(args), dtype))
        return name


@functools.cache
def _numbers(lines, dtype: str) -> tuple[Program, object]:
    body = Body()
    index = body.line(None, (INDEX,), "uint64")
    value = lines(body.line, "key", index, dtype)
    program = Program("m", (), (Operand("y", dtype, "c"),), (("key", "uint64"),), (*body.statements, Store("y", value)))
    return program, program_kernel(program)


def run_lines(lines, key: int, out: np.ndarray) -> None:
    """Fill `out`, C-contiguous, with random numbers: `lines` as of a random op, `key` the start of the stream."""
    def make():
        program, kernel = _numbers(lines, out.dtype.name)
        return Prepared(program, kernel, (out.size,), [(1,)])

    remembered((lines, out.size, out.dtype.num), make).run((out,), (key,))


def lines_launcher(lines, dtype: np.dtype):
    """`launch(out, key) -> bool`: `run_lines` for few elements, or None where there is no such way."""
    program, kernel = _numbers(lines, dtype.name)
    limit = 2 * grain(program, (1 << 40,), 1 << 40) - 1
    return entry.launcher(kernel, entry.EACH, limit, [0, 0, 0], [(1, dtype), (2, entry.INTEGER)])
