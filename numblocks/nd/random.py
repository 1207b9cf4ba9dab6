"""`nd.random`: draws as NDArrays, the shape given as `shape=`."""

from __future__ import annotations

import functools

from .. import random as _base
from .array import to_legacy


def _legacy(function):
    @functools.wraps(function)
    def call(*args, shape=(1,), **kwargs):
        return to_legacy(function(*args, shape=shape, **kwargs))

    return call


uniform, normal, randint = _legacy(_base.uniform), _legacy(_base.normal), _legacy(_base.randint)
exponential, gamma, poisson = _legacy(_base.exponential), _legacy(_base.gamma), _legacy(_base.poisson)
shuffle = _base.shuffle


def randn(*shape, loc=0.0, scale=1.0, dtype=None, ctx=None):
    """Normal numbers; the shape is given as arguments."""
    return to_legacy(_base.normal(loc, scale, shape, dtype, ctx))
