"""Plans: a graph as a list of steps over memory laid out beforehand.

Forward and backward of a traced function are scheduled together: what backward needs of forward (the residuals)
keeps its memory in between, everything else shares it. Arrays that come and go with each call (inputs, outputs)
live in a table, the environment; all else lies in the arena of an `Instance`, of which there is one for each call
whose backward pass is still to come.
"""

from __future__ import annotations

import functools
import sys
from ctypes import c_int64, c_void_p
from typing import NamedTuple

import numpy

from ..kernels import build, loops, native
from ..ops import random as rnd
from . import observe
from .describe import place
from .fuse import fuse, is_map
from .graph import Graph, Node
from .lower import Launch, Stream, View, lower, root_of, view_of, whole
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
                if node.kind in ("move", "item") and self.find(node) is not None:
                    continue
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

    def __init__(self, forward: Graph, results: int, targets: list[Node] = (), backward: Graph | None = None, captured=(),
                 guards=()):  # fmt: skip
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
        pairs = sorted(zip(targets, updates, strict=True), key=lambda pair: self.first.view(pair[1]).root not in self.slots)
        for target, node in pairs:  # first those that copy an input, before another update overwrites it
            self.update(target, node)
        self.guards = [self.first.view(n) for n in guards]
        self.second = None
        if backward is not None:
            self.second = Schedule(backward, set(self.inputs) | set(self.cotangents) | self.kept_roots())
            self.grad_slots = self.deliver(self.second, backward.outputs)
        self.layout()
        self.pool: list[Instance] = []
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
        reads = [(w, s) for w, s in step.operands if w.root is target] if isinstance(step, Launch) else [
            (w, None) for w in windows(step) if w.root is target
        ]
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


def holders(made: dict, slot: int) -> int:
    """How many references an array has; the interpreter's own differ between Pythons, so `UNHELD` is measured."""
    return sys.getrefcount(made[slot])


def _unheld() -> int:
    made = {0: numpy.empty(1)}
    env = [made[0]]
    return holders(made, 0) if env else 0


UNHELD = _unheld()  # of an array that only `made` and `env` refer to


class Instance:
    """A plan bound to memory of its own; one forward pass and the backward passes that belong to it.

    Attributes:
        env: the array in each slot.
        addresses: where it lies; packed arguments follow when one changes.
    """

    __slots__ = ("plan", "arena", "start", "forward", "backward", "env", "addresses", "words", "made", "guards", "__weakref__")

    def __init__(self, plan: Plan, watchers=None):
        self.plan = plan
        self.arena = allocate(plan.arena_bytes)
        self.start = native.address(self.arena)
        self.env: list = [None] * len(plan.slots)
        self.addresses = [0] * len(plan.slots)
        self.made: dict[int, numpy.ndarray] = {}
        self.bind(watchers)
        for k, array in enumerate(plan.captured, plan.arguments):
            self.put(k, array)
        self.guards = [self.forward.array(w)(self.env) for w in plan.guards]

    def bind(self, watchers=None) -> None:
        """Make the steps callable; again when someone starts or stops looking on (see `observe`)."""
        plan = self.plan
        if watchers is None:
            watchers = observe.watchers
            observe.instances.add(self)
        self.words: list[list] = [[] for _ in plan.slots]  # by slot: (packed words, position, byte offset)
        self.forward = Bound(self, plan.first, lambda n: plan.offsets[n], watchers)
        self.backward = None
        if plan.second is not None:
            own = plan.second.buffers
            self.backward = Bound(self, plan.second, lambda n: plan.offsets[("b", n) if n in own else n], watchers)
        for words, address in zip(self.words, self.addresses, strict=True):
            for packed, position, offset in words if address else ():
                packed[position] = address + offset

    def put(self, slot: int, array: numpy.ndarray) -> None:
        """Let `slot` be `array`, C-contiguous or copied."""
        if not array.flags.c_contiguous:
            array = numpy.ascontiguousarray(array)
        self.env[slot] = array
        address = native.address(array)
        if address != self.addresses[slot]:
            self.addresses[slot] = address
            for packed, position, offset in self.words[slot]:
                packed[position] = address + offset

    def fresh(self, slot: int, node: Node) -> numpy.ndarray:
        """An array for an output: the last one again if nobody holds it any more, else a new one."""
        made = self.made
        if slot in made and self.env[slot] is made[slot] and holders(made, slot) == UNHELD:
            return made[slot]
        array = made[slot] = numpy.empty(node.shape, node.dtype)
        self.put(slot, array)
        return array

    def release(self) -> None:
        """Give the memory back to the plan for another call."""
        env = self.env
        for k in range(self.plan.arguments):
            env[k] = None
        self.plan.pool.append(self)


class Bound:
    """The steps of a schedule as functions of the environment.

    Neighbouring steps that are machine code (serial kernels, matrix products) become rows of one table, which a
    single native call walks.
    """

    def __init__(self, instance: Instance, schedule: Schedule, offset_of, watchers=()):
        self.instance, self.schedule, self.offset_of = instance, schedule, offset_of
        self.slots = instance.plan.slots
        self.launches = 0
        self.keys: list[tuple[memoryview, int, int]] = []  # packed words, position, number of a random stream
        self.keep: list = []
        self.steps: list = []
        self.rows: list[tuple] = []
        for step in schedule.steps:
            if watchers:
                self.watched(step, watchers)
            else:
                self.bind(step)
        self.flush()

    def watched(self, step, watchers) -> None:
        """Bind a step by itself, each watcher's function round it."""
        first = len(self.steps)
        self.bind(step)
        native = bool(self.rows)
        self.flush()
        for watcher in watchers:
            self.steps[first:] = [watcher(self, step, native, function) for function in self.steps[first:]]

    def title(self) -> str:
        """Name and pass, for those who look on."""
        plan = self.instance.plan
        return f"{plan.name} {'forward' if self.schedule is plan.first else 'backward'}"

    def run(self, base: int) -> None:
        """Run all steps; `base` is the call's first random stream."""
        env = self.instance.env
        for words, position, number in self.keys:
            words[position] = loops.scalar_bits(rnd.generator.key(base + number), "uint64")
        for step in self.steps:
            step(env, base)
        build.launched(self.launches)

    def flush(self) -> None:
        """Make the rows gathered so far one native call."""
        if not self.rows:
            return
        table = numpy.array([word for row in self.rows for word in row], dtype=numpy.int64)
        self.keep.append(table)
        start, count, pointer = c_int64(0), c_int64(len(self.rows)), c_void_p(native.address(table))
        call = native.sequence()
        self.rows = []
        self.steps.append(lambda env, base: call(start, count, pointer))

    def python(self, function) -> None:
        """A step that is a Python function of the environment and the call's first random stream."""
        self.flush()
        self.steps.append(function)

    def row(self, address: int, lo: int, hi: int, packed: numpy.ndarray) -> None:
        """A step that is machine code."""
        self.keep.append(packed)
        self.rows.append((address, lo, hi, native.address(packed)))

    def place(self, window: View, packed: memoryview, position: int) -> None:
        """Write the window's address into `packed`, now or whenever its slot is filled."""
        offset = window.offset * window.root.itemsize
        slot = self.slots.get(window.root)
        if slot is None:
            packed[position] = self.instance.start + self.offset_of(window.root) + offset
        else:
            self.instance.words[slot].append((packed, position, offset))

    def bind(self, step) -> None:
        if isinstance(step, Launch):
            self.bind_launch(step)
        elif isinstance(step, Copy):
            read, slot = self.array(step.source), self.slots[step.target]
            self.python(lambda env, base: numpy.copyto(env[slot], read(env)))
        else:
            self.bind_call(step)

    def bind_launch(self, step: Launch) -> None:
        program = step.program
        kernel = loops.program_kernel(program, {name: place(node.where) for name, node in step.lines if node.where})
        strides = [s for _, s in step.operands]
        values = [0 if isinstance(v, Stream) else v for v in step.scalars]
        packed = loops.pack(program, step.sizes, [0] * len(strides), strides, values)
        words, position = memoryview(packed), len(step.sizes)
        for (window, _), operand in zip(step.operands, program.reads + program.writes, strict=True):
            self.place(window, words, position)
            position += 1 + operand.layout.count("s")
        for value in step.scalars:
            if isinstance(value, Stream):
                self.keys.append((words, position, value.number))
            position += 1
        extent = program.extent(step.sizes)
        if extent == 0:
            return
        self.keep.append(kernel)
        grain = loops.grain(program, step.sizes, extent)
        if kernel.address is not None and (extent < 2 * grain or build.threads() == 1):
            self.launches += 1
            self.row(kernel.address, 0, extent, packed)
        else:
            self.keep.append(packed)
            argp = native.address(packed)
            self.python(lambda env, base: build.run(kernel, extent, argp, grain))

    def array(self, window: View):
        """A function of the environment that gives the window as a NumPy array."""
        dtype = window.root.dtype
        strides = tuple(s * dtype.itemsize for s in window.strides)
        slot = self.slots.get(window.root)
        if slot is None:
            if 0 in window.shape:
                fixed = numpy.empty(window.shape, dtype)
            else:
                start = self.offset_of(window.root) + window.offset * dtype.itemsize
                fixed = numpy.ndarray(window.shape, dtype, self.instance.arena, start, strides)
            return lambda env: fixed
        if window == whole(window.root):
            return lambda env: env[slot]
        shape, offset = window.shape, window.offset * dtype.itemsize
        return lambda env: numpy.ndarray(shape, dtype, env[slot], offset, strides)

    def bind_call(self, step: Call) -> None:
        node = step.node
        same = all(x.dtype == node.dtype for x in node.nodes())
        if node.op.name == "matmul" and same and self.bind_gemm(step):
            return
        operands = [self.array(x) if isinstance(x, View) else x for x in step.operands]
        target = self.targets(node)
        spec = dict(node.spec)
        if node.kind == "random":
            stream, run, shape, dtype = spec["stream"], node.op.run, node.shape, node.dtype
            self.python(lambda env, base: run(rnd.generator.key(base + stream), shape, dtype, out=target(env)))
            return
        if node.op.name == "matmul" and node.dtype.itemsize >= 4 and same:
            run = numpy.matmul
        elif node.kind == "elementwise":
            run = functools.partial(_elementwise, node)
        elif node.kind in ("move", "item"):
            run = functools.partial(_copy_of, node.op.run)
        else:
            run = node.op.run
        if len(operands) == 1 and callable(operands[0]):
            only = operands[0]
            self.python(lambda env, base: run(only(env), out=target(env), **spec))
        elif len(operands) == 2 and callable(operands[0]) and callable(operands[1]):
            left, right = operands
            self.python(lambda env, base: run(left(env), right(env), out=target(env), **spec))
        else:
            self.python(lambda env, base: run(*[x(env) if callable(x) else x for x in operands], out=target(env), **spec))

    def targets(self, node: Node):
        """A function of the environment that gives the array a Call writes; a tuple of them for several results."""
        if not node.parts:
            return self.array(whole(node))
        found = [self.array(whole(n)) for n in node.parts]
        return lambda env: tuple([one(env) for one in found])

    def bind_gemm(self, step: Call) -> bool:
        """A matrix product as a row: NumPy's BLAS called from the table. False where it does not take the operands."""
        node, (a, b) = step.node, step.operands
        item = node.itemsize
        address = None if build.interpreted() else native.gemm(node.dtype.name)
        if address is None or 0 in node.shape or a.shape[-1] == 0:
            return False
        batch = node.shape[:-2]
        steps = [self.batch_step(x, batch) for x in (a, b)]
        forms = [native.gemm_operand([s * item for s in x.strides[-2:]], x.shape[-2:], item) for x in (a, b)]
        if None in steps or None in forms:
            return False
        m, n, k = node.shape[-2], node.shape[-1], a.shape[-1]
        packed = numpy.array(
            [m, n, k, forms[0][0], forms[1][0], forms[0][1], forms[1][1], n, 0, 0, 0, steps[0] * item, steps[1] * item,
             m * n * item], dtype=numpy.int64,
        )  # fmt: skip
        words = memoryview(packed)
        for position, window in ((8, a), (9, b), (10, whole(node))):
            self.place(window, words, position)
        self.row(address, 0, int(numpy.prod(batch)), packed)
        return True

    @staticmethod
    def batch_step(x: View, batch: tuple) -> int | None:
        """Elements from one matrix of the batch to the next, if that is one number."""
        lead = (1,) * (len(batch) - len(x.shape) + 2) + x.shape[:-2]
        strides = (0,) * (len(batch) - len(x.shape) + 2) + x.strides[:-2]
        if lead != batch and any(n != 1 for n in lead):
            return None
        if all(n == 1 for n in lead):
            return 0
        step, expected = None, None
        for n, s in zip(reversed(batch), reversed(strides), strict=True):
            if n == 1:
                continue
            if step is None:
                step, expected = s, s * n
            elif s != expected:
                return None
            else:
                expected = s * n
        return step or 0


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
