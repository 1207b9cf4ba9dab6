"""The Op record, the registry, and `bind`: the one place every operation passes.

An op is data: its kind (which supplies loop, shape rule and test), its arithmetic, its VJPs and its domain.
Calling it binds it: whoever evaluates at the moment (eager kernels, or a trace that writes a graph) computes the
answer, and the tape, when one records, notes what happened. Evaluators and tapes are pushed from the floors above.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy

from .array import ndarray

REGISTRY: dict[str, Op] = {}


class Current(threading.local):
    """What `bind` consults, per thread.

    Attributes:
        evaluate: `(op, args, spec) -> answer`; eager unless a trace has pushed its own.
        record: `(op, args, spec, answer)`, or None when nothing is recorded.
        training: layers such as Dropout behave as in training.
        substitute: while tracing, maps a parameter's array to the tracer that stands for it, else None.
        assign: what `assign` does: in place, or noted as an output of the trace.
        guard: while tracing, notes a condition to be checked after each call: `(flag, on, check)`, where
            `check(values of on)` raises the error when the int32 scalar `flag` is not 0.
        next_stream: while tracing, numbers the random draws of the call, else None.
    """

    evaluate: Callable = None
    record: Callable | None = None
    training = False
    substitute: Callable | None = None
    assign: Callable | None = None
    next_stream: Callable | None = None
    guard: Callable | None = None


current = Current()


class Op:
    """One operation.

    Attributes:
        name: unique name in `REGISTRY`.
        kind: elementwise, reduce, move, contraction, window, gather, random, composite or opaque.
        eager: `(op, args, spec) -> answer` on the CPU, chosen by the kind.
        infer: `(*avals, **spec) -> Aval` (a tuple of them when `nout` > 1); scalars are passed as they are.
        vjp: one callable per array argument, `(g, y, *xs, **spec) -> cotangent`, None where not differentiable.
            A single callable serves every argument of an op that takes any number, with `index=` in its keywords.
        run: the NumPy implementation, `(*numpy_arrays, out=None, **spec) -> numpy_array`.
        scalar: the plain Python function of an elementwise op.
        domain: where tests may draw each argument; kinks: points (or a test) to stay away from.
        nout: number of results.
        joint: the one callable `vjp` gives the cotangents of all arguments at once, as a tuple.
        at_once: `(g, y, *xs, wanted, **spec) -> cotangents`, a list with None where `wanted` is False, by kernels: what
            a walk that nobody records takes in the place of `vjp`; None where it does not do these operands.
        help: what it computes.
        traced: the same in other ops, for graphs: those fuse.
        direct: what a call of the op runs: `bind`, or a shorter way to the same made by `numblocks.shortcut`.
        silent: whether its NumPy loop raises no floating-point flags, whatever it meets.
        gpu: `(*buffers, **spec) -> Buffer`, the op on a GPU where `numblocks.cuda` cannot make it from the record.
        lines: of a random op, `(line, key, index, dtype) -> name`: its arithmetic as lines of a generated loop.

    Ops that are made for one call, or live in graphs only, are not `registered`.
    """

    __slots__ = (
        "name", "kind", "eager", "infer", "vjp", "run", "scalar", "numpy", "result", "domain", "kinks", "nin", "nout",
        "examples", "help", "traced", "lines", "joint", "direct", "silent", "gpu",
        "at_once",
    )  # fmt: skip

    def __init__(self, name: str, kind: str, eager: Callable | None, registered: bool = True, **fields: Any):
        self.name, self.kind, self.eager = name, kind, eager
        self.help = self.traced = self.gpu = self.lines = self.infer = self.vjp = self.run = self.scalar = None
        self.numpy = self.result = self.kinks = None
        self.domain, self.nin, self.nout, self.examples, self.joint = (-3.0, 3.0), 1, 1, (), False
        self.silent, self.at_once = False, None
        self.direct = lambda *args, **spec: bind(self, args, spec)
        for field, value in fields.items():
            setattr(self, field, value)
        if not registered:
            return
        if name in REGISTRY:
            raise ValueError(f"op {name}: the name is taken by {REGISTRY[name]!r}. Names are unique. Choose another.")
        REGISTRY[name] = self

    def __call__(self, *args, **spec):
        return self.direct(*args, **spec)

    def differentiable(self, index: int) -> bool:
        """Whether a cotangent flows to argument `index`."""
        return self.vjp is not None and (callable(self.vjp) or (index < len(self.vjp) and self.vjp[index] is not None))

    def __repr__(self) -> str:
        return f"<op {self.name}: {self.kind}>"


def bind(op: Op, args: tuple, spec: dict):
    """Evaluate `op` and let the tape record it.

    Every operation goes through here, but for those on small concrete arrays that `numblocks.shortcut` has decided in
    advance. For these to agree, an evaluator must leave ops without a traced operand to `op.eager`.
    """
    cur = current
    y = cur.evaluate(op, args, spec)
    if cur.record is not None:
        cur.record(op, args, spec, y)
    return y


def assign(target: ndarray, value: ndarray) -> None:
    """Update a state array (BatchNorm's running mean ...) in place; inside a trace, when the plan runs."""
    if current.assign is not None:
        current.assign(target, value)
    else:
        numpy.copyto(target._data, value._data, casting="same_kind")


def detached(x):
    """The same values off the tape."""
    y = type(x).__new__(type(x))
    y._data, y._device, y._node = x._data, x._device, None
    return y
