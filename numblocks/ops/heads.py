"""Layers whose backward pass is not the derivative of their forward pass: outputs with a loss built in, penalties,
estimators that let gradients through."""

from __future__ import annotations

from ..array import Aval
from . import elementwise as ew
from .kinds import primitive


def _copy(x, out):
    if out is None:
        return x.copy()
    out[...] = x
    return out


@primitive(kind="opaque", nin=2, infer=lambda x, d, *, alone: Aval(tuple(x.shape), x.dtype),
           vjp=(lambda g, y, x, d, *, alone: d if alone else d * g, None),
           examples=((((2, 3), (2, 3)), {"alone": False}),))  # fmt: skip
def with_gradient(x, d, *, alone, out=None):
    """`x` unchanged; its cotangent is `d`, times the one that arrives unless `alone`."""
    return _copy(x, out)


def scaled_back(x, factor: float):
    """`x`; gradients through it are multiplied by `factor`."""
    return with_gradient(x, ew.multiply(x.detach(), 0.0) + factor, alone=False)


def straight_through(x, y):
    """`y` with the gradient of `x` (Bengio et al. 2013)."""
    return x + (y - x).detach()
