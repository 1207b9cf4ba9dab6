"""The updates of all weights as one plan: the rule is traced once and runs as a few generated kernels.

The rule of an optimizer is a pure function of arrays and numbers. Here it is traced over all weights, with
every number (learning rate, decay, powers of beta) read from a table in memory, so that a new rate compiles
nothing.
"""

from __future__ import annotations

import numpy

from .. import autograd
from ..array import ndarray, wrap
from ..device import backend
from ..graph.graph import Graph
from ..graph.instance import Instance
from ..graph.on_gpu import GpuInstance
from ..graph.plan import Plan
from ..graph.trace import Builder, tracing
from .optimizer import NUMBERS, Optimizer


def possible(optimizer: Optimizer, weights: list[ndarray]) -> bool:
    """Whether these updates can be one plan: float32 weights, and an optimizer that is nothing but its
    rule."""
    klass = type(optimizer)
    return (
        klass.update is Optimizer.update
        and klass.update_multi_precision is Optimizer.update_multi_precision
        and klass.deterministic
        and all(w.dtype == numpy.float32 for w in weights)
    )


def constants(optimizer: Optimizer) -> tuple:
    """The hyper-parameters that are constants of the traced rule: beta1, momentum, clip_gradient ..."""
    plain = (int, float, str, type(None))
    return tuple(
        [(k, v) for k, v in vars(optimizer).items() if isinstance(v, plain) and k not in NUMBERS and k[0] != "_"]
    )


class Together:
    """One plan for the updates of some weights; valid as long as every array keeps its buffer.

    Args:
        optimizer: whose rule is traced.
        weights, grads: lists of ndarrays.
        states: one tuple of ndarrays for each weight.
        width: how many numbers a rule takes: lr, wd, rescale and the factors.
    """

    def __init__(self, optimizer: Optimizer, weights, grads, states, width: int):
        device = weights[0].ctx
        self.constants = constants(optimizer)
        self.arrays = [x for w, g, state in zip(weights, grads, states, strict=True) for x in (w, g, *state)]
        self.buffers = [x._data for x in self.arrays]
        self.table = numpy.empty((len(weights), width), "float32")
        table = backend().empty(self.table.shape, "float32", device) if device.far else self.table
        builder = Builder(device)

        bound = []

        def stand_in(data):
            bound.append(data)
            return wrap(builder.input(data.shape, data.dtype, f"input {len(builder.inputs)}"), device)

        results, targets = [], []
        with tracing(builder), autograd.pause():
            for k, state in enumerate(states):
                w, g, *state = (stand_in(x._data) for x in (weights[k], grads[k], *state))
                lr, wd, rescale, *factors = (stand_in(table[k, j : j + 1].reshape(())) for j in range(width))
                new_w, new_state = optimizer.rule(w, g, tuple(state), lr, wd, rescale, tuple(factors))
                results += [*new_state, new_w]
                targets += [*state, w]
        graph = Graph(builder.inputs, [r._data for r in results])
        plan = Plan(graph, 0, [t._data for t in targets], captured=bound)
        plan.name = f"{type(optimizer).__name__} update"
        if device.far:
            self.instance = GpuInstance(plan, device)
            self.instance.forward.steps.insert(0, lambda env, base: table.gpu.upload(table.address, self.table))
        else:
            self.instance = Instance(plan)

    def fits(self, optimizer: Optimizer, arrays) -> bool:
        """Whether this plan is about these arrays, in the same memory, and the same constants."""
        if len(arrays) != len(self.arrays) or self.constants != constants(optimizer):
            return False
        return all([x._data is b for x, b in zip(arrays, self.buffers, strict=True)])

    def __call__(self, numbers) -> None:
        """Make one update with a row of numbers for each weight."""
        self.table[...] = numbers
        self.instance.forward.run(0)
