"""Monte Carlo arithmetic: eager computing in which every operation rounds as a narrower dtype would."""

from __future__ import annotations

import contextlib

import numpy

from ..array import ndarray, wrap
from ..op import current
from ..shortcut import concrete

SUMS = ("reduce", "contraction", "window", "gather", "opaque")  # round their terms rather than their answer


@contextlib.contextmanager
def long_way():
    """Every op passes `bind` and the evaluator in force, small arrays too."""
    before = concrete.CONCRETE is not None
    concrete.enable(False)
    try:
        yield
    finally:
        concrete.enable(before)


class Noise:
    """A scope in which each operation errs by a random relative `eps`.

    The spread of a few runs shows what rounding does to a computation, cancellation included, without bounds worked
    out by hand (Parker, Monte Carlo Arithmetic, 1997).
    """

    def __init__(self, eps: float, rng: numpy.random.Generator):
        self.eps, self.rng = eps, rng

    def __enter__(self):
        self.scope = long_way()
        self.scope.__enter__()
        self.before = current.evaluate
        current.evaluate = self.evaluate

    def __exit__(self, *exc):
        current.evaluate = self.before
        self.scope.__exit__(*exc)

    def shaken(self, data: numpy.ndarray) -> numpy.ndarray:
        """`data` with a random error in each element."""
        return numpy.asarray(data * (1 + self.eps * self.rng.uniform(-1.0, 1.0, data.shape)))

    def evaluate(self, op, args, spec):
        """`bind`'s evaluator in this scope."""
        if op.kind in SUMS:
            floats = lambda a: isinstance(a, ndarray) and a.dtype.kind == "f"
            args = tuple(wrap(self.shaken(a._data), a._device, type(a)) if floats(a) else a for a in args)
            return self.before(op, args, spec)
        y = self.before(op, args, spec)
        if op.kind == "elementwise" and y.dtype.kind == "f":
            y._data = self.shaken(y._data)
        return y
