"""The kinds of operation. A kind supplies loop, shape rule and dtype rule; an op adds only what is its own."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy

from .. import eager
from ..array import Aval, ndarray, wrap
from ..op import Op, bind, current
from ..shortcut import concrete, launched, replayed, small


def elementwise(*, vjp=None, numpy=None, result="same", domain=(-3.0, 3.0), kinks=None, name=None, silent=False):
    """Declare an elementwise op from its scalar function.

    Args:
        vjp: one callable, or a tuple with one per argument; sums over broadcast axes are added by the tape.
        numpy: a NumPy function that computes the same on small arrays, None if there is none.
        result: 'same' (the promoted dtype), 'float' (float32 for integers), 'bool', or 'where'.
        domain: (low, high), or one pair per argument, where tests draw values.
        kinks: `(*arrays) -> distances` to the nearest point without a derivative.
        silent: `numpy` raises no floating-point flags, whatever it meets (known of many ufuncs: `shortcut.SILENT`).
    """

    def declare(function: Callable) -> Op:
        nin = function.__code__.co_argcount
        op = Op(
            name or function.__name__.rstrip("_"),
            "elementwise",
            eager.elementwise,
            vjp=vjp if vjp is None or isinstance(vjp, tuple) else (vjp,) * nin,
            numpy=numpy, scalar=function, result=result, domain=domain, kinks=kinks, nin=nin, silent=silent,
        )  # fmt: skip
        op.infer = lambda *xs: infer_elementwise(op, xs)
        op.help = function.__doc__
        op.direct = directly(op, op.direct)
        return op

    return declare


def directly(op: Op, otherwise):
    """The short way through an elementwise op; what is not simple goes `otherwise`, which ends in `bind`."""
    otherwise = launched.launched(op, otherwise)
    if eager.own_loop(op):
        return otherwise
    if op.numpy is None or op.nin > 2 and op.result != "where":
        return otherwise
    if op.nin == 2:
        return (small.comparison if op.result == "bool" else small.binary)(op, otherwise)
    return (small.unary if op.nin == 1 else small.choice)(op, otherwise)


def infer_elementwise(op: Op, xs) -> Aval:
    """Broadcast shape and result dtype of an elementwise op for avals and Python scalars."""
    stand_ins = [stand_in(x) if isinstance(x, Aval) else x for x in xs]
    shape = eager.broadcast(op, stand_ins)
    return Aval(shape, eager.result_dtype(op, eager.operand_dtype(op, stand_ins)))


def stand_in(aval: Aval) -> numpy.ndarray:
    """A NumPy array with this shape and dtype that takes no memory (all strides are 0)."""
    return numpy.broadcast_to(numpy.zeros((), aval.dtype), aval.shape)


def reduction(*, vjp, name=None, how=None, domain=(-3.0, 3.0), kinks=None):
    """Declare a reduction: `run(x, *, axis, keepdims, out=None)`, `axis` a tuple of non-negative ints.

    Args:
        how: 'sum', 'prod', 'max' or 'min' if a generated loop can do it, else None.
    """

    def declare(run: Callable) -> Op:
        op = Op(name or run.__name__.rstrip("_"), "reduce", eager.reduce, vjp=(vjp,), run=run, result=how,
                domain=domain, kinks=kinks)  # fmt: skip
        op.infer = lambda x, *, axis, keepdims: Aval(
            reduced_shape(x.shape, axis, keepdims),
            run(numpy.ones((1,) * x.ndim, x.dtype), axis=axis, keepdims=True).dtype,
        )
        op.help = run.__doc__
        return op

    return declare


def reduced_shape(shape, axis, keepdims) -> tuple[int, ...]:
    """`shape` without (or with 1 for) the axes in `axis`."""
    if keepdims:
        return tuple(1 if k in axis else n for k, n in enumerate(shape))
    return tuple(n for k, n in enumerate(shape) if k not in axis)


def movement(*, vjp, name=None):
    """Declare an op that only rearranges one array: `run(x, **spec)` returns a view where NumPy can."""

    def declare(run: Callable) -> Op:
        op = Op(name or run.__name__.rstrip("_"), "move", eager.move, vjp=(vjp,), run=run)
        op.infer = lambda x, **spec: infer_by_running(op, x, spec)
        op.help = run.__doc__
        op.direct = small.movement(op)
        return op

    return declare


def infer_by_running(op: Op, x, spec) -> Aval:
    """The shape of a movement, by moving an array that takes no memory."""
    y = op.run(stand_in(Aval(x.shape, x.dtype)), **spec)
    return Aval(y.shape, y.dtype)


def primitive(
    *,
    kind="opaque",
    infer,
    vjp=None,
    name=None,
    nin=1,
    nout=1,
    domain=(-3.0, 3.0),
    kinks=None,
    examples=(),
    traced=None,
    joint=False,
):
    """Declare an op with a loop of its own: the function is `(*numpy_arrays, out=None, **spec) -> numpy_array`.

    Args:
        infer: `(*avals, **spec) -> Aval`; validates and raises the public errors.
        vjp: one callable per array argument (or one for all, taking `index=`), written with ops.
        examples: `((shapes, spec), ...)` for the registry tests.
        traced: the same function in other ops, used in graphs because those fuse.
        joint: `vjp` gives all cotangents at once (what arrives is a list where `nout` > 1, None for absent parts).
    """

    def declare(run: Callable) -> Op:
        op = Op(name or run.__name__.rstrip("_"), kind, eager.plain,
            vjp=vjp if vjp is None or callable(vjp) else tuple(vjp),
                run=run, infer=infer, nin=nin, nout=nout, domain=domain, kinks=kinks, examples=examples,
                traced=traced, joint=joint)  # fmt: skip
        op.help = run.__doc__
        if kind == "window":
            op.direct = replayed.replayed(op)
        return op

    return declare


def composite(*, vjp=None, name=None, domain=(-3.0, 3.0), nin=1, numpy=None, loop=None, examples=()):
    """Declare an op written in other ops. With `vjp` the tape keeps one entry for it and forgets the parts.

    `numpy` computes the same of a small NumPy array in one go: the parts cost more to call than to compute. `loop` does
    it by kernels, or returns None for the parts to do it.
    Without `vjp` the parts are recorded, so there is nothing to declare: a plain function serves.
    """

    def declare(function: Callable) -> Op:
        op = Op(name or function.__name__.rstrip("_"), "composite", None, run=function, domain=domain, nin=nin,
            examples=examples,
                vjp=vjp if callable(vjp) and nin != 1 else vjp if isinstance(vjp, tuple) else (vjp,))  # fmt: skip
        op.eager = evaluate_composite if loop is None else functools.partial(evaluate_large, loop)
        if numpy is not None:
            op.numpy = numpy
            op.direct = small.whole(op)
        if loop is not None:
            op.direct = replayed.replayed(op, loop)
        op.help = function.__doc__
        return op

    return declare


def evaluate_composite(op: Op, args, spec):
    """Run the parts with the tape off; `bind` then records the whole."""
    cur = current
    record, cur.record = cur.record, None
    try:
        return (op.traced or op.run)(*args, **spec)
    finally:
        cur.record = record


def evaluate_large(loop, op: Op, args, spec):
    """A composite by its own loop where that takes the arrays, else by its parts."""
    y = at_large(loop, *args, **spec)
    return evaluate_composite(op, args, spec) if y is None else y


def at_large(loop, *xs, **spec) -> ndarray | None:
    """`loop` on the NumPy arrays of `xs`; None while tracing, or where it returns None."""
    if current.substitute is not None or any(type(x._data) is not numpy.ndarray for x in xs):
        return None
    y = loop(*[x._data for x in xs], **spec)
    return None if y is None else wrap(y, xs[0]._device, type(xs[0]))


def normalize_axis(where: str, axis, ndim: int) -> tuple[int, ...]:
    """`axis` (None, int or tuple) as a sorted tuple of non-negative ints; `ValueError` when out of range."""
    if axis is None:
        return concrete.ALL[ndim]
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis,) if axis >= 0 else (axis + ndim,)
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    found = []
    for a in axes:
        k = a.__index__()
        if not -ndim <= k < ndim:
            raise ValueError(
                f"{where}: axis {k} is out of range for an array with {ndim} axes. Use {-ndim}..{ndim - 1}."
            )
        found.append(k % ndim)
    if len(set(found)) != len(found):
        raise ValueError(f"{where}: axis {axis} names an axis twice. Each axis is reduced once. Drop the repetition.")
    return tuple(sorted(found))


__all__ = [
    "Aval", "Op", "at_large", "bind", "composite", "elementwise", "evaluate_composite", "movement", "ndarray",
    "normalize_axis", "primitive", "reduction", "stand_in",
]  # fmt: skip
