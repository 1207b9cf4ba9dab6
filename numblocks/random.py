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

from . import dtype as dt
from .array import ndarray, wrap
from .device import usable
from .ops import random as _random
from .ops.elementwise import astype
from .ops.elementwise import floor as _floor


def seed(seed_state: int, ctx="all") -> None:
    """Start the stream of random numbers again; equal seeds give equal numbers on every device."""
    _random.generator.reseed(int(seed_state))


def numpy_generator() -> numpy.random.Generator:
    """A NumPy generator seeded from the next stream, for host-side draws such as shuffles."""
    return numpy.random.Generator(numpy.random.Philox(key=_random.generator.key(_random.generator.advance())))


def as_shape(shape, *parameters) -> tuple[int, ...]:
    """`shape` as a tuple; None means the broadcast shape of the parameters."""
    if shape is None:
        return numpy.broadcast_shapes(*(getattr(p, "shape", ()) for p in parameters))
    return tuple(int(n) for n in shape) if isinstance(shape, (tuple, list)) else (int(shape),)


def _float_name(dtype) -> str:
    found = dt.as_dtype(None if dtype in (None, "None") else dtype)
    if found.kind != "f":
        raise TypeError(f"random: dtype {found} is not a float. These numbers are real. Use float32, float64 or float16.")
    return found.name


def _deliver(y: ndarray, out):
    if out is None:
        return y
    out._data[...] = y._data
    return out


def uniform(low=0.0, high=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Uniform numbers on [low, high); differentiable in array-valued `low` and `high`."""
    name = _float_name(dtype)
    u = _random.draw(_random.uniform01, as_shape(shape, low, high), name, ctx)
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low == 0 and high == 1:
        return _deliver(u, out)
    return _deliver(astype(u * (high - low) + low, name), out)


def normal(loc=0.0, scale=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Normal numbers with mean `loc` and standard deviation `scale`; differentiable in array-valued parameters."""
    if isinstance(scale, (int, float)) and scale < 0:
        raise ValueError(f"normal: scale is {scale}. A standard deviation is not negative. Use {-scale}.")
    name = _float_name(dtype)
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
    """Exponential numbers with mean `scale`."""
    from_unit = _random.draw(_random.uniform01, as_shape(shape, scale), _float_name(dtype), ctx)
    return _deliver(-((1.0 - from_unit).log()) * scale, out)


def bernoulli(prob=0.5, shape=None, dtype=None, ctx=None) -> ndarray:
    """1 with probability `prob`, else 0."""
    u = _random.draw(_random.uniform01, as_shape(shape, prob), "float32", ctx)
    return astype(u < prob, dt.as_dtype(dtype))


def gamma(alpha=1.0, beta=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Gamma numbers of shape `alpha` and scale `beta`."""
    return _deliver(host(lambda g, n: g.gamma(_raw(alpha), _raw(beta), n), as_shape(shape, alpha, beta), dtype, ctx), out)


def poisson(lam=1.0, shape=None, dtype=None, ctx=None, out=None) -> ndarray:
    """Poisson counts with mean `lam`."""
    return _deliver(host(lambda g, n: g.poisson(_raw(lam), n), as_shape(shape, lam), dtype, ctx), out)


def shuffle(data: ndarray) -> ndarray:
    """A copy with the first axis in random order."""
    order = numpy_generator().permutation(data.shape[0])
    return wrap(data._data[order], data._device, type(data))


def _raw(x):
    return x._data if isinstance(x, ndarray) else x


def host(draw, shape, dtype, ctx=None) -> ndarray:
    """A draw by NumPy's generator, seeded from the next stream."""
    return wrap(numpy.asarray(draw(numpy_generator(), shape)).astype(dt.as_dtype(dtype)), usable(ctx))
