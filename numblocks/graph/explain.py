"""What a compiled call consists of: groups, kernels and their files, BLAS calls, Python steps, bytes, memory."""

from __future__ import annotations

from typing import NamedTuple

from ..kernels import loops
from ..kernels.build import interpreted
from .describe import bytes_of, kind, label, nbytes, nodes, place, size, traffic
from .instance import Instance
from .lower import Launch, View
from .plan import Plan


class StepInfo(NamedTuple):
    """One step.

    Attributes:
        kind: 'kernel', 'BLAS', 'python', 'copy', 'loop' or 'branch'.
        name: the kernel's, or the op's.
        ops: names of the ops it computes, in order; several in one kernel are fused.
        operands: what it reads and writes, as `float32[4,3]`.
        nbytes: bytes it must move at least.
        native: part of a native table; otherwise called from Python (a large kernel, split over threads, is).
        file: the kernel's readable source.
        statements: the kernel's statements with the user's lines; of a loop or branch the steps of its bodies.
    """

    kind: str
    name: str
    ops: tuple[str, ...]
    operands: str
    nbytes: int
    native: bool
    file: str
    statements: tuple[str, ...]


class Pass(NamedTuple):
    """The steps of a forward or backward pass."""

    title: str
    steps: tuple[StepInfo, ...]

    def count(self, *kinds: str) -> int:
        """Steps of these kinds."""
        return sum(s.kind in kinds for s in self.steps)

    @property
    def launches(self) -> int:
        """Generated kernels launched."""
        return self.count("kernel")

    @property
    def blas(self) -> int:
        """Matrix products done by NumPy's BLAS from the native table."""
        return self.count("BLAS")

    @property
    def python(self) -> int:
        """Steps that call Python: ops with an implementation of their own, copies, loops and branches."""
        return self.count("python", "copy", "loop", "branch")

    @property
    def calls(self) -> int:
        """Calls that leave Python: one for each run of native steps, one for every other step."""
        return sum(not s.native or k == 0 or not self.steps[k - 1].native for k, s in enumerate(self.steps))

    @property
    def nbytes(self) -> int:
        """Bytes moved."""
        return sum(s.nbytes for s in self.steps)

    def __str__(self) -> str:
        steps = f"{_number(self.launches, 'kernel')}, {_number(self.blas, 'BLAS call')}"
        steps += f", {_number(self.python, 'Python step')} in {_number(self.calls, 'call')}"
        lines = [f"{self.title}: {steps}; {size(self.nbytes)} moved"]
        for k, s in enumerate(self.steps):
            ops = " + ".join(s.ops)
            threads = "" if s.native or s.kind != "kernel" or interpreted() else " (split over threads)"
            lines.append(f"  {k + 1:3} {s.kind:6} {s.name}{f': {ops}' if ops not in (s.name, '') else ''}{threads}")
            lines.append(f"             {s.operands}, {size(s.nbytes)}")
            lines += [f"             {text}" for text in s.statements]
            if s.file:
                lines.append(f"             in {s.file}")
        return "\n".join(lines)


class Explanation(NamedTuple):
    """What `net.explain(x)` returns; printing it gives the listing.

    Attributes:
        name: of the function.
        signature: the arguments it is compiled for.
        passes: forward, and backward when recorded.
        arena_bytes: working memory of one call in flight (arguments, parameters, results not counted).
        residuals: `(what, bytes)` of the buffers kept from forward for backward.
    """

    name: str
    signature: str
    passes: tuple[Pass, ...]
    arena_bytes: int
    residuals: tuple[tuple[str, int], ...]

    @property
    def forward(self) -> Pass:
        """The forward pass."""
        return self.passes[0]

    @property
    def backward(self) -> Pass | None:
        """The backward pass, None if nothing is differentiated."""
        return self.passes[1] if len(self.passes) > 1 else None

    @property
    def residual_bytes(self) -> int:
        """Bytes kept from forward for backward."""
        return sum(n for _, n in self.residuals)

    def __str__(self) -> str:
        kept = "; ".join(f"{what} {size(n)}" for what, n in self.residuals)
        memory = f"memory: arena {size(self.arena_bytes)}, kept for backward {size(self.residual_bytes)}"
        memory += f": {kept}" if kept else ""
        return "\n".join([f"{self.name}({self.signature})", *map(str, self.passes), memory])

    __repr__ = __str__


def explain(entry, names=None) -> Explanation:
    """The Explanation of a traced signature (`compiled.Entry`).

    Args:
        names: by `id` of an array the function reaches for, what to call it.
    """
    captured = entry.plan.inputs[entry.plan.arguments :]
    given = names or {}
    known = {n: given.get(id(x), n.label) for n, x in zip(captured, entry.sources, strict=True)}
    return explain_plan(entry.plan, known)


def explain_plan(plan: Plan, names=None) -> Explanation:
    """The Explanation of a plan. Builds its kernels, runs nothing.

    Args:
        names: by input Node, what to call it.
    """
    found: dict[int, list[StepInfo]] = {id(plan.first): [], id(plan.second): []}
    seen: list = []

    def collect(bound, step, native, function):
        if not any(step is other for other in seen):
            seen.append(step)
            found[id(bound.schedule)].append(info(step, native, names or {}))
        return function

    Instance(plan, [collect])
    passes = [Pass("forward", tuple(found[id(plan.first)]))]
    if plan.second is not None:
        passes.append(Pass("backward", tuple(found[id(plan.second)])))
    arguments = ", ".join(f"{n.dtype.name}{list(n.shape)}" for n in plan.inputs[: plan.arguments])
    roots = sorted(plan.kept_roots() - set(plan.inputs), key=lambda n: n.number)
    residuals = tuple((f"{_what(n)}{f' ({place(n.where)})' if n.where else ''}", n.size * n.itemsize) for n in roots)
    return Explanation(plan.name, arguments, tuple(passes), plan.arena_bytes, residuals)


def info(step, native: bool, names) -> StepInfo:
    """The StepInfo of a step of a plan; `names` as for `explain_plan`."""
    reads, writes = traffic(step)
    came, went = (", ".join(_window(view, names) for view in views) for views in (reads, writes))
    operands = f"{came or 'nothing'} -> {went}"
    file, statements = "", ()
    if isinstance(step, Launch):
        file = str(loops.program_kernel(step.program).path or "")
        where = {name: place(node.where) for name, node in step.lines}
        statements = tuple(_with_place(text, where.get(text.split(" = ")[0], "")) for text in step.program.lines())
    elif nodes(step):
        statements = _inside(nodes(step)[0])
        if nodes(step)[0].where:
            operands += f"  # {place(nodes(step)[0].where)}"
    ops = tuple(n.op.name for n in nodes(step))
    return StepInfo(kind(step, native), label(step), ops, operands, nbytes(step), native, file, statements)


def _inside(node) -> tuple[str, ...]:
    """What a loop or a branch runs, in lines."""
    if node.kind == "loop":
        form = node.spec["form"]
        often = {"all": "", "while": "at most ", "counted": "as often as it went on, at most "}[form.steps]
        bodies = [(f"{often}{node.spec['length']} times {form.body}{', backwards' if form.reverse else ''}", form.body)]
    elif node.kind == "branch":
        bodies = list(zip(("if it holds", "else"), node.spec["bodies"], strict=True))
    else:
        return ()
    lines = []
    for title, body in bodies:
        _, *steps = str(explain_plan(body.plan).forward).splitlines()
        lines += [f"{title}:", *steps]
    return tuple(lines)


def _with_place(text: str, where: str) -> str:
    return f"{text:44} # {where}" if where else text


def _window(view: View, names) -> str:
    root = view.root
    name = names.get(root, root.label)
    part = "" if bytes_of(view) == root.size * root.itemsize else " (part)"
    return f"{name}{' ' if name else ''}{root.dtype.name}{list(view.shape)}{part}"


def _what(node) -> str:
    return f"{node.op.name if node.op else node.label} {node.dtype.name}{list(node.shape)}"


def _number(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


__all__ = ["Explanation", "Pass", "StepInfo", "explain", "explain_plan"]
