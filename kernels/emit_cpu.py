"""The loop round the statements: a Program as the text of a CPU kernel.

A map over two axes becomes (functions above it left out)

    def map_mul_tanh_3f5c2a917be4(lo, hi, a):
        n1 = a[1]
        x_p = pointer(a[2], float32)
        ...
        for i in range(lo, hi):
            x_at = i * x_s0
            ...
            for j in range(n1):
                x = load(x_p, x_at + j)
                y = load(y_p, j)
                t0 = mul_f32(x, y)
                t1 = tanh_f32(t0)
                store(out_p, out_at + j, t1, 0)

Rows (`m..r..`) run one loop over the reduced axes per stage: values that wait for `k` reductions belong to
stage `k`, and elementwise lines are computed again in later stages rather than kept. Columns (`m..r..m`) do
the same for blocks of `BLOCK` columns, with accumulators on the stack. All elementwise stores happen in the
last loop, so a write may share its memory with a read of the same layout.
"""

from __future__ import annotations

import contextlib

from . import prelude
from .lanes import HEADER
from .program import CAST, INDEX, Line, Program, Reduce, Store
from .scalars import CHEAP
from .statements import Statements, held, storage

ROWS = 4  # steps of a reduced axis that a column kernel takes at a time
BLOCK = 256  # columns a column kernel reduces at a time: accumulators of 2 KB each stay in the first cache


def emit(program: Program, table: bool = False) -> tuple[str, str]:
    """The kernel of `program` as a Python module.

    Args:
        program: what to compute.
        table: apply it to every row of a table instead of once: `a[0]` is the number of int64 in a row, the
        rows
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
        >>> print(text[text.index("def"):])  # doctest: +ELLIPSIS
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


class _Emitter(Statements):
    """The loops of each kind of nest."""

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

    def reduce_loops(self, bases, number, over="range", start=""):
        """Open the loops over the reduced axes; returns offsets and linear index text at the innermost."""
        for k in self.reduced:
            self.line(f"for i{k} in {over if k == self.last else 'range'}({start}n{k}):")
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

        passes = self.passes()
        keeps, kept, target = self.kept(passes)
        for k, (reduces, stores) in enumerate(passes):
            roots = [s.arg for s in reduces] + [s.value for s in stores]
            again = kept is not None and bool(stores)
            inner = self.wanted(roots, True, kept if again else None)
            outer(roots + [a for n in inner if n in self.statements for a in self.statements[n].args])
            for s in reduces:
                self.line(f"{self.names[s.name]}_sum = {self.accumulator(s)[1]}")
            depth = self.depth
            wide = any(self.costly(n) == "float32" for n in inner)
            wide = wide and any(self.accumulator(s)[0] == "float64" for s in reduces)
            at, number = self.reduce_loops(bases, "i" if lead else "", "wide" if wide else "range")
            if INDEX in inner:
                self.line(f"index = {number}")
            place = f"i{self.last}"
            if again:
                where = self.index_of(target, place, at.get(target.name))
                self.line(f"{self.names[kept]} = {self.names[target.name]}_p[{where}]")
            self.statements_for(inner, lambda o, at=at, place=place: self.index_of(o, place, at.get(o.name)))
            if k == keeps:
                self.store(Store(target.name, kept), self.index_of(target, place, at.get(target.name)))
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

    def costly(self, name):
        """The dtype of a line that calls something like exp, else None."""
        s = self.statements.get(name)
        return s.dtype if isinstance(s, Line) and s.fn != CAST and s.fn.calls - CHEAP else None

    def kept(self, passes):
        """`(loop, line, write)`: a line that calls something like exp in one loop, and again in the last for its one
        store, waits in the array that is written, if that loop needs no read beside it (it may be the same memory).
        """
        none = (None, None, None)
        (reduces, stores), before = passes[-1], passes[:-1]
        if reduces or len(stores) != 1:
            return none
        target = self.writes[stores[0].operand][1]
        for name in self.wanted([stores[0].value], True):
            if self.costly(name) != target.dtype:
                continue
            homes = [k for k, (found, _) in enumerate(before) if name in self.wanted([r.arg for r in found], True)]
            rest = self.wanted([stores[0].value], True, name)
            fits = "0" not in target.layout and target.dtype in ("float32", "float64")
            if fits and len(homes) == 1 and all(isinstance(self.statements.get(n), Line) for n in rest):
                return homes[0], name, target
        return none

    def col(self):
        """Blocks of columns; accumulators and outer values that loops need lie in stack arrays."""
        lead = range(self.axes.index("r"))
        passes = self.passes()
        roots = [[s.arg for s in reduces] + [s.value for s in stores] for reduces, stores in passes]
        needs = [self.direct(names) for names in roots]
        for s in self.reduces():
            self.line(f"{self.names[s.name]}_all = stack({BLOCK}, {self.accumulator(s)[0]})")
        for name in [n for n in self.values if any(n in need for need in needs) and n in self.statements]:
            if isinstance(self.statements[name], Line):
                self.line(f"{self.names[name]}_all = stack({BLOCK}, {storage(held(self.dtypes[name]))})")
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
            depth, inner, start = self.depth, self.wanted(names, True), ""
            if len(self.reduced) == 1 and not stores and INDEX not in inner:
                start = self.several_rows(reduces, inner, need, lines, bases, here)
            at, number = self.reduce_loops(bases, "i" if lead else "", start=start)
            with self.each_column():
                if INDEX in inner:
                    self.line(f"index = {self.linear({self.last: place}, number)}")
                self.fetched(need, lines, here)
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

    def several_rows(self, reduces, inner, need, lines, bases, here):
        """Write a loop over the reduced axis that takes `ROWS` steps at a time: accumulators are fetched and put
        back once for them. Returns where the loop over the rest starts.
        """
        r, depth = self.reduced[0], self.depth
        whole = f"n{r} // {ROWS} * {ROWS}"
        self.line(f"for i{r} in range(0, {whole}, {ROWS}):")
        self.depth += 1
        steps = range(ROWS)
        bases = [self.offsets(self.everything(), {r: f"(i{r} + {t})"}, f"at{r}{t}", bases) for t in steps]
        with self.each_column():
            self.fetched(need, lines, here)
            totals = [(s, f"{self.names[s.name]}_sum") for s in reduces]
            for s, total in totals:
                self.line(f"{total} = {self.names[s.name]}_all[j]")
            for at in bases:
                self.statements_for(inner, lambda o, at=at: self.index_of(o, f"i{self.last}", at.get(o.name)))
                for s, total in totals:
                    self.line(f"{total} = {self.combine(s, total)}")
            for s, total in totals:
                self.line(f"{self.names[s.name]}_all[j] = {total}")
        self.depth = depth
        return f"{whole}, "

    def fetched(self, need, lines, here):
        """Statements for the outer values of a column that a loop needs; `lines` lie in stack arrays."""
        self.outer_values([n for n in need if n not in lines], here)
        for name in lines:
            mask = " != 0" if self.dtypes[name] == "bool" else ""
            self.line(f"{self.names[name]} = {self.names[name]}_all[j]{mask}")

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
