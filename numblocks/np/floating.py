"""Signs, remainders and parts of floats under NumPy's names."""

from __future__ import annotations

import math

import numpy

from ..array import ndarray
from ..ops import elementwise as ew
from ..ops import floating as fl
from .creation import array
from .host import from_numpy
from .math import deliver, function, operand

copysign, heaviside, signbit = function(fl.copysign), function(fl.heaviside), function(fl.signbit)
logaddexp, logaddexp2 = function(fl.logaddexp), function(fl.logaddexp2)
fmod, fmax, fmin = function(fl.fmod), function(fl.fmax), function(fl.fmin)
spacing = from_numpy("spacing", "Distance to the next float.")
nextafter = from_numpy("nextafter", "The next float after `x1` towards `x2`.")
frexp = from_numpy("frexp", "Mantissa in (-1, 1) and exponent of 2.")
i0 = from_numpy("i0", "The modified Bessel function of the first kind of order 0.")


def _array(x) -> ndarray:
    x = operand(x)
    return x if isinstance(x, ndarray) else array(x)


def ldexp(x1, x2, out=None) -> ndarray:
    """x1 * 2**x2; differentiable in both.

    >>> ldexp(array([1., 3.]), array([2., 1.]))
    array([4., 6.])
    """
    return deliver(fl.ldexp(_array(x1), _array(x2)), out)


def sinc(x) -> ndarray:
    """sin(pi x) / (pi x), 1 at 0."""
    return fl.sinc(_array(x))


def isposinf(x, out=None) -> ndarray:
    """Whether each element is infinity (bool)."""
    return deliver(ew.equal(_array(x), math.inf), out)


def isneginf(x, out=None) -> ndarray:
    """Whether each element is minus infinity (bool)."""
    return deliver(ew.equal(_array(x), -math.inf), out)


def float_power(x1, x2, out=None) -> ndarray:
    """x1 ** x2 in floats, whatever the dtypes."""
    x1 = _array(x1)
    return deliver(ew.power(ew.astype(x1, x1.dtype if x1.dtype.kind == "f" else "float32"), operand(x2)), out)


def divmod(x1, x2, out=None):
    """Quotient rounded down, and remainder."""
    x1, x2 = operand(x1), operand(x2)
    y = ew.floor_divide(x1, x2), ew.mod(x1, x2)
    return y if out is None else tuple(deliver(part, o) for part, o in zip(y, out, strict=True))


def modf(x, out=None):
    """Fraction and whole part, both with the sign of `x`."""
    x = _array(x)
    whole = ew.trunc(x)
    rest = fl.copysign(ew.where(ew.equal(whole, x), 0.0, x - whole), x)
    y = rest, ew.astype(whole, rest.dtype)
    return y if out is None else tuple(deliver(part, o) for part, o in zip(y, out, strict=True))


def positive(x, out=None) -> ndarray:
    """A copy of `x`."""
    return deliver(_array(x).copy(), out)


def real(val) -> ndarray:
    """The real part: `val` itself."""
    return _array(val)


def imag(x) -> ndarray:
    """The imaginary part: zeros."""
    return _array(x) * 0


def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None) -> ndarray:
    """NaN and infinities replaced by numbers, infinities by the largest floats unless given.

    >>> nan_to_num(array([math.nan, 1.0]), nan=7.0)
    array([7., 1.])
    """
    x = _array(x)
    if x.dtype.kind != "f":
        return x.copy() if copy else x
    largest = float(numpy.finfo(x.dtype).max)
    y = ew.where(ew.isnan(x), float(nan), x)
    y = ew.where(ew.equal(y, math.inf), largest if posinf is None else float(posinf), y)
    y = ew.where(ew.equal(y, -math.inf), -largest if neginf is None else float(neginf), y)
    return y if copy else deliver(y, x)


__all__ = [
    "copysign", "divmod", "float_power", "fmax", "fmin", "fmod", "frexp", "heaviside", "i0", "imag", "isneginf",
    "isposinf",
    "ldexp", "logaddexp", "logaddexp2", "modf", "nan_to_num", "nextafter", "positive", "real", "signbit", "sinc",
    "spacing",
]  # fmt: skip
