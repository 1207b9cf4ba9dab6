"""`npx.random`: the seed, and draws with a batch shape in front."""

from __future__ import annotations

import math

from .. import random as _base
from ..array import ndarray
from ..np.math import deliver, exp
from ..np.random import normal, uniform


def seed(seed, ctx="all") -> None:
    """Start the stream of random numbers again; equal seeds give equal numbers on every device."""
    _base.seed(seed, ctx)


def bernoulli(prob=None, logit=None, size=None, dtype=None, ctx=None, out=None) -> ndarray:
    """1 with probability `prob`, or 1 / (1 + exp(-logit)), else 0.

    Raises:
        ValueError: not exactly one of them is given.
    """
    if (prob is None) == (logit is None):
        raise ValueError(
            f"bernoulli: prob is {prob}, logit is {logit}. Either says how likely a 1 is. Pass exactly one of them."
        )
    if prob is None:
        prob = 1.0 / (1.0 + exp(-logit)) if isinstance(logit, ndarray) else 1.0 / (1.0 + math.exp(-logit))
    y = _base.bernoulli(prob, size, dtype, ctx)
    return y if out is None else deliver(y, out)


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
