"""Control flow over arrays: `foreach`, `while_loop`, `cond`.

Eagerly these are Python's own loops and branches, on the tape like everything else. In a hybridized Block the body is
traced once: a loop is one node of the graph that runs the compiled body, a branch one that runs the body it takes
(`numblocks.graph.looping`). So is its gradient. What the body does in Python (appending to a list, counting) is done
once there, while tracing. Where a state changes its shape or dtype from step to step a loop is unrolled.
"""

from __future__ import annotations

import numpy

from ..array import Aval, ndarray, wrap
from ..errors import MXNetError
from ..graph import looping
from ..graph.structure import flatten, rebuild
from ..op import current
from ..ops import elementwise as ew
from ..ops import move

UNROLLED = 1024  # steps of a loop that a trace takes one by one if it must


def _stack(parts: list) -> ndarray:
    return move.concat(*(move.expand_dims(p, 0) for p in parts), axis=0)


def _empty(length: int, aval: Aval, like: ndarray) -> ndarray:
    """The stacked outputs of no step."""
    return wrap(numpy.zeros((length, *aval.shape), aval.dtype), like._device, type(like))


class _Step:
    """A body as a function of flat lists. It remembers how what it gave was nested."""

    def __init__(self, where: str, call, states):
        self.where, self.call = where, call
        self.states = self.outputs = states

    def __call__(self, *args):
        outputs, states = self.call(*args)
        flat, self.outputs = flatten(outputs, self.where)
        after, structure = flatten(states)
        if structure != self.states and current.substitute is not None:
            raise MXNetError(
                f"{self.where}: the states go in as {self.states} and come back as {structure}. The states of one step"
                f" are those of the next. Return them nested as they came."
            )
        self.states = structure
        return flat, after


def _check_length(where: str, steps: int, why) -> None:
    if steps > UNROLLED:
        raise RuntimeError(
            f"{where}: {why}. A loop that is compiled keeps the shape and dtype of its states, and one of {steps}"
            f" steps is too long to be unrolled (at most {UNROLLED}). Let the first state have the final shape and"
            f" dtype."
        ) from None


def foreach(body, data, init_states):
    """`body(element, states) -> (output, states)` over the first axis of `data`.

    Args:
        body: a function of one element (nested as `data`) and the states (nested as `init_states`).
        data: an array, or nested lists of arrays of one length.
        init_states: an array or nested lists of them.

    Returns:
        The outputs, stacked along a new first axis, and the final states.

    Raises:
        ValueError: the arrays of `data` differ in length, or there are none.

    >>> from numblocks import np
    >>> foreach(lambda x, s: (x + s, x + s), np.arange(4), np.zeros(()))[0]
    array([0., 1., 3., 6.])
    """
    rows, nesting = flatten(data)
    states, structure = flatten(init_states)
    lengths = {x.shape[:1] for x in rows}
    if len(lengths) != 1 or () in lengths:
        raise ValueError(
            f"foreach: data of shapes {[x.shape for x in rows]}. The loop goes over the first axis, which all have in"
            f" common. Reshape or slice them."
        )
    step = _Step("foreach", lambda rows, states: body(rebuild(nesting, rows), rebuild(step.states, states)), structure)
    length = rows[0].shape[0]
    outputs, states = _traced_or_in_turn("foreach", step, rows, states, length)
    return rebuild(step.outputs, outputs), rebuild(step.states, states)


def _traced_or_in_turn(where, step, rows, states, length: int):
    if looping.compiling():
        structure = step.states
        try:
            return looping.loop(where, step, rows, states, length)
        except looping.Unsteady as found:
            _check_length(where, length, found)
            step.states = structure
    elif current.substitute is not None:
        _check_length(where, length, "it is to be written to a file, or runs on a GPU")
    if not length:
        avals = looping.shapes(step, rows, states)
        return [_empty(0, a, rows[0]) for a in avals], states
    outputs = []
    for t in range(length):
        made, states = step([x[t] for x in rows], states)
        outputs.append(made)
    return [_stack(list(parts)) for parts in zip(*outputs, strict=True)], states


def while_loop(cond, func, loop_vars, max_iterations=None):
    """`func(*loop_vars) -> (output, loop_vars)` while `cond(*loop_vars)`.

    Args:
        cond: gives an array of one element.
        func: gives an output (nested in any way, or []) and the new variables.
        loop_vars: a list of arrays, or one.
        max_iterations: at most so many steps.

    Returns:
        The outputs, stacked, `max_iterations` long, 0 behind the last step; and the final variables.

    >>> from numblocks import np
    >>> while_loop(lambda i: i < 2, lambda i: (i * 10, i + 1), np.zeros(()), 3)
    (array([ 0., 10.,  0.]), array(2.))
    """
    if max_iterations is None:
        raise ValueError(
            "while_loop: max_iterations is needed. Outputs have that length. Say how many steps there are at most."
        )
    limit, single = int(max_iterations), isinstance(loop_vars, ndarray)
    variables, structure = flatten([loop_vars] if single else list(loop_vars))

    def call(rows, states):
        outputs, after = func(*rebuild(step.states, states))
        return outputs, [after] if isinstance(after, ndarray) else list(after)

    step = _Step("while_loop", call, structure)
    test = lambda states: cond(*rebuild(step.states, states))
    outputs, variables = _while(step, test, variables, limit)
    variables = rebuild(step.states, variables)
    return rebuild(step.outputs, outputs), variables[0] if single else variables


def _while(step: _Step, test, variables, limit: int):
    if looping.compiling():
        structure = step.states
        try:
            return looping.loop("while_loop", step, [], variables, limit, test)
        except looping.Unsteady as found:
            _check_length("while_loop", limit, found)
            step.states = structure
    if current.substitute is not None:
        _check_length("while_loop", limit, "it is to be written to a file, or runs on a GPU")
        return _masked_loop(step, test, variables, limit)
    first, outputs = variables, []
    while len(outputs) < limit and bool(test(variables)):
        made, variables = step([], variables)
        outputs.append(made)
    if not outputs:
        return [_empty(limit, a, first[0]) for a in looping.shapes(step, [], first)], variables
    rest = limit - len(outputs)
    joined = [_stack(list(parts)) for parts in zip(*outputs, strict=True)]
    if rest:
        joined = [move.concat(y, _empty(rest, Aval(y.shape[1:], y.dtype), y), axis=0) for y in joined]
    return joined, variables


def _masked_loop(step, test, variables, limit: int):
    """All `limit` steps one by one, those after the end without effect."""
    outputs, going = [], None
    for _ in range(limit):
        holds = looping.holds(test(variables))
        going = holds if going is None else ew.logical_and(going, holds)
        made, after = step([], variables)
        outputs.append([ew.where(going, p, ew.multiply(p, 0)) for p in made])
        variables = [ew.where(going, new, old) for new, old in zip(after, variables, strict=True)]
    return [_stack(list(parts)) for parts in zip(*outputs, strict=True)], variables


def cond(pred, then_func, else_func, inputs=None):
    """`then_func()` if `pred` holds, else `else_func()`; the other is not run, and neither is its gradient.

    Args:
        pred: an array of one element, or (with `inputs`) a function of them that gives one.
        then_func, else_func: functions without arguments, or of `inputs`; answers of equal shapes.
        inputs: arrays the functions take.

    >>> from numblocks import np
    >>> cond(np.array(1.0), lambda: np.ones(2), lambda: np.zeros(2))
    array([1., 1.])
    """
    given = () if inputs is None else (inputs,) if isinstance(inputs, ndarray) else tuple(inputs)
    flag = pred(*given) if callable(pred) else pred
    if not isinstance(flag, ndarray) or not isinstance(flag._data, Aval):
        taken = then_func if bool(flag) else else_func
        return taken(*given)
    structures = []

    def flat(function):
        def call():
            made, structure = flatten(function(*given), "cond")
            structures.append(structure)
            return made

        return call

    functions = [flat(then_func), flat(else_func)]
    if looping.compiling():
        answers = looping.branch("cond", flag, functions)
    else:
        pairs = zip(*(function() for function in functions), strict=True)
        answers = [ew.where(looping.holds(flag), a, b) for a, b in pairs]
    return rebuild(structures[0], answers)


__all__ = ["cond", "foreach", "while_loop"]
