"""Random numbers, `mx.random` style: `seed` and draws of given shape. `np.random` has NumPy's signatures.

>>> from numblocks import random
>>> random.seed(7)
>>> a = random.uniform(shape=3)
>>> random.seed(7)
>>> bool((a == random.uniform(shape=3)).all())
True
"""

from __future__ import annotations

import numpy

from . import distributions as dist
from . import dtype as dt
from .array import ndarray, wrap
from .errors import TraceError
from .op import current
from .ops import random as _random
from .ops import scan
from .ops.elementwise import astype
from .ops.elementwise import floor as _floor
from .ops.reduce import broadcast_to
from .ops.sorting import take_along
from .shortcut.replayed import settled


def seed(seed_state: int, ctx="all") -> None:
    """Start the stream of random numbers again; equal seeds give equal numbers on every device."""
    _random.generator.reseed(int(seed_state))


def numpy_generator() -> numpy.random.Generator:
    """A NumPy generator seeded from the next stream, for host-side draws such as shuffles; `TraceError` in a trace."""
    if current.next_stream is not None:
        raise TraceError(
            "random: this draw is made on the host (shuffle, permutation, choice, multinomial counts), so a"
            " compiled net would"
            " repeat it in every call. Draw it outside the hybridized Block and pass it in, or leave the Block"
            " unhybridized."
        )
    return numpy.random.Generator(numpy.random.Philox(key=_random.generator.key(_random.generator.advance())))


def as_shape(shape, *parameters) -> tuple[int, ...]:
    """`shape` as a tuple; None means the broadcast shape of the parameters."""
    if shape is None:
        return numpy.broadcast_shapes(*(getattr(p, "shape", ()) for p in parameters))
    return _whole(shape)


@settled
def _whole(shape) -> tuple[int, ...]:
    return tuple(int(n) for n in shape) if isinstance(shape, (tuple, list)) else (int(shape),)


def float_name(dtype) -> str:
    """The name of a float dtype, float32 for None; `TypeError` for others."""
    if dtype is None:
        return "float32"
    found = dt.as_dtype(None if dtype == "None" else dtype)
    if found.kind != "f":
        raise TypeError(
            f"random: dtype {found} is not a float. These numbers are real. Use float32, float64 or float16."
        )
    return found.name


def _deliver(y: ndarray, out):
    if out is None:
        return y
    out._data[...] = y._data
    return out


def uniform(low=0.0, high=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Uniform numbers on [low, high); differentiable in array-valued `low` and `high`."""
    name = float_name(dtype)
    u = _random.draw(_random.uniform01, as_shape(shape, low, high), name, ctx)
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low == 0 and high == 1:
        return _deliver(u, out)
    return _deliver(astype(u * (high - low) + low, name), out)


def normal(loc=0.0, scale=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Normal numbers with mean `loc` and standard deviation `scale`; differentiable in array-valued parameters."""
    if isinstance(scale, (int, float)) and scale < 0:
        raise ValueError(f"normal: scale is {scale}. A standard deviation is not negative. Use {-scale}.")
    name = float_name(dtype)
    z = _random.draw(_random.normal01, as_shape(shape, loc, scale), name, ctx)
    if isinstance(loc, (int, float)) and isinstance(scale, (int, float)):
        if scale != 1:
            z = z * scale
        return _deliver(z + loc if loc != 0 else z, out)
    return _deliver(astype(z * scale + loc, name), out)


def randn(*shape, loc=0.0, scale=1.0, dtype=None, ctx=None) -> ndarray:
    """Normal numbers; the shape is given as arguments."""
    return normal(loc, scale, shape, dtype, ctx)


def randint(low, high=None, shape=None, dtype="int32", ctx=None, out=None) -> ndarray:
    """Integers from `low` to `high - 1` (from 0 to `low - 1` if `high` is None)."""
    if high is None:
        low, high = 0, low
    if high <= low:
        raise ValueError(f"randint: the range [{low}, {high}) is empty. high must exceed low. Exchange them.")
    u = _random.draw(_random.uniform01, as_shape(shape), "float64", ctx)
    return _deliver(astype(_floor(u * float(high - low)) + float(low), dtype), out)


def exponential(scale=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Exponential numbers with mean `scale`; differentiable in it."""
    return _deliver(dist.exponential(as_shape(shape, scale), float_name(dtype), ctx) * scale, out)


def bernoulli(prob=0.5, shape=None, dtype=None, ctx=None) -> ndarray:
    """1 with probability `prob`, else 0."""
    u = _random.draw(_random.uniform01, as_shape(shape, prob), "float32", ctx)
    return astype(u < prob, dt.as_dtype(dtype))


def gamma(alpha=1.0, beta=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Gamma numbers of shape `alpha` and scale `beta`; differentiable in both."""
    return _deliver(dist.gamma(alpha, as_shape(shape, alpha, beta), float_name(dtype), ctx) * beta, out)


def poisson(lam=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Poisson counts with mean `lam`."""
    return _deliver(dist.poisson(lam, as_shape(shape, lam), dtype, ctx), out)


def negative_binomial(k=1, p=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Failures before success number `k` when each trial succeeds with probability `p`: a Poisson mixture."""
    for name, x in {"k": k, "p": p}.items():
        dist.positive("negative_binomial", **{name: x})
    rate = dist.gamma(k, as_shape(shape, k, p), "float64", ctx) * ((1.0 - p) / p)
    return _deliver(dist.poisson(rate, rate.shape, dtype, ctx), out)


def generalized_negative_binomial(mu=1.0, alpha=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Counts with mean `mu` and variance mu + alpha mu**2; Poisson counts for alpha = 0."""
    full = as_shape(shape, mu, alpha)
    if isinstance(alpha, (int, float)) and alpha == 0:
        return poisson(mu, full, dtype, ctx, out)
    rate = dist.gamma(1.0 / alpha, full, "float64", ctx) * alpha * mu
    return _deliver(dist.poisson(rate, full, dtype, ctx), out)


def multinomial(data, shape=None, get_prob=False, dtype="int32", out=None) -> ndarray:
    """Categories drawn with the probabilities in the last axis of `data`.

    Args:
        shape: draws for each distribution (one if None).
        get_prob: also return the logarithm of the probability of each draw, differentiable in `data`.

    Returns:
        `data.shape[:-1] + shape`.
    """
    extra = () if shape is None else as_shape(shape)
    lead = data.shape[:-1]
    u = _random.draw(_random.uniform01, lead + extra + (1,), "float64", data.ctx)
    below = scan.cumsum(astype(data, "float64"), axis=data.ndim - 1)
    below = below.reshape(lead + (1,) * len(extra) + data.shape[-1:])
    total = below[..., -1:]
    drawn = (below <= u * total).sum(axis=-1).clip(0, data.shape[-1] - 1)
    answer = _deliver(astype(drawn, dtype), out)
    if not get_prob:
        return answer
    wide = data.reshape(lead + (1,) * len(extra) + data.shape[-1:])
    wide = broadcast_to(wide, shape=lead + extra + data.shape[-1:])
    return answer, take_along(wide, drawn.reshape(drawn.shape + (1,)), wide.ndim - 1).reshape(drawn.shape).log()


def shuffle(data: ndarray) -> ndarray:
    """A copy with the first axis in random order."""
    order = numpy_generator().permutation(data.shape[0])
    return wrap(data._data[order], data._device, type(data))
