"""`check_block`: gradients, eager against hybridized, and saving, for one net."""

from __future__ import annotations

import numpy

from .. import random
from ..gluon.block import Block
from ..gluon.check import check_hybrid
from .consistency import check_saved
from .gradients import check_gradients
from .layers import Tree
from .subject import Subject

ATOL = {"float16": 2e-2, "float32": 2e-5, "float64": 1e-11}  # of the largest output or gradient: sums cancel


def check_block(net: Block | Tree, *inputs, order: int = 1, hybrid: bool = True, seed: int = 0) -> None:
    """Everything that can be asked of a net: gradients in training and prediction, hybridizing, saving.

    Args:
        net: an initialized Block, or a Tree drawn by `trees()`, which brings its input.
        inputs: of the Block.
        order: highest order of derivative.
        hybrid: compile it, too (takes a moment).
        seed: of everything random.

    Raises:
        AssertionError: of the first check that fails.

    >>> from numblocks import np
    >>> from numblocks.gluon import nn
    >>> net = nn.Dense(2, activation="tanh"); net.initialize()
    >>> check_block(net, np.ones((3, 4)))
    """
    if isinstance(net, Tree):
        net, inputs = net.net(), (net.input(),)
    check_gradients(net, *inputs, order=order, seed=seed)
    check_gradients(net, *inputs, train_mode=False, seed=seed)
    check_saved(net, *inputs)
    if hybrid:
        random.seed(seed)
        check_hybrid(net, *inputs, atol=absolute(net, inputs))


def absolute(net, inputs) -> float:
    """The absolute tolerance of `check_hybrid`: of the largest output or gradient, as sums cancel."""
    subject = Subject(net, inputs, True, True, 0)
    ys = subject.values(subject.start)
    found = [*ys, *(g for g in subject.gradients(subject.start, [numpy.ones_like(y) for y in ys]) if g is not None)]
    floats = [p.data().dtype.name for p in net.collect_params().values()] + [
        x.dtype.name for x in inputs if x.dtype.kind == "f"
    ]
    dtype = min(floats, key=lambda name: numpy.dtype(name).itemsize, default="float64")
    return ATOL[dtype] * max([1.0, *(float(numpy.abs(x).max(initial=0)) for x in found)])
