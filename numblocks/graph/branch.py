"""The branch node: two Bodies over the same inputs, of which each call runs one."""

from __future__ import annotations

import numpy

from .. import eager
from ..array import Aval
from ..op import Op
from .body import Body, contiguous, lock


def _infer(flag, *operands, bodies: tuple[Body, Body], stream: int):
    return tuple(Aval(a.shape, a.dtype) for a in bodies[0].avals)


def _run(flag, *operands, bodies: tuple[Body, Body], stream: int, out=None):
    """The outputs of the first body if `flag` holds, else those of the second."""
    body = bodies[0] if flag[()] else bodies[1]
    if out is None:
        out = tuple(numpy.empty(a.shape, a.dtype) for a in body.avals)
    instance = body.take()
    try:
        for slot, x in enumerate(operands):
            instance.put(slot, contiguous(x))
        first: dict = {}  # outputs that are one value are computed into one array
        for slot, y in zip(body.slots, out, strict=True):
            if slot is not None and slot not in first:
                first[slot] = y
                instance.put(slot, y)
        instance.forward.run(stream)
        for slot, y in zip(body.slots, out, strict=True):
            if slot is None:
                y[...] = 0
            elif first[slot] is not y:
                y[...] = first[slot]
    finally:
        body.give(instance)
    return out


BRANCH = Op("branch", "branch", eager.plain, registered=False, infer=_infer, run=_run, nout=2, joint=True)


def _backward(bodies: tuple[Body, Body], given: tuple):
    """The branch that gives the gradients, its further operands, and which operands it has gradients of."""
    builder, found = bodies[0].builder, []
    known = len(builder.free)
    for body in bodies:
        with body.opened():
            cotangents, grads = body.pull(given, body.inputs)
            found.append((body, cotangents, grads))
    wanted = [k for k in range(len(bodies[0].inputs)) if any(grads[k] is not None for _, _, grads in found)]
    constants = builder.free[known:]
    backs = []
    for body, cotangents, grads in found:
        inputs = [*body.inputs, *(traced for traced, _ in constants), *cotangents]
        zero = [Aval(x.shape, x.dtype) for x in body.inputs]
        backs.append(Body(builder, inputs, [zero[k] if grads[k] is None else grads[k] for k in wanted], body.draws))
    return tuple(backs), [x for _, x in constants], wanted


def _vjp(g, y, flag, *operands, bodies: tuple[Body, Body], stream: int):
    given = tuple(k for k, part in enumerate(g) if part is not None and y[k].dtype.kind == "f")
    key = (bodies[1], given)
    with lock:
        if key not in bodies[0].gradients:
            bodies[0].gradients[key] = _backward(bodies, given)
    backs, constants, wanted = bodies[0].gradients[key]
    found = [None] * len(operands)
    if wanted:
        answers = BRANCH(flag, *operands, *constants, *(g[k] for k in given), bodies=backs, stream=stream)
        for k, d in zip(wanted, answers, strict=True):
            found[k] = d
    return (None, *found)


BRANCH.vjp = _vjp
__all__ = ["BRANCH"]
