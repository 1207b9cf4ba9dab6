"""Special functions: the logarithm of the gamma function, its derivatives, and the inverse of erf."""

from __future__ import annotations

import math

from . import elementwise as ew
from .kinds import elementwise


@elementwise(vjp=lambda g, y, x: g * digamma(x), result="float", domain=(0.6, 4.0))
def gammaln(x):
    """log |Gamma(x)| by Lanczos' series (g = 7, 9 terms), reflected below 1/2."""
    z = (x if x >= 0.5 else 1.0 - x) - 1.0
    s = 0.99999999999980993 + 676.5203681218851 / (z + 1.0) - 1259.1392167224028 / (z + 2.0)
    s = s + 771.32342877765313 / (z + 3.0) - 176.61502916214059 / (z + 4.0) + 12.507343278686905 / (z + 5.0)
    s = s - 0.13857109526572012 / (z + 6.0) + 9.9843695780195716e-6 / (z + 7.0) + 1.5056327351493116e-7 / (z + 8.0)
    t = z + 7.5
    r = 0.91893853320467274 + (z + 0.5) * math.log(t) - t + math.log(s)
    return r if x >= 0.5 else 1.1447298858494002 - math.log(abs(math.sin(3.141592653589793 * x))) - r


@elementwise(vjp=lambda g, y, x: g * y * digamma(x), result="float", domain=(0.6, 4.0))
def gamma(x):
    """Gamma(x) by Lanczos' series (g = 7, 9 terms), reflected below 1/2."""
    z = (x if x >= 0.5 else 1.0 - x) - 1.0
    s = 0.99999999999980993 + 676.5203681218851 / (z + 1.0) - 1259.1392167224028 / (z + 2.0)
    s = s + 771.32342877765313 / (z + 3.0) - 176.61502916214059 / (z + 4.0) + 12.507343278686905 / (z + 5.0)
    s = s - 0.13857109526572012 / (z + 6.0) + 9.9843695780195716e-6 / (z + 7.0) + 1.5056327351493116e-7 / (z + 8.0)
    t = z + 7.5
    r = 2.5066282746310002 * math.exp((z + 0.5) * math.log(t) - t) * s
    return r if x >= 0.5 else 3.141592653589793 / (math.sin(3.141592653589793 * x) * r)


@elementwise(vjp=lambda g, y, x: g * trigamma(x), result="float", domain=(0.6, 4.0))
def digamma(x):
    """The derivative of gammaln, by its asymptotic series after six steps of recurrence; reflected below 1/2."""
    w = x if x >= 0.5 else 1.0 - x
    z = w + 6.0
    q = 1.0 / (z * z)
    r = 1.0 / 240.0 - q * (1.0 / 132.0 - q * (691.0 / 32760.0 - q / 12.0))
    s = math.log(z) - 0.5 / z - q * (1.0 / 12.0 - q * (1.0 / 120.0 - q * (1.0 / 252.0 - q * r)))
    s = s - 1.0 / w - 1.0 / (w + 1.0) - 1.0 / (w + 2.0) - 1.0 / (w + 3.0) - 1.0 / (w + 4.0) - 1.0 / (w + 5.0)
    a = 3.141592653589793 * x
    return s if x >= 0.5 else s - 3.141592653589793 * math.cos(a) / math.sin(a)


def trigamma(x):
    """The derivative of digamma for positive arguments, in ordinary ops: differentiable to any order."""
    z = x + 6.0
    p, q = ew.reciprocal(z), ew.reciprocal(ew.square(z))
    tail = 1 / 6 - q * (1 / 30 - q * (1 / 42 - q * (1 / 30 - q * (5 / 66 - q * (691 / 2730)))))
    total = p + 0.5 * q + p * q * tail
    for k in range(6):
        total = total + ew.reciprocal(ew.square(x + float(k)))
    return total


@elementwise(
    vjp=lambda g, y, x: g * (0.5 * math.sqrt(math.pi)) * ew.exp(ew.square(y)), result="float", domain=(-0.8, 0.8)
)
def erfinv(x):
    """The inverse of erf: Giles' polynomials (2010), then two Newton steps."""
    w = -math.log((1.0 - x) * (1.0 + x))
    u = w - 2.5
    v = math.sqrt(max(w, 5.0)) - 3.0
    p = 2.81022636e-08
    p = 3.43273939e-07 + p * u
    p = -3.5233877e-06 + p * u
    p = -4.39150654e-06 + p * u
    p = 0.00021858087 + p * u
    p = -0.00125372503 + p * u
    p = -0.00417768164 + p * u
    p = 0.246640727 + p * u
    p = 1.50140941 + p * u
    r = -0.000200214257
    r = 0.000100950558 + r * v
    r = 0.00134934322 + r * v
    r = -0.00367342844 + r * v
    r = 0.00573950773 + r * v
    r = -0.0076224613 + r * v
    r = 0.00943887047 + r * v
    r = 1.00167406 + r * v
    r = 2.83297682 + r * v
    y = (p if w < 5.0 else r) * x
    y = y - (math.erf(y) - x) * 0.88622692545275801 * math.exp(y * y)
    return y - (math.erf(y) - x) * 0.88622692545275801 * math.exp(y * y) if abs(x) < 1.0 else x * math.inf


__all__ = ["digamma", "erfinv", "gamma", "gammaln", "trigamma"]
