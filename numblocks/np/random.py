"""`np.random`: NumPy's signatures (`size=`) over the streams of `numblocks.random`.

Draws of reals are differentiable in array-valued parameters and compile with the net; `choice`, `shuffle`,
`permutation`, `multinomial` and `binomial` are drawn on the host.
"""

from __future__ import annotations

import math

import numpy

from .. import distributions as dist
from .. import random as _base
from ..array import ndarray, wrap
from ..device import usable
from ..ops import elementwise as ew
from ..random import seed
from .creation import array
from .linalg import cholesky
from .shapes_of_draws import drawn, operands


def uniform(low=0.0, high=1.0, size=None, dtype=None, ctx=None, device=None, out=None) -> ndarray:
    """Uniform numbers on [low, high)."""
    low, high = operands(low, high)
    return _base.uniform(low, high, size, dtype, ctx if ctx is not None else device, out)


def normal(loc=0.0, scale=1.0, size=None, dtype=None, ctx=None, device=None, out=None) -> ndarray:
    """Normal numbers with mean `loc` and standard deviation `scale`."""
    loc, scale = operands(loc, scale)
    return _base.normal(loc, scale, size, dtype, ctx if ctx is not None else device, out)


def rand(*size, **kwargs) -> ndarray:
    """Uniform numbers on [0, 1); the shape is given as arguments."""
    return uniform(size=size, **kwargs)


def randn(*size, **kwargs) -> ndarray:
    """Standard normal numbers; the shape is given as arguments."""
    return normal(size=size, **kwargs)


def random(size=None, dtype=None, ctx=None) -> ndarray:
    """Uniform numbers on [0, 1)."""
    return uniform(size=size, dtype=dtype, ctx=ctx)


random_sample = sample = ranf = random


def randint(low, high=None, size=None, dtype=None, ctx=None, device=None, out=None) -> ndarray:
    """Integers from `low` to `high - 1`."""
    shape = () if size is None else size
    return _base.randint(low, high, shape, dtype or "int64", ctx if ctx is not None else device, out)


@drawn
def exponential(shape, dtype, ctx, scale=1.0):
    """Exponential numbers with mean `scale`."""
    return dist.exponential(shape, dtype, ctx) * scale


@drawn
def gamma(full, dtype, ctx, shape, scale=1.0):
    """Gamma numbers; the gradient by `shape` is the implicit one (Figurnov, Mohamed, Mnih 2018)."""
    return dist.gamma(shape, full, dtype, ctx) * scale


@drawn
def standard_gamma(full, dtype, ctx, shape):
    """Gamma numbers of scale 1."""
    return dist.gamma(shape, full, dtype, ctx)


@drawn
def beta(shape, dtype, ctx, a, b):
    """Beta numbers: x / (x + y) of two gamma numbers."""
    x, y = dist.gamma(a, shape, dtype, ctx), dist.gamma(b, shape, dtype, ctx)
    return x / (x + y)


@drawn
def chisquare(shape, dtype, ctx, df):
    """The sum of squares of `df` standard normal numbers."""
    return dist.gamma(df * 0.5, shape, dtype, ctx) * 2.0


@drawn
def f(shape, dtype, ctx, dfnum, dfden):
    """The ratio of two chi-square numbers, each divided by its degrees of freedom."""
    above, below = dist.gamma(dfnum * 0.5, shape, dtype, ctx), dist.gamma(dfden * 0.5, shape, dtype, ctx)
    return (above / dfnum) / (below / dfden)


@drawn
def standard_t(shape, dtype, ctx, df):
    """Student's t numbers with `df` degrees of freedom."""
    z = _base.normal(0.0, 1.0, shape, dtype, ctx)
    return z / ew.sqrt(dist.gamma(df * 0.5, shape, dtype, ctx) * 2.0 / df)


@drawn
def gumbel(shape, dtype, ctx, loc=0.0, scale=1.0):
    """Gumbel numbers: loc - scale log(-log(u))."""
    return dist.gumbel(shape, dtype, ctx) * scale + loc


@drawn
def laplace(shape, dtype, ctx, loc=0.0, scale=1.0):
    """Laplace numbers (two-sided exponential)."""
    return dist.laplace(shape, dtype, ctx) * scale + loc


@drawn
def logistic(shape, dtype, ctx, loc=0.0, scale=1.0):
    """Logistic numbers: loc + scale log(u / (1 - u))."""
    return dist.logistic(shape, dtype, ctx) * scale + loc


@drawn
def lognormal(shape, dtype, ctx, mean=0.0, sigma=1.0):
    """Numbers whose logarithm is normal."""
    return ew.exp(_base.normal(0.0, 1.0, shape, dtype, ctx) * sigma + mean)


@drawn
def pareto(shape, dtype, ctx, a):
    """Pareto numbers of the second kind (Lomax): exp(e / a) - 1 of an exponential number e."""
    return ew.expm1(dist.exponential(shape, dtype, ctx) / a)


@drawn
def power(shape, dtype, ctx, a):
    """Numbers on (0, 1) with density a x**(a - 1)."""
    return ew.exp(-dist.exponential(shape, dtype, ctx) / a)


@drawn
def rayleigh(shape, dtype, ctx, scale=1.0):
    """Rayleigh numbers: the length of two normal numbers."""
    return ew.sqrt(dist.exponential(shape, dtype, ctx) * 2.0) * scale


@drawn
def weibull(shape, dtype, ctx, a):
    """Weibull numbers of scale 1: e ** (1 / a) of an exponential number e."""
    return ew.exp(ew.log(dist.exponential(shape, dtype, ctx)) / a)


@drawn
def standard_cauchy(shape, dtype, ctx):
    """Cauchy numbers: the tangent of a uniform angle."""
    return ew.tan((dist.unit(shape, dtype, ctx) - 0.5) * math.pi)


def standard_normal(size=None, dtype=None, ctx=None) -> ndarray:
    """Normal numbers with mean 0 and standard deviation 1."""
    return normal(size=() if size is None else size, dtype=dtype, ctx=ctx)


def standard_exponential(size=None, dtype=None, ctx=None) -> ndarray:
    """Exponential numbers with mean 1."""
    return exponential(size=() if size is None else size, dtype=dtype, ctx=ctx)


def poisson(lam=1.0, size=None, dtype="int64", ctx=None) -> ndarray:
    """Poisson counts (int64) with mean `lam`; not differentiable."""
    (lam,) = operands(lam)
    return _base.poisson(lam, size, dtype, ctx)


def negative_binomial(n, p, size=None, dtype="int64", ctx=None) -> ndarray:
    """Failures (int64) before success number `n` when each trial succeeds with probability `p`."""
    n, p = operands(n, p)
    return _base.negative_binomial(n, p, size, dtype, ctx)


def geometric(p, size=None, dtype="int64", ctx=None) -> ndarray:
    """Trials (int64) up to and with the first success."""
    (p,) = operands(p)
    shape = _base.as_shape(size, p)
    e = dist.exponential(shape, "float64", ctx)
    return ew.astype(ew.ceil(e / -ew.log1p(-(p if isinstance(p, ndarray) else array(numpy.float64(p))))), dtype)


def bernoulli(prob=0.5, size=None, dtype=None, ctx=None) -> ndarray:
    """1 with probability `prob`, else 0."""
    return _base.bernoulli(prob, size, dtype, ctx)


def multivariate_normal(mean, cov, size=None, check_valid=None, tol=None) -> ndarray:
    """Normal vectors with mean `(..., n)` and covariance `(..., n, n)`: mean + L z with L L.T = cov; differentiable."""
    mean, cov = (x if isinstance(x, ndarray) else array(x) for x in (mean, cov))
    if mean.ndim == 0 or cov.shape[-2:] != (mean.shape[-1],) * 2:
        raise ValueError(
            f"multivariate_normal: the mean has shape {mean.shape} and the covariance {cov.shape}. Vectors of n"
            " elements need"
            f" an n by n covariance. Reshape them."
        )
    lead = numpy.broadcast_shapes(mean.shape[:-1], cov.shape[:-2])
    shape = (() if size is None else _base.as_shape(size)) + lead
    z = _base.normal(0.0, 1.0, shape + mean.shape[-1:], mean.dtype.name if mean.dtype.kind == "f" else None)
    return mean + (cholesky(cov) * z.reshape(z.shape[:-1] + (1, z.shape[-1]))).sum(axis=-1)


def dirichlet(alpha, size=None, dtype=None, ctx=None) -> ndarray:
    """Probability vectors: gamma numbers of shapes `alpha`, divided by their sum."""
    alpha = alpha if isinstance(alpha, ndarray) else array(alpha)
    shape = (() if size is None else _base.as_shape(size)) + alpha.shape
    x = gamma(alpha, 1.0, shape, dtype=dtype, ctx=ctx)
    return x / x.sum(axis=-1, keepdims=True)


def multinomial(n, pvals, size=None, **kwargs) -> ndarray:
    """Counts (int64) of `n` draws over categories with probabilities `pvals`; shape `size + (len(pvals),)`."""
    p = numpy.asarray(pvals.asnumpy() if isinstance(pvals, ndarray) else pvals, dtype=numpy.float64)
    if p.ndim != 1 or (p < 0).any() or abs(p.sum() - 1.0) > 1e-4:
        raise ValueError(
            f"multinomial: pvals {p.tolist()} are not probabilities. They must be >= 0 and sum to 1. Normalize them."
        )
    return wrap(_base.numpy_generator().multinomial(n, p / p.sum(), size=size), usable(None))


def binomial(n, p, size=None, ctx=None) -> ndarray:
    """Successes (int64) in `n` trials with probability `p`."""
    n, p = (x.asnumpy() if isinstance(x, ndarray) else x for x in (n, p))
    return wrap(numpy.asarray(_base.numpy_generator().binomial(n, p, size), numpy.int64), usable(ctx))


def choice(a, size=None, replace=True, p=None, ctx=None, out=None) -> ndarray:
    """Elements of `a` (or of range(a)) drawn at random, with probabilities `p` if given."""
    pool = a if isinstance(a, int) else numpy.asarray(a)
    p = None if p is None else numpy.asarray(p, numpy.float64) / numpy.asarray(p, numpy.float64).sum()
    y = array(_base.numpy_generator().choice(pool, size, replace, p), ctx=ctx)
    if out is not None:
        out[...] = y
        return out
    return y


def shuffle(x: ndarray) -> None:
    """Put the first axis of `x` in random order, in place."""
    x._data[...] = x._data[_base.numpy_generator().permutation(x.shape[0])]


def permutation(x) -> ndarray:
    """A random order of range(x), or a shuffled copy of `x`."""
    if isinstance(x, int):
        return wrap(_base.numpy_generator().permutation(x), usable(None))
    return _base.shuffle(x)


__all__ = [
    "bernoulli", "beta", "binomial", "chisquare", "choice", "dirichlet", "exponential", "f", "gamma", "geometric",
    "gumbel",
    "laplace", "logistic", "lognormal", "multinomial", "multivariate_normal", "negative_binomial", "normal", "pareto",
    "permutation", "poisson", "power", "rand", "randint", "randn", "random", "random_sample", "rayleigh", "seed",
    "shuffle",
    "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal", "standard_t", "uniform", "weibull",
]  # fmt: skip
