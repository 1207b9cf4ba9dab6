"""Plans: forward and backward of a traced function, scheduled together and laid out in memory.

What backward needs of forward (the residuals) keeps its memory in between, everything else shares it. Arrays that
come and go with each call (inputs, outputs) live in a table, the environment; all else lies in the arena of an
`Instance`.
"""

from __future__ import annotations

from .graph import Graph, Node
from .lower import Launch, whole
from .memory import Arena
from .schedule import Copy, Schedule, windows


class Plan:
    """Forward and backward passes, laid out in memory.

    Args:
        forward: the graph of the results, whose outputs are results, state updates and residuals.
        results: how many of its outputs are returned.
        targets: for each state update among the outputs after those, the input it overwrites.
        backward: the graph of the gradients (inputs: those of forward, residuals, cotangents), or None.
        captured: arrays of the last inputs; the first ones are arguments of each call.
        guards: outputs after the updates, int32 scalars that are to be 0 after each call.
    """

    def __init__(
        self, forward: Graph, results: int, targets: list[Node] = (), backward: Graph | None = None,
        captured=(), guards=(),
    ):  # fmt: skip
        self.forward, self.results, self.targets, self.backward = forward, results, targets, backward
        self.inputs = list(forward.inputs)
        self.captured = list(captured)
        self.arguments = len(self.inputs) - len(self.captured)
        updates = forward.outputs[results : results + len(targets)]
        self.residuals = forward.outputs[results + len(targets) + len(guards) :]
        known = set(self.inputs) | set(self.residuals)
        self.cotangents = [] if backward is None else [n for n in backward.inputs if n not in known]
        self.slots: dict[Node, int] = {n: k for k, n in enumerate(self.inputs + self.cotangents)}
        self.first = Schedule(forward, set(self.inputs))
        self.output_slots = self.deliver(self.first, forward.outputs[:results])
        pairs = sorted(
            zip(targets, updates, strict=True), key=lambda pair: self.first.view(pair[1]).root not in self.slots
        )
        for target, node in pairs:  # first those that copy an input, before another update overwrites it
            self.update(target, node)
        self.guards = [self.first.view(n) for n in guards]
        self.second = None
        if backward is not None:
            self.second = Schedule(backward, set(self.inputs) | set(self.cotangents) | self.kept_roots())
            self.grad_slots = self.deliver(self.second, backward.outputs)
        self.layout()
        # what an array for a slot is like (several nodes may share one)
        self.slotted = {slot: node for node, slot in reversed(self.slots.items())}
        self.pool: list = []  # instances that no call uses
        self.name = "plan"

    def kept_roots(self) -> set[Node]:
        """Buffers of the forward pass that hold residuals."""
        return {self.first.view(n).root for n in self.residuals}

    def deliver(self, schedule: Schedule, nodes) -> list[int]:
        """A slot of the environment for each returned node; what is no buffer of its own is copied into one."""
        slots = []
        for k, n in enumerate(nodes):
            window = schedule.view(n)
            own = window.root is n and n in schedule.buffers and n not in self.slots and n not in schedule.external
            if not own:
                target = Node(None, (), {}, n.shape, n.dtype, -1, label=f"out{k}")
                schedule.add(Copy(target, window))
                n = target
            self.slots[n] = len(self.slots)
            slots.append(self.slots[n])
        return slots

    def update(self, target: Node, node: Node) -> None:
        """Let `node` overwrite the array of input `target`: in place where that is safe, else by a last copy."""
        schedule, slot = self.first, self.slots[target]
        window = schedule.view(node)
        if window.root is node and node not in self.slots and node in schedule.buffers and node.dtype == target.dtype:
            made = schedule.buffers[node][0]
            if all(self.harmless(step, k, made, node, target) for k, step in enumerate(schedule.steps)):
                self.slots[node] = slot
                return
        alias = Node(None, (), {}, target.shape, target.dtype, -1, label=target.label)
        self.slots[alias] = slot
        schedule.add(Copy(alias, window))

    @staticmethod
    def harmless(step, k: int, made: int, node: Node, target: Node) -> bool:
        """Whether `step` still sees what it should when step `made` writes `node` into the memory of `target`."""
        reads = (
            [(w, s) for w, s in step.operands if w.root is target]
            if isinstance(step, Launch)
            else [(w, None) for w in windows(step) if w.root is target]
        )
        if k < made or not reads:
            return True
        if k > made or not isinstance(step, Launch):
            return False
        written = next(s for w, s in step.operands if w.root is node)
        return all(w == whole(target) and s == written for w, s in reads)

    def layout(self) -> None:
        """Place every buffer that is not in the environment."""
        arena = Arena()
        end = len(self.first.steps) + (len(self.second.steps) if self.second else 0) + 1
        kept = self.kept_roots() | {w.root for w in self.guards}
        for node, (start, stop) in self.first.buffers.items():
            if node not in self.slots:
                arena.want(node, node.size * node.itemsize, start, end if node in kept else stop)
        if self.second:
            shift = len(self.first.steps)
            for node, (start, stop) in self.second.buffers.items():
                if node not in self.slots:
                    arena.want(("b", node), node.size * node.itemsize, start + shift, stop + shift)
        self.offsets, self.arena_bytes = arena.place()
