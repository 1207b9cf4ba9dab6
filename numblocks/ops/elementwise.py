"""Elementwise arithmetic: each op once, as a scalar function of plain Python and `math`.

The scalar function is what generated kernels inline, on any device; `numpy` names the ufunc that serves small
arrays. VJPs are written with the ops themselves, so every order of derivative exists.
"""

from __future__ import annotations

import functools
import math

import numpy

from .. import dtype as dt
from .. import eager
from ..array import Aval, wrap
from ..kernels import copying
from ..op import Op, bind
from ..shortcut.arrays import flagged, one
from .kinds import elementwise

# --- arithmetic -------------------------------------------------------------------------------------------------


@elementwise(vjp=(lambda g, y, a, b: g, lambda g, y, a, b: g), numpy=numpy.add)
def add(a, b): return a + b  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: g, lambda g, y, a, b: -g), numpy=numpy.subtract)
def subtract(a, b): return a - b  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a), numpy=numpy.multiply)
def multiply(a, b): return a * b  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b), numpy=numpy.divide, result="float",
             domain=((-3.0, 3.0), (0.5, 3.0)))
def divide(a, b): return a / b  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: g * b * power(a, b - 1), lambda g, y, a, b: g * y * log(where(a > 0, a, 1.0))),
             numpy=numpy.power, domain=((0.3, 3.0), (-2.0, 2.0)))
def power(a, b): return math.pow(a, b)  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: g, lambda g, y, a, b: -g * floor(a / b)), numpy=numpy.mod,
             domain=((-3.0, 3.0), (0.5, 3.0)), kinks=lambda a, b: a / b - numpy.rint(a / b))
def mod(a, b): return a % b  # noqa: E704


@elementwise(numpy=numpy.floor_divide, domain=((-3.0, 3.0), (0.5, 3.0)))
def floor_divide(a, b): return a // b  # noqa: E704


@elementwise(vjp=lambda g, y, x: -g, numpy=numpy.negative)
def negative(x): return -x  # noqa: E704


@elementwise(vjp=lambda g, y, x: -g * y * y, numpy=numpy.reciprocal, result="float", domain=(0.5, 3.0))
def reciprocal(x): return 1.0 / x  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * sign(x), numpy=numpy.absolute, kinks=lambda x: x)
def abs_(x): return abs(x)  # noqa: E704


@elementwise(numpy=numpy.sign, kinks=lambda x: x)
def sign(x): return (1.0 if x > 0.0 else (-1.0 if x < 0.0 else x))  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * (2.0 * x), numpy=numpy.square)
def square(x): return x * x  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * 0.5 / y, numpy=numpy.sqrt, result="float", domain=(0.1, 4.0))
def sqrt(x): return math.sqrt(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * -0.5 * y / x, numpy=lambda x: 1.0 / numpy.sqrt(x), result="float",
             domain=(0.2, 4.0))
def rsqrt(x): return 1.0 / math.sqrt(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / (3.0 * y * y), numpy=numpy.cbrt, result="float", domain=(0.2, 4.0))
def cbrt(x): return math.cbrt(x)  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: where(a >= b, g, 0.0), lambda g, y, a, b: where(a >= b, 0.0, g)),
             numpy=numpy.maximum, kinks=lambda a, b: a - b)
def maximum(a, b): return a if (a >= b or a != a) else b  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: where(a <= b, g, 0.0), lambda g, y, a, b: where(a <= b, 0.0, g)),
             numpy=numpy.minimum, kinks=lambda a, b: a - b)
def minimum(a, b): return a if (a <= b or a != a) else b  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: g * a / y, lambda g, y, a, b: g * b / y), numpy=numpy.hypot, result="float",
             domain=((0.5, 3.0), (0.5, 3.0)))
def hypot(a, b): return math.hypot(a, b)  # noqa: E704


@elementwise(vjp=(lambda g, y, x, lo, hi: where(logical_and(x >= lo, x <= hi), g, 0.0), None, None),
             numpy=lambda x, lo, hi: numpy.minimum(numpy.maximum(x, lo), hi),
             domain=((-3.0, 3.0), (-2.0, -0.5), (0.5, 2.0)),
             kinks=lambda x, lo, hi: numpy.minimum(abs(x - lo), abs(x - hi)))
def clip(x, lo, hi): return lo if x < lo else (hi if x > hi else x)  # noqa: E704


# --- exponentials and logarithms -----------------------------------------------------------------------------------


@elementwise(vjp=lambda g, y, x: g * y, numpy=numpy.exp, result="float")
def exp(x): return math.exp(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * (y + 1.0), numpy=numpy.expm1, result="float")
def expm1(x): return math.expm1(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * (y * math.log(2.0)), numpy=numpy.exp2, result="float")
def exp2(x): return math.exp2(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / x, numpy=numpy.log, result="float", domain=(0.1, 4.0))
def log(x): return math.log(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / (1.0 + x), numpy=numpy.log1p, result="float", domain=(-0.8, 4.0))
def log1p(x): return math.log1p(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / (x * math.log(2.0)), numpy=numpy.log2, result="float", domain=(0.1, 4.0))
def log2(x): return math.log2(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / (x * math.log(10.0)), numpy=numpy.log10, result="float", domain=(0.1, 4.0))
def log10(x): return math.log10(x)  # noqa: E704


# --- trigonometry ---------------------------------------------------------------------------------------------------


@elementwise(vjp=lambda g, y, x: g * cos(x), numpy=numpy.sin, result="float")
def sin(x): return math.sin(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: -g * sin(x), numpy=numpy.cos, result="float")
def cos(x): return math.cos(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * (1.0 + y * y), numpy=numpy.tan, result="float", domain=(-1.2, 1.2))
def tan(x): return math.tan(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / sqrt(1.0 - x * x), numpy=numpy.arcsin, result="float", domain=(-0.8, 0.8))
def arcsin(x): return math.asin(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: -g / sqrt(1.0 - x * x), numpy=numpy.arccos, result="float", domain=(-0.8, 0.8))
def arccos(x): return math.acos(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / (1.0 + x * x), numpy=numpy.arctan, result="float")
def arctan(x): return math.atan(x)  # noqa: E704


@elementwise(vjp=(lambda g, y, a, b: g * b / (a * a + b * b), lambda g, y, a, b: -g * a / (a * a + b * b)),
             numpy=numpy.arctan2, result="float", domain=((0.5, 3.0), (0.5, 3.0)))
def arctan2(a, b): return math.atan2(a, b)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * cosh(x), numpy=numpy.sinh, result="float")
def sinh(x): return math.sinh(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * sinh(x), numpy=numpy.cosh, result="float")
def cosh(x): return math.cosh(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * (1.0 - y * y), numpy=numpy.tanh, result="float")
def tanh(x): return math.tanh(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / sqrt(x * x + 1.0), numpy=numpy.arcsinh, result="float")
def arcsinh(x): return math.asinh(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / sqrt(x * x - 1.0), numpy=numpy.arccosh, result="float", domain=(1.3, 4.0))
def arccosh(x): return math.acosh(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g / (1.0 - x * x), numpy=numpy.arctanh, result="float", domain=(-0.8, 0.8))
def arctanh(x): return math.atanh(x)  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * (math.pi / 180.0), numpy=numpy.deg2rad, result="float")
def radians(x): return x * 0.017453292519943295  # noqa: E704


@elementwise(vjp=lambda g, y, x: g * (180.0 / math.pi), numpy=numpy.rad2deg, result="float")
def degrees(x): return x * 57.29577951308232  # noqa: E704


# --- rounding -------------------------------------------------------------------------------------------------------


@elementwise(numpy=numpy.floor, kinks=lambda x: x - numpy.rint(x))
def floor(x): return math.floor(x)  # noqa: E704


@elementwise(numpy=numpy.ceil, kinks=lambda x: x - numpy.rint(x))
def ceil(x): return math.ceil(x)  # noqa: E704


@elementwise(numpy=numpy.trunc, kinks=lambda x: x - numpy.rint(x))
def trunc(x): return math.trunc(x)  # noqa: E704


@elementwise(numpy=numpy.rint, kinks=lambda x: x - numpy.trunc(x) - numpy.copysign(0.5, x))
def rint(x): return round(x)  # noqa: E704


# --- comparisons and logic (bool answers, no gradient) ----------------------------------------------------------------


@elementwise(numpy=numpy.equal, result="bool")
def equal(a, b): return a == b  # noqa: E704


@elementwise(numpy=numpy.not_equal, result="bool")
def not_equal(a, b): return a != b  # noqa: E704


@elementwise(numpy=numpy.less, result="bool")
def less(a, b): return a < b  # noqa: E704


@elementwise(numpy=numpy.less_equal, result="bool")
def less_equal(a, b): return a <= b  # noqa: E704


@elementwise(numpy=numpy.greater, result="bool")
def greater(a, b): return a > b  # noqa: E704


@elementwise(numpy=numpy.greater_equal, result="bool")
def greater_equal(a, b): return a >= b  # noqa: E704


@elementwise(numpy=numpy.logical_and, result="bool")
def logical_and(a, b): return a != 0 and b != 0  # noqa: E704


@elementwise(numpy=numpy.logical_or, result="bool")
def logical_or(a, b): return a != 0 or b != 0  # noqa: E704


@elementwise(numpy=numpy.logical_xor, result="bool")
def logical_xor(a, b): return (a != 0) != (b != 0)  # noqa: E704


@elementwise(numpy=numpy.logical_not, result="bool")
def logical_not(x): return x == 0  # noqa: E704


@elementwise(numpy=numpy.isnan, result="bool")
def isnan(x): return x != x  # noqa: E704


@elementwise(numpy=numpy.isinf, result="bool")
def isinf(x): return x == x and x - x != 0  # noqa: E704


@elementwise(numpy=numpy.isfinite, result="bool")
def isfinite(x): return x - x == 0  # noqa: E704


@elementwise(vjp=(None, lambda g, y, c, a, b: where(c, g, 0.0), lambda g, y, c, a, b: where(c, 0.0, g)),
             numpy=numpy.where, result="where")
def where(c, a, b): return a if c else b  # noqa: E704


# --- activations and their special functions --------------------------------------------------------------------


@functools.cache
def _zero(dtype):
    """A 0-d zero: a loop takes it faster than a Python number."""
    return numpy.zeros((), dtype)


@elementwise(vjp=lambda g, y, x: where(y > 0, g, 0.0), numpy=lambda x: numpy.maximum(x, _zero(x.dtype)),
             kinks=lambda x: x, silent=True)
def relu(x):
    """max(x, 0); the derivative at 0 is 0."""
    return x if (x > 0.0 or x != x) else 0.0


@elementwise(vjp=lambda g, y, x: g * (y * (1.0 - y)), numpy=lambda x: 1.0 / (1.0 + numpy.exp(-x)), result="float")
def sigmoid(x):
    """1 / (1 + exp(-x))"""
    return 1.0 / (1.0 + math.exp(-x))


@elementwise(vjp=lambda g, y, x: g * sigmoid(x), numpy=lambda x: numpy.logaddexp(x, 0.0), result="float")
def softplus(x):
    """log(1 + exp(x)), written so that neither end overflows."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@elementwise(vjp=lambda g, y, x: g * sigmoid(-x), numpy=lambda x: -numpy.logaddexp(-x, 0.0), result="float")
def log_sigmoid(x):
    """log(sigmoid(x)) = -softplus(-x)"""
    return min(x, 0.0) - math.log1p(math.exp(-abs(x)))


@elementwise(vjp=lambda g, y, x: g / square(1.0 + abs_(x)), numpy=lambda x: x / (1.0 + numpy.abs(x)), result="float")
def softsign(x):
    """x / (1 + |x|)"""
    return x / (1.0 + abs(x))


@elementwise(vjp=lambda g, y, x: g * (2.0 / math.sqrt(math.pi)) * exp(-square(x)), result="float")
def erf(x):
    """2 / sqrt(pi) * integral of exp(-t**2) from 0 to x"""
    return math.erf(x)


@elementwise(vjp=lambda g, y, x: g * (0.5 * (1.0 + erf(x * math.sqrt(0.5)))
                                      + x * exp(-0.5 * square(x)) * (1.0 / math.sqrt(2.0 * math.pi))), result="float")
def gelu(x):
    """x * Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016, the exact form)."""
    return 0.5 * x * (1.0 + math.erf(x * 0.7071067811865476))


@elementwise(vjp=lambda g, y, x: g * (lambda s: s * (1.0 + x * (1.0 - s)))(sigmoid(x)),
             numpy=lambda x: x / (1.0 + numpy.exp(-x)), result="float")
def silu(x):
    """x * sigmoid(x)"""
    return x / (1.0 + math.exp(-x))


@elementwise(vjp=(lambda g, y, x, slope: where(x > 0, g, g * slope), lambda g, y, x, slope: where(x > 0, 0.0, g * x)),
             numpy=lambda x, slope: numpy.where(x > 0, x, x * slope), domain=((-3.0, 3.0), (0.1, 0.5)),
             kinks=lambda x, slope: x + 0 * slope)
def leaky_relu(x, slope):
    """x where positive, else slope * x"""
    return x if x > 0.0 else x * slope


@elementwise(vjp=(lambda g, y, x, alpha: where(x > 0, g, g * (y + alpha)),
                  lambda g, y, x, alpha: where(x > 0, 0.0, g * expm1(minimum(x, 0.0)))),
             numpy=lambda x, alpha: numpy.where(x > 0, x, alpha * numpy.expm1(numpy.minimum(x, 0.0))), result="float",
             domain=((-3.0, 3.0), (0.5, 1.5)), kinks=lambda x, alpha: x + 0 * alpha)
def elu(x, alpha):
    """x where positive, else alpha * (exp(x) - 1) (Clevert et al. 2015)."""
    return x if x > 0.0 else alpha * math.expm1(min(x, 0.0))


@elementwise(vjp=lambda g, y, x: where(logical_and(y > 0, y < 1), g * 0.2, 0.0),
             numpy=lambda x: numpy.clip(x * 0.2 + 0.5, 0.0, 1.0), result="float", domain=(-2.0, 2.0))
def hard_sigmoid(x):
    """clip(0.2 * x + 0.5, 0, 1)"""
    return min(max(0.2 * x + 0.5, 0.0), 1.0)


# --- change of dtype ------------------------------------------------------------------------------------------------


def _eager_cast(op, args, spec):
    x = args[0]
    d = x._data
    y = copying.copy(d) if d.dtype == spec["dtype"] else eager.quiet(d.astype, spec["dtype"])
    return wrap(y, x._device, type(x))


cast = Op("cast", "elementwise", _eager_cast, vjp=(lambda g, y, x, *, dtype: cast(g, dtype=x.dtype.name),),
          result="cast", infer=lambda x, *, dtype: Aval(x.shape, numpy.dtype(dtype)))  # fmt: skip
_cast = one(cast, flagged(numpy.ndarray.astype), lambda d, dtype: {"dtype": dtype},
            lambda x, dtype: bind(cast, (x,), {"dtype": dtype}))  # fmt: skip
cast.direct = lambda x, dtype: _cast(x, dtype)
cast.help = "The same values in another dtype; `dtype` is a name such as 'float32'."


def astype(x, dtype):
    """`x` itself if it has this dtype, else a cast copy on the tape."""
    dtype = dt.as_dtype(dtype)
    return x if x._data.dtype is dtype or x.dtype == dtype else _cast(x, dt.NAMES[dtype])
