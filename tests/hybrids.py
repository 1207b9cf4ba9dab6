"""Ways to look at what hybridizing makes of a Block."""

import numpy

from numblocks import autograd, np, random
from numblocks.gluon import HybridBlock
from numblocks.graph.lower import Launch
from numblocks.graph.schedule import Call, Copy


class Function(HybridBlock):
    """A Block round a plain function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def hybrid(function):
    """`function` as a hybridized Block."""
    block = Function(function)
    block.hybridize()
    return block


def entries(block):
    """The traced signatures of a hybridized Block, oldest first."""
    return list(block._traced.compiled.entries.values())


def steps(schedule):
    """How many kernel launches, calls of whole ops and copies a schedule makes."""
    kinds = [type(s) for s in schedule.steps] if schedule else []
    return {"launches": kinds.count(Launch), "calls": kinds.count(Call), "copies": kinds.count(Copy)}


def counted(block, *args, train=True):
    """`(forward, backward)` step counts of the plan that serves `block(*args)`."""
    with autograd.record(train_mode=train):
        block(*args)
    plan = entries(block)[-1].plan
    return steps(plan.first), steps(plan.second)


def results(block, inputs, dtype="float64", retain=False):
    """Outputs and input gradients of `block`, whose outputs are a list; each head gets weights of its own."""
    xs = [np.array(x, dtype=dtype) for x in inputs]
    for x in xs:
        x.attach_grad()
    random.seed(0)
    with autograd.record():
        ys = block(*xs)
    heads = [
        np.array(numpy.asarray(numpy.cos(numpy.arange(y.size) + k)).reshape(y.shape), dtype=y.dtype)
        for k, y in enumerate(ys)
    ]
    on = [k for k, y in enumerate(ys) if y._node is not None]
    if on:
        autograd.backward([ys[k] for k in on], [heads[k] for k in on], retain_graph=retain)
    return [y.asnumpy() for y in ys], [x.grad.asnumpy() for x in xs]
