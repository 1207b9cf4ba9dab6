"""Instances: a plan bound to memory of its own, one for each call whose backward pass is still to come."""

from __future__ import annotations

import numpy

from ..kernels import entry, native, reuse
from . import observe
from .bind import Bound
from .memory import allocate
from .plan import Plan


class Instance:
    """A plan bound to memory of its own; one forward pass and the backward passes that belong to it.

    Attributes:
        env: the array in each slot.
        places: for each slot the packed arguments that hold its address: (words, position, bytes to add).
        lasting: what stays in `env` when the arrays of a call go: captured arrays, gradients of variables.
        point: for each slot a function that tells them where an array lies, unless it is not C-contiguous.
        make: for each slot a function that makes an array for it.
    """

    __slots__ = ("plan", "arena", "start", "forward", "backward", "env", "lasting", "places", "point", "make",
                 "guards", "__weakref__")  # fmt: skip

    def __init__(self, plan: Plan, watchers=None):
        self.plan = plan
        self.arena = allocate(plan.arena_bytes)
        self.start = native.address(self.arena)
        self.env: list = [None] * len(plan.slots)
        self.make = {slot: reuse.maker(node.shape, node.dtype) for slot, node in plan.slotted.items()}
        self.bind(watchers)
        for k, array in enumerate(plan.captured, plan.arguments):
            self.put(k, array)
        self.lasting = list(self.env)
        self.guards = [self.forward.array(w)(self.env) for w in plan.guards]

    def bind(self, watchers=None) -> None:
        """Make the steps callable; again when someone starts or stops looking on (see `observe`)."""
        plan = self.plan
        if watchers is None:
            watchers = observe.watchers
            observe.instances.add(self)
        self.places: list[list] = [[] for _ in plan.slots]
        self.forward = Bound(self, plan.first, lambda n: plan.offsets[n], watchers)
        self.backward = None
        if plan.second is not None:
            own = plan.second.buffers
            self.backward = Bound(self, plan.second, lambda n: plan.offsets[("b", n) if n in own else n], watchers)
        self.point = [entry.pointer(places) for places in self.places]
        for slot, array in enumerate(self.env):
            if array is not None:
                self.point[slot](array)

    def put(self, slot: int, array: numpy.ndarray) -> None:
        """Let `slot` be `array`, C-contiguous or copied."""
        if not self.point[slot](array):
            array = numpy.asarray(array, order="C")
            self.point[slot](array)
        self.env[slot] = array

    def fresh(self, slot: int) -> numpy.ndarray:
        """A new array for an output."""
        array = self.env[slot] = self.make[slot]()
        self.point[slot](array)
        return array

    def release(self) -> None:
        """Give the memory back to the plan for another call."""
        self.env[:] = self.lasting
        self.plan.pool.append(self)
