"""The signature random draws share: parameters, then `size`, `dtype`, `ctx`, `out`."""

from __future__ import annotations

import functools
import inspect

import numpy

from .. import distributions as dist
from .. import random as _base
from ..array import ndarray
from .creation import array

_FREE = ("loc", "mean")  # parameters of any sign; all others are positive
_COMMON = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
           for n in ("size", "dtype", "ctx", "device", "out")]  # fmt: skip


def operands(*parameters):
    """Parameters as ndarrays or Python numbers."""
    for x in parameters:
        if type(x) not in (float, int, ndarray):
            break
    else:
        return parameters
    plain = [x.item() if isinstance(x, numpy.generic) else x for x in parameters]
    return tuple(x if isinstance(x, (ndarray, int, float)) else array(x) for x in plain)


def drawn(function):
    """`function(shape, dtype, ctx, *parameters)` as the public `f(*parameters, size, dtype, ctx, device, out)`."""
    own = list(inspect.signature(function).parameters.values())[3:]
    signature = inspect.Signature(own + _COMMON)

    @functools.wraps(function)
    def call(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = dict(bound.arguments)
        size, dtype, ctx, device, out = (values.pop(p.name) for p in _COMMON)
        given = dict(zip(values, operands(*values.values()), strict=True))
        for name, x in given.items():
            if name not in _FREE:
                dist.positive(f"random.{function.__name__}", **{name: x})
        shape = _base.as_shape(size, *given.values())
        y = function(shape, _base.float_name(dtype), ctx if ctx is not None else device, **given)
        if out is None:
            return y
        out[...] = y
        return out

    call.__signature__ = signature
    del call.__wrapped__
    return call


__all__ = ["drawn", "operands"]
