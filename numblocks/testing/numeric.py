"""A derivative by differences together with how wrong it may be.

Central differences at steps h, h/2, h/4, h/8 are extrapolated to h = 0 (Richardson 1911; the triangle of estimates
and its error bound follow Ridders, Accurate computation of F'(x), 1982). Three errors are told apart and added:
what the extrapolation still changes, rounding (machine epsilon times the size of the values over the step), and the
jump of the one-sided differences extrapolated to h = 0, which is 0 where a derivative exists. Where the sum stays
large at every step there is no derivative to compare with: `KinkError`, and no tolerance is widened for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy

EPS = numpy.finfo(numpy.float64).eps
BASES = (2.0**-5, 2.0**-9, 2.0**-13, 2.0**-17)  # the largest step of each attempt
GOOD = 1e-9  # of the size of the values: an attempt this good is taken at once
REFUSED = 1e-5  # of the size of the values: no attempt better than this means a kink
SAFETY = 8.0  # an error bound of two estimates that happen to agree is too small


class KinkError(ArithmeticError):
    """There is no derivative at this point: a kink, a jump, or values that are not finite."""


class Derivative(NamedTuple):
    """A derivative measured by differences.

    Attributes:
        value: the extrapolated difference quotient.
        error: bound of its error, estimated.
        size: magnitude of the values that were subtracted.
        step: the largest step that was taken.
        method: 'central differences' or 'complex step'.
    """

    value: float
    error: float
    size: float
    step: float
    method: str = "central differences"


def differentiate(values: Callable[[float], numpy.ndarray], weights: numpy.ndarray, bases=BASES) -> Derivative:
    """d/dh of `weights @ values(h)` at h = 0.

    Args:
        values: h to a flat float64 vector; called about ten times.
        weights: as long as that vector.
        bases: the largest step of each attempt.

    Raises:
        KinkError: the differences do not settle, or one-sided differences disagree.

    >>> d = differentiate(lambda h: numpy.array([numpy.sin(1 + h)]), numpy.ones(1))
    >>> bool(abs(d.value - numpy.cos(1)) <= d.error < 1e-9)
    True
    >>> differentiate(lambda h: numpy.array([abs(h)]), numpy.ones(1))
    Traceback (most recent call last):
        ...
    numblocks.testing.numeric.KinkError: ...
    """
    here = values(0.0)
    if not numpy.isfinite(here).all():
        raise KinkError(
            "differences: the values at the point are not finite. There is no derivative. Choose another point."
        )
    size = float(numpy.abs(weights * here).sum())
    best = None
    for base in bases:
        found = attempt(values, weights, here, size, base)
        if best is None or found.error < best.error:
            best = found
        if best.error <= GOOD * (size + abs(best.value)):
            break
    if not best.error <= REFUSED * (size + abs(best.value)) + 1e-300:
        raise KinkError(
            f"differences: steps from {bases[0]:.0e} to {bases[-1] / 8:.0e} give {best.value:.6g} up to"
            f" {best.error:.2g},"
            f" values of size {size:.3g}. The function has a kink or a jump here, so there is no derivative to compare"
            f" with. Choose a point away from it (hypothesis: draw again)."
        )
    return best


def attempt(values, weights, here, size: float, base: float) -> Derivative:
    """One triangle of extrapolated differences with steps from `base` down."""
    central, jumps = [], []
    with numpy.errstate(all="ignore"):
        for k in range(4):
            h = base / 2**k
            ahead, behind = values(h) - here, here - values(-h)
            if not (numpy.isfinite(ahead).all() and numpy.isfinite(behind).all()):
                return Derivative(numpy.nan, numpy.inf, size, base)
            size = max(size, float(numpy.abs(weights * ahead).sum()), float(numpy.abs(weights * behind).sum()))
            central.append(float(weights @ (ahead + behind)) / (2 * h))
            jumps.append(float(weights @ (ahead - behind)) / h)
        value, change = extrapolate(central, (4, 16, 64))
        jump, _ = extrapolate(jumps, (2, 8, 32))
        rounding = 8 * EPS * size / (base / 8)
        return Derivative(value, change + abs(jump) + rounding, size, base)


def extrapolate(row: list[float], factors) -> tuple[float, float]:
    """The limit of values at steps h, h/2, h/4 ... whose errors shrink by `factors`, and the least change on"
    " the way."""
    triangle = [[v] for v in row]
    best, change = row[-1], numpy.inf
    for i in range(1, len(row)):
        for j in range(1, i + 1):
            f = factors[j - 1]
            triangle[i].append((f * triangle[i][j - 1] - triangle[i - 1][j - 1]) / (f - 1))
        if i >= 2:
            moved = max(abs(triangle[i][i] - triangle[i][i - 1]), abs(triangle[i][i] - triangle[i - 1][i - 1]))
            if moved < change:
                best, change = triangle[i][i], moved
    return best, change


def tolerance(found: Derivative, terms: float) -> float:
    """How far an exact derivative, itself computed in float64 from terms of this total magnitude, may be off."""
    return SAFETY * found.error + 4096 * EPS * (terms + found.size)
