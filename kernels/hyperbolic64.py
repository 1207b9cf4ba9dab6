"""mathlib's float64 hyperbolic functions; see `mathlib.py` for what they promise and `math32.py` for the tricks."""
from numpy import float64

from .lanes import copysign, fma, lane, poly, select, sqrt
from .math64 import exp_f64, expm1_f64, log_f64


@lane(float64)
def tanh_f64(x):
    """Hyperbolic tangent: t / (t + 2) with t = exp(2|x|) - 1."""
    z = abs(x)
    z = select(z > 20.0, 20.0, z)
    t = expm1_f64(z + z)
    return copysign(t / (t + 2.0), x)


@lane(float64)
def sinh_f64(x):
    """Hyperbolic sine."""
    z = abs(x)
    h = exp_f64(0.5 * z)
    t = expm1_f64(select(z > 40.0, 40.0, z))
    y = select(z > 40.0, 0.5 * h * h, 0.5 * (t + t / (t + 1.0)))
    return select(z < 1e-17, x, copysign(y, x))


@lane(float64)
def cosh_f64(x):
    """Hyperbolic cosine."""
    h = exp_f64(0.5 * abs(x))
    return fma(0.5 * h, h, 0.5 / h / h)


@lane(float64)
def asinh_rest_f64(z):
    """asinh(s) / s - 1 for z = s^2 <= 0.4225."""
    return z * poly(z, -0.16666666666666657, 0.07499999999997682, -0.04464285714080592, 0.03038194435224361,
        -0.022372156620237598, 0.017352721231250996, -0.013964322737714955, 0.011547303719853595,
        -0.009733172040939613, 0.008256687783933892, -0.006842131448168128, 0.005203821739210007,
        -0.0032691850570769885, 0.001439051791280137, -0.0003199510872178777)


@lane(float64)
def asinh_f64(x):
    """Inverse hyperbolic sine: a polynomial below 0.65, log(|x| + sqrt(x^2 + 1)) above."""
    a = abs(x)
    huge = a > 1e9  # here the square root is |x|
    s = sqrt(fma(a, a, 1.0))
    u = a + s
    lost = (a - (u - s)) * (s - a)  # what rounding took from u, over u
    y = log_f64(select(huge, a, u)) + select(huge, 0.6931471805599453, lost)
    return copysign(select(a < 0.65, fma(a, asinh_rest_f64(a * a), a), y), x)


@lane(float64)
def acosh_f64(x):
    """Inverse hyperbolic cosine: 2 asinh(sqrt((x - 1) / 2)) near 1, log(x + sqrt(x^2 - 1)) above."""
    z = fma(0.5, x, -0.5)
    s = sqrt(z)
    s = s + s
    huge = x > 1e9
    y = log_f64(select(huge, x, x + sqrt(fma(x, x, -1.0))))
    y = y + select(huge, float64(0.6931471805599453), float64(0))
    return select(z < 0.4225, fma(s, asinh_rest_f64(z), s), y)


@lane(float64)
def atanh_f64(x):
    """Inverse hyperbolic tangent: a polynomial below 1/2, log((1 + |x|) / (1 - |x|)) / 2 above."""
    a = abs(x)
    z = a * a
    p = poly(z, 0.3333333333333328, 0.20000000000018123, 0.1428571428343926, 0.1111111125524672,
        0.09090903687605435, 0.07692438439872969, 0.06664516317004691, 0.05907128745654812, 0.05060193919065473,
        0.059453912675284756, -0.0049468637173470924, 0.17405447600083696, -0.19493214899261907,
        0.24041992778993101)
    y = select(a < 0.5, fma(a * z, p, a), 0.5 * log_f64((1.0 + a) / (1.0 - a)))
    return copysign(y, x)
