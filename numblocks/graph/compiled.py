"""Compiled functions: trace on a new signature, plan, run, and take part in the tape as one step.

    call(args) --trace--> Graph --tape walked while tracing--> backward Graph --fuse, lower--> Plan --> run
"""

from __future__ import annotations

import functools
import threading

import numpy

from .. import tape
from ..array import ndarray, wrap
from ..config import CHECK, DEBUG, debug
from ..device import usable
from ..op import Op, current
from ..ops import random as rnd
from ..ops.elementwise import cast
from .graph import Graph, Node, ancestors
from .plan import Plan
from .structure import flatten, rebuild
from .trace import Builder, tracing


class Entry:
    """One traced signature of a function.

    Attributes:
        plan: what to run.
        sources: for each input after the arguments its position and a function that gives its array.
        structure: how the outputs nest.
        wanted: positions among the plan's inputs whose gradients the backward pass computes.
        on_tape: which outputs depend on a variable.
        builder: the trace, for replay and for looking at.
    """

    __slots__ = ("plan", "sources", "structure", "wanted", "on_tape", "builder", "classes", "updates", "heads", "op")


class Compiled:
    """A function of arrays, compiled on first use for each signature.

    Args:
        call: the function; it may reach for parameters through `current.substitute`.
        name: for messages.
    """

    def __init__(self, call, name: str = "function", **flags):
        self.call, self.name, self.flags = call, name, flags
        self.entries: dict = {}
        self.lock = threading.RLock()

    def __call__(self, params, args):
        """Run on `args`, a tuple of arrays, nested lists, tuples and dicts of them, None, and plain Python values.

        Args:
            params: the parameters the function may use; each call asks them for their arrays.
        """
        if current.substitute is not None:  # inside another trace: inline
            return self.call(*args)
        leaves, structure = flatten(args)
        cur = current
        recording = cur.record is not None
        key = (
            structure,
            leaves[0]._device if leaves else None,
            tuple([(x._data.shape, x._data.dtype, type(x), recording and x._node is not None) for x in leaves]),
            cur.training,
            recording,
            params_key(params, recording),
        )
        entry = self.entries.get(key)
        if entry is None:
            with self.lock:
                entry = self.entries.get(key)
                if entry is None:
                    entry = self.entries[key] = self.trace(params, args, leaves, recording)
        return run(entry, leaves)

    def trace(self, params, args, leaves, recording: bool) -> Entry:
        """Trace the function for arguments like these and plan it."""
        if DEBUG >= 1:
            shapes = ", ".join(f"{x.dtype}{list(x.shape)}" for x in leaves)
            debug(1, f"{self.name}: tracing for ({shapes}), training={current.training}, recording={recording}")
        device = leaves[0]._device if leaves else usable(None)
        builder = Builder(device)
        traced, variables = [], []

        def watch(source, stand_in):
            if recording and source._node is not None:
                stand_in._node = tape.Leaf(None, "write")
                variables.append(stand_in)

        builder.on_capture = watch
        for k, x in enumerate(leaves):
            stand_in = wrap(builder.input(x.shape, x.dtype, f"argument {k}"), x._device, type(x))
            watch(x, stand_in)
            traced.append(stand_in)
        _, skeleton = flatten(args)
        with tracing(builder):
            outputs = self.call(*rebuild(skeleton, traced))
            out_leaves, out_structure = flatten(outputs, outputs_of=self.name)
            out_leaves = [y if isinstance(y._data, Node) else builder.capture(y) for y in out_leaves]
            heads = [y for y in out_leaves if y._node is not None] if recording else []
            forward_nodes = [y._data for y in out_leaves]
            known = len(builder.inputs)
            grads, cotangents, wanted = [], [], []
            if heads:
                cotangents = [wrap(builder.input(y.shape, y.dtype, f"cotangent {k}"), device, ndarray) for k, y in enumerate(heads)]
                before, current.record = current.record, None
                try:
                    grads = tape.cotangents(self.name, heads, cotangents, [v._node for v in variables], retain=False)
                finally:
                    current.record = before
        primal = builder.inputs[:known]
        entry = Entry()
        entry.builder, entry.structure = builder, out_structure
        entry.classes = [type(y) for y in out_leaves]
        entry.sources = [(k, source_of(s, params)) for k, s in enumerate(builder.sources[:known]) if s is not None]
        entry.on_tape = [y._node is not None and recording for y in out_leaves]
        found = [(v._data, g._data) for v, g in zip(variables, grads, strict=False) if g is not None]
        entry.wanted = [primal.index(v) for v, _ in found]
        entry.updates = [target for target, _ in builder.effects]
        update_nodes = [n for _, n in builder.effects]
        grad_nodes = [g for _, g in found]
        residuals = needed_by(grad_nodes, ancestors(forward_nodes + update_nodes), {c._data for c in cotangents})
        forward = Graph(primal, forward_nodes + update_nodes + residuals)
        backward = None
        if grad_nodes:
            backward = Graph(primal + residuals + [c._data for c in cotangents], grad_nodes)
        for stage, graph in (("forward", forward), ("backward", backward)):
            if graph is not None:
                if CHECK:
                    graph.check()
                if DEBUG >= 3:
                    debug(3, f"{self.name}: {stage}\n{graph}")
        entry.plan = Plan(forward, len(forward_nodes), len(update_nodes), backward)
        entry.op = step_op(self, entry)
        return entry


def params_key(params, recording: bool):
    """Which parameters want gradients: a change of grad_req is a new signature."""
    return tuple([p.grad_req for p in params]) if recording else None


def source_of(array: ndarray, params):
    """A function that gives the array an input stands for: asked of its parameter, which may be given a new one."""
    for p in params:
        if any(held is array for held in p.list_data()):
            return functools.partial(p.data, array._device)
    return lambda: array


def needed_by(grads: list[Node], forward: list[Node], cotangents: set[Node]) -> list[Node]:
    """The residuals: what the gradients take over from the forward pass.

    Movements and bool masks are computed again from what they come from: a view costs nothing, and a comparison
    less than the memory it would occupy.
    """
    of_forward = {n for n in forward if n.op is not None}
    residuals: dict[Node, None] = {}
    stack, seen = list(grads), set()
    while stack:
        node = stack.pop()
        if node in seen or node.is_input:
            continue
        seen.add(node)
        again = node.kind == "move" or (node.kind == "elementwise" and node.dtype.kind == "b")
        if node in of_forward and not again:
            residuals[node] = None
        else:
            stack.extend(node.nodes())
    return sorted(residuals, key=lambda n: n.number)


def run(entry: Entry, leaves):
    """Run an entry on the leaves of its arguments."""
    plan = entry.plan
    instance = plan.acquire()
    env = instance.env
    for k, x in enumerate(leaves):
        data = x._data
        env[k] = data if data.flags.c_contiguous else numpy.ascontiguousarray(data)
    captured = [source() for _, source in entry.sources]
    for (k, _), x in zip(entry.sources, captured, strict=True):
        data = x._data
        env[k] = data if data.flags.c_contiguous else numpy.ascontiguousarray(data)
    outputs = []
    device = leaves[0]._device if leaves else entry.builder.device
    for slot, node, cls in zip(plan.output_slots, plan.forward.outputs, entry.classes, strict=False):
        data = env[slot] = numpy.empty(node.shape, node.dtype)
        y = cls.__new__(cls)
        y._data, y._device, y._node = data, device, None
        outputs.append(y)
    draws = entry.builder.draws
    base = rnd.generator.advance(draws) if draws else 0
    instance.forward.run(base)
    if plan.updates:
        for target, window in zip(entry.updates, plan.update_views, strict=True):
            numpy.copyto(target._data, instance.forward.array(window)(env))
    if current.record is not None and plan.second is not None:
        ticket = Ticket(instance, base)
        operands = (*leaves, *captured)
        answers = tuple(y for y, on in zip(outputs, entry.on_tape, strict=True) if on)
        step_answer = answers if len(answers) > 1 else answers[0]
        current.record(entry.op, operands, {"ticket": ticket}, step_answer)
    else:
        instance.release()
    return rebuild(entry.structure, outputs)


class Ticket:
    """The right to an instance's residuals; the instance goes back to its plan with the last reference."""

    __slots__ = ("instance", "base", "memo")

    def __init__(self, instance, base: int):
        self.instance, self.base, self.memo = instance, base, None

    def __del__(self):
        self.instance.release()

    def __hash__(self):
        return id(self)


def step_op(compiled: Compiled, entry: Entry) -> Op:
    """The op a call is recorded under: its pullback runs the backward plan once for all operands."""
    positions = {p: k for k, p in enumerate(entry.wanted)}

    def vjp(g, y, *xs, index, ticket):
        # operands are the arguments, then the captured arrays: the order of the plan's inputs
        place = positions.get(index)
        if place is None:
            return None
        if current.record is not None:
            return replay(compiled, entry, g, xs, ticket)[place]
        memo = ticket.memo
        if memo is None or memo[0] is not g:
            memo = ticket.memo = (g, backward(entry, ticket.instance, g, ticket.base))
        return memo[1][place]

    op = object.__new__(Op)
    op.name, op.kind, op.vjp, op.nout = compiled.name, "opaque", vjp, 1
    return op


def heads_of(entry: Entry, g, device) -> list:
    """Cotangents of the outputs on the tape, zeros for those nothing arrived at."""
    nodes = [n for n, on in zip(entry.plan.forward.outputs, entry.on_tape, strict=False) if on]
    given = g if isinstance(g, list) else [g]
    return [wrap(numpy.zeros(n.shape, n.dtype), device) if c is None else c for n, c in zip(nodes, given, strict=True)]


def backward(entry: Entry, instance, g, base: int) -> list:
    """Gradients of the wanted inputs, from the residuals in `instance`."""
    plan, env = entry.plan, instance.env
    device = entry.builder.device
    for node, c in zip(plan.cotangents, heads_of(entry, g, device), strict=True):
        data = c._data
        env[plan.slots[node]] = data if data.flags.c_contiguous else numpy.ascontiguousarray(data)
    grads = []
    for slot, node in zip(plan.grad_slots, plan.backward.outputs, strict=True):
        env[slot] = numpy.empty(node.shape, node.dtype)
        grads.append(wrap(env[slot], device))
    instance.backward.run(base)
    return grads


def replay(compiled: Compiled, entry: Entry, g, xs, ticket: Ticket) -> list:
    """Gradients as recorded computations, for higher orders: the graph is evaluated op by op on the tape."""
    if ticket.memo is not None and ticket.memo[0] is g:
        return ticket.memo[1]
    plan = entry.plan
    values: dict[Node, ndarray] = dict(zip(plan.inputs, xs, strict=True))
    for node in plan.forward.nodes:
        spec = node.spec
        if node.kind == "random":
            spec = {**spec, "stream": ticket.base + spec["stream"]}
        inputs = tuple(values[x] if isinstance(x, Node) else x for x in node.inputs)
        if node.op is cast and inputs[0].dtype == node.dtype:
            values[node] = inputs[0]
        else:
            values[node] = node.op(*inputs, **spec)
    results = plan.forward.outputs[: plan.results]
    heads = [values[n] for n, on in zip(results, entry.on_tape, strict=True) if on]
    wanted = [xs[k]._node for k in entry.wanted]
    grads = tape.cotangents(compiled.name, heads, heads_of(entry, g, entry.builder.device), wanted, retain=True, through=False)
    grads = [wrap(numpy.zeros(xs[k].shape, xs[k].dtype), entry.builder.device) if d is None else d
             for k, d in zip(entry.wanted, grads, strict=True)]  # fmt: skip
    ticket.memo = (g, grads)
    return grads


__all__ = ["Compiled"]
