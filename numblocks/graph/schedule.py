"""Schedules: the steps of one graph, in order, and the buffers they need."""

from __future__ import annotations

from typing import NamedTuple

from ..kernels.program import NoNest
from .fuse import fuse, is_map
from .graph import Graph, Node
from .lower import Launch, View, lower, root_of, view_of, whole


class Call(NamedTuple):
    """A step that runs an op's own implementation: `op.run(*operands, out=, **spec)`."""

    node: Node
    operands: tuple  # Views and Python scalars


class Copy(NamedTuple):
    """A step that copies a window into a buffer (an output that is only a movement of something)."""

    target: Node
    source: View


class Schedule:
    """The steps of one graph and the buffers they need.

    Attributes:
        steps: Launch, Call and Copy, in order.
        life: for each buffer inside the arena, its first and last step.
    """

    def __init__(self, graph: Graph, external: set[Node]):
        self.graph = graph
        self.steps: list[Launch | Call | Copy] = []
        self.buffers: dict[Node, list[int]] = {}
        self.external = external  # nodes whose memory comes from outside: inputs, residuals
        groups = fuse(graph)
        uses = outside_uses(groups, graph.outputs)
        for group in groups:
            members = set(group.nodes)
            if group.fused:
                stored = []
                for n in group.nodes:
                    if n in uses and root_of(n, members) not in stored:
                        stored.append(root_of(n, members))
                if stored:
                    for n in stored:
                        self.hold(n)
                    try:
                        self.add(lower(group, stored, self.view))
                    except NoNest:  # more axes than loops have
                        for n in group.nodes:
                            self.single(n)
            else:
                self.single(group.nodes[0])

    def single(self, node: Node) -> None:
        """A node as a step of its own, unless it is a window on memory that exists."""
        if node.kind in ("move", "item") and self.find(node) is not None:
            return
        operands = tuple(self.view(x) if isinstance(x, Node) else x for x in node.inputs)
        for made in node.parts or (node,):
            self.hold(made)
        self.add(Call(node, operands))

    def hold(self, node: Node) -> None:
        """Give `node` a buffer from the next step on."""
        self.buffers.setdefault(node, [len(self.steps), len(self.steps)])

    def add(self, step) -> None:
        """Append a step; the buffers it reads live until then."""
        for window in windows(step):
            if window.root in self.buffers:
                self.buffers[window.root][1] = len(self.steps)
        self.steps.append(step)

    def find(self, node: Node) -> View | None:
        """`node` as a window on memory that exists, or None."""
        return view_of(node, lambda n: n in self.buffers or n in self.external)

    def view(self, node: Node) -> View:
        """`node` as a window on memory that exists; a movement with no view of its own is made a step."""
        found = self.find(node)
        if found is None:
            operands = tuple(self.view(x) if isinstance(x, Node) else x for x in node.inputs)
            self.hold(node)
            self.add(Call(node, operands))
            found = whole(node)
        return found


def windows(step) -> list[View]:
    """The windows a step reads or writes."""
    if isinstance(step, Launch):
        return [w for w, _ in step.operands]
    if isinstance(step, Copy):
        return [step.source]
    return [x for x in step.operands if isinstance(x, View)]


def outside_uses(groups, outputs) -> set[Node]:
    """Nodes whose value is needed outside the group that computes them."""
    home = {n: g for g in groups for n in g.nodes}
    needed = {n for n in outputs if n in home}
    for g in groups:
        for n in g.nodes:
            for x in n.nodes():
                if x in home and home[x] is not g:
                    needed.add(x)
    changed = True
    while changed:  # a movement needed outside needs what it moves
        changed = False
        for n in list(needed):
            if n.kind == "move" and not is_map(n) and n.inputs[0] in home and n.inputs[0] not in needed:
                needed.add(n.inputs[0])
                changed = True
    return needed
