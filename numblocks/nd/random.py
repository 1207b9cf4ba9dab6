"""`nd.random`: draws as NDArrays, the shape given as `shape=`; `sample_*` draw for each element of their parameters."""

from __future__ import annotations

import functools

import numpy

from .. import random as _base
from ..array import ndarray, wrap
from ..device import usable
from ..npx import pick
from ..ops import elementwise as ew
from ..ops import move
from ..ops import reduce as red
from .array import NDArray, to_legacy


def _legacy(function, n: int):
    """`function`, which has `n` parameters before the shape; without a shape that of array-valued parameters."""

    @functools.wraps(function)
    def call(*args, shape=None, **kwargs):
        if len(args) > n:
            args, shape, rest = args[:n], args[n], args[n + 1 :]
            kwargs.update(zip(("dtype", "ctx"), rest, strict=False))
        if shape is None:
            shape = next((a.shape for a in args if isinstance(a, ndarray)), (1,))
        return to_legacy(function(*args, shape=shape, **kwargs))

    return call


uniform, normal, randint = _legacy(_base.uniform, 2), _legacy(_base.normal, 2), _legacy(_base.randint, 2)
exponential, gamma, poisson = _legacy(_base.exponential, 1), _legacy(_base.gamma, 2), _legacy(_base.poisson, 1)
shuffle = _base.shuffle


def randn(*shape, loc=0.0, scale=1.0, dtype=None, ctx=None):
    """Normal numbers; the shape is given as arguments."""
    return to_legacy(_base.normal(loc, scale, shape, dtype, ctx))


def _host(draw, shape, dtype, ctx) -> NDArray:
    """Draws of NumPy's generator, seeded from our stream."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    values = numpy.asarray(draw(_base.numpy_generator(), shape), dtype or "float32")
    return to_legacy(wrap(values, usable(ctx)))


def negative_binomial(k=1, p=1, shape=(1,), dtype=None, ctx=None) -> NDArray:
    """Failures before `k` successes of probability `p`."""
    return _host(lambda rng, s: rng.negative_binomial(k, p, s) if p < 1 else numpy.zeros(s), shape, dtype, ctx)


def generalized_negative_binomial(mu=1, alpha=1, shape=(1,), dtype=None, ctx=None) -> NDArray:
    """Counts of mean `mu` and dispersion `alpha`: a Poisson number of a gamma-distributed mean."""

    def draw(rng, s):
        mean = rng.gamma(1 / alpha, alpha * mu, s) if alpha > 0 else numpy.full(s, float(mu))
        return rng.poisson(mean)

    return _host(draw, shape, dtype, ctx)


def multinomial(data, shape=(), get_prob=False, dtype="int32"):
    """Classes drawn from the probabilities along the last axis of `data`: `data.shape[:-1] + shape`; with
    `get_prob` also
    their logarithms.
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    edges = numpy.cumsum(data._data.astype("f8"), -1)
    edges /= edges[..., -1:]
    u = _base.numpy_generator().random((*edges.shape[:-1], *shape))
    flat = edges.reshape(-1, edges.shape[-1])
    picks = [numpy.searchsorted(row, v, side="right") for row, v in zip(flat, u.reshape(len(flat), -1), strict=True)]
    found = to_legacy(wrap(numpy.asarray(picks, dtype).reshape(u.shape), data.ctx))
    if not get_prob:
        return found
    rows = move.reshape(data, shape=(*data.shape[:-1], *(1,) * len(shape), data.shape[-1]))
    rows = red.broadcast_to(rows, shape=(*data.shape[:-1], *shape, data.shape[-1]))
    return [found, ew.log(pick(rows, found.reshape(rows.shape[:-1]), axis=-1))]


def _rate(lam=1.0, shape=None, dtype=None, ctx=None) -> NDArray:
    """Exponential numbers of rate `lam`, with mean 1 / lam: `nd.random_exponential`."""
    return exponential(1.0 / lam, shape=shape, dtype=dtype, ctx=ctx)


def _like(function):
    def call(*args, data=None, **kwargs):
        if data is None:  # the first, as an operator has it, or the last
            first = isinstance(args[0], ndarray)
            data, args = (args[0], args[1:]) if first else (args[-1], args[:-1])
        return function(*args, shape=data.shape, dtype=data.dtype.name, ctx=data.ctx, **kwargs)

    call.__name__ = f"{function.__name__}_like"
    call.__doc__ = f"`{function.__name__}` with the shape, dtype and device of `data`."
    return call


random_exponential = _rate  # under this name the number is a rate, under the other a scale
uniform_like, normal_like, exponential_like = _like(uniform), _like(normal), _like(_rate)
exponential_like.__name__ = "exponential_like"
gamma_like, poisson_like, negative_binomial_like = _like(gamma), _like(poisson), _like(negative_binomial)
generalized_negative_binomial_like = _like(generalized_negative_binomial)


def _sample(draw, name):
    def call(*parameters, shape=(), dtype=None):
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        values = [p._data.reshape(p.shape + (1,) * len(shape)).astype("f8") for p in parameters]
        whole = parameters[0].shape + shape
        return _host(lambda rng, s: draw(rng, *values, s), whole, dtype, parameters[0].ctx)

    call.__name__, call.__doc__ = name, f"Draws of shape `shape` for each element of the parameters of {name[7:]}."
    return call


sample_uniform = _sample(lambda rng, low, high, s: rng.uniform(low, high, s), "sample_uniform")
sample_normal = _sample(lambda rng, mu, sigma, s: rng.normal(mu, sigma, s), "sample_normal")
sample_gamma = _sample(lambda rng, alpha, beta, s: rng.gamma(alpha, beta, s), "sample_gamma")
sample_exponential = _sample(lambda rng, lam, s: rng.exponential(1 / lam, s), "sample_exponential")
sample_poisson = _sample(lambda rng, lam, s: rng.poisson(lam, s), "sample_poisson")
sample_negative_binomial = _sample(lambda rng, k, p, s: rng.negative_binomial(k, p, s), "sample_negative_binomial")
sample_generalized_negative_binomial = _sample(
    lambda rng, mu, alpha, s: rng.poisson(rng.gamma(1 / alpha, alpha * mu, s)), "sample_generalized_negative_binomial"
)
sample_multinomial = multinomial

__all__ = [
    "exponential", "exponential_like", "gamma", "gamma_like", "generalized_negative_binomial",
    "generalized_negative_binomial_like", "multinomial", "negative_binomial", "negative_binomial_like", "normal",
    "normal_like",
    "poisson", "poisson_like", "randint", "randn", "sample_exponential", "sample_gamma",
    "sample_generalized_negative_binomial",
    "sample_multinomial", "sample_negative_binomial", "sample_normal", "sample_poisson", "sample_uniform",
    "shuffle", "uniform",
    "uniform_like",
]  # fmt: skip
