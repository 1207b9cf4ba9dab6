"""The graph: what a traced function computes, as data. `str(graph)` reads like a listing."""

from __future__ import annotations

from ..array import Aval
from ..op import Op


class Node(Aval):
    """One value of a graph. While tracing it stands in the place of an array's buffer.

    Attributes:
        op: what computes it; None for an input.
        inputs: Nodes and Python scalars, in the op's order.
        spec: the op's keywords.
        number: position in the graph; inputs of a node have smaller numbers.
        where: `(file, line, layer)` of the user's statement and the layer of ours that it called, '' if none.
        label: name of an input.
        parts: of an op with several results, their Nodes.
    """

    __slots__ = ("op", "inputs", "spec", "number", "where", "label", "parts", "__weakref__")

    def __init__(self, op: Op | None, inputs, spec, shape, dtype, number: int, where=None, label: str = ""):
        self.op, self.inputs, self.spec = op, inputs, spec
        self.shape, self.dtype, self.number, self.where, self.label = tuple(shape), dtype, number, where, label
        self.parts: tuple[Node, ...] = ()

    @property
    def is_input(self) -> bool:
        return self.op is None

    @property
    def kind(self) -> str:
        """The op's kind, or 'input'."""
        return "input" if self.op is None else self.op.kind

    def nodes(self) -> list[Node]:
        """The inputs that are nodes."""
        return [x for x in self.inputs if isinstance(x, Node)]

    @property
    def name(self) -> str:
        return self.label or f"v{self.number}"

    def origin(self) -> str:
        """Which inputs the value depends on, for error messages."""
        labels = sorted({n.label for n in ancestors([self]) if n.is_input and n.label})
        return f" (it depends on {', '.join(labels)})" if labels else ""

    def __repr__(self) -> str:
        if self.op is None:
            return f"{self.name} : {self}"
        args = [x.name if isinstance(x, Node) else repr(x) for x in self.inputs]
        args += [f"{k}={v!r}" for k, v in self.spec.items()]
        return f"{self.name} = {self.op.name}({', '.join(args)}) : {self}"


def ancestors(roots, known=frozenset()) -> list[Node]:
    """`roots` and everything they are computed from, in order of computation, without looking behind `known`."""
    seen: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.number not in seen:
            seen[node.number] = node
            if node not in known:
                stack.extend(node.nodes())
    return [seen[k] for k in sorted(seen)]


class Graph:
    """Inputs, outputs and everything between, in order of computation.

    Attributes:
        inputs: the input Nodes.
        outputs: the result Nodes.
        nodes: every Node but the inputs that some output needs, in order.

    A computed Node may serve as an input: the graph of a backward pass has the residuals of the forward pass there.
    """

    def __init__(self, inputs: list[Node], outputs: list[Node]):
        self.inputs, self.outputs = inputs, outputs
        known = set(inputs)
        self.nodes = [n for n in ancestors(outputs, known) if n not in known]

    def __str__(self) -> str:
        lines = [f"input  {n!r}" for n in self.inputs]
        lines += [f"       {n!r}" for n in self.nodes]
        return "\n".join([*lines, f"return {', '.join(n.name for n in self.outputs)}"])

    def check(self) -> None:
        """Verify order, shapes and dtypes of every node against the op's own rule (NUMBLOCKS_CHECK=1)."""
        known = {n.number for n in self.inputs}
        for n in self.nodes:
            for x in n.nodes():
                if x.number not in known:
                    raise AssertionError(f"graph: {n!r} uses {x.name} before it is computed")
            known.add(n.number)
            if n.op.infer is not None and n.op.kind not in ("random", "item"):
                found = n.op.infer(*n.inputs, **n.spec)
                if not isinstance(found, tuple) and (found.shape != n.shape or found.dtype != n.dtype):
                    raise AssertionError(f"graph: {n!r} but its op infers {found}")
