"""A function run once on stand-ins, and what of it becomes graphs: forward, backward and what one leaves the other."""

from __future__ import annotations

from typing import NamedTuple

from .. import tape
from ..array import ndarray, wrap
from ..device import usable
from ..op import current
from .graph import Graph, Node, ancestors
from .structure import flatten, rebuild
from .trace import Builder, tracing


class Graphs(NamedTuple):
    """What a plan is made of.

    Attributes:
        forward: its outputs are results, new values of states, guards and residuals, in this order.
        backward: of the inputs, the residuals and the cotangents; None where no gradient is wanted.
        captured: for each input after the arguments, the array it stands for.
        targets: the inputs that get new values.
        guards: flags to look at after each call.
        wanted: positions among the inputs whose gradients `backward` computes.
    """

    forward: Graph
    backward: Graph | None
    captured: list
    targets: list[Node]
    guards: tuple
    wanted: list[int]


class Traced(NamedTuple):
    """The stand-ins after the function has run.

    Attributes:
        builder: the trace.
        arguments: how many of its inputs are arguments.
        outputs, structure: what the function returned, and how it nests.
        variables: stand-ins that gradients are wanted of.
        cotangents: stand-ins for those of the outputs on the tape.
        gradients: of the variables, None where nothing arrives.
    """

    builder: Builder
    arguments: int
    outputs: list
    structure: object
    variables: list
    cotangents: list
    gradients: list

    def graphs(self) -> Graphs:
        """Cut what was traced into a forward and a backward graph."""
        builder, cotangents = self.builder, [c._data for c in self.cotangents]
        known = set(cotangents)
        sources = [(n, s) for n, s in zip(builder.inputs, builder.sources, strict=True) if n not in known]
        inputs = [n for n, _ in sources]
        found = [(v._data, g._data) for v, g in zip(self.variables, self.gradients, strict=False) if g is not None]
        gradients = [g for _, g in found]
        stand_ins = {id(s): n for n, s in sources if s is not None}
        guards, _, _ = zip(*builder.guards, strict=True) if builder.guards else ((), (), ())
        made = [*(y._data for y in self.outputs), *(n for _, n in builder.effects), *guards]
        residuals = needed_by(gradients, ancestors(made), known)
        return Graphs(
            forward=Graph(inputs, [*made, *residuals]),
            backward=Graph(inputs + residuals + cotangents, gradients) if gradients else None,
            captured=[s for _, s in sources[self.arguments :]],
            targets=[stand_ins[id(target)] for target, _ in builder.effects],
            guards=guards,
            wanted=[inputs.index(v) for v, _ in found],
        )


def trace_call(name: str, call, args, recording: bool) -> Traced:
    """Run `call` on stand-ins for `args`; while recording, the tape is walked back from its outputs as well."""
    leaves, skeleton = flatten(args)
    builder = Builder(leaves[0]._device if leaves else usable(None))
    stand_ins, variables = [], []

    def watch(source, stand_in):
        if recording and source._node is not None:
            stand_in._node = tape.Leaf(None, "write")
            variables.append(stand_in)

    builder.on_capture = watch
    for k, x in enumerate(leaves):
        stand_in = wrap(builder.input(x.shape, x.dtype, f"argument {k}"), x._device, type(x))
        watch(x, stand_in)
        stand_ins.append(stand_in)
    with tracing(builder):
        outputs, structure = flatten(call(*rebuild(skeleton, stand_ins)), outputs_of=name)
        outputs = [y if isinstance(y._data, Node) else builder.capture(y) for y in outputs]
        heads = [y for y in outputs if y._node is not None] if recording else []
        cotangents, gradients = walk_back(name, builder, heads, variables) if heads else ([], [])
    return Traced(builder, len(leaves), outputs, structure, variables, cotangents, gradients)


def walk_back(name: str, builder: Builder, heads, variables) -> tuple[list, list]:
    """Stand-ins for the cotangents of `heads`, and the gradients of the variables."""
    cotangents = [
        wrap(builder.input(y.shape, y.dtype, f"cotangent {k}"), builder.device, ndarray) for k, y in enumerate(heads)
    ]
    before, current.record = current.record, None
    try:
        return cotangents, tape.cotangents(name, heads, cotangents, [v._node for v in variables], retain=False)
    finally:
        current.record = before


def needed_by(grads: list[Node], forward: list[Node], cotangents: set[Node]) -> list[Node]:
    """The residuals: what the gradients take over from the forward pass.

    Movements, bool masks and random numbers are computed again from what they come from: a view costs nothing, and
    a comparison or a hash less than the memory it would occupy.
    """
    of_forward = {p for n in forward if n.op is not None for p in (n, *n.parts)}
    residuals: dict[Node, None] = {}
    stack, seen = list(grads), set()
    while stack:
        node = stack.pop()
        if node in seen or node.is_input:
            continue
        seen.add(node)
        again = node.kind in ("move", "random") or (node.kind == "elementwise" and node.dtype.kind == "b")
        if node in of_forward and not again:
            residuals[node] = None
        else:
            stack.extend(node.nodes())
    return sorted(residuals, key=lambda n: n.number)
