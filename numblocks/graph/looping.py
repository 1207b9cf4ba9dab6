"""Loops and branches inside a trace: the functions are traced into Bodies, and one node is put into the graph."""

from __future__ import annotations

import contextlib
import threading

import numpy

from .. import dtype as dt
from ..array import Aval, ndarray, wrap
from ..device import usable
from ..errors import MXNetError
from ..op import assign, bind, current
from ..ops.elementwise import add, astype, less, logical_and, multiply, not_equal
from ..ops.move import reshape
from .body import Body, BodyBuilder
from .branch import BRANCH
from .loop import LOOP, Form
from .trace import innermost, tracing

_how = threading.local()


@contextlib.contextmanager
def unrolled():
    """A scope in which traces take loops step by step, and both branches: for files, whose readers know no loops."""
    before, _how.unrolled = getattr(_how, "unrolled", False), True
    try:
        yield
    finally:
        _how.unrolled = before


def compiling() -> bool:
    """Whether loops are to become nodes of a trace; on a GPU they are taken step by step, too."""
    builder = innermost()
    return builder is not None and builder.device.device_type != "gpu" and not getattr(_how, "unrolled", False)


class Unsteady(Exception):
    """A state changes its shape or dtype from step to step; `states` are the avals that came back."""

    def __init__(self, k: int, before, after):
        super().__init__(f"state {k} goes in as {before} and comes back as {after}")
        self.position, self.after = k, after


def holds(flag) -> ndarray:
    """Whether a one-element array is not 0, as a bool of no axes."""
    if not isinstance(flag, ndarray):
        return wrap(numpy.asarray(bool(flag)), usable(None))
    if flag.size != 1:
        raise ValueError(
            f"condition: an array of shape {flag.shape}. One number says whether it holds. Use any or all."
        )
    return reshape(not_equal(flag, 0), shape=())


def shapes(step, rows, states) -> list[Aval]:
    """Shape and dtype of one step's outputs; nothing is computed.

    Args:
        step: `(rows, states) -> (outputs, next states)`.
    """
    builder = BodyBuilder((rows or states)[0]._device, innermost(), False)
    rows = [_like_row(builder, x, k, False) for k, x in enumerate(rows)]
    states = [builder.variable(x.shape, x.dtype, f"state {k}", type(x), False) for k, x in enumerate(states)]
    before, current.record = current.record, None
    try:
        with tracing(builder):
            outputs, _ = step(rows, states)
    finally:
        current.record = before
    return [Aval(y.shape, y.dtype) for y in outputs]


def _like_row(builder: BodyBuilder, x: ndarray, k: int, recording: bool) -> ndarray:
    return builder.variable(x.shape[1:], x.dtype, f"row {k}", type(x), recording and x._node is not None)


def loop(where: str, step, rows, states, length: int, test=None):
    """Put a loop into the trace that runs.

    Args:
        step: `(rows, states) -> (outputs, next states)`, lists of arrays; called once.
        rows: arrays whose first axis is stepped through.
        states: arrays.
        length: steps, at most.
        test: `states -> one-element array`: whether there is another step.

    Returns:
        The stacked outputs and the final states.

    Raises:
        Unsteady: a state changes.
    """
    outer, recording = innermost(), current.record is not None
    first = None if test is None else holds(test(states))
    builder = BodyBuilder(outer.device, outer, recording)
    taken = [_like_row(builder, x, k, recording) for k, x in enumerate(rows)]
    carried = [builder.variable(x.shape, x.dtype, f"state {k}", type(x), recording) for k, x in enumerate(states)]
    with tracing(builder):
        outputs, after = step(taken, carried)
        broken = builder.flag()
        going = None if test is None else holds(test(after))
        broken_test = builder.flag()
        outputs, after = ([builder.substitute(y) for y in part] for part in (outputs, after))
        for k, (x, y) in enumerate(zip(carried, after, strict=True)):
            if x.shape != y.shape or x.dtype != y.dtype:
                raise Unsteady(k, x._data, Aval(y.shape, y.dtype))
        last = [] if going is None else [builder.substitute(logical_and(going, True))]  # a value of its own
        held, targets = _effects(builder)
        fresh = []

        def count(label: str, term) -> ndarray:
            """A state that starts at 0 and to which each step adds."""
            fresh.append(len(carried) + len(held))
            held.append((builder.variable((), numpy.dtype("int32"), label), None))
            targets.append(builder.substitute(add(held[-1][0], term)))
            return held[-1][0]

        if broken_test is not None:  # behind the last step that there may be, nothing is tested
            broken_test = multiply(less(count("step", 1), length - 1), broken_test)
        flags = [astype(x, "int32") for x in (broken, broken_test) if x is not None]
        if flags:
            count("broken", flags[0] if len(flags) == 1 else add(*flags))
    free = [pair for pair in builder.free if all(pair[0] is not x for x, _ in held)]
    kinds = [type(y) for y in (*outputs, *after)]
    body = Body(builder, [*taken, *carried, *(x for x, _ in held), *(x for x, _ in free)],
                [*outputs, *after, *targets, *last], builder.draws)  # fmt: skip
    operands = [*rows, *states, *(x for _, x in held if x is not None), *(x for _, x in free)]
    keep = recording and any(x._node is not None for x in operands)
    form = Form(body, len(rows), len(states) + len(held), len(outputs), tuple(fresh), keep, False,
                "all" if test is None else "while")  # fmt: skip
    stream, outer.draws = outer.draws, outer.draws + length * builder.draws
    if first is not None:
        operands.append(first)
    found = bind(LOOP, tuple(operands), {"form": form, "length": length, "stream": stream})
    for y, (stand_in, target) in zip(found[len(kinds) :], held, strict=False):
        if target is not None:
            assign(target, y)
        elif stand_in is held[-1][0]:
            _guard(where, y)
    found = [_as(kind, y) for kind, y in zip(kinds, found, strict=False)]
    return found[: len(outputs)], found[len(outputs) :]


def _effects(builder: BodyBuilder):
    """States that the body updates (running statistics): `(input, array outside)` of each, and their new values."""
    held, values = [], []
    for target, node in builder.effects:
        stand_in = next(x for x, outside in builder.free if outside is target)
        stand_in._node = None  # an update in place is not on the tape
        held.append((stand_in, target))
        values.append(wrap(node, builder.device))
    return held, values


def _guard(where: str, flag: ndarray) -> None:
    def refuse(values):
        raise IndexError(
            f"{where}: in one of its steps an index is out of range or no whole number. Check the indices."
        )

    current.guard(flag, flag, refuse)


def _as(kind: type, y: ndarray) -> ndarray:
    """`y` as an array of class `kind`."""
    if type(y) is kind:
        return y
    x = wrap(y._data, y._device, kind)
    x._node = y._node
    return x


def branch(where: str, flag: ndarray, functions) -> list[ndarray]:
    """Put a branch into the trace that runs.

    Args:
        flag: whether the first of the two functions is to run.
        functions: without arguments; lists of arrays of the same shapes.

    Raises:
        MXNetError: the answers differ in number or shape.
    """
    outer, recording = innermost(), current.record is not None
    builder = BodyBuilder(outer.device, outer, recording)
    flag = holds(flag)
    made, draws, effects, broken = [], [], [], []
    captured = dict(builder._captured)
    with tracing(builder):
        for function in functions:
            builder.draws, builder.effects, builder._captured = 0, [], dict(captured)
            made.append([builder.substitute(y) for y in function()])
            draws.append(builder.draws)
            effects.append(builder.effects)
            broken.append(builder.flag())
            captured = {id(outside): traced for traced, outside in builder.free}
        _agree(where, *made)
        kinds = [type(y) for y in made[0]]
        for a, b in zip(*made, strict=True):
            if a.dtype != b.dtype:
                want, at = dt.promote(a.dtype, b.dtype).name, [x is a for x in made[0]].index(True)
                made[0][at], made[1][at] = astype(a, want), astype(b, want)
        targets = []
        for target in {id(t): t for part in effects for t, _ in part}.values():
            targets.append(target)
            before = next(x for x, outside in builder.free if outside is target)
            for outputs, part in zip(made, effects, strict=True):
                node = next((n for t, n in part if t is target), before._data)
                outputs.append(wrap(node, builder.device))
        if any(x is not None for x in broken):
            for outputs, x in zip(made, broken, strict=True):
                outputs.append(Aval((), numpy.dtype("int32")) if x is None else astype(x, "int32"))
    inputs = [x for x, _ in builder.free]
    bodies = tuple(Body(builder, inputs, outputs, n) for outputs, n in zip(made, draws, strict=True))
    stream, outer.draws = outer.draws, outer.draws + max(draws)
    found = bind(BRANCH, (flag, *(x for _, x in builder.free)), {"bodies": bodies, "stream": stream})
    for y, target in zip(found[len(kinds) :], targets, strict=False):
        assign(target, y)
    if len(found) > len(kinds) + len(targets):
        _guard(where, found[-1])
    return [_as(kind, y) for kind, y in zip(kinds, found, strict=False)]


def _agree(where: str, yes, no) -> None:
    shapes_ = [[y.shape for y in part] for part in (yes, no)]
    if shapes_[0] != shapes_[1]:
        raise MXNetError(
            f"{where}: one branch gives arrays of shapes {shapes_[0]}, the other {shapes_[1]}. In a hybridized Block"
            f" both are compiled, and what follows must take either. Give them the same shapes."
        )


__all__ = ["Unsteady", "branch", "compiling", "holds", "loop", "shapes", "unrolled"]
