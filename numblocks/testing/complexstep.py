"""The complex step: derivatives of analytic functions to the last digits.

f(x + ih v) = f(x) + ih f'(x) v + O(h^2) has the derivative in its imaginary part, and nothing is subtracted, so h may
be 1e-150 (Squire and Trapp, Using complex variables to estimate derivatives of real functions, 1998). Ops are evaluated
by their NumPy functions on complex128; the op's record says whether that is an analytic continuation.
"""

from __future__ import annotations

import contextlib

import numpy

from ..array import ndarray, wrap
from ..eager import quiet
from ..op import Op, current
from ..ops.kinds import evaluate_composite
from .noise import long_way
from .numeric import EPS, Derivative

STEPS = (2.0**-500, 3.0 * 2.0**-510)  # two that are no power of 2 apart: what is noise differs between them
LINEAR = ("move", "join", "contraction")  # kinds whose `run` only moves, multiplies and adds
REDUCE = {"sum": numpy.sum, "prod": numpy.prod}
SAME = 1e-11  # of the largest value: computed further off, it is the continuation of another function
SETTLED = 1e-9  # of the size of the values: two steps that differ by more found no derivative


class NotAnalytic(ArithmeticError):
    """An op has no analytic continuation that NumPy computes, or the point is none where it has one."""


def continued(op: Op, spec: dict):
    """The NumPy function that computes `op` on complex arrays, None if there is no such thing."""
    if op.result == "cast":
        return (lambda x, dtype: x) if spec["dtype"].startswith("float") else None  # rounding shows in the values
    if op.kind == "elementwise":
        complex_loop = "D" * op.nin + "->D"
        smooth = op.kinks is None and op.vjp is not None
        return op.numpy if smooth and complex_loop in getattr(op.numpy, "types", ()) else None
    return op.run if op.kind in LINEAR else REDUCE.get(op.result) if op.kind == "reduce" else None


@contextlib.contextmanager
def analytic():
    """Ops on complex arrays are computed by their continuation; one that has none raises `NotAnalytic`."""
    before, assign = current.evaluate, current.assign

    def evaluate(op, args, spec):
        if op.kind == "composite":
            return evaluate_composite(op, args, spec)  # its parts come here
        arrays = [a for a in args if isinstance(a, ndarray)]
        if not any(a._data.dtype.kind == "c" for a in arrays):
            return before(op, args, spec)  # of constants
        function = continued(op, spec)
        if function is None:
            raise NotAnalytic(f"complex step: the op {op.name} has no continuation. Use central differences.")
        wide = [a._data.astype(numpy.complex128) if isinstance(a, ndarray) else a for a in args]
        y = quiet(function, *wide, **spec)
        return wrap(numpy.asarray(y), arrays[0]._device, type(arrays[0]))

    with long_way():
        current.evaluate = evaluate
        current.assign = lambda target, value: numpy.copyto(target._data, value._data.real)
        try:
            yield
        finally:
            current.evaluate, current.assign = before, assign


def complex_step(values, here: numpy.ndarray, weights: numpy.ndarray) -> Derivative:
    """d/dh of `weights @ values(h)` at h = 0, from the imaginary parts of `values(ih)`.

    Args:
        values: a complex h to a flat vector, computed within `analytic()`.
        here: the values at 0, computed as usual.
        weights: as long.

    Raises:
        NotAnalytic: the function cannot be continued, or what is computed is not its continuation.

    >>> d = complex_step(lambda h: numpy.array([numpy.sin(1 + h)]), numpy.array([numpy.sin(1)]), numpy.ones(1))
    >>> bool(abs(d.value - numpy.cos(1)) <= d.error < 1e-14)
    True
    """
    size = float(numpy.abs(weights * here).sum())
    within = SAME * (1 + numpy.abs(here).max(initial=0))
    slopes = []
    for h in STEPS:
        try:
            with analytic():
                found = values(1j * h)
        except NotAnalytic:
            raise
        except Exception as error:  # whatever does not take complex numbers says so in its own way
            raise NotAnalytic(f"complex step: the function takes no complex numbers ({error}).") from error
        if found.shape != here.shape or not numpy.abs(found.real - here).max(initial=0) <= within:
            raise NotAnalytic("complex step: computed in complex numbers, the function has other values.")
        slopes.append(weights * numpy.imag(found) / h)
    value, other = (float(s.sum()) for s in slopes)
    error = float(numpy.abs(slopes[0] - slopes[1]).sum()) + 8 * EPS * float(numpy.abs(slopes[0]).sum())
    if not error <= SETTLED * (size + abs(value)) + 1e-300:
        raise NotAnalytic(f"complex step: two steps give {value!r} and {other!r}. The point is none of analyticity.")
    return Derivative(value, error, size, STEPS[0], "complex step")
