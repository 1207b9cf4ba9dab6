"""Compiled functions: trace on a new signature, plan, run, and take part in the tape as one step.

call(args) --trace--> Graph --tape walked while tracing--> backward Graph --fuse, lower--> Plan --> run
"""

from __future__ import annotations

import threading

import numpy

from .. import config, tape
from ..array import ndarray, wrap
from ..array import values as raw
from ..config import CHECK, debug
from ..op import Op, current
from ..ops import random as rnd
from ..ops.elementwise import cast
from . import reasons
from .explain import explain
from .graph import Node
from .instance import Instance
from .on_gpu import GpuInstance
from .plan import Plan
from .structure import ARRAY, flatten, rebuild
from .traced import trace_call

SIGNATURES = 256  # traced signatures that a function keeps; the oldest goes first (its kernels stay)


class Entry:
    """One traced signature of a function.

    Attributes:
        plan: what to run.
        sources: for each input after the arguments, the array it stands for.
        structure: how the outputs nest.
        wanted: positions among the plan's inputs whose gradients the backward pass computes.
        on_tape: which outputs depend on a variable.
        classes: of the outputs.
        returned: for each output its slot and class.
        gradients: for each wanted input its position, the slot of its gradient and the Node.
        builder: the trace, for looking at.
    """

    __slots__ = (
        "plan",
        "sources",
        "structure",
        "wanted",
        "on_tape",
        "builder",
        "classes",
        "op",
        "device",
        "draws",
        "gradients",
        "returned",
    )


class Compiled:
    """A function of arrays, compiled on first use for each signature.

    Args:
        call: the function. Parameters it reaches for must keep their arrays; whoever exchanges one makes a new
            Compiled.
        name: for messages.
    """

    def __init__(self, call, name: str = "function", **flags):
        self.call, self.name, self.flags = call, name, flags
        self.entries: dict = {}
        self.known: list[dict] = []  # signatures traced, in words
        self.lock = threading.RLock()

    def __call__(self, *args):
        """Run on `args`: arrays, nested lists, tuples and dicts of them, None, and plain Python values."""
        if current.substitute is not None:  # inside another trace: inline
            return self.call(*args)
        return run(*self.entry(args))

    def entry(self, args) -> tuple[Entry, tuple]:
        """The plan for arguments like these, traced if they are the first of their kind, and their arrays."""
        cur = current
        recording = cur.record is not None
        key: list = [cur.training, recording]
        leaves = args
        for x in args:
            if not isinstance(x, ndarray):
                leaves, structure = flatten(args)
                key += [structure, *(word for x in leaves for word in signature(x, recording))]
                break
            d = x._data
            key += (d.shape, d.dtype.num, x._device, x.__class__, recording and x._node is not None)
        key = tuple(key)
        entry = self.entries.get(key)
        if entry is None:
            with self.lock:
                entry = self.entries.get(key)
                if entry is None:
                    while len(self.entries) >= SIGNATURES:
                        del self.entries[next(iter(self.entries))]
                    entry = self.entries[key] = self.trace(args, recording)
        return entry, leaves

    def trace(self, args, recording: bool) -> Entry:
        """Trace the function for arguments like these and plan it."""
        parts = reasons.describe(args, recording)
        if config.DEBUG >= 1:
            debug(1, f"{self.name}: tracing for {reasons.summary(parts)}: {reasons.reason(parts, self.known)}")
        self.known.append(parts)
        found = trace_call(self.name, self.call, args, recording)
        graphs = found.graphs()
        for stage, graph in (("forward", graphs.forward), ("backward", graphs.backward)):
            if graph is not None:
                if CHECK:
                    graph.check()
                if config.DEBUG >= 3:
                    debug(3, f"{self.name}: {stage} graph\n{graph}")
        entry = Entry()
        entry.builder, entry.structure, entry.device = found.builder, found.structure, found.builder.device
        entry.draws, entry.sources, entry.wanted = found.builder.draws, graphs.captured, graphs.wanted
        entry.classes = [type(y) for y in found.outputs]
        entry.on_tape = [y._node is not None and recording for y in found.outputs]
        results = [y._data for y in found.outputs]
        entry.plan = plan = Plan(
            graphs.forward, len(results), graphs.targets, graphs.backward, [x._data for x in graphs.captured],
            graphs.guards,
        )  # fmt: skip
        plan.name = self.name
        if config.DEBUG >= 3:
            debug(3, f"{self.name}: fused\n{explain(entry)}")
        entry.returned = list(zip(plan.output_slots, entry.classes, strict=True))
        if graphs.backward is not None:
            entry.gradients = list(zip(entry.wanted, plan.grad_slots, graphs.backward.outputs, strict=True))
        entry.op = Recorded(self, entry)
        return entry


def signature(x: ndarray, recording: bool) -> tuple:
    """What of an array a trace depends on."""
    d = x._data
    return (d.shape, d.dtype.num, x._device, x.__class__, recording and x._node is not None)


def run(entry: Entry, leaves):
    """Run an entry on the leaves of its arguments."""
    plan = entry.plan
    try:
        instance = plan.pool.pop()
    except IndexError:
        instance = None  # made outside, so that what goes wrong there is not told as a consequence
    if instance is None:
        instance = bound(entry)
    k = 0
    for x in leaves:
        instance.put(k, x._data)
        k += 1
    outputs = []
    device = entry.device
    for slot, cls in entry.returned:
        y = cls()
        y._data, y._device, y._node = instance.fresh(slot), device, None
        outputs.append(y)
    base = rnd.generator.advance(entry.draws) if entry.draws else 0
    instance.forward.run(base)
    k = 0
    for flag in instance.guards:
        if flag[()]:
            refuse(entry, instance, k)
        k += 1
    if plan.second is None:
        instance.release()
    else:
        CompiledStep(entry, instance, base, leaves, outputs)
    return outputs[0] if entry.structure is ARRAY else rebuild(entry.structure, outputs)


def bound(entry: Entry):
    """The plan with memory on its device."""
    if entry.device.far:
        return GpuInstance(entry.plan, entry.device)
    return Instance(entry.plan)


def refuse(entry: Entry, instance: Instance, k: int) -> None:
    """Raise the error of guard `k`, with the values it is about if they are at hand."""
    _, on, check = entry.builder.guards[k]
    slot = entry.plan.slots.get(on)
    values = None if slot is None else raw(instance.env[slot])
    check(values)
    raise IndexError(f"{entry.op.name}: an index is out of range or no whole number.")


class CompiledStep(tape.Step):
    """A compiled call on the tape. It holds the instance with the residuals, and gives it back to the plan when it is
    released or forgotten."""

    __slots__ = ("instance", "base")

    def __init__(self, entry: Entry, instance: Instance, base: int, leaves, outputs):
        self.op, self.spec, self.instance, self.base = entry.op, None, instance, base
        self.args = (*leaves, *entry.sources)
        self.parents = [x._node for x in self.args]
        self.order = next(tape.counter)
        heads = [y for y, on in zip(outputs, entry.on_tape, strict=True) if on] if len(outputs) > 1 else outputs
        self.device, self.cls = entry.device, type(heads[0])
        if len(heads) == 1:
            self.data = heads[0]._data
            heads[0]._node = self
        else:
            self.data = tuple([y._data for y in heads])
            for k, y in enumerate(heads):
                y._node = tape.Part(self, k)

    def release(self) -> None:
        """Forget operands, answers and residuals."""
        self.args = self.data = None
        self.parents = ()
        instance, self.instance = self.instance, None
        if instance is not None:
            instance.release()

    def __del__(self):
        instance, self.instance = self.instance, None
        if instance is not None:
            instance.release()


class Recorded(Op):
    """The op a compiled call is recorded under; its backward plan serves all operands at once."""

    __slots__ = ("compiled", "entry")

    def __init__(self, compiled: Compiled, entry: Entry):  # no call of Op.__init__: the registry is for ops by name
        self.name, self.kind, self.nout, self.vjp, self.traced = compiled.name, "compiled", 1, (), None
        self.compiled, self.entry = compiled, entry

    def pull(self, step: CompiledStep, g, arrive, into) -> None:
        """Send cotangents to the operands; gradients of variables are written where they belong when `into` allows."""
        entry = self.entry
        if current.record is not None:
            for k, d in zip(entry.wanted, replay(self.compiled, entry, g, step), strict=True):
                arrive(step.parents[k], d)
            return
        plan, instance, parents = entry.plan, step.instance, step.parents
        put, env = instance.put, instance.env
        if type(g) is list or len(plan.cotangents) > 1:
            for node, c in zip(plan.cotangents, heads_of(entry, g), strict=True):
                put(plan.slots[node], c._data)
        else:
            put(plan.slots[plan.cotangents[0]], g._data)
        later = []
        for k, slot, node in entry.gradients:
            parent = parents[k]
            buffer = into(parent)
            if buffer is not None and env[slot] is buffer:
                continue  # as at the last call
            if (
                buffer is None
                or buffer.shape != node.shape
                or buffer.dtype != node.dtype
                or not buffer.flags.c_contiguous
            ):
                later.append((parent, wrap(instance.fresh(slot), entry.device)))
            else:
                put(slot, buffer)
                instance.lasting[slot] = buffer
        instance.backward.run(step.base)
        for parent, d in later:
            arrive(parent, d)


def heads_of(entry: Entry, g) -> list:
    """Cotangents of the outputs on the tape, zeros for those nothing arrived at."""
    nodes = [n for n, on in zip(entry.plan.forward.outputs, entry.on_tape, strict=False) if on]
    given = g if isinstance(g, list) else [g]
    return [
        wrap(numpy.zeros(n.shape, n.dtype), entry.device) if c is None else c for n, c in zip(nodes, given, strict=True)
    ]


def replay(compiled: Compiled, entry: Entry, g, step: CompiledStep) -> list:
    """Gradients as recorded computations, for higher orders: the graph is evaluated op by op on the tape."""
    plan, xs = entry.plan, step.args
    values: dict[Node, ndarray] = dict(zip(plan.inputs, xs, strict=True))
    for node in plan.forward.nodes:
        spec = node.spec
        if node.kind in ("random", "loop", "branch"):
            spec = {**spec, "stream": step.base + spec["stream"]}
        inputs = tuple(values[x] if isinstance(x, Node) else x for x in node.inputs)
        if node.kind == "item":
            values[node] = inputs[0][node.spec["index"]]
        elif node.op is cast and inputs[0].dtype == node.dtype:
            values[node] = inputs[0]
        else:
            values[node] = node.op(*inputs, **spec)
    results = plan.forward.outputs[: plan.results]
    heads = [values[n] for n, on in zip(results, entry.on_tape, strict=True) if on]
    wanted = [xs[k]._node for k in entry.wanted]
    grads = tape.cotangents(compiled.name, heads, heads_of(entry, g), wanted, retain=True, through=False)
    grads = [wrap(numpy.zeros(xs[k].shape, xs[k].dtype), entry.device) if d is None else d
             for k, d in zip(entry.wanted, grads, strict=True)]  # fmt: skip
    return grads


__all__ = ["Compiled"]
