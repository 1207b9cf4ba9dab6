"""Diagonals of matrices, and matrices from diagonals; each is the other's gradient."""

from __future__ import annotations

import numpy

from ..array import Aval
from .kinds import movement, primitive


@movement(vjp=lambda g, y, x, *, offset: undiagonal(g, offset=offset, shape=x.shape))
def diagonal(x, *, offset):
    """The diagonal of the last two axes, `offset` above the main one: `(..., n, m) -> (..., length)`."""
    return numpy.diagonal(x, offset, -2, -1)


@primitive(
    kind="join",
    infer=lambda g, *, offset, shape: Aval(tuple(shape), g.dtype),
    vjp=(lambda h, y, g, *, offset, shape: diagonal(h, offset=offset),),
)
def undiagonal(g, *, offset, shape, out=None):
    """Zeros of `shape` with `g` on the diagonal of the last two axes."""
    if out is None:
        out = numpy.zeros(shape, g.dtype)
    else:
        out[...] = 0
    k = numpy.arange(g.shape[-1])
    out[..., k + max(-offset, 0), k + max(offset, 0)] = g
    return out


__all__ = ["diagonal", "undiagonal"]
