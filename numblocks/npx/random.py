"""`npx.random`: the seed, and draws with a batch shape in front."""

from __future__ import annotations

from ..np.random import bernoulli, normal, uniform
from ..random import seed


def normal_n(loc=0.0, scale=1.0, batch_shape=None, dtype=None, ctx=None):
    """Normal numbers of shape `batch_shape + parameters' shape`."""
    return normal(loc, scale, _lead(batch_shape, loc, scale), dtype, ctx)


def uniform_n(low=0.0, high=1.0, batch_shape=None, dtype=None, ctx=None):
    """Uniform numbers of shape `batch_shape + parameters' shape`."""
    return uniform(low, high, _lead(batch_shape, low, high), dtype, ctx)


def _lead(batch_shape, *parameters):
    shape = max((getattr(p, "shape", ()) for p in parameters), key=len)
    lead = (
        () if batch_shape is None else tuple(batch_shape) if isinstance(batch_shape, (tuple, list)) else (batch_shape,)
    )
    return lead + tuple(shape)


__all__ = ["bernoulli", "normal", "normal_n", "seed", "uniform", "uniform_n"]
