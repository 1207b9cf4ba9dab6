"""What draws of shaped distributions need: the gradient of a gamma number, and Poisson counts from uniform numbers."""

from __future__ import annotations

import math

import numpy

from .. import dtype as dt
from ..array import Aval
from .kinds import primitive


def digamma(x: numpy.ndarray) -> numpy.ndarray:
    """The derivative of log gamma: the recurrence up to 10, then the series of Abramowitz and Stegun 6.3.18."""
    x = numpy.array(x, numpy.float64)
    y = numpy.zeros_like(x)
    for _ in range(10):
        small = x < 10
        y = numpy.where(small, y - 1 / x, y)
        x = numpy.where(small, x + 1, x)
    z = 1 / (x * x)
    series = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 691 / 32760)))))
    return y + numpy.log(x) - 0.5 / x - series


def log_gamma(x: numpy.ndarray) -> numpy.ndarray:
    """log of gamma: the recurrence up to 10, then Stirling's series (Abramowitz and Stegun 6.1.41)."""
    x = numpy.array(x, numpy.float64)
    y = numpy.zeros_like(x)
    for _ in range(10):
        small = x < 10
        y = numpy.where(small, y - numpy.log(x), y)
        x = numpy.where(small, x + 1, x)
    z = 1 / (x * x)
    series = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z / 1188)))) / x
    return y + (x - 0.5) * numpy.log(x) - x + 0.5 * math.log(2 * math.pi) + series


def _infer_pair(a, b):
    return Aval(numpy.broadcast_shapes(a.shape, b.shape), dt.as_float(dt.promote(a.dtype, b.dtype)))


@primitive(kind="opaque", nin=2, infer=_infer_pair, domain=((0.3, 5.0), (0.1, 6.0)))
def gamma_slope(alpha, z, *, out=None):
    """d z / d alpha of a gamma number z of shape `alpha` whose place in the distribution is held fixed.

    Implicit reparametrization (Figurnov, Mohamed, Mnih 2018): -(dF/dalpha) / density. F is the series
    z**alpha exp(-z) / gamma(alpha + 1) * sum of z**n / ((alpha + 1) ... (alpha + n)), differentiated term by term.
    """
    shape, want = numpy.broadcast_shapes(alpha.shape, z.shape), _infer_pair(alpha, z).dtype
    a = numpy.broadcast_to(alpha, shape).astype(numpy.float64).ravel()
    x = numpy.maximum(numpy.broadcast_to(z, shape).astype(numpy.float64).ravel(), 1e-300)
    term, total, slope, harmonic = (numpy.ones_like(a), numpy.ones_like(a), numpy.zeros_like(a), numpy.zeros_like(a))
    far = (x.max(initial=0.0) - a.min(initial=0.0)) if a.size else 0.0
    for n in range(1, int(20 + 10 * math.sqrt(x.max(initial=1.0)) + 2 * max(far, 0.0)) + 100):
        term = term * (x / (a + n))
        harmonic = harmonic + 1 / (a + n)
        total, slope = total + term, slope - term * harmonic
        if (term * (harmonic + 1) < 1e-17 * total).all():
            break
    # density = z**(alpha - 1) exp(-z) / gamma(alpha) = series factor * alpha / z, so the factors cancel
    y = -(total * (numpy.log(x) - digamma(a + 1)) + slope) * x / a
    y = y.reshape(shape).astype(want)
    if out is None:
        return y
    out[...] = y
    return out


def _infer_count(u, lam):
    return Aval(numpy.broadcast_shapes(u.shape, lam.shape), numpy.dtype("int64"))


@primitive(kind="opaque", nin=2, infer=_infer_count, domain=((0.01, 0.99), (0.1, 20.0)))
def poisson_quantile(u, lam, *, out=None):
    """The smallest count whose distribution function exceeds `u`: a Poisson number (int64) if `u` is uniform."""
    shape = numpy.broadcast_shapes(u.shape, lam.shape)
    u, lam = (numpy.broadcast_to(v, shape).astype(numpy.float64).ravel() for v in (u, lam))
    start = numpy.maximum(numpy.floor(lam - 12 * numpy.sqrt(lam) - 12), 0.0)  # below lies less than 1e-30
    mass = numpy.exp(start * numpy.log(numpy.maximum(lam, 1e-300)) - lam - log_gamma(start + 1))
    mass = numpy.where(lam == 0, 1.0, mass)
    y, reached = start.copy(), mass.copy()
    open_ = numpy.flatnonzero(reached <= u)
    for _ in range(int(26 * math.sqrt(lam.max(initial=0.0))) + 60):
        if not open_.size:
            break
        y[open_] += 1
        mass[open_] *= lam[open_] / y[open_]
        reached[open_] += mass[open_]
        open_ = open_[reached[open_] <= u[open_]]
    y = y.reshape(shape).astype(numpy.int64)
    if out is None:
        return y
    out[...] = y
    return out


__all__ = ["digamma", "gamma_slope", "log_gamma", "poisson_quantile"]
