"""A plan as data that a loader without numblocks can follow: memory, steps, packed words (see `formats.deployed`).

    word     = int | [slot, byte offset] of an argument, parameter or result | ["a", byte offset] in the arena
             | ["t", number, byte offset] in a scratch buffer | ["c", number, byte offset] in a table
    window   = {"at": word, "shape": [...], "strides": [bytes ...], "dtype": name}
    step     = {"kernel": name, "n": int, "words": [word ...]}
             | {"matmul" | "copy" | "take" | "gather": [window ...], ...}
"""

from __future__ import annotations

import numpy

from ..kernels import build, loops
from .lower import Launch, Stream, View, whole
from .plan import Plan
from .recording import Unexplained, record
from .structure import ARRAY


class Exporter:
    """Turns plans into data and gathers the kernels and tables they need.

    Attributes:
        kernels: by name, what the shared library must hold.
        tables: constants of all plans.
    """

    def __init__(self):
        self.kernels: dict[str, build.Kernel] = {}
        self.tables: list[numpy.ndarray] = []
        self.scratch: list[int] = []
        self.plan: Plan = None

    def signature(self, entry, structure, name_of) -> dict:
        """One traced signature (`compiled.Entry`) as data.

        Args:
            structure: how its arguments nest.
            name_of: the name of a captured array.

        Raises:
            NotImplementedError: a step has no form outside numblocks; the message names the op.
        """
        plan = self.plan = entry.plan
        self.scratch = []
        steps = [data for step in plan.first.steps for data in self.step(step)]
        slots = max(plan.slots.values(), default=-1) + 1
        return {
            "arguments": [_aval(n) for n in plan.inputs[: plan.arguments]],
            "nesting": nesting(structure),
            "captured": [name_of(x) for x in entry.sources],
            "slots": slots,
            "results": [
                {"slot": slot, **_aval(n)}
                for slot, n in zip(plan.output_slots, plan.forward.outputs[: plan.results], strict=True)
            ],
            "outputs": nesting(entry.structure),
            "arena": int(plan.arena_bytes),
            "scratch": self.scratch,
            "steps": steps,
            "guards": [self.window(w) for w in plan.guards],
        }

    def step(self, step) -> list[dict]:
        """A step as data; several where an op launches several kernels."""
        if isinstance(step, Launch):
            return self.launch(step)
        if not hasattr(step, "node"):
            return [{"copy": [self.window(step.source), self.window(whole(step.target))]}]
        node, operands = step.node, step.operands
        name = node.op.name
        windows = [x for x in operands if isinstance(x, View)]
        if node.parts or len(windows) != len(operands):
            return self.recorded(step)
        data = [*map(self.window, windows), self.window(whole(node))]
        if name == "matmul" and node.itemsize >= 4 and all(x.root.dtype == node.dtype for x in windows):
            return [{"matmul": data}]
        if name == "cast" and node.dtype.itemsize != 2:
            return [{"copy": data}]
        if name == "take":
            return [{"take": data, "axis": node.spec.get("axis", 0), "mode": node.spec.get("mode", "raise")}]
        if node.kind == "move" or name == "concat":
            if all(x.root.dtype == node.dtype for x in windows):
                return [{"gather": data, "index": self.table(_origin(node, windows))}]
        return self.recorded(step)

    def launch(self, step: Launch) -> list[dict]:
        """A generated kernel."""
        program = step.program
        if any(isinstance(v, Stream) for v in step.scalars):
            raise _no_form(step.nodes[0].op.name, "its random numbers come from numblocks' generator")
        kernel = self.kernel(loops.program_kernel(program))
        strides = [s for _, s in step.operands]
        words: list = loops.pack(program, step.sizes, [0] * len(strides), strides, step.scalars).tolist()
        position = len(step.sizes)
        for (window, _), operand in zip(step.operands, program.reads + program.writes, strict=True):
            words[position] = self.place(window.root, window.offset * window.root.itemsize)
            position += 1 + operand.layout.count("s")
        n = program.extent(step.sizes)
        return [{"kernel": kernel, "n": int(n), "words": words}] if n else []

    def recorded(self, step) -> list[dict]:
        """An op with an implementation of its own, as the launches it makes."""
        name = step.node.op.name
        try:
            found = record(step)
        except (Unexplained, TypeError) as error:
            raise _no_form(name, str(error)) from error
        if not found.calls:
            raise _no_form(name, "it is computed in Python")
        first = len(self.scratch)
        self.scratch += found.scratch
        tables = [self.table(t) for t in found.constants]

        def word(w):
            if isinstance(w, int):
                return w
            where, which, offset = w
            offset = int(offset)
            if where == "root":
                return self.place(which, offset)
            return ["t", first + which, offset] if where == "scratch" else ["c", tables[which], offset]

        def data(call) -> dict:
            if isinstance(call[0], str):
                return {call[0]: [{"at": word(at), "shape": list(shape), "strides": list(strides), "dtype": dtype}
                                  for at, shape, strides, dtype in call[1]]}  # fmt: skip
            kernel, n, words = call
            return {"kernel": self.kernel(kernel), "n": int(n), "words": [word(w) for w in words]}

        return [data(call) for call in found.calls]

    def kernel(self, kernel) -> str:
        """The kernel's name, noted for the library."""
        if kernel.address is None:
            raise RuntimeError("export_compiled: NUMBA_DISABLE_JIT is set, so there is no machine code. Unset it.")
        self.kernels[kernel.name] = kernel
        return kernel.name

    def table(self, table: numpy.ndarray) -> int:
        """Number of a constant table, one for equal ones."""
        for k, known in enumerate(self.tables):
            if known.dtype == table.dtype and known.shape == table.shape and known.tobytes() == table.tobytes():
                return k
        self.tables.append(table)
        return len(self.tables) - 1

    def place(self, root, offset: int) -> list:
        """A word for an address."""
        slot = self.plan.slots.get(root)
        if slot is None:
            return ["a", int(self.plan.offsets[root] + offset)]
        return [slot, int(offset)]

    def window(self, view: View) -> dict:
        """A View as data."""
        item = view.root.itemsize
        return {
            "at": self.place(view.root, view.offset * item),
            "shape": [int(n) for n in view.shape],
            "strides": [int(s * item) for s in view.strides],
            "dtype": view.root.dtype.name,
        }


def nesting(structure):
    """A structure (see `structure.flatten`) in JSON's terms.

    >>> nesting((tuple, ("*", None, ("value", int, 3))))
    ['tuple', ['*', None, ['value', 3]]]
    """
    if structure is None or structure == ARRAY:
        return structure
    kind = structure[0]
    if kind == "value":
        if not isinstance(structure[2], (bool, int, float, str)):
            raise NotImplementedError(
                f"export_compiled: argument {structure[2]!r} cannot be written to a file. Arguments are arrays,"
                f" numbers, strings, None, and lists, tuples and dicts of them. Give forward another argument."
            )
        return ["value", structure[2]]
    if kind is dict:
        return ["dict", [[k, nesting(v)] for k, v in structure[1]]]
    return ["tuple" if issubclass(kind, tuple) else "list", [nesting(v) for v in structure[1]]]


def _origin(node, windows) -> numpy.ndarray:
    """For each element of a movement's answer, its number among the elements of its operands."""
    numbers, start = [], 0
    for view in windows:
        count = int(numpy.prod(view.shape))
        numbers.append(numpy.arange(start, start + count, dtype=numpy.int64).reshape(view.shape))
        start += count
    return numpy.ascontiguousarray(node.op.run(*numbers, **node.spec)).reshape(-1)


def _no_form(name: str, why: str) -> NotImplementedError:
    return NotImplementedError(
        f"export_compiled: op '{name}' has no form outside numblocks: {why}. Nets of dense layers, convolutions,"
        " pooling, norms, activations, embeddings and recurrent layers can be written. Take it out of the net's"
        " forward."
    )


def _aval(node) -> dict:
    return {"shape": [int(n) for n in node.shape], "dtype": node.dtype.name}
