"""Programs: what a fused loop computes, as frozen data. The graph lowers to them, the emitters read them.

    map_mul_tanh_3f5c2a917be4: m
      read   x : float32 c
      read   y : float32 0
      t0 = mul(x, y) : float32
      t1 = tanh(t0) : float32
      out = t1 : float32 c

Axes are letters, outermost first: `m` mapped, `r` reduced. Three shapes of loop nest: map `m..`, row `m..r..`
(reduce the trailing axes) and column `m..r..m` (reduce axes that lie outside the last one). Sizes are no part
of a program: one kernel serves all.
"""

from __future__ import annotations

import functools
import keyword
import re
from collections.abc import Sequence
from typing import NamedTuple

from .scalars import Scalar
from .sources import digest

DTYPES = (
    "float16",
    "float32",
    "float64",
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
)
INDEX = "@index"
HOWS = ("sum", "prod", "max", "min")
_AXES = re.compile(r"m{1,5}|m{0,4}r{1,4}|m{0,3}r{1,4}m")

__all__ = ["CAST", "DTYPES", "INDEX", "Line", "Operand", "Program", "Reduce", "Scalar", "Store"]

# The built-in conversion: `Line("t", CAST, ("x",), "int32")`. Every other line computes in one dtype.
CAST = Scalar("cast", "def cast(x):\n    return x", 1)


class Operand(NamedTuple):
    """An array of the loop nest.

    Attributes:
        name: a Python identifier, unique in the program.
        dtype: of its elements.
        layout: one letter per axis: 'c' stride 1, '0' the same element all along, 's' a stride given
            at launch.
    """

    name: str
    dtype: str
    layout: str


class Line(NamedTuple):
    """`name = fn(*args)` in `dtype`; args name reads, scalars, earlier lines, reductions or '@index'."""

    name: str
    fn: Scalar
    args: tuple[str, ...]
    dtype: str


class Reduce(NamedTuple):
    """`name` = sum, prod, max or min (`how`) of `arg` over all `r` axes, in `dtype`."""

    name: str
    how: str
    arg: str
    dtype: str


class Store(NamedTuple):
    """Write `value` to the write operand named `operand`."""

    operand: str
    value: str


class Value(NamedTuple):
    """What is known of a name: its dtype, whether it varies along `r`, how many reductions it awaits."""

    dtype: str
    inner: bool
    stage: int


class NoNest(ValueError):
    """The axes make no loop nest that there is: too many, or mapped and reduced ones in turn."""


class Program:
    """A loop nest and the statements in it; validates itself.

    Attributes:
        axes: letters, e.g. 'm', 'mm', 'mr', 'mrr', 'rm', 'mrm'.
        reads, writes: operands. A write may be the same memory as a read of the same layout, element for
            element (in place); any other overlap is the caller's error.
        scalars: `(name, dtype)` pairs.
        body: Line, Reduce and Store statements in order.

    Packed arguments, all int64: the sizes of the axes; for each read, then each write, its address and the
    strides of its 's' axes in elements; then the scalars, floats as the bits of a float64.

    Raises:
        ValueError: a statement names what does not exist, a layout does not fit, a dtype has no kernels.

    Example:
        >>> from .scalars import scalar
        >>> def twice(x): return 2.0 * x
        >>> line = Line("t", scalar(twice), ("x",), "float32")
        >>> print(Program("m", (Operand("x", "float32", "c"),), (Operand("y", "float32", "c"),), (),
        ...               (line, Store("y", "t"))))  # doctest: +ELLIPSIS
        map_twice_...: m
          read   x : float32 c
          t = twice(x) : float32
          y = t : float32 c
    """

    __slots__ = ("axes", "reads", "writes", "scalars", "body", "_hash")

    def __init__(
        self,
        axes: str,
        reads: tuple[Operand, ...],
        writes: tuple[Operand, ...],
        scalars: tuple[tuple[str, str], ...],
        body: tuple[Line | Reduce | Store, ...],
    ):
        self.axes, self.reads, self.writes, self.scalars, self.body = axes, reads, writes, scalars, body
        self._hash = hash(self.facts())
        self.values()  # walks the body, so checks it

    def facts(self) -> tuple:
        """All that a program is, for comparing and hashing."""
        return self.axes, self.reads, self.writes, self.scalars, self.body

    def __eq__(self, other):
        return isinstance(other, Program) and self._hash == other._hash and self.facts() == other.facts()

    def __hash__(self):
        return self._hash

    def __repr__(self):
        return f"Program{self.facts()!r}"

    @property
    def kind(self) -> str:
        """'map', 'row' or 'col'."""
        if "r" not in self.axes:
            return "map"
        return "row" if self.axes.endswith("r") else "col"

    def parallel_axes(self) -> tuple[int, ...]:
        """Numbers of the axes whose product is the parallel index `lo..hi`."""
        if self.axes == "m":
            return (0,)
        if self.kind == "map":
            return tuple(range(len(self.axes) - 1))
        lead = self.axes.index("r")
        if self.kind == "col" and lead == 0:
            return (len(self.axes) - 1,)
        return tuple(range(lead))

    def extent(self, sizes: Sequence[int]) -> int:
        """Size of the parallel index for axes of these `sizes`.

        >>> Program("mmr", (), (), (), ()).extent((3, 4, 100))
        12
        """
        n = 1
        for k in self.parallel_axes():
            n *= sizes[k]
        return n

    def values(self) -> dict[str, Value]:
        """Every name a statement may use."""
        return _values(self)

    def lines(self) -> list[str]:
        """The listing, one statement a line, without the title."""
        out = [f"read   {r.name} : {r.dtype} {r.layout}" for r in self.reads]
        out += [f"scalar {name} : {dtype}" for name, dtype in self.scalars]
        layouts = {w.name: w for w in self.writes}
        for s in self.body:
            if isinstance(s, Line):
                out.append(f"{s.name} = {s.fn.name}({', '.join(s.args)}) : {s.dtype}")
            elif isinstance(s, Reduce):
                out.append(f"{s.name} = {s.how}({s.arg}) : {s.dtype}")
            else:
                out.append(
                    f"{s.operand} = {s.value} : {layouts[s.operand].dtype} {layouts[s.operand].layout}"
                )
        return out

    def name(self) -> str:
        """Readable and unique: the kind, the first functions, and 12 hex digits over everything."""
        return _name(self)

    def __str__(self):
        return "\n  ".join([f"{self.name()}: {self.axes}", *self.lines()])


@functools.cache
def _name(program: Program) -> str:
    parts: list[str] = []
    for s in program.body:
        part = s.fn.name if isinstance(s, Line) else s.how if isinstance(s, Reduce) else None
        if part and (not parts or parts[-1] != part):
            parts.append(part)
    parts = parts if len(parts) <= 4 else [*parts[:3], parts[-1]]
    return "_".join([program.kind, *(parts or ["copy"]), digest(repr(program))])


@functools.cache
def _values(program: Program) -> dict[str, Value]:
    def refuse(what, why, advice, error=ValueError):
        raise error(f"Program {program.axes!r}: {what}. {why}. {advice}")

    def dtype_of(name, dtype):
        if dtype not in DTYPES:
            refuse(f"{name} has dtype {dtype!r}", f"Kernels know {', '.join(DTYPES)}", "Cast before")
        return dtype

    def new(name, value):
        if not name.isidentifier() or keyword.iskeyword(name):
            refuse(f"{name!r} is not a name", "Names appear in generated Python", "Use letters, digits and _")
        if name in found:
            refuse(f"the name {name} is given twice", "A name stands for one value", "Rename one")
        found[name] = value

    if not _AXES.fullmatch(program.axes):
        refuse(
            f"axes {program.axes!r} are no loop nest",
            "Nests are m.. (map), m..r.. (row) and m..r..m (column)",
            "Permute or merge axes first",
            NoNest,
        )
    reduced = [k for k, letter in enumerate(program.axes) if letter == "r"]
    found = {INDEX: Value("int64", bool(reduced), 0)}
    for operand in program.reads + program.writes:
        if len(operand.layout) != len(program.axes) or set(operand.layout) - set("c0s"):
            refuse(
                f"operand {operand.name} has layout {operand.layout!r}",
                "One of 'c', '0', 's' per axis is needed",
                "Give as many letters as axes",
            )
    for operand in program.reads:
        new(
            operand.name,
            Value(dtype_of(operand.name, operand.dtype), any(operand.layout[k] != "0" for k in reduced), 0),
        )
    for name, dtype in program.scalars:
        new(name, Value(dtype_of(name, dtype), False, 0))
    writes = {w.name: w for w in program.writes}
    if len(writes) != len(program.writes) or set(writes) & set(found):
        refuse("two operands share a name", "Operands are told apart by name", "Rename one")
    stored = set()
    for s in program.body:
        used = s.args if isinstance(s, Line) else (s.arg,) if isinstance(s, Reduce) else (s.value,)
        for name in used:
            if name not in found:
                refuse(
                    f"{s} uses {name}, which is not known there",
                    f"Known: {', '.join(found)}",
                    "Reorder the body",
                )
        args = [found[name] for name in used]
        if isinstance(s, Line):
            if len(s.args) != s.fn.nargs:
                refuse(
                    f"{s.name} = {s.fn.name}(...) has {len(s.args)} arguments",
                    f"{s.fn.name} takes {s.fn.nargs}",
                    "Pass as many",
                )
            new(
                s.name,
                Value(
                    dtype_of(s.name, s.dtype),
                    any(v.inner for v in args),
                    max((v.stage for v in args), default=0),
                ),
            )
        elif isinstance(s, Reduce):
            if not reduced or s.how not in HOWS:
                refuse(
                    f"{s.name} = {s.how}({s.arg}) cannot be reduced",
                    f"Reductions are {', '.join(HOWS)} over r axes",
                    "Add an r axis",
                )
            new(s.name, Value(dtype_of(s.name, s.dtype), False, args[0].stage + 1))
        else:
            if s.operand not in writes or s.operand in stored:
                refuse(
                    f"{s} does not name a write operand once",
                    f"Writes: {', '.join(writes)}",
                    "Store each once",
                )
            stored.add(s.operand)
            dtype_of(s.operand, writes[s.operand].dtype)
            along = [writes[s.operand].layout[k] != "0" for k in reduced]
            if any(along) and not all(along):
                refuse(
                    f"write {s.operand} has layout {writes[s.operand].layout!r}",
                    "A write varies along all r axes or along none",
                    "Write it in a program of its own",
                )
            if args[0].inner and not any(along):
                refuse(
                    f"write {s.operand} takes {s.value}, which varies along r axes",
                    "Its own layout does not",
                    "Reduce the value first",
                )
    for name in writes.keys() - stored:
        refuse(f"write {name} is never stored", "Its memory would stay undefined", "Store it or drop it")
    return found
