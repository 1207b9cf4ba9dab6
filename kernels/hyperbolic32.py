"""mathlib's float32 hyperbolic functions; see `mathlib.py` for what they promise and `math32.py` for the tricks."""
from numpy import float32

from .lanes import bits, copysign, fma, from_bits, lane, poly, select, sqrt
from .math32 import em1_short_f32, exp_f32, expm1_f32, log_f32


@lane(float32)
def tanh_f32(x):
    """Hyperbolic tangent: t / (t + 2) with t = exp(2|x|) - 1."""
    z = abs(x)
    z = select(z > 10.0, 10.0, z)
    z = z + z
    t = fma(z, 1.44269502, 12583039.0)
    n = t - 12583039.0
    r = fma(n, -0.693147182, z)  # in one step: what that loses, n 2**-29, tells in small results only
    scale = from_bits(bits(t) << 23)
    t = fma(scale, em1_short_f32(r), scale - 1.0)
    return copysign(t / (t + 2.0), x)


@lane(float32)
def sinh_f32(x):
    """Hyperbolic sine."""
    z = abs(x)
    h = exp_f32(0.5 * z)
    t = expm1_f32(select(z > 20.0, 20.0, z))
    y = select(z > 20.0, 0.5 * h * h, 0.5 * (t + t / (t + 1.0)))
    return select(z < 1e-8, x, copysign(y, x))


@lane(float32)
def cosh_f32(x):
    """Hyperbolic cosine."""
    h = exp_f32(0.5 * abs(x))
    return fma(0.5 * h, h, 0.5 / h / h)


@lane(float32)
def asinh_rest_f32(z):
    """asinh(s) / s - 1 for z = s^2 <= 0.4225."""
    return z * poly(z, -0.16666646, 0.074990086, -0.044480808, 0.029142888, -0.017368253, 0.0062191477)


@lane(float32)
def asinh_f32(x):
    """Inverse hyperbolic sine: a polynomial below 0.65, log(|x| + sqrt(x^2 + 1)) above."""
    a = abs(x)
    huge = a > 1e9  # here the square root is |x|
    s = sqrt(fma(a, a, 1.0))
    u = a + s
    lost = (a - (u - s)) * (s - a)  # what rounding took from u, over u
    y = log_f32(select(huge, a, u)) + select(huge, 0.693147182, lost)
    return copysign(select(a < 0.65, fma(a, asinh_rest_f32(a * a), a), y), x)


@lane(float32)
def acosh_f32(x):
    """Inverse hyperbolic cosine: 2 asinh(sqrt((x - 1) / 2)) near 1, log(x + sqrt(x^2 - 1)) above."""
    z = fma(0.5, x, -0.5)
    s = sqrt(z)
    s = s + s
    huge = x > 1e9
    y = log_f32(select(huge, x, x + sqrt(fma(x, x, -1.0)))) + select(huge, float32(0.693147182), float32(0))
    return select(z < 0.4225, fma(s, asinh_rest_f32(z), s), y)


@lane(float32)
def atanh_f32(x):
    """Inverse hyperbolic tangent: a polynomial below 1/2, log((1 + |x|) / (1 - |x|)) / 2 above."""
    a = abs(x)
    z = a * a
    p = poly(z, 0.33333302, 0.20002455, 0.14223358, 0.11823624, 0.051200256, 0.17711209)
    y = select(a < 0.5, fma(a * z, p, a), 0.5 * log_f32((1.0 + a) / (1.0 - a)))
    return copysign(y, x)
