"""Dropout's arithmetic as one op: where it keeps, and by how much it enlarges."""

from __future__ import annotations

import numpy

from .elementwise import elementwise


@elementwise(
    vjp=(lambda g, y, x, u, keep, scale: dropped(g, u, keep, scale), None, None, None),
    numpy=lambda x, u, keep, scale: numpy.where(u < keep, x * scale, 0),
    domain=((-3.0, 3.0), (0.0, 1.0), (0.2, 0.8), (1.0, 2.0)),
    kinks=lambda x, u, keep, scale: u - keep,
)
def dropped(x, u, keep, scale):
    """`scale` x where `u`, uniform on [0, 1), is below `keep`, else 0."""
    return x * scale if u < keep else 0.0


__all__ = ["dropped"]
