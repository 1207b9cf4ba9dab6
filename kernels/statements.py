"""The statements inside a CPU kernel's loops: names, conversions, loads, lines, accumulators, stores."""

from __future__ import annotations

import re

import numpy

from . import typed
from .program import CAST, INDEX, Line, Operand, Program, Reduce, Store

# Endings and names that the text itself makes up.
_OURS = re.compile(r"_(p|sum|all|at\d*|s\d+|step|[fiu]\d+|b1)$|^(n|i|rest)\d+$")
_INTEGER_LIMITS = {f"int{n}": (-(1 << (n - 1)), (1 << (n - 1)) - 1) for n in (8, 16, 32, 64)} | {
    f"uint{n}": (0, (1 << n) - 1) for n in (8, 16, 32, 64)
}


def compute_dtype(line: Line, dtypes: dict[str, str]) -> str:
    """The dtype in which a line computes.

    A float result: its own. An integer or bool result: that of the operands, the widest float if there are
    any. Arguments that are only asked whether they hold do not count.
    """
    asked = typed.conditions(line.fn)
    args = [dtypes[name] for name, only in zip(line.args, asked, strict=True) if not only]
    floats = [d for d in args if d.startswith("float")]
    if line.dtype.startswith("float"):
        return line.dtype
    if floats:
        return max(floats, key=lambda d: int(d[5:]))
    if line.dtype != "bool":
        args.append(line.dtype)
    return numpy.result_type(*args).name if args else "bool"


class Statements:
    """Names, conversions, loads, stores and lines of a program; `out` collects the text."""

    def __init__(self, program: Program, table: bool):
        self.program, self.table = program, table
        self.name = program.name().replace("_", "_table_", 1) if table else program.name()
        self.values = program.values()
        self.texts: dict[str, str] = {}  # lane functions, callees first
        self.out: list[str] = []
        self.depth = 1
        self.statements = {s.name: s for s in program.body if not isinstance(s, Store)}
        self.operands = {o.name: o for o in program.reads}
        self.writes = {o.name: (k, o) for k, o in enumerate(program.writes)}
        self.stores = [s for s in program.body if isinstance(s, Store)]
        self.axes = program.axes
        self.last = len(program.axes) - 1
        self.reduced = [k for k, letter in enumerate(program.axes) if letter == "r"]
        self.dtypes = {name: v.dtype for name, v in self.values.items()}
        self.names = self.choose_names()

    # --- names and text ---

    def choose_names(self):
        """Names in the text: those of the program, unless they mean something else there."""
        taken = set(typed.RESERVED) | {
            self.name,
            *"aijkb",
            "min",
            "row",
            "width",
            "index",
            "lo",
            "hi",
            "range",
        }
        chosen = {INDEX: "index"}
        for name in [*self.values, *self.writes]:
            if name != INDEX:
                new = name
                while new in taken or _OURS.search(new):
                    new += "_"
                taken.add(new)
                chosen[name] = new
        return chosen

    def line(self, text):
        self.out.append("    " * self.depth + text)

    def function(self, fn, dtype):
        """Name of the lane function of `fn` for `dtype`, whose text is added to the module."""
        for name, text in typed.closure(fn, dtype).items():
            if self.texts.setdefault(name, text) != text:
                raise ValueError(
                    f"{self.name}: two scalar functions are called {name}. A kernel holds each name once. "
                    "Rename one of them"
                )
        return typed.typed(fn, dtype)

    def small(self, name, result, parameters, body):
        self.texts.setdefault(name, f"@lane({result})\ndef {name}({parameters}):\n    return {body}\n")
        return name

    def convert(self, text, source, target):
        """`text` of dtype `source` in `target`; float16 values live in float32 registers, already rounded."""
        now, wanted = held(source), held(target)
        if now != wanted:
            text = f"{self.small(f'{tag(now)}_to_{tag(wanted)}', wanted, 'x', f'cast(x, {wanted})')}({text})"
        if target == "float16" and source != "float16":
            text = f"half_to_float(float_to_half({text}))"
        return text

    def arguments(self):
        """Names for the packed arguments."""
        at = -1

        def word():
            nonlocal at
            at += 1
            return f"a[b + {at}]" if self.table else f"a[{at}]"

        implied = self.program.parallel_axes()[:1]  # `lo..hi` tells all one needs of this axis
        indexed = INDEX in self.used(self.stored() + [s.name for s in self.reduces()])
        for k in range(len(self.axes)):
            size = word()
            if self.table or k not in implied or (indexed and k > 0):
                self.line(f"n{k} = {size}")
        for operand in self.program.reads + self.program.writes:
            name = self.names[operand.name]
            self.line(f"{name}_p = pointer({word()}, {storage(operand.dtype)})")
            for k, letter in enumerate(operand.layout):
                if letter == "s":
                    self.line(f"{name}_s{k} = {word()}")
        for name, dtype in self.program.scalars:
            text = f"bits_to_float({word()})" if dtype.startswith("float") else word()
            source = "float64" if dtype.startswith("float") else "int64"
            self.line(f"{self.names[name]} = {self.convert(text, source, dtype)}")

    # --- what is needed where ---

    def stored(self):
        return [s.value for s in self.stores]

    def reduces(self):
        return [s for s in self.program.body if isinstance(s, Reduce)]

    def used(self, names):
        """Everything the values `names` are made of, themselves included."""
        found, todo = set(), list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                s = self.statements.get(name)
                todo += s.args if isinstance(s, Line) else (s.arg,) if isinstance(s, Reduce) else ()
        return found

    def wanted(self, names, inner, known=None):
        """Reads and lines of kind `inner` behind `names`, in order; the search ends at the other kind and `known`."""
        found, todo = set(), list(names)
        while todo:
            name = todo.pop()
            if (
                name in found
                or name == known
                or self.values[name].inner != inner
                or isinstance(self.statements.get(name), Reduce)
            ):
                continue
            found.add(name)
            s = self.statements.get(name)
            todo += s.args if isinstance(s, Line) else ()
        return [n for n in self.values if n in found]

    def inner_stores(self):
        return [s for s in self.stores if self.varies(self.writes[s.operand][1])]

    def varies(self, operand: Operand):
        return not self.reduced or any(operand.layout[k] != "0" for k in self.reduced)

    def passes(self):
        """`[(reductions, stores)]` of each loop over the r axes: one per stage, all stores in the last."""
        stages = sorted({self.values[s.name].stage - 1 for s in self.reduces()})
        found = [([s for s in self.reduces() if self.values[s.name].stage - 1 == k], []) for k in stages]
        stores = self.inner_stores()
        if stores:
            need = max(self.values[s.value].stage for s in stores)
            if not stages or need > stages[-1]:
                found.append(([], stores))
            else:
                found[-1] = (found[-1][0], stores)
        return found

    # --- statements ---

    def index_of(self, operand, number, base):
        """Text of the element number: `base` plus the place along axis `number`."""
        letter = operand.layout[self.last]
        step = {"c": number, "s": f"{number} * {self.names[operand.name]}_s{self.last}", "0": ""}[letter]
        return " + ".join(part for part in (base, step) if part) or "0"

    def load(self, name, place):
        operand = self.operands[name]
        text = f"load({self.names[name]}_p, {place})"
        if operand.dtype == "bool":
            text += " != 0"
        elif operand.dtype == "float16":
            text = f"half_to_float({text})"
        self.line(f"{self.names[name]} = {text}")

    def store(self, s, place, value=None):
        k, operand = self.writes[s.operand]
        text = self.convert(value or self.names[s.value], self.dtypes[s.value], operand.dtype)
        if operand.dtype == "bool":
            text = f"{self.small('b1_to_u8', 'uint8', 'x', 'cast(x, uint8)')}({text})"
        elif operand.dtype == "float16":
            text = (
                f"float_to_half({text})"
                if not text.startswith("half_to_float(float_to_half(")
                else text[14:-1]
            )
        self.line(f"store({self.names[s.operand]}_p, {place}, {text}, {k})")

    def compute(self, name):
        s = self.statements[name]
        if s.fn == CAST:
            text = self.convert(self.names[s.args[0]], self.dtypes[s.args[0]], s.dtype)
        else:
            dtype = compute_dtype(s, self.dtypes)
            found = self.function(s.fn, dtype)
            args = []
            for arg, only in zip(s.args, typed.conditions(s.fn), strict=True):
                wanted = "bool" if only else dtype if dtype != "float16" else "float32"
                args.append(self.convert(self.names[arg], self.dtypes[arg], wanted))
            text = self.convert(f"{found.name}({', '.join(args)})", found.result, s.dtype)
        self.line(f"{self.names[name]} = {text}")

    def statements_for(self, names, place):
        """Loads first, lines after: a store of this iteration then never comes before a load."""
        for name in names:
            if name in self.operands:
                self.load(name, place(self.operands[name]))
        for name in names:
            if isinstance(self.statements.get(name), Line):
                self.compute(name)

    def accumulator(self, s: Reduce):
        """dtype and first value of a reduction."""
        if s.how in ("sum", "prod"):
            dtype = "float64" if s.dtype.startswith("float") else "int64"
            return dtype, f"{dtype}({0 if s.how == 'sum' else 1})"
        dtype = storage(held(self.dtypes[s.arg]))
        if dtype.startswith("float"):
            return dtype, f"{dtype}({'-' if s.how == 'max' else ''}math.inf)"
        low, high = _INTEGER_LIMITS[dtype]
        first = low if s.how == "max" else high
        return dtype, f"{dtype}({first})"

    def combine(self, s: Reduce, total):
        dtype, _ = self.accumulator(s)
        x = self.convert(self.names[s.arg], self.dtypes[s.arg], dtype)
        bodies = {
            "sum": "accumulate(total, x)",
            "prod": "accumulate_product(total, x)",
            "max": "maximum(total, x)",
            "min": "minimum(total, x)",
        }
        name = self.small(f"{s.how}_{tag(dtype)}_step", dtype, "total, x", bodies[s.how])
        return f"{name}({total}, {x})"

    def finish(self, s: Reduce, total):
        self.line(f"{self.names[s.name]} = {self.convert(total, self.accumulator(s)[0], s.dtype)}")


def held(dtype):
    """The dtype of a value while it is computed with."""
    return "float32" if dtype == "float16" else dtype


def storage(dtype):
    """The dtype of a value in memory, as a pointer type."""
    return {"float16": "uint16", "bool": "uint8"}.get(dtype, dtype)


def tag(dtype):
    """The short name of a dtype in generated text."""
    return typed.SUFFIX[dtype]
