"""Fusion: which nodes share a loop.

A group has a loop space (a shape) and, if it reduces, the axes it reduces over. Elementwise nodes of that shape are
lines of its loop; a reduction over those axes ends a stage; nodes of the reduced shape are computed once per outer
index. Reshapes that only add or drop axes of length 1, transposes and broadcasts of a value inside a group change
how it is indexed, nothing else. Groups stay convex: no path leaves a group and comes back.
"""

from __future__ import annotations

from .axes import identity, outer_axes, realigned, same_axes, trailing
from .graph import Graph, Node

LINES = 48  # statements in one kernel
OPERANDS = 24  # arrays in one kernel
DTYPES = frozenset("float32 float64 bool int8 uint8 int16 int32 int64".split())
REDUCTIONS = frozenset(("sum", "prod", "max", "min"))


class Group:
    """Nodes that become one kernel, or a single node that is a step of its own.

    Attributes:
        nodes: members in order.
        shape: the loop space; None for a single step.
        reduced: axes reduced over.
        axes: for each member the loop axis of each of its own axes, None where it has length 1.
    """

    __slots__ = ("nodes", "shape", "reduced", "axes", "deps")

    def __init__(self, node: Node, shape=None, reduced=frozenset()):
        self.nodes, self.shape, self.reduced = [node], shape, reduced
        self.axes: dict[Node, tuple] = {}
        self.deps: set[Group] = set()

    def __repr__(self) -> str:
        return f"<group {'+'.join(n.op.name for n in self.nodes)} over {self.shape}>"

    @property
    def fused(self) -> bool:
        """Whether the group is a loop (and not a step of its own)."""
        return self.shape is not None


def fusable(node: Node) -> bool:
    """Whether generated loops can compute the node."""
    if node.dtype.name not in DTYPES or any(x.dtype.name not in DTYPES for x in node.nodes()):
        return False
    if node.kind == "random":
        return node.dtype.name in ("float32", "float64")
    if is_map(node):
        return node.kind != "elementwise" or node.op.scalar is not None or node.op.name == "cast"
    return node.kind == "reduce" and node.op.result in REDUCTIONS


def is_map(node: Node) -> bool:
    """Whether each element of the answer comes from one element of each operand: elementwise ops and broadcasts."""
    return node.kind in ("elementwise", "random") or (node.op is not None and node.op.name == "broadcast_to")


def numbers_fit(nodes, shape, reduced) -> bool:
    """Whether a loop with random members runs in the order in which random numbers are counted."""
    if not reduced or all(n.kind != "random" for n in nodes):
        return True
    letters = "".join("r" if k in reduced else "m" for k in range(len(shape)))
    return letters.lstrip("m").lstrip("r") in ("", "m")


class Fuser:
    """Greedy fusion in order of computation."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.group_of: dict[Node, Group] = {}
        self.groups: list[Group] = []

    def run(self) -> list[Group]:
        """Groups in an order in which they can run."""
        for node in self.graph.nodes:
            group = self.place(node)
            self.group_of[node] = group
        for group in list(self.groups):
            if group.reduced:
                self.absorb(group)
        return self.ordered()

    def absorb(self, group: Group) -> None:
        """Take in maps over the group's outer axes alone: they are computed once per outer index, as they were."""
        outer = [a for a in range(len(group.shape)) if a not in group.reduced]
        for node in list(group.nodes):
            if not is_map(node):
                continue
            for x in node.nodes():
                other = self.group_of.get(x)
                if other is None or other is group or not other.fused or other.reduced:
                    continue
                if any(n.kind == "random" for n in other.nodes):
                    continue
                need = trailing(group.axes[node], x, len(group.shape), group.shape)
                if need is None:
                    continue
                place = {b: a for a, b in zip(need, other.axes[x], strict=True) if b is not None}
                if [place.get(b) for b in range(len(other.shape))] != outer:
                    continue
                users = [u for n in other.nodes for u in self.users().get(n, ())]
                if any(self.group_of[u] not in (group, other) for u in users) or set(other.nodes) & set(
                    self.graph.outputs
                ):
                    continue
                inside = {n: tuple(None if b is None else place[b] for b in axes) for n, axes in other.axes.items()}
                if any(u not in other.axes and (not is_map(u) or trailing(
                        group.axes[u], n, len(group.shape), group.shape) != inside[n])
                       for n in other.nodes for u in self.users().get(n, ())):  # fmt: skip
                    continue
                if any(self.reaches(d, group) for d in other.deps):
                    continue
                if len(group.nodes) + len(other.nodes) > LINES or len(self.operands(group, x)) > OPERANDS // 2:
                    continue
                other.axes = inside
                self.merge(other, group)

    def place(self, node: Node) -> Group:
        """Put `node` into a group of its inputs if one fits, else into a new one."""
        producers = []
        for x in node.nodes():
            g = self.group_of.get(x)
            if g is not None and g.fused and g not in producers:
                producers.append(g)
        if node.kind == "move" and producers and node.op.name != "broadcast_to":
            group = producers[0]
            axes = group.axes.get(node.inputs[0])
            moved = None if axes is None else realigned(node, axes)
            if moved is not None and len(group.nodes) < LINES:
                return self.join(node, group, moved)
        if fusable(node):
            for group in sorted(producers, key=lambda g: -len(g.nodes)):
                if self.try_join(node, group, producers):
                    return group
            return self.open(node)
        return self.single(node)

    def single(self, node: Node) -> Group:
        group = Group(node)
        self.groups.append(group)
        self.depend(group, node)
        return group

    def open(self, node: Node) -> Group:
        """A new loop for one node."""
        if node.kind == "reduce":
            source = node.inputs[0]
            group = Group(node, source.shape, frozenset(node.spec["axis"]))
            group.axes[node] = outer_axes(node, source.ndim)
        else:
            group = Group(node, node.shape)
            group.axes[node] = identity(node.ndim)
        self.groups.append(group)
        self.depend(group, node)
        return group

    def join(self, node: Node, group: Group, axes: tuple) -> Group:
        group.nodes.append(node)
        group.axes[node] = axes
        self.depend(group, node)
        return group

    def depend(self, group: Group, node: Node) -> None:
        for x in node.nodes():
            other = self.group_of.get(x)
            if other is not None and other is not group:
                group.deps.add(other)

    def try_join(self, node: Node, group: Group, producers: list[Group]) -> bool:
        """Add `node` to `group`, merging the other producers into it where that is allowed."""
        if len(group.nodes) >= LINES:
            return False
        axes = self.axes_in(node, group)
        if axes is None:
            return False
        if any(self.reaches(self.group_of.get(x), group) for x in node.nodes() if self.group_of.get(x) is not group):
            return False  # a path would leave the group and come back
        reduced = group.reduced
        if node.kind == "reduce":
            want = (
                frozenset(group.axes[node.inputs[0]][k] for k in node.spec["axis"])
                if node.inputs[0] in group.axes
                else None
            )
            if want is None or None in want or (reduced and want != reduced):
                return False
            if not reduced and not self.may_reduce(group, want):
                return False
            if not numbers_fit(group.nodes, group.shape, want):
                return False
            reduced = want
        if len(self.operands(group, node)) > OPERANDS:
            return False
        group.reduced = reduced
        self.join(node, group, axes)
        for other in producers:
            if other is not group and self.mergeable(other, group):
                self.merge(other, group)
        return True

    def may_reduce(self, group: Group, want: frozenset) -> bool:
        """Whether a map group may become a reducing one: its nodes vary along all axes or along none reduced."""
        for axes in group.axes.values():
            present = {a for a in axes if a is not None} & want
            if present and present != want:
                return False
        return True

    def axes_in(self, node: Node, group: Group) -> tuple | None:
        """The axis map `node` would have in `group`, or None if it does not fit."""
        if node.kind == "reduce":
            source = group.axes.get(node.inputs[0])
            if source is None:
                return None
            kept = [None if k in node.spec["axis"] else a for k, a in enumerate(source)]
            if set(source) - {None} != set(range(len(group.shape))):
                return None  # the operand must vary along every axis of the loop
            return (
                tuple(kept)
                if node.spec["keepdims"]
                else tuple(a for k, a in enumerate(kept) if k not in node.spec["axis"])
            )
        if node.shape == group.shape:
            axes = identity(node.ndim)
        else:
            axes = self.outer_map(node, group)
            if axes is None:
                return None
        for x in node.nodes():
            if x in group.axes:
                need = trailing(axes, x, len(group.shape), group.shape)
                if need is None or not same_axes(need, group.axes[x], group.shape):
                    return None
        if group.reduced and not self.uniform(axes, group.reduced):
            return None
        return axes

    def outer_map(self, node: Node, group: Group) -> tuple | None:
        """The axis map of an elementwise node of the group's reduced shape, taken from an input of its shape."""
        for x in node.nodes():
            if x.shape == node.shape and x in group.axes:
                return group.axes[x]
        return None

    @staticmethod
    def uniform(axes: tuple, reduced: frozenset) -> bool:
        """Whether a value varies along all reduced axes or along none."""
        present = {a for a in axes if a is not None} & reduced
        return not present or present == reduced

    def operands(self, group: Group, node: Node) -> set:
        """External arrays and stored values of the group with `node` in it (an upper bound)."""
        members = set(group.nodes) | {node}
        return {x for m in members for x in m.nodes() if x not in members} | {
            m for m in members if any(u not in members for u in self.users().get(m, ()))
        }

    def users(self) -> dict:
        if not hasattr(self, "_users"):
            self._users: dict[Node, list[Node]] = {}
            for n in self.graph.nodes:
                for x in n.nodes():
                    self._users.setdefault(x, []).append(n)
        return self._users

    def reaches(self, start: Group | None, goal: Group) -> bool:
        """Whether `start` depends on `goal`, directly or not."""
        if start is None:
            return False
        stack, seen = [start], set()
        while stack:
            g = stack.pop()
            if g is goal:
                return True
            if g not in seen:
                seen.add(g)
                stack.extend(g.deps)
        return False

    def mergeable(self, other: Group, group: Group) -> bool:
        """Whether all of `other` can move into `group`."""
        if not other.fused or other.shape != group.shape or len(other.nodes) + len(group.nodes) > LINES:
            return False
        if other.reduced and group.reduced and other.reduced != group.reduced:
            return False
        reduced = other.reduced or group.reduced
        if not numbers_fit(other.nodes + group.nodes, group.shape, reduced):
            return False
        if not all(self.uniform(axes, reduced) for axes in [*other.axes.values(), *group.axes.values()] if reduced):
            return False
        if any(self.reaches(d, group) for d in other.deps if d is not group) or any(
            self.reaches(d, other) for d in group.deps if d is not other
        ):
            return False
        for node in group.nodes:  # every use of a value of `other` must index it as `other` does
            if node.kind == "reduce" or is_map(node):
                for x in node.nodes():
                    if x in other.axes:
                        axes = group.axes[node] if is_map(node) else identity(len(group.shape))
                        need = trailing(axes, x, len(group.shape), group.shape)
                        if need is None or not same_axes(need, other.axes[x], group.shape):
                            return False
        members = set(group.nodes) | set(other.nodes)
        outside = {x for m in members for x in m.nodes() if x not in members}
        return len(outside) <= OPERANDS // 2

    def merge(self, other: Group, group: Group) -> None:
        """Move all of `other` into `group`."""
        group.nodes = sorted({*group.nodes, *other.nodes}, key=lambda n: n.number)
        group.axes.update(other.axes)
        group.reduced = group.reduced or other.reduced
        group.deps |= other.deps
        group.deps -= {group, other}
        for g in self.groups:
            if other in g.deps:
                g.deps.discard(other)
                if g is not group:
                    g.deps.add(group)
        for n in other.nodes:
            self.group_of[n] = group
        self.groups.remove(other)

    def ordered(self) -> list[Group]:
        """Groups so that each comes after those it depends on."""
        done: set[Group] = set()
        order: list[Group] = []
        for start in sorted(self.groups, key=lambda g: g.nodes[0].number):
            stack = [(start, iter(sorted(start.deps, key=lambda g: g.nodes[0].number)))]
            if start in done:
                continue
            done.add(start)
            while stack:
                group, rest = stack[-1]
                for d in rest:
                    if d not in done:
                        done.add(d)
                        stack.append((d, iter(sorted(d.deps, key=lambda g: g.nodes[0].number))))
                        break
                else:
                    order.append(group)
                    stack.pop()
        return order


def fuse(graph: Graph) -> list[Group]:
    """The groups of a graph, in an order in which they can run."""
    return Fuser(graph).run()
