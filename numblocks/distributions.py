"""Draws from shaped distributions, written as functions of uniform and normal numbers.

So they are differentiable in their parameters (reparametrization), compile with the net around them, and draw the same
numbers eager and hybridized. A gamma number is drawn by G. Marsaglia and W. Tsang, A simple method for generating gamma
variables (2000), with the rejections unrolled: a fixed number of independent rounds, of which an accepted one counts.
"""

from __future__ import annotations

import numpy

from . import dtype as dt
from .array import ndarray, wrap
from .autograd import Function
from .device import usable
from .ops import elementwise as ew
from .ops import random as rnd
from .ops.distributions import gamma_slope, poisson_quantile
from .ops.reduce import broadcast_to, sum_to

ROUNDS = 8  # each accepts at least 95 in 100: 4e-11 of the draws are left, and take the value 1 / 3 below alpha


def positive(where: str, **parameters) -> None:
    """Refuse Python numbers that are not positive."""
    for name, x in parameters.items():
        if isinstance(x, (int, float)) and not x > 0:
            raise ValueError(f"{where}: {name} is {x}. It must be positive. Choose another.")


def unit(shape, dtype, ctx) -> ndarray:
    """Uniform on (0, 1): never 0 or 1, whose logarithms would be infinite."""
    return ew.maximum(rnd.draw(rnd.uniform01, shape, dtype, ctx), 2.0**-54 if dtype == "float64" else 2.0**-25)


def exponential(shape, dtype, ctx) -> ndarray:
    """Exponential numbers with mean 1."""
    return -ew.log(unit(shape, dtype, ctx))


def gumbel(shape, dtype, ctx) -> ndarray:
    """Standard Gumbel numbers: -log(-log(u))."""
    return -ew.log(exponential(shape, dtype, ctx))


def logistic(shape, dtype, ctx) -> ndarray:
    """Standard logistic numbers: log(u / (1 - u))."""
    u = unit(shape, dtype, ctx)
    return ew.log(u) - ew.log1p(-u)


def laplace(shape, dtype, ctx) -> ndarray:
    """Standard Laplace numbers: the sign and the size of 2 u - 1, the size as an exponential number."""
    u = unit(shape, dtype, ctx) - 0.5
    return -ew.sign(u) * ew.log1p(ew.abs_(u) * -2.0)


def _marsaglia_tsang(alpha, shape, dtype, ctx):
    """Gamma numbers of shape `alpha` and scale 1, computed in `dtype`."""
    small = ew.less(alpha, 1.0)
    d = ew.where(small, alpha + 1.0, alpha) - 1.0 / 3.0
    c = 1.0 / ew.sqrt(d * 9.0)
    y = broadcast_to(d, shape=shape) if d.shape != tuple(shape) else d
    for _ in range(ROUNDS):  # rounds are independent, so the last one accepted is as good as the first
        x = rnd.draw(rnd.normal01, shape, dtype, ctx)
        v = x * c + 1.0
        v = v * v * v
        safe = ew.maximum(v, 1e-30)
        bound = x * x * 0.5 + d - d * v + d * ew.log(safe)
        accepted = ew.logical_and(v > 0.0, ew.less(ew.log(unit(shape, dtype, ctx)), bound))
        y = ew.where(accepted, d * safe, y)
    boost = ew.exp(ew.log(unit(shape, dtype, ctx)) / ew.where(small, alpha, 1.0))
    return ew.where(small, y * boost, y)


class _Gamma(Function):
    """Gamma numbers with the implicit gradient by their shape parameter."""

    def __init__(self, shape, dtype, ctx):
        self.shape, self.dtype, self.ctx = shape, dtype, ctx

    def forward(self, alpha):
        """The draw."""
        y = _marsaglia_tsang(alpha, self.shape, self.dtype, self.ctx)
        self.save_for_backward(alpha, y)
        return y

    def backward(self, g):
        """g dz/dalpha, summed over what was broadcast."""
        alpha, y = self.saved_tensors
        return sum_to(g * gamma_slope(alpha, y), alpha.shape)


def gamma(alpha, shape, dtype, ctx) -> ndarray:
    """Gamma numbers of shape `alpha` (a number or an array) and scale 1; differentiable in `alpha`."""
    positive("gamma", shape=alpha)
    compute = "float32" if dtype == "float16" else dtype
    if not isinstance(alpha, ndarray):
        alpha = wrap(numpy.asarray(alpha, compute), usable(ctx))
    alpha = ew.astype(alpha, compute)
    return ew.astype(_Gamma(tuple(shape), compute, ctx)(alpha), dtype)


def poisson(lam, shape, dtype, ctx) -> ndarray:
    """Poisson counts with mean `lam`, by inversion; not differentiable."""
    if not isinstance(lam, ndarray):
        lam = wrap(numpy.asarray(lam, "float64"), usable(ctx))
    u = rnd.draw(rnd.uniform01, shape, "float64", ctx)
    return ew.astype(poisson_quantile(u, lam), dt.as_dtype(dtype))


__all__ = ["exponential", "gamma", "gumbel", "laplace", "logistic", "poisson", "positive", "unit"]
