"""A plan bound to the memory of a GPU: what `Instance` and `Bound` are on the CPU.

The plan is the same: fused groups, buffers in one arena, results and gradients in slots. A fused group is the same
Program, emitted for CUDA; a matrix product writes where it belongs; any other step is the eager op, its answer
copied into its place. Steps are prepared once: a launch then costs its addresses and one call of the driver.
"""

from __future__ import annotations

import math

from ..array import wrap
from ..device import Device, backend
from ..op import current
from ..ops import random as rnd
from .lower import Launch, Stream, View, whole
from .memory import ALIGN
from .plan import Plan
from .schedule import Call, Copy, Schedule


class GpuInstance:
    """A plan with memory of its own on a GPU; see `instance.Instance`, whose attributes and methods these are.

    Args:
        plan: made for arrays on `device`.
        device: `gpu(i)`.
    """

    __slots__ = ("plan", "device", "arena", "env", "lasting", "forward", "backward", "guards", "__weakref__")

    def __init__(self, plan: Plan, device: Device):
        self.plan, self.device = plan, device
        self.arena = backend().empty((max(plan.arena_bytes, ALIGN),), "uint8", device)
        self.env: list = [None] * len(plan.slots)
        self.forward = Steps(self, plan.first, plan.offsets.__getitem__)
        self.backward = None
        if plan.second is not None:
            own = plan.second.buffers
            self.backward = Steps(self, plan.second, lambda n: plan.offsets[("b", n) if n in own else n])
        for k, data in enumerate(plan.captured, plan.arguments):
            self.put(k, data)
        self.lasting = list(self.env)
        self.guards = [Guard(self, self.forward.window(w)) for w in plan.guards]

    def put(self, slot: int, data) -> None:
        """Let `slot` be `data`, C-contiguous or copied."""
        data = backend().upload(data, self.device)
        self.env[slot] = data if data.contiguous else data.copy()

    def fresh(self, slot: int):
        """Memory for an output."""
        node = self.plan.slotted[slot]
        made = self.env[slot] = backend().empty(node.shape, node.dtype, self.device)
        return made

    def release(self) -> None:
        """Give the memory back to the plan for another call."""
        self.env[:] = self.lasting
        self.plan.pool.append(self)


class Guard:
    """A flag of the plan, read when it is asked for."""

    __slots__ = ("instance", "read")

    def __init__(self, instance: GpuInstance, read):
        self.instance, self.read = instance, read

    def __getitem__(self, key):
        return bool(self.read(self.instance.env))


class Steps:
    """The steps of a schedule as functions of the environment and the call's first random stream."""

    def __init__(self, instance: GpuInstance, schedule: Schedule, offset_of):
        self.instance, self.offset_of = instance, offset_of
        self.slots, self.gpu = instance.plan.slots, instance.arena.gpu
        self.steps = [step for step in map(self.bind, schedule.steps) if step is not None]

    def run(self, base: int) -> None:
        """Run all steps; `base` is the call's first random stream."""
        env = self.instance.env
        for step in self.steps:
            step(env, base)

    def bind(self, step):
        if isinstance(step, Launch):
            return self.launch(step)
        if isinstance(step, Copy):
            read, slot = self.window(step.source), self.slots[step.target]
            return lambda env, base: env[slot].fill_from(read(env))
        return self.call(step)

    def address(self, window: View):
        """`(slot, offset)` of a window, slot None and the address itself where that is known."""
        offset = window.offset * window.root.itemsize
        slot = self.slots.get(window.root)
        return slot, offset if slot is not None else self.instance.arena.address + self.offset_of(window.root) + offset

    def window(self, window: View):
        """A function of the environment that gives the window as a Buffer."""
        device, arena, dtype = self.instance.device, self.instance.arena, window.root.dtype
        (slot, at), Buffer = self.address(window), backend().Buffer
        shape, strides = window.shape, tuple(s * dtype.itemsize for s in window.strides)
        if slot is None:
            fixed = Buffer(device, arena.block, at, shape, strides, dtype)
            return lambda env: fixed
        return lambda env: Buffer(device, env[slot].block, env[slot].address + at, shape, strides, dtype)

    def launch(self, step: Launch):
        """A fused group: one kernel, its words ready but for what the environment decides."""
        values = [0 if isinstance(v, Stream) else v for v in step.scalars]
        made = backend().prepare(self.gpu, step.program, step.sizes, [s for _, s in step.operands], values)
        if made.function is None:
            return None
        streams = [(made.scalars + k, v.number) for k, v in enumerate(step.scalars) if isinstance(v, Stream)]
        windows = [w for w, _ in step.operands]
        return self.prepared(made.function, made.grid, made.block, made.words, made.places, windows, streams)

    def prepared(self, function, grid, block, words, places, windows, streams=()):
        """A launch whose words are ready but for the addresses of `windows` at `places`, and random streams."""
        words, open_places, start = words.copy(), [], self.gpu.launch
        for window, place in zip(windows, places, strict=True):
            slot, at = self.address(window)
            if slot is None:
                words[place] = at
            else:
                open_places.append((place, slot, at))

        def run(env, base):
            for place, slot, at in open_places:
                words[place] = env[slot].address + at
            for place, number in streams:
                words[place] = backend().bits(rnd.generator.key(base + number), "uint64")
            start(function, grid, block, words)

        return run

    def call(self, step: Call):
        """A step that is an op of its own."""
        node, device = step.node, self.instance.device
        if node.parts:
            return lambda env, base: node.op.eager(node.op, self.operands(step, env), dict(node.spec))  # says no
        target = self.window(whole(node))
        if node.kind == "random":
            stream, shape, dtype = node.spec["stream"], node.shape, node.dtype

            def draw(env, base):
                key = rnd.generator.key(base + stream)
                target(env).fill_from(backend().draw(node.op, key, shape, dtype, device))

            return draw
        if node.op.name == "matmul" and node.size and all(x.root.dtype == node.dtype for x in step.operands):
            return self.product(step, target)

        def run(env, base):
            before, current.record = current.record, None
            try:
                y = node.op.eager(node.op, self.operands(step, env), dict(node.spec))
            finally:
                current.record = before
            target(env).fill_from(y._data)

        return run

    def product(self, step: Call, target):
        """A matrix product: one kernel, ready like a fused group where its operands need no copy."""
        (a, b), node, products = step.operands, step.node, backend().products
        lead = node.shape[:-2]
        steps = [products.steps(x.shape, x.strides, lead) for x in (a, b)]
        if None in steps:
            left, right = self.window(a), self.window(b)
            return lambda env, base: backend().matmul(left(env), right(env), target(env))
        sizes = math.prod(lead), *a.shape[-2:], b.shape[-1]
        function, grid, words = products.prepare(self.gpu, node.dtype.name, sizes, *steps)
        return self.prepared(function, grid, self.gpu.tile**2, words, products.PLACES, (a, b, whole(node)))

    def operands(self, step: Call, env) -> tuple:
        """A step's operands as ndarrays and numbers."""
        device = self.instance.device
        return tuple(wrap(self.window(x)(env), device) if isinstance(x, View) else x for x in step.operands)
