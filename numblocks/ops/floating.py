"""Elementwise functions of floats beside the everyday ones: signs, remainders, sums of logarithms."""

from __future__ import annotations

import math

import numpy

from .elementwise import equal, exp, exp2, sin, where
from .elementwise import trunc as _trunc
from .kinds import elementwise

_PI = math.pi


@elementwise(vjp=(lambda g, y, a, b: g * where(equal(y, a), 1.0, -1.0), None), numpy=numpy.copysign, result="float",
             kinks=lambda a, b: numpy.minimum(abs(a + 0 * b), abs(b + 0 * a)))
def copysign(a, b):
    """The size of `a` with the sign of `b`."""
    return math.copysign(a, b)


@elementwise(vjp=(lambda g, y, a, b: g * exp(a - y), lambda g, y, a, b: g * exp(b - y)), numpy=numpy.logaddexp,
             result="float")
def logaddexp(a, b):
    """log(exp(a) + exp(b)) without overflow."""
    return max(a, b) + (math.log1p(math.exp(-abs(a - b))) if a != b else 0.6931471805599453)


@elementwise(vjp=(lambda g, y, a, b: g * exp2(a - y), lambda g, y, a, b: g * exp2(b - y)), numpy=numpy.logaddexp2,
             result="float")
def logaddexp2(a, b):
    """log2(2**a + 2**b) without overflow."""
    return max(a, b) + (1.4426950408889634 * math.log1p(math.exp2(-abs(a - b))) if a != b else 1.0)


@elementwise(vjp=(lambda g, y, a, b: g, lambda g, y, a, b: -g * _trunc(a / b)), numpy=numpy.fmod,
             domain=((-3.0, 3.0), (0.5, 3.0)), kinks=lambda a, b: a / b - numpy.rint(a / b))
def fmod(a, b):
    """The remainder of a / b with the sign of `a`."""
    return math.fmod(a, b)


@elementwise(vjp=(lambda g, y, a, b: where(equal(y, a), g, 0.0), lambda g, y, a, b: where(equal(y, a), 0.0, g)),
             numpy=numpy.fmax, kinks=lambda a, b: a - b)
def fmax(a, b):
    """The larger one; a number where the other is NaN."""
    return a if (a >= b or b != b) else b


@elementwise(vjp=(lambda g, y, a, b: where(equal(y, a), g, 0.0), lambda g, y, a, b: where(equal(y, a), 0.0, g)),
             numpy=numpy.fmin, kinks=lambda a, b: a - b)
def fmin(a, b):
    """The smaller one; a number where the other is NaN."""
    return a if (a <= b or b != b) else b


@elementwise(vjp=(None, lambda g, y, a, b: where(equal(a, 0), g, 0.0)), numpy=numpy.heaviside, result="float",
             kinks=lambda a, b: a + 0 * b)
def heaviside(a, b):
    """0 below 0, 1 above, `b` at 0."""
    return a if a != a else (b if a == 0.0 else (0.0 if a < 0.0 else 1.0))


@elementwise(numpy=numpy.signbit, result="bool")
def signbit(x):
    """Whether the sign bit is set: true for -0.0 also."""
    return math.copysign(1.0, x) < 0.0


signbit.scalar = None  # NumPy's loop serves all sizes: it tells -0.0 from 0.0


def ldexp(x, k):
    """x * 2**k"""
    return x * exp2(k)


def sinc(x):
    """sin(pi x) / (pi x), 1 at 0."""
    zero = equal(x, 0)
    t = where(zero, 1.0, x * _PI)
    return where(zero, 1.0, sin(t) / t)


def isposinf(x):
    """Whether it is infinity."""
    return equal(x, math.inf)


def isneginf(x):
    """Whether it is minus infinity."""
    return equal(x, -math.inf)


__all__ = [
    "copysign", "fmax", "fmin", "fmod", "heaviside", "isneginf", "isposinf", "ldexp", "logaddexp", "logaddexp2",
    "signbit",
    "sinc",
]  # fmt: skip
