"""The loop node: a Body run many times by Python over a compiled plan, inside one node of a graph.

One instance of the plan serves all steps; a step reads rows of the operands where they lie, writes rows of the stacked
outputs, and hands its states on by exchanging two buffers. For gradients the states before each step are kept and the
body is computed again on the way back (checkpoints): its memory is then `steps * states`, whatever the body holds in
between, for one more forward pass. The gradient of a loop is a loop over the body's gradient in the other direction,
and has a gradient of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy

from .. import eager
from ..array import Aval
from ..op import Op, current
from ..ops.elementwise import add
from .body import Body, contiguous, lock


class Form(NamedTuple):
    """What a loop does, apart from its length.

    Attributes:
        body: inputs are a row of each stacked operand, the states, free values; outputs a row of each stacked output,
            the next states, and for `steps='while'` whether to go on.
        rows: how many stacked operands.
        states: how many states.
        stacked: how many stacked outputs.
        fresh: which states start at 0, without an operand.
        keep: the states before each step are outputs, too.
        reverse: the last row comes first.
        steps: 'all', 'while' (the last operand says whether there is a first step, the last output how many there
            were) or 'counted' (the last operand says how many).
    """

    body: Body
    rows: int
    states: int
    stacked: int
    fresh: tuple[int, ...] = ()
    keep: bool = False
    reverse: bool = False
    steps: str = "all"

    def __repr__(self) -> str:
        return f"{self.body!r}{', back' if self.reverse else ''}{'' if self.steps == 'all' else ', ' + self.steps}"


def _infer(*operands, form: Form, length: int, stream: int):
    avals, body = form.body.avals, form.body
    stack = lambda a: Aval((length, *a.shape), a.dtype)
    states = [x._data for x in body.inputs[form.rows : form.rows + form.states]]
    found = [stack(a) for a in avals[: form.stacked]] + [Aval(a.shape, a.dtype) for a in states]
    found += [stack(a) for a in states] if form.keep else []
    return tuple(found + [Aval((), numpy.dtype("int64"))] * (form.steps == "while"))


def _run(*operands, form: Form, length: int, stream: int, out=None):
    """All steps; `stream` is the number of the first random stream."""
    if out is None:
        out = tuple(numpy.empty(a.shape, a.dtype) for a in _infer(form=form, length=length, stream=0))
    body = form.body
    instance = body.take()
    try:
        _steps(instance, [contiguous(x) for x in operands], out, form, length, stream)
    finally:
        body.give(instance)
    return out


def _steps(instance, operands, out, form: Form, length: int, stream: int) -> None:
    body, put, run, draws = form.body, instance.put, instance.forward.run, form.body.draws
    rows, states, stacked, slots = form.rows, form.states, form.stacked, form.body.slots
    final, kept = out[stacked : stacked + states], out[stacked + states : stacked + 2 * states] if form.keep else ()
    count = length
    if form.steps != "all":
        operands, last = operands[:-1], operands[-1]
        count = int(last[()]) if form.steps == "counted" else length * bool(last[()])
    given = iter(operands[rows:])
    starts = [None if k in form.fresh else next(given) for k in range(states)]
    for slot, x in enumerate(given, rows + states):
        put(slot, x)
    order = range(count - 1, -1, -1) if form.reverse else range(count)
    first = {slot: j for j, slot in reversed(list(enumerate(slots[:stacked]))) if slot is not None}  # written once
    chains = _chains(form, final, kept, out, first, count)
    now = [chain.begin(start, order) for chain, start in zip(chains, starts, strict=True)]
    stacks = [(slot, out[j]) for slot, j in first.items()]
    going, steps = None, 0
    if form.steps == "while":
        going = numpy.empty(body.avals[-1].shape, body.avals[-1].dtype)
        put(slots[-1], going)
    reads = list(enumerate(operands[:rows]))
    own = {}  # slot of a state that is no stacked output: which states it is
    for k, slot in enumerate(slots[stacked : stacked + states]):
        if slot not in first:
            own.setdefault(slot, []).append(k)
    zero = own.pop(None, ())
    for t in order:
        for slot, x in reads:
            put(slot, x[t, ...])
        for slot, x in enumerate(now, rows):
            put(slot, x)
        for slot, y in stacks:
            put(slot, y[t, ...])
        now = [chain.after(steps, t, order) for chain in chains]
        for slot, same in own.items():
            put(slot, now[same[0]])
        run(stream + t * draws)
        for k in zero:
            now[k][...] = 0
        for same in own.values():
            for k in same[1:]:
                now[k][...] = now[same[0]]
        steps += 1
        if going is not None and not going[()]:
            break
    for chain, x in zip(chains, now, strict=True):
        chain.finish(x, order[:steps])
    for j, slot in enumerate(slots[:stacked]):
        if slot is None:
            out[j][...] = 0
        elif first[slot] != j:
            out[j][...] = out[first[slot]]
        if form.steps != "all":
            out[j][steps:] = 0
    if form.steps == "while":
        out[-1][...] = steps


class _Chain:
    """Where a state lies before and after each step: two buffers in turn, of which the last step writes `final`; or
    the rows of `kept`; or rows of the stacked output that the state is, too (`shared`)."""

    __slots__ = ("final", "kept", "shared", "turns")

    def __init__(self, final, kept, shared, count: int):
        self.final, self.kept, self.shared = final, kept, shared
        spare = numpy.empty_like(final) if kept is None and shared is None else None
        self.turns = (final, spare) if count % 2 else (spare, final)

    def begin(self, start, order):
        """The state before the first step; `start` is None for zeros."""
        if start is not None and self.kept is None and len(order):
            return start
        y = self.final if not len(order) or (self.kept is None and self.shared is not None) else None
        if y is None:
            y = self.kept[order[0], ...] if self.kept is not None else self.turns[1]
        y[...] = 0 if start is None else start
        return y

    def after(self, step: int, t: int, order):
        """Where the state goes in this step, number `step`."""
        if self.shared is not None:
            return self.shared[t, ...]
        if self.kept is None:
            return self.turns[step % 2]
        return self.final if step + 1 == len(order) else self.kept[order[step + 1], ...]

    def finish(self, last, order) -> None:
        """Make `final` and `kept` what they should be; `order`: the steps that ran."""
        if last is not self.final:
            self.final[...] = last
        if self.shared is not None and self.kept is not None and len(order) > 1:
            low, high = min(order), max(order)
            before, after = slice(low, high), slice(low + 1, high + 1)
            if order[0] < order[-1]:
                self.kept[after] = self.shared[before]
            else:
                self.kept[before] = self.shared[after]


def _chains(form: Form, final, kept, out, first, count: int) -> list[_Chain]:
    found = []
    for k, y in enumerate(final):
        j = first.get(form.body.slots[form.stacked + k])
        found.append(_Chain(y, kept[k] if kept else None, None if j is None else out[j], count))
    return found


LOOP = Op("loop", "loop", eager.plain, registered=False, infer=_infer, run=_run, nout=2, joint=True)


def _backward(form: Form, given: tuple, ends: tuple, kept: tuple):
    """The loop that gives the gradients.

    Args:
        given: stacked outputs that cotangents arrive at; `ends`, `kept`: the same of final and of kept states.

    Returns:
        Its Form, further operands, and which rows, states and free values it has gradients of.
    """
    body, rows, states = form.body, form.rows, form.states
    with body.opened() as builder:
        known = len(builder.free)
        carried = [k for k in range(states) if body.inputs[rows + k]._node is not None]
        wanted = body.inputs
        cotangents, grads = body.pull([*given, *(form.stacked + k for k in carried)], wanted)
        arriving, passing = cotangents[: len(given)], cotangents[len(given) :]
        by_row = [k for k in range(rows) if grads[k] is not None]
        by_free = [k for k in range(rows + states, len(wanted)) if grads[k] is not None]
        of_kept, before = [], []
        for k in carried:
            g, shape, dtype = grads[rows + k], wanted[rows + k].shape, wanted[rows + k].dtype
            if k in kept:
                of_kept.append(builder.variable(shape, dtype, f"cotangent of state {k}"))
                g = of_kept[-1] if g is None else add(g, of_kept[-1])
            before.append(Aval(shape, dtype) if g is None else g)
        sums = [builder.variable(wanted[k].shape, wanted[k].dtype, f"sum {k}") for k in by_free]
        before += [add(total, grads[k]) for total, k in zip(sums, by_free, strict=True)]
        constants = builder.free[known:]
        inputs = [*wanted[: rows + states], *arriving, *of_kept, *passing, *sums, *wanted[rows + states :]]
        inputs += [traced for traced, _ in constants]
        answers = [*(grads[k] for k in by_row), *before]
    back = Body(builder, inputs, answers, body.draws)
    fresh = [k for k, state in enumerate(carried) if state not in ends]
    fresh += range(len(carried), len(carried) + len(sums))
    steps = "all" if form.steps == "all" else "counted"
    found = Form(back, rows + states + len(arriving) + len(of_kept), len(carried) + len(sums), len(by_row),
                 tuple(fresh), False, not form.reverse, steps)  # fmt: skip
    return found, [x for _, x in constants], by_row, carried, by_free


def _vjp(g, y, *operands, form: Form, length: int, stream: int):
    stacked, states, rows = form.stacked, form.states, form.rows
    arrived = [c is not None and part.dtype.kind == "f" for c, part in zip(g, y, strict=True)]
    given = tuple(k for k in range(stacked) if arrived[k])
    ends = tuple(k for k in range(states) if arrived[stacked + k])
    kept = tuple(k for k in range(states) if form.keep and arrived[stacked + states + k])
    key = (form[1:], given, ends, kept)
    with lock:
        if key not in form.body.gradients:
            form.body.gradients[key] = _backward(form, given, ends, kept)
    back, constants, by_row, carried, by_free = form.body.gradients[key]
    count = () if form.steps == "all" else (y[-1] if form.steps == "while" else operands[-1],)
    starts = states - len(form.fresh)
    free = operands[rows + starts :] if form.steps == "all" else operands[rows + starts : -1]
    sent = [*operands[:rows], *y[stacked + states : stacked + 2 * states], *(g[k] for k in given)]
    sent += [g[stacked + states + k] for k in carried if k in kept]
    sent += [g[stacked + k] for k in carried if k in ends]
    back = back._replace(keep=current.record is not None)
    found = LOOP(*sent, *free, *constants, *count, form=back, length=length, stream=stream)
    found = dict(zip([*by_row, *(rows + k for k in carried), *by_free], found, strict=False))
    inputs = [k for k in range(len(form.body.inputs)) if not rows <= k < rows + states or k - rows not in form.fresh]
    return tuple([found.get(k) for k in inputs]) + (None,) * len(count)


LOOP.vjp = _vjp
__all__ = ["LOOP", "Form"]
