"""The loop round the statements for a GPU: a Program as the text of a CUDA kernel.

    def map_mul_tanh_3f5c2a917be4(n0: uint32, n1: uint32, x_p: pointer(float32), x_s0: uint32, ...):
        i = uint32(cuda.grid(1))
        if i < uint32(n0 * n1):
            i1 = uint32(i % n1)
            i0 = uint32(i // n1)
            x_at = uint32(i0 * x_s0)
            x = x_p[uint32(x_at + i1)]
            t0 = x * y
            t1 = math.tanh(t0)
            out_p[i1] = t1

A map has a thread for each element. A row (`m..r..`) has a block: its threads go round the reduced elements, their
parts are joined by shuffles within warps and through shared memory between them, and every thread then knows the
result, so later stages follow in the same launch. A column (`m..r..m`) has a thread for each column: neighbours read
neighbouring memory. Parameters are what `Program` packs, in that order: sizes, pointers and strides, scalars; their
annotations are the kernel's signature.

Float sums run in the operand's dtype (float16 in float32), since a float64 in a float32 kernel would cost half the
GPU: threads add every 256th element or so, then in a tree, which is closer than adding up in a row. Everything else
rounds where the CPU's kernel rounds. Equality with it is judged so: bit for bit where lines only add, multiply,
divide, compare, choose and convert (the GPU's compiler may still join a product and a sum), within the ulps of
libdevice (2, pow and gamma more) for functions of `math`, and within `sqrt(n)` ulps of the sum of magnitudes for sums.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from . import typed
from .cuda.inline import Inline
from .program import CAST, INDEX, Program, Reduce
from .statements import _INTEGER_LIMITS, Statements, compute_dtype, held

WARPS = 32  # in a block, at most
OWN = frozenset("cuda libdevice t step start count parts True False None not and or if else while".split())

__all__ = ["Text", "accumulator", "emit", "threads"]


class Text(NamedTuple):
    """A kernel for a GPU.

    Attributes:
        name: the function's, unique for what the text is.
        text: a Python module; `cuda`, `math`, `libdevice`, `pointer` and dtypes are bound by who runs it.
        barriers: whether its threads wait for each other.
        kind: 'map' and 'col' want a thread, 'row' wants a block for each of `Program.extent` ... see `threads`.
    """

    name: str
    text: str
    barriers: bool
    kind: str


def emit(program: Program, wide: bool = False, split: bool = False) -> Text:
    """The kernel of `program` for a GPU.

    Args:
        wide: index with int64. Without it indices are uint32: for loop spaces and operands below 2**31 elements,
            and strides that are not negative.
        split: of a row that is nothing but one reduction: `parts` blocks, a last parameter, share each row, and the
            write is what they found, one element for each block in their order.

    Raises:
        TypeError: a line is not defined for the dtypes of its operands, or has no form on a GPU.

    >>> from .program import Operand, Program, Store
    >>> x, y = Operand("x", "float32", "s"), Operand("y", "float32", "c")
    >>> text = emit(Program("m", (x,), (y,), (), (Store("y", "x"),))).text
    >>> print(text[text.index("def"):])  # doctest: +ELLIPSIS
    def map_copy_...(n0: uint32, x_p: pointer(float32), x_s0: uint32, y_p: pointer(float32)):
        i = uint32(cuda.grid(1))
        if i < n0:
            x = x_p[uint32(i * x_s0)]
            y_p[i] = x
    <BLANKLINE>
    """
    return _Emitter(program, wide, split).module()


def threads(program: Program, sizes) -> int:
    """How many threads (a row: blocks) a launch over axes of these `sizes` wants."""
    n = 1
    for letter, size in zip(program.axes, sizes, strict=True):
        n *= size if letter == "m" else 1
    return n


class _Emitter(Statements):
    """The loops of each kind of nest; the statements in them are as on the CPU, but for their spelling."""

    def __init__(self, program: Program, wide: bool, split: bool = False):
        super().__init__(program, False)
        self.index, self.split = "int64" if wide else "uint32", split
        for word in ("wide_" * wide, "split_" * split):
            self.name = self.name.replace("_", f"_{word}", 1)
        self.locals = set(self.names.values())

    def module(self) -> Text:
        kind = self.program.kind
        parameters = self.arguments()
        self.row() if kind == "row" else self.each()
        title = str(self.program).replace(self.program.name(), self.name, 1)
        head = f"def {self.name}({', '.join(f'{name}: {dtype}' for name, dtype in parameters)}):"
        return Text(self.name, "\n".join([f'"""{title}\n"""\n\n\n{head}', *self.out]) + "\n", kind == "row", kind)

    # --- names ---

    def choose_names(self):
        chosen = super().choose_names()
        taken = set(chosen.values()) | OWN
        for name, text in chosen.items():
            while text in OWN:
                text += "_"
                text += "_" if text in taken else ""
            chosen[name] = text
        return chosen

    def fresh(self, hint: str, prefix: str = "") -> str:
        """A name that nothing in the kernel has."""
        base = name = f"{prefix}{hint}"
        k = 1
        while name in self.locals or name in OWN or name in typed.RESERVED:
            k += 1
            name = f"{base}_{k}"
        self.locals.add(name)
        return name

    def at(self, text: str) -> str:
        """Index arithmetic, kept in the index dtype."""
        return f"{self.index}({text})"

    def arguments(self):
        """Name and dtype of each parameter."""
        found = [(f"n{k}", self.index) for k in range(len(self.axes))]
        for operand in self.program.reads + self.program.writes:
            name = self.names[operand.name]
            found.append((f"{name}_p", f"pointer({storage(operand.dtype)})"))
            found += [(f"{name}_s{k}", self.index) for k, letter in enumerate(operand.layout) if letter == "s"]
        scalars = [(self.names[name], held(dtype)) for name, dtype in self.program.scalars]
        found += [(name, "uint8" if dtype == "bool" else dtype) for name, dtype in scalars]
        return found + [("parts", self.index)] * self.split

    @contextlib.contextmanager
    def under(self, text: str):
        """A block of statements below `text`."""
        self.line(text)
        self.depth += 1
        yield
        self.depth -= 1

    # --- indices ---

    def product(self, axes) -> str:
        """The number of elements in `axes`."""
        text = " * ".join(f"n{k}" for k in axes) or "1"
        return text if len(axes) == 1 else self.at(text)

    def coordinates(self, axes, number: str) -> dict[int, str]:
        """Split `number`, which counts the elements of `axes`, into their indices."""
        found = {}
        for k in reversed(axes[1:]):
            self.line(f"i{k} = {self.at(f'{number} % n{k}')}")
            above = f"i{axes[0]}" if k == axes[1] else f"rest{k}"
            self.line(f"{above} = {self.at(f'{number} // n{k}')}")
            number, found[k] = above, f"i{k}"
        return found | ({axes[0]: number} if axes else {})

    def place(self, operand, coordinates: dict[int, str]) -> str:
        """The element number of `operand` at `coordinates`."""
        text = ""
        for k, index in sorted(coordinates.items()):
            letter = operand.layout[k]
            if letter != "0":
                term = index if letter == "c" else self.at(f"{index} * {self.names[operand.name]}_s{k}")
                text = self.at(f"{text} + {term}") if text else term
        return text or "0"

    def number(self, coordinates: dict[int, str]) -> None:
        """Assign `index`, the C-order number of the place."""
        text = "0"
        for k, index in sorted(coordinates.items()):
            text = index if text == "0" else self.at(f"{self.at(f'{text} * n{k}')} + {index}")
        self.line(f"index = int64({text})")

    # --- the loops ---

    def each(self):
        """A thread for each place along the mapped axes: maps and columns."""
        mapped = [k for k, letter in enumerate(self.axes) if letter == "m"]
        self.line(f"i = {self.at('cuda.grid(1)')}")
        with self.under(f"if i < {self.product(mapped)}:"):
            outer = self.coordinates(mapped, "i")
            if self.reduced:
                self.stages(outer, self.at("0"), self.at("1"))
            else:
                self.inside(self.stored(), outer, self.stores)

    def row(self):
        """A block for each row; `t` is the thread in it."""
        mapped = [k for k, letter in enumerate(self.axes) if letter == "m"]
        start, step = "t", "cuda.blockDim.x"
        self.line(f"row = {self.at('cuda.blockIdx.x')}")
        self.line(f"t = {self.at('cuda.threadIdx.x')}")
        if self.split:
            start, step = "start", "cuda.blockDim.x * parts"
            part = self.at(f"{self.at('row % parts')} * cuda.blockDim.x")
            self.line(f"start = {self.at(f'{part} + t')}")
            self.line(f"row = {self.at('row // parts')}")
        self.line(f"step = {self.at(step)}")
        for s in self.reduces():
            self.line(f"{self.names[s.name]}_all = cuda.shared.array({WARPS}, {self.accumulator(s)[0]})")
        self.stages(self.coordinates(mapped, "row"), start, "step")

    def stages(self, outer: dict[int, str], start: str, step: str):
        """One loop over the reduced axes per stage, then what is stored once."""
        known: set[str] = set()
        together = step == "step"

        def outers(names):
            fresh = [n for n in self.wanted(names, False) if n not in known]
            self.placed(fresh, outer)
            known.update(fresh)

        self.line(f"count = {self.product(self.reduced)}")
        for reduces, stores in self.passes():
            roots = [s.arg for s in reduces] + [s.value for s in stores]
            inner = self.wanted(roots, True)
            outers(roots + [a for n in inner if n in self.statements for a in self.statements[n].args])
            for s in reduces:
                self.line(f"{self.names[s.name]}_sum = {self.accumulator(s)[1]}")
            self.line(f"j = {start}")
            with self.under("while j < count:"):
                here = outer | self.coordinates(self.reduced, "j")
                self.inside(inner, here, stores, reduces)
                self.line(f"j = {self.at(f'j + {step}')}")
            if together and reduces:
                self.join(reduces)
            for s in reduces:
                self.finish(s, f"{self.names[s.name]}_sum")
        last = [s for s in self.stores if not self.varies(self.writes[s.operand][1])]
        if last:
            with self.under("if t == 0:") if together else contextlib.nullcontext():
                outers([s.value for s in last])
                for s in last:
                    place = self.place(self.writes[s.operand][1], outer)
                    self.store(s, "cuda.blockIdx.x" if self.split else place)

    def inside(self, names, here, stores, reduces=()):
        """What happens at one place: loads, lines, accumulation, stores."""
        names = names if self.reduced else self.wanted(names, False)
        self.placed(names, here)
        for s in reduces:
            total = f"{self.names[s.name]}_sum"
            self.line(f"{total} = {self.combine(s, total)}")
        for s in stores:
            self.store(s, self.place(self.writes[s.operand][1], here))

    def placed(self, names, here):
        """The statements for `names` at a place."""
        if any(INDEX in getattr(self.statements.get(n), "args", ()) for n in names) or INDEX in names:
            self.number(here)
        self.statements_for(names, lambda operand: self.place(operand, here))

    def join(self, reduces):
        """From each thread's part to the block's total, known to all its threads."""
        totals = [(s, f"{self.names[s.name]}_sum", f"{self.names[s.name]}_all") for s in reduces]
        with self.under("for k in range(5):"):
            for s, total, _ in totals:
                other = f"cuda.shfl_xor_sync(0xffffffff, {total}, 16 >> k)"
                if self.accumulator(s)[0] == "uint64":
                    other = f"uint64(cuda.shfl_xor_sync(0xffffffff, int64({total}), 16 >> k))"
                self.line(f"{total}_k = {other}")
                self.line(f"{total} = {self.combined(s, total, f'{total}_k')}")
        with self.under("if t % 32 == 0:"):
            for _, total, shared in totals:
                self.line(f"{shared}[t // 32] = {total}")
        self.line("cuda.syncthreads()")
        for _, total, shared in totals:
            self.line(f"{total} = {shared}[0]")
        with self.under("for k in range(1, cuda.blockDim.x // 32):"):
            for s, total, shared in totals:
                self.line(f"{total}_k = {shared}[k]")
                self.line(f"{total} = {self.combined(s, total, f'{total}_k')}")

    # --- statements ---

    def convert(self, text, source, target):
        now, wanted = held(source), held(target)
        if now != wanted:
            text = _cast(text, now, wanted)
        if target == "float16" and source != "float16":
            text = f"float32(float16({text}))"
        return text

    def load(self, name, place):
        operand = self.operands[name]
        text = f"{self.names[name]}_p[{place}]"
        if operand.dtype == "bool":
            text += " != 0"
        elif operand.dtype == "float16":
            text = f"float32({text})"
        self.line(f"{self.names[name]} = {text}")

    def store(self, s, place, value=None):
        _, operand = self.writes[s.operand]
        text = value or self.names[s.value]
        if operand.dtype == "float16":
            source = self.dtypes[s.value]
            text = f"float16({text if held(source) == 'float32' else _cast(text, held(source), 'float32')})"
        else:
            text = self.convert(text, self.dtypes[s.value], operand.dtype)
            text = f"uint8({text})" if operand.dtype == "bool" else text
        self.line(f"{self.names[s.operand]}_p[{place}] = {text}")

    def compute(self, name):
        s = self.statements[name]
        given = [self.names[a] for a in s.args]
        given = [f"({a} != 0)" if self.is_flag(k) else a for a, k in zip(given, s.args, strict=True)]
        if s.fn == CAST:
            text = self.convert(given[0], self.dtypes[s.args[0]], s.dtype)
        else:
            dtype = compute_dtype(s, self.dtypes)
            args = []
            for text, arg, only in zip(given, s.args, typed.conditions(s.fn), strict=True):
                wanted = "bool" if only else dtype if dtype != "float16" else "float32"
                text = self.convert(text, self.dtypes[arg], wanted)
                if not text.isidentifier():
                    name_ = self.fresh(f"{self.names[name]}_x")
                    self.line(f"{name_} = {text}")
                    text = name_
                args.append(text)
            prefix = f"{self.names[name]}_"
            lines, text, result = Inline(s.fn, dtype, args, lambda hint: self.fresh(hint, prefix)).render()
            for line in lines:
                self.line(line)
            text = self.convert(text, result, s.dtype)
        self.line(f"{self.names[name]} = {text}")

    def is_flag(self, name):
        """Whether `name` is a bool scalar, which arrives as a uint8."""
        return name not in self.statements and name not in self.operands and self.dtypes[name] == "bool"

    def accumulator(self, s: Reduce):
        dtype = accumulator(s.how, self.dtypes[s.arg], s.dtype)
        if s.how in ("sum", "prod"):
            return dtype, f"{dtype}({0 if s.how == 'sum' else 1})"
        if dtype.startswith("float"):
            return dtype, f"{dtype}({'-' if s.how == 'max' else ''}math.inf)"
        low, high = (0, 1) if self.dtypes[s.arg] == "bool" else _INTEGER_LIMITS[self.dtypes[s.arg]]
        return dtype, f"{dtype}({low if s.how == 'max' else high})"

    def combine(self, s: Reduce, total):
        x = self.convert(self.names[s.arg], self.dtypes[s.arg], self.accumulator(s)[0])
        if not x.isidentifier():
            self.line(f"{total}_k = {x}")
            x = f"{total}_k"
        return self.combined(s, total, x)

    def combined(self, s: Reduce, a: str, b: str) -> str:
        """Two parts of a reduction as one."""
        dtype = self.accumulator(s)[0]
        if s.how in ("sum", "prod"):
            text = f"{a} {'+' if s.how == 'sum' else '*'} {b}"
            return text if dtype.startswith("float") else f"{dtype}({text})"
        op = ">=" if s.how == "max" else "<="
        nan = f"({a} {op} {b}) | ({a} != {a})" if dtype.startswith("float") else f"{a} {op} {b}"
        return f"{a} if {nan} else {b}"


def accumulator(how: str, source: str, target: str) -> str:
    """The dtype in which a reduction of `source` to `target` runs; integers in 64 bits, which shuffles move."""
    dtype = held(source)
    if how in ("sum", "prod"):
        return "int64" if not target.startswith("float") else "float64" if "float64" in (dtype, target) else "float32"
    return dtype if dtype.startswith("float") else "uint64" if dtype == "uint64" else "int64"


def storage(dtype: str) -> str:
    """The dtype of a value in memory: halves are halves on a GPU."""
    return "uint8" if dtype == "bool" else dtype


def _cast(text: str, source: str, target: str) -> str:
    """A conversion as NumPy does it; floats become narrow integers by way of wider ones, out of range they wrap."""
    if target == "bool":
        return f"({text} != {source}(0))"
    if source.startswith("float") and target in ("int8", "uint8", "int16", "uint16"):
        return f"{target}(int32({text}))"
    if source.startswith("float") and target == "uint32":
        return f"uint32(int64({text}))"
    return f"{target}({text})"
