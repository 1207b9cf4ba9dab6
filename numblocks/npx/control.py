"""Control flow over arrays: `foreach`, `while_loop`, `cond`.

Eagerly these are Python's own loops and branches, on the tape like everything else. In a hybridized Block `foreach`
unrolls (its length is a shape) and `cond` evaluates both branches and chooses; `while_loop` runs `max_iterations`
masked
steps. A body with thousands of steps makes a graph as long: use `gluon.rnn` or array operations there.
"""

from __future__ import annotations

from ..array import Aval, ndarray
from ..ops import elementwise as ew
from ..ops import move

UNROLLED = 1024  # steps of a loop that a trace takes


def _list(x) -> list:
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _like(x, parts: list):
    """`parts` nested as `x` was."""
    return parts if isinstance(x, (list, tuple)) else parts[0]


def _traced(arrays) -> bool:
    return any(isinstance(x._data, Aval) for x in arrays)


def _at(x, t: int) -> ndarray:
    return move.slice_(x, key=(t,))


def _stack(parts: list) -> ndarray:
    return move.concat(*(move.expand_dims(p, 0) for p in parts), axis=0)


def _check_length(where: str, n: int) -> None:
    if n > UNROLLED:
        raise RuntimeError(
            f"{where}: {n} steps were asked for inside a hybridized Block, which unrolls at most {UNROLLED}. The"
            f" graph would"
            f" grow with every step. Use gluon.rnn or array operations, or leave the Block unhybridized."
        )


def foreach(body, data, init_states):
    """`body(element, states) -> (output, states)` over the first axis of `data`.

    Args:
        body: a function of one element (or a list of them) and the states.
        data: an array, or a list of arrays of one length.
        init_states: an array or a list of them.

    Returns:
        The outputs, stacked along a new first axis, and the final states.

    >>> from numblocks import np
    >>> foreach(lambda x, s: (x + s, x + s), np.arange(4), np.zeros(()))[0]
    array([0., 1., 3., 6.])
    """
    arrays, states, outputs, shape_of = _list(data), init_states, [], None
    if _traced([*arrays, *_list(init_states)]):
        _check_length("foreach", arrays[0].shape[0])
    for t in range(arrays[0].shape[0]):
        out, states = body(_like(data, [_at(x, t) for x in arrays]), states)
        outputs.append(_list(out))
        shape_of = out
    joined = [_stack(list(parts)) for parts in zip(*outputs, strict=True)]
    return _like(shape_of, joined) if outputs else [], states


def while_loop(cond, func, loop_vars, max_iterations=None):
    """`func(*loop_vars) -> (output, loop_vars)` while `cond(*loop_vars)`.

    Args:
        cond: gives an array of one element.
        func: gives an output (or a list, or []) and the new variables.
        loop_vars: a list of arrays.
        max_iterations: at most so many; outputs have this length, 0 behind the last step.

    Returns:
        The outputs, stacked, and the final variables.
    """
    if max_iterations is None:
        raise ValueError(
            "while_loop: max_iterations is needed. Outputs have that length. Say how many steps there are at most."
        )
    variables, outputs, shape_of = _list(loop_vars), [], None
    if _traced(variables):
        return _masked_loop(cond, func, loop_vars, max_iterations)
    steps = 0
    while steps < max_iterations and bool(cond(*variables)):
        shape_of, after = func(*variables)
        outputs.append(_list(shape_of))
        variables = _list(after)
        steps += 1
    if not outputs:
        return [], _like(loop_vars, variables)
    empty = [ew.multiply(p, 0) for p in outputs[0]]
    outputs += [empty] * (max_iterations - steps)
    joined = [_stack(list(parts)) for parts in zip(*outputs, strict=True)]
    return _like(shape_of, joined), _like(loop_vars, variables)


def _masked_loop(cond, func, loop_vars, limit):
    """All `limit` steps, those after the end without effect."""
    _check_length("while_loop", limit)
    variables, outputs, shape_of, going = _list(loop_vars), [], None, None
    for _ in range(limit):
        holds = ew.not_equal(cond(*variables), 0)
        going = holds if going is None else ew.logical_and(going, holds)
        shape_of, after = func(*variables)
        outputs.append([_choose(going, p, ew.multiply(p, 0)) for p in _list(shape_of)])
        variables = [_choose(going, new, old) for new, old in zip(_list(after), variables, strict=True)]
    joined = [_stack(list(parts)) for parts in zip(*outputs, strict=True)]
    return _like(shape_of, joined), _like(loop_vars, variables)


def _choose(flag, a, b) -> ndarray:
    """`a` where the one-element `flag` holds, else `b`."""
    return ew.where(move.reshape(flag, shape=(1,) * a.ndim), a, b)


def cond(pred, then_func, else_func, inputs=None):
    """`then_func()` if `pred` holds, else `else_func()`.

    Args:
        pred: an array of one element, or (with `inputs`) a function of them that gives one.
        then_func, else_func: functions without arguments, or of `inputs`; answers of equal shapes.
        inputs: arrays the functions take.
    """
    given = () if inputs is None else tuple(_list(inputs))
    flag = pred(*given) if callable(pred) else pred
    if not _traced([flag]):
        return then_func(*given) if bool(flag) else else_func(*given)
    flag = ew.not_equal(flag, 0)
    yes, no = then_func(*given), else_func(*given)
    return _like(yes, [_choose(flag, a, b) for a, b in zip(_list(yes), _list(no), strict=True)])


__all__ = ["cond", "foreach", "while_loop"]
