"""Plans: a graph as a list of steps over memory laid out beforehand.

Forward and backward of a traced function are scheduled together: what backward needs of forward (the residuals)
keeps its memory in between, everything else shares it. Arrays that come and go with each call (inputs, outputs)
live in a table, the environment; all else lies in the arena of an `Instance`, of which there is one for each call
whose backward pass is still to come.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy

from ..kernels import build, loops
from ..ops import random as rnd
from .fuse import fuse, is_map
from .graph import Graph, Node
from .lower import Launch, View, lower, root_of, view_of, whole
from .memory import Arena, allocate


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
                    self.add(lower(group, stored, self.view))
            else:
                node = group.nodes[0]
                if node.kind == "move" and self.find(node) is not None:
                    continue
                operands = tuple(self.view(x) if isinstance(x, Node) else x for x in node.inputs)
                self.hold(node)
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


class Plan:
    """Forward and backward passes, laid out in memory.

    Args:
        forward: the graph of the results, whose outputs are results, state updates and residuals.
        results: how many of its outputs are returned.
        updates: how many after those are state updates.
        backward: the graph of the gradients (inputs: those of forward, residuals, cotangents), or None.
    """

    def __init__(self, forward: Graph, results: int, updates: int, backward: Graph | None = None):
        self.forward, self.results, self.updates, self.backward = forward, results, updates, backward
        self.inputs = list(forward.inputs)
        self.residuals = [n for n in forward.outputs[results + updates :]]
        self.cotangents = [] if backward is None else [n for n in backward.inputs if n not in set(self.inputs) | set(self.residuals)]
        self.slots: dict[Node, int] = {n: k for k, n in enumerate(self.inputs + self.cotangents)}
        first = Schedule(forward, set(self.inputs))
        self.output_slots = self.deliver(first, forward.outputs[:results])
        self.update_views = [first.view(n) for n in forward.outputs[results : results + updates]]
        self.first = first
        self.second = None
        if backward is not None:
            self.second = Schedule(backward, set(self.inputs) | set(self.cotangents) | self.kept_roots())
            self.grad_slots = self.deliver(self.second, backward.outputs)
        self.layout()
        self.pool: list[Instance] = []

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

    def layout(self) -> None:
        """Place every buffer that is not in the environment."""
        arena = Arena()
        end = len(self.first.steps) + (len(self.second.steps) if self.second else 0) + 1
        kept = self.kept_roots() | {v.root for v in self.update_views}
        for node, (start, stop) in self.first.buffers.items():
            if node not in self.slots:
                arena.want(node, node.size * node.itemsize, start, end if node in kept else stop)
        if self.second:
            shift = len(self.first.steps)
            for node, (start, stop) in self.second.buffers.items():
                if node not in self.slots:
                    arena.want(("b", node), node.size * node.itemsize, start + shift, stop + shift)
        self.offsets, self.arena_bytes = arena.place()

    def acquire(self) -> Instance:
        """An instance no call is using."""
        return self.pool.pop() if self.pool else Instance(self)


class Instance:
    """A plan bound to memory of its own; one forward pass and the backward passes that belong to it."""

    __slots__ = ("plan", "arena", "forward", "backward", "env", "__weakref__")

    def __init__(self, plan: Plan):
        self.plan = plan
        self.arena = allocate(plan.arena_bytes)
        self.env: list = [None] * len(plan.slots)
        self.forward = Bound(self, plan.first, lambda n: plan.offsets[n])
        self.backward = None
        if plan.second is not None:
            own = plan.second.buffers
            self.backward = Bound(self, plan.second, lambda n: plan.offsets[("b", n) if n in own else n])

    def release(self) -> None:
        """Give the memory back to the plan for another call."""
        self.env = [None] * len(self.plan.slots)
        self.plan.pool.append(self)


class Bound:
    """The steps of a schedule as functions of the environment."""

    def __init__(self, instance: Instance, schedule: Schedule, offset_of):
        self.instance, self.schedule, self.offset_of = instance, schedule, offset_of
        self.slots = instance.plan.slots
        self.words: list[tuple[numpy.ndarray, int, int, int]] = []  # packed, position, slot, byte offset
        self.patched: list = []
        self.used: list[int] = []
        self.launches = 0
        self.steps = [self.bind(step) for step in schedule.steps]
        self.used = sorted({slot for _, _, slot, _ in self.words})
        self.patched = [None] * len(self.used)

    def run(self, base: int) -> None:
        """Run all steps; `base` is the call's first random stream."""
        env = self.instance.env
        self.patch(env)
        for step in self.steps:
            step(env, base)
        build.launched(self.launches)

    def patch(self, env) -> None:
        """Write the addresses of the environment's arrays into the packed arguments of the launches."""
        addresses = [env[slot].__array_interface__["data"][0] for slot in self.used]
        if addresses != self.patched:
            table = dict(zip(self.used, addresses, strict=True))
            for packed, position, slot, offset in self.words:
                packed[position] = table[slot] + offset
            self.patched = addresses

    def bind(self, step):
        if isinstance(step, Launch):
            return self.bind_launch(step)
        if isinstance(step, Copy):
            read, slot = self.array(step.source), self.slots[step.target]

            def copy(env, base):
                numpy.copyto(env[slot], read(env))

            return copy
        return self.bind_call(step)

    def bind_launch(self, step: Launch):
        program = step.program
        kernel = loops.program_kernel(program)
        addresses, dynamic = [], []
        for (window, _), operand in zip(step.operands, program.reads + program.writes, strict=True):
            item = numpy.dtype(operand.dtype).itemsize
            slot = self.slots.get(window.root)
            if slot is None:
                start = self.instance.arena.__array_interface__["data"][0] + self.offset_of(window.root)
                addresses.append(start + window.offset * item)
                dynamic.append(None)
            else:
                addresses.append(0)
                dynamic.append((slot, window.offset * item))
        packed = loops.pack(program, step.sizes, addresses, [s for _, s in step.operands], step.scalars)
        position = len(step.sizes)
        for operand, place in zip(program.reads + program.writes, dynamic, strict=True):
            if place is not None:
                self.words.append((packed, position, *place))
            position += 1 + operand.layout.count("s")
        extent = program.extent(step.sizes)
        if extent == 0:
            return lambda env, base: None
        grain = loops.grain(program, step.sizes, extent)
        argp = packed.__array_interface__["data"][0]
        if extent <= 2 * grain or build.threads() == 1:
            self.launches += 1
            call = kernel.call

            def launch(env, base, packed=packed):
                call(0, extent, argp)

            return launch

        def launch_parallel(env, base, packed=packed):
            build.run(kernel, extent, argp, grain)

        return launch_parallel

    def array(self, window: View):
        """A function of the environment that gives the window as a NumPy array."""
        dtype = window.root.dtype
        strides = tuple(s * dtype.itemsize for s in window.strides)
        slot = self.slots.get(window.root)
        if slot is None:
            start = self.offset_of(window.root) + window.offset * dtype.itemsize
            fixed = numpy.ndarray(window.shape, dtype, self.instance.arena, start, strides) if 0 not in window.shape else numpy.empty(window.shape, dtype)
            return lambda env: fixed
        if window == whole(window.root):
            return lambda env: env[slot]
        shape, offset = window.shape, window.offset * dtype.itemsize
        return lambda env: numpy.ndarray(shape, dtype, env[slot], offset, strides)

    def bind_call(self, step: Call):
        node = step.node
        operands = [self.array(x) if isinstance(x, View) else x for x in step.operands]
        target = self.array(whole(node)) if node.op.nout == 1 else None
        spec = dict(node.spec)
        if node.kind == "random":
            stream, run, shape, dtype = spec["stream"], node.op.run, node.shape, node.dtype

            def draw(env, base):
                run(rnd.generator.key(base + stream), shape, dtype, out=target(env))

            return draw
        if node.op.name == "matmul" and node.dtype.itemsize >= 4 and all(x.dtype == node.dtype for x in node.nodes()):
            run = numpy.matmul
        elif node.kind == "elementwise":
            run = functools.partial(_elementwise, node)
        elif node.kind in ("move", "item") or node.op.eager is None:
            run = functools.partial(_copy_of, node.op.run)
        else:
            run = node.op.run
        if node.op.nout > 1:
            raise NotImplementedError(f"{node.op.name}: several results are not planned yet.")
        if len(operands) == 1 and callable(operands[0]):
            only = operands[0]
            return lambda env, base: run(only(env), out=target(env), **spec)
        if len(operands) == 2 and callable(operands[0]) and callable(operands[1]) and not spec:
            left, right = operands
            return lambda env, base: run(left(env), right(env), out=target(env))
        return lambda env, base: run(*[x(env) if callable(x) else x for x in operands], out=target(env), **spec)


def _copy_of(run, x, out, **spec):
    numpy.copyto(out, run(x, **spec))


def _elementwise(node: Node, *xs, out, **spec):
    """An elementwise op on dtypes that generated loops do not know, by NumPy."""
    if node.op.name == "cast":
        numpy.copyto(out, xs[0], casting="unsafe")
    elif node.op.numpy is None:
        raise TypeError(f"{node.op.name}: no kernel for {node.dtype}. Cast to float32 first.")
    else:
        with numpy.errstate(all="ignore"):
            numpy.copyto(out, node.op.numpy(*xs), casting="unsafe")
