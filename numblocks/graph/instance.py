"""Instances: a plan bound to memory of its own, one for each call whose backward pass is still to come."""

from __future__ import annotations

import sys

import numpy

from ..kernels import native, reuse
from . import observe
from .bind import Bound
from .graph import Node
from .memory import allocate
from .plan import Plan


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

    __slots__ = (
        "plan",
        "arena",
        "start",
        "forward",
        "backward",
        "env",
        "addresses",
        "words",
        "made",
        "guards",
        "__weakref__",
    )

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
        array = made[slot] = reuse.empty(node.shape, node.dtype)
        self.put(slot, array)
        return array

    def release(self) -> None:
        """Give the memory back to the plan for another call."""
        env = self.env
        for k in range(self.plan.arguments):
            env[k] = None
        self.plan.pool.append(self)
