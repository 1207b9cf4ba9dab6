"""Bodies: functions traced once inside another trace, to be run many times (a loop) or perhaps (a branch).

A Body is a graph of its own. What its function reached for outside becomes inputs, in `free`. It keeps the tape of its
trace, so its gradients, of any order, are walks on that tape which write into the same graph: detached values, paused
recording and functions with a backward of their own count as they do in eager.
"""

from __future__ import annotations

import contextlib
import itertools
import threading

import numpy

from .. import tape
from ..array import Aval, ndarray, wrap
from ..op import current
from .graph import Graph, Node
from .instance import Instance
from .plan import Plan
from .trace import Builder, tracing

_numbers = itertools.count(1)
lock = threading.RLock()  # held while a Body grows or is planned


class BodyBuilder(Builder):
    """The graph of one or several Bodies under construction.

    Attributes:
        free: `(traced array, the array outside that it stands for)`, as the functions reached for them.
        recording: whether arrays on the tape outside are variables here.
    """

    def __init__(self, device, outer: Builder | None, recording: bool):
        super().__init__(device)
        self._count = self._first = 0 if outer is None else outer._count  # nodes from outside have smaller numbers
        self.recording = recording
        self.free: list[tuple[ndarray, ndarray]] = []

    def variable(self, shape, dtype, label: str, cls=ndarray, on_tape: bool = True) -> ndarray:
        """A new input as an array; gradients by it can be asked for if it is a float `on_tape`."""
        x = wrap(self.input(shape, dtype, label), self.device, cls)
        if on_tape and x.dtype.kind == "f":
            x._node = tape.Leaf(None, "write")
        return x

    def substitute(self, x: ndarray) -> ndarray:
        """`x` if it is of this trace, else what stands for it."""
        own = isinstance(x._data, Node) and x._data.number > self._first
        return x if own else self.capture(x)

    def capture(self, x: ndarray) -> ndarray:
        """The input that stands for an array from outside."""
        known = len(self.inputs)
        found = super().capture(x)
        if len(self.inputs) > known:
            self.free.append((found, x))
        return found

    def on_capture(self, x: ndarray, traced: ndarray) -> None:
        """What is on the tape outside is a variable here."""
        if self.recording and x.dtype.kind == "f":
            traced._node = tape.Leaf(None, "write")

    def flag(self) -> ndarray | None:
        """Not 0 if a condition noted by `current.guard` does not hold; None if none was noted."""
        flags = [wrap(node, self.device) for node, _, _ in self.guards]
        self.guards = []
        if not flags:
            return None
        found = flags[0]
        for other in flags[1:]:
            found = found + other
        return found


class Body:
    """A traced function of arrays.

    Attributes:
        inputs: traced arrays.
        outputs: traced arrays; an Aval in the place of one that is always 0.
        draws: how many random streams it takes.
        slots: of its plan, for each output; equal ones for outputs that are one value, None for what is always 0.
        name: `body3`; numbers go on through the process.
        gradients: what was derived from it, by whoever derives.
    """

    __slots__ = ("builder", "inputs", "outputs", "draws", "name", "gradients", "slots", "_plan", "_idle")

    def __init__(self, builder: BodyBuilder, inputs, outputs, draws: int):
        self.builder, self.inputs, self.draws = builder, list(inputs), draws
        self.name = f"body{next(_numbers)}"
        with tracing(builder):
            self.outputs = [y if isinstance(y, Aval) else builder.substitute(y) for y in outputs]
        self.gradients: dict = {}
        self._plan: Plan | None = None
        self._idle: list[Instance] = []

    @property
    def avals(self) -> list[Aval]:
        """Shape and dtype of each output."""
        return [y if isinstance(y, Aval) else y._data for y in self.outputs]

    @property
    def plan(self) -> Plan:
        """The compiled body; made when it is asked for first."""
        if self._plan is None:
            with lock:
                self._make_plan()
        return self._plan

    def _make_plan(self) -> None:
        if self._plan is None:
            nodes = list(dict.fromkeys(y._data for y in self.outputs if isinstance(y, ndarray)))
            plan = Plan(Graph([x._data for x in self.inputs], nodes), len(nodes))
            plan.name = self.name
            slot = dict(zip(nodes, plan.output_slots, strict=True))
            self.slots = [slot[y._data] if isinstance(y, ndarray) else None for y in self.outputs]
            self._plan = plan

    def take(self) -> Instance:
        """An instance that nobody uses; `give` it back."""
        plan = self.plan
        try:
            return self._idle.pop()
        except IndexError:  # asking first would leave room for another thread
            return Instance(plan)

    def give(self, instance: Instance) -> None:
        """Keep an instance, without the arrays of the last call, for another one."""
        instance.env[:] = [None] * len(instance.env)
        self._idle.append(instance)

    @contextlib.contextmanager
    def opened(self):
        """A scope in which ops add to the graph and are recorded on its tape."""
        before, current.record = current.record, tape.record
        try:
            with lock, tracing(self.builder):
                yield self.builder
        finally:
            current.record = before

    def pull(self, given, wanted) -> tuple[list[ndarray], list[ndarray | None]]:
        """Walk back while `opened`.

        Args:
            given: numbers of the outputs that a cotangent arrives at.
            wanted: inputs.

        Returns:
            New inputs for the cotangents, and the gradients by `wanted`, None where there is none.
        """
        builder, avals = self.builder, self.avals
        cotangents = [builder.variable(avals[k].shape, avals[k].dtype, f"cotangent {k}") for k in given]
        heads = [(self.outputs[k], c) for k, c in zip(given, cotangents, strict=True)]
        heads = [(y, c) for y, c in heads if isinstance(y, ndarray) and y._node is not None]
        if not heads:
            return cotangents, [None] * len(wanted)
        grads = tape.cotangents(self.name, *zip(*heads, strict=True), [x._node for x in wanted], retain=True)
        return cotangents, [None if g is None else builder.substitute(g) for g in grads]

    def __repr__(self) -> str:
        return self.name


def contiguous(x) -> numpy.ndarray:
    """An operand as a C-contiguous array."""
    return numpy.ascontiguousarray(x) if x.ndim else x


__all__ = ["Body", "BodyBuilder", "contiguous", "lock"]
