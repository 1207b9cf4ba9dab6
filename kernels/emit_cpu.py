"""The loop round the statements: a Program as the text of a CPU kernel.

A map over two axes becomes (functions above it left out)

    def map_mul_tanh_3f5c2a917be4(lo, hi, a):
        n0 = a[0]
        n1 = a[1]
        x_p = pointer(a[2], float32)
        ...
        for i in range(lo, hi):
            x_0 = i * x_s0
            for j in range(n1):
                x = load(x_p, x_0 + j)
                t0 = mul_f32(x, y)
                t1 = tanh_f32(t0)
                store(out_p, out_0 + j, t1, 0)

Rows (`m..r..`) run one loop over the reduced axes per stage: values that wait for `k` reductions belong to stage
`k`, and elementwise lines are computed again in later stages rather than kept. Columns (`m..r..m`) do the same for
blocks of `BLOCK` columns, with accumulators on the stack. All elementwise stores happen in the last loop, so a
write may share its memory with a read of the same layout.
"""

from __future__ import annotations

import contextlib
import re

import numpy

from . import prelude, typed
from .lanes import HEADER
from .program import CAST, INDEX, Line, Operand, Program, Reduce, Store

BLOCK = 256  # columns a column kernel reduces at a time: accumulators of 2 KB each stay in the first cache
# Endings and names that the text itself makes up.
_OURS = re.compile(r"_(p|sum|all|at\d*|s\d+|step|[fiu]\d+|b1)$|^(n|i|rest)\d+$")
_INTEGER_LIMITS = {f"int{n}": (-(1 << (n - 1)), (1 << (n - 1)) - 1) for n in (8, 16, 32, 64)} | {
    f"uint{n}": (0, (1 << n) - 1) for n in (8, 16, 32, 64)
}


def emit(program: Program, table: bool = False) -> tuple[str, str]:
    """The kernel of `program` as a Python module.

    Args:
        program: what to compute.
        table: apply it to every row of a table instead of once: `a[0]` is the number of int64 in a row, the rows
            (packed arguments each) follow from `a[1]`, and `lo..hi` runs over rows. Rank-1 maps only.

    Returns:
        `(name, text)` for `build.load`.

    Raises:
        TypeError: a line is not defined for the dtypes of its operands.
        ValueError: `table` with anything but axes 'm'.

    Example:
        >>> from .program import Operand, Program, Store
        >>> x, y = Operand("x", "float32", "s"), Operand("y", "float32", "c")
        >>> name, text = emit(Program("m", (x,), (y,), (), (Store("y", "x"),)))
        >>> print(text[text.index("def"):])                                              # doctest: +ELLIPSIS
        def map_copy_...(lo, hi, a):
            x_p = pointer(a[1], float32)
            x_s0 = a[2]
            y_p = pointer(a[3], float32)
            for i in range(lo, hi):
                x = load(x_p, i * x_s0)
                store(y_p, i, x, 0)
        <BLANKLINE>
    """
    if table and program.axes != "m":
        raise ValueError(
            f"emit: table=True with axes {program.axes!r}. A table has one rank-1 map per row. Use axes 'm'"
        )
    return _Emitter(program, table).module()


def compute_dtype(line: Line, dtypes: dict[str, str]) -> str:
    """The dtype in which a line computes.

    A float result: its own. An integer or bool result: that of the operands, the widest float if there are any.
    Arguments that are only asked whether they hold do not count.
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


class _Emitter:
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

    # --- names and text -----------------------------------------------------------------------------------------------

    def choose_names(self):
        """Names in the text: those of the program, unless they mean something else there."""
        taken = set(typed.RESERVED) | {self.name, *"aijkb", "min", "row", "width", "index", "lo", "hi", "range"}
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
        held, wanted = _held(source), _held(target)
        if held != wanted:
            text = (
                f"{self.small(f'{_tag(held)}_to_{_tag(wanted)}', wanted, 'x', f'cast(x, {wanted})')}({text})"
            )
        if target == "float16" and source != "float16":
            text = f"half_to_float(float_to_half({text}))"
        return text

    def module(self):
        body = self.kernel()
        title = str(self.program).replace(self.program.name(), self.name, 1) + "\n"
        parts = [prelude.header(title) + HEADER, *self.texts.values(), body]
        return self.name, "\n\n".join(parts)

    def kernel(self):
        self.line(f"def {self.name}(lo, hi, a):")
        self.out[-1] = self.out[-1].lstrip()
        if self.table:
            self.line("for row in range(lo, hi):")
            self.depth += 1
            self.line("b = 1 + row * a[0]")
        self.arguments()
        {"map": self.map, "row": self.row, "col": self.col}[self.program.kind]()
        return "\n".join(self.out) + "\n"

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
            self.line(f"{name}_p = pointer({word()}, {_storage(operand.dtype)})")
            for k, letter in enumerate(operand.layout):
                if letter == "s":
                    self.line(f"{name}_s{k} = {word()}")
        for name, dtype in self.program.scalars:
            text = f"bits_to_float({word()})" if dtype.startswith("float") else word()
            source = "float64" if dtype.startswith("float") else "int64"
            self.line(f"{self.names[name]} = {self.convert(text, source, dtype)}")

    # --- what is needed where -----------------------------------------------------------------------------------------

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

    def wanted(self, names, inner):
        """Reads and lines of kind `inner` that `names` need, in order, not looking behind outer values or reductions."""
        found, todo = set(), list(names)
        while todo:
            name = todo.pop()
            if (
                name in found
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
        """`[(reductions, stores)]` of each loop over the reduced axes: one per stage, all stores in the last."""
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

    # --- statements ---------------------------------------------------------------------------------------------------

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
        dtype = _storage(_held(self.dtypes[s.arg]))
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
            "prod": "total * x",
            "max": "maximum(total, x)",
            "min": "minimum(total, x)",
        }
        name = self.small(f"{s.how}_{_tag(dtype)}_step", dtype, "total, x", bodies[s.how])
        return f"{name}({total}, {x})"

    def finish(self, s: Reduce, total):
        self.line(f"{self.names[s.name]} = {self.convert(total, self.accumulator(s)[0], s.dtype)}")

    # --- loops --------------------------------------------------------------------------------------------------------

    def coordinates(self, axes, number):
        """Split `number`, the product of several axes, into their indices, by axis."""
        found = {}
        for k in reversed(axes[1:]):
            self.line(f"i{k} = {number} % n{k}")
            above = "i0" if k == axes[1] else f"rest{k}"
            self.line(f"{above} = {number} // n{k}")
            number = above
            found[k] = f"i{k}"
        return found | {axes[0]: number}

    def offsets(self, operands, coordinates, tag, bases):
        """Assign each operand's offset along the axes in `coordinates`; returns the texts by name."""
        found = {}
        for operand in operands:
            name = self.names[operand.name]
            terms = [bases[operand.name]] if bases.get(operand.name) else []
            before = len(terms)
            for k, index in sorted(coordinates.items()):
                if operand.layout[k] == "c":
                    terms.append(index)
                elif operand.layout[k] == "s":
                    terms.append(f"{index} * {name}_s{k}")
            text = " + ".join(terms)
            if len(terms) > before:
                self.line(f"{name}_{tag} = {text}")
                text = f"{name}_{tag}"
            found[operand.name] = text
        return found

    def linear(self, coordinates, base):
        """Extend the C-order number `base` by further axes."""
        text = base
        for k, index in sorted(coordinates.items()):
            text = f"({text}) * n{k} + {index}" if text else index
        return text

    def everything(self):
        return [*self.program.reads, *self.program.writes]

    def map(self):
        names = self.wanted(self.stored(), False)
        indexed = INDEX in self.used(self.stored())
        if self.axes == "m":
            self.line("for i in range(n0):" if self.table else "for i in range(lo, hi):")
            self.depth += 1
            bases, number, start = {}, "i", ""
        else:
            self.line("for i in range(lo, hi):")
            self.depth += 1
            coordinates = self.coordinates(range(self.last), "i")
            bases, number = self.offsets(self.everything(), coordinates, "at", {}), "j"
            start = "i"
            self.line(f"for j in range(n{self.last}):")
            self.depth += 1
        if indexed:
            self.line(f"index = {f'{start} * n{self.last} + ' if start else ''}{number}")
        self.statements_for(names, lambda o: self.index_of(o, number, bases.get(o.name)))
        for s in self.stores:
            operand = self.writes[s.operand][1]
            self.store(s, self.index_of(operand, number, bases.get(operand.name)))

    def reduce_loops(self, bases, number):
        """Open the loops over the reduced axes; returns offsets and linear index text at the innermost."""
        for k in self.reduced:
            self.line(f"for i{k} in range(n{k}):")
            self.depth += 1
            if k != self.last:
                bases = self.offsets(self.everything(), {k: f"i{k}"}, f"at{k}", bases)
            number = self.linear({k: f"i{k}"}, number)
        return bases, number

    def row(self):
        lead = range(self.axes.index("r"))
        self.line("for i in range(lo, hi):")
        self.depth += 1
        coordinates = self.coordinates(lead, "i") if lead else {}
        bases = self.offsets(self.everything(), coordinates, "at", {})
        known: set[str] = set()

        def outer(names):
            """Outer values `names` that are computable now and not yet known."""
            fresh = [n for n in self.wanted(names, False) if n not in known]
            self.statements_for(fresh, lambda o: bases.get(o.name) or "0")
            known.update(fresh)

        for reduces, stores in self.passes():
            roots = [s.arg for s in reduces] + [s.value for s in stores]
            inner = self.wanted(roots, True)
            outer(roots + [a for n in inner if n in self.statements for a in self.statements[n].args])
            for s in reduces:
                self.line(f"{self.names[s.name]}_sum = {self.accumulator(s)[1]}")
            depth = self.depth
            at, number = self.reduce_loops(bases, "i" if lead else "")
            if INDEX in inner:
                self.line(f"index = {number}")
            place = f"i{self.last}"
            self.statements_for(inner, lambda o, at=at, place=place: self.index_of(o, place, at.get(o.name)))
            for s in reduces:
                total = f"{self.names[s.name]}_sum"
                self.line(f"{total} = {self.combine(s, total)}")
            for s in stores:
                operand = self.writes[s.operand][1]
                self.store(s, self.index_of(operand, place, at.get(operand.name)))
            self.depth = depth
            for s in reduces:
                self.finish(s, f"{self.names[s.name]}_sum")
        last = [s for s in self.stores if not self.varies(self.writes[s.operand][1])]
        outer([s.value for s in last])
        for s in last:
            self.store(s, bases.get(s.operand) or "0")

    def col(self):
        """Blocks of columns; accumulators, and outer values that loops need, lie in stack arrays, one per column."""
        lead = range(self.axes.index("r"))
        passes = self.passes()
        roots = [[s.arg for s in reduces] + [s.value for s in stores] for reduces, stores in passes]
        needs = [self.direct(names) for names in roots]
        for s in self.reduces():
            self.line(f"{self.names[s.name]}_all = stack({BLOCK}, {self.accumulator(s)[0]})")
        for name in [n for n in self.values if any(n in need for need in needs) and n in self.statements]:
            if isinstance(self.statements[name], Line):
                self.line(f"{self.names[name]}_all = stack({BLOCK}, {_storage(_held(self.dtypes[name]))})")
        self.line("for i in range(lo, hi):" if lead else f"for k in range(lo, hi, {BLOCK}):")
        self.depth += 1
        bases = {}
        if lead:
            bases = self.offsets(self.everything(), self.coordinates(lead, "i"), "at", {})
            self.line(f"for k in range(0, n{self.last}, {BLOCK}):")
            self.depth += 1
        self.line(f"width = min({f'n{self.last}' if lead else 'hi'} - k, {BLOCK})")
        place = f"i{self.last}"
        here = lambda operand: self.index_of(operand, place, bases.get(operand.name))
        for (reduces, stores), names, need in zip(passes, roots, needs, strict=True):
            lines = [n for n in need if isinstance(self.statements.get(n), Line)]
            if lines or reduces:
                with self.each_column():
                    self.outer_values(lines, here)
                    for name in lines:
                        value = self.convert_bool(self.names[name], self.dtypes[name])
                        self.line(f"{self.names[name]}_all[j] = {value}")
                    for s in reduces:
                        self.line(f"{self.names[s.name]}_all[j] = {self.accumulator(s)[1]}")
            depth = self.depth
            at, number = self.reduce_loops(bases, "i" if lead else "")
            with self.each_column():
                inner = self.wanted(names, True)
                if INDEX in inner:
                    self.line(f"index = {self.linear({self.last: place}, number)}")
                self.outer_values([n for n in need if n not in lines], here)
                for name in lines:
                    mask = " != 0" if self.dtypes[name] == "bool" else ""
                    self.line(f"{self.names[name]} = {self.names[name]}_all[j]{mask}")
                there = lambda operand, at=at: self.index_of(operand, place, at.get(operand.name))
                self.statements_for(inner, there)
                for s in reduces:
                    total = f"{self.names[s.name]}_all[j]"
                    self.line(f"{total} = {self.combine(s, total)}")
                for s in stores:
                    self.store(s, there(self.writes[s.operand][1]))
            self.depth = depth
        last = [s for s in self.stores if not self.varies(self.writes[s.operand][1])]
        if last:
            with self.each_column():
                self.outer_values([s.value for s in last], here)
                for s in last:
                    self.store(s, here(self.writes[s.operand][1]))

    def direct(self, names):
        """Outer values that the inner statements behind `names` use."""
        used = set(names)
        for n in self.wanted(names, True):
            s = self.statements.get(n)
            used |= set(s.args) if isinstance(s, Line) else set()
        return [n for n in self.values if n in used and not self.values[n].inner]

    def outer_values(self, names, place):
        """Statements for outer values of one column: reads, finished reductions, lines."""
        chain, todo = set(), list(names)
        while todo:
            name = todo.pop()
            s = self.statements.get(name)
            if name not in chain:
                chain.add(name)
                todo += s.args if isinstance(s, Line) else ()
        ordered = [n for n in self.values if n in chain]
        for name in ordered:
            if isinstance(self.statements.get(name), Reduce):
                self.finish(self.statements[name], f"{self.names[name]}_all[j]")
        self.statements_for(ordered, place)

    @contextlib.contextmanager
    def each_column(self):
        self.line("for j in range(width):")
        self.depth += 1
        self.line(f"i{self.last} = k + j")
        yield
        self.depth -= 1

    def convert_bool(self, text, dtype):
        return (
            f"{self.small('b1_to_u8', 'uint8', 'x', 'cast(x, uint8)')}({text})" if dtype == "bool" else text
        )


def _held(dtype):
    """The dtype of a value while it is computed with."""
    return "float32" if dtype == "float16" else dtype


def _storage(dtype):
    """The dtype of a value in memory, as a pointer type."""
    return {"float16": "uint16", "bool": "uint8"}.get(dtype, dtype)


def _tag(dtype):
    return typed.SUFFIX[dtype]
