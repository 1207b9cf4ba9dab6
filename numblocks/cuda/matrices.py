"""Matrix products of arrays on a GPU."""

from __future__ import annotations

import math

import numpy

from .. import dtype as dt
from ..kernels.cuda import products
from .buffer import Buffer, empty


def matmul(a: Buffer, b: Buffer, out: Buffer | None = None) -> Buffer:
    """`(..., n, k) @ (..., k, m)`; leading axes broadcast. `out`, if given, is C-contiguous."""
    dtype = dt.promote(a.dtype, b.dtype)
    lead = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if out is None:
        out = empty((*lead, a.shape[-2], b.shape[-1]), dtype, a.device)
    sizes = math.prod(lead), *a.shape[-2:], b.shape[-1]
    operands = [matrices(x if x.dtype == dtype else x.astype(dtype), lead) for x in (a, b)]
    products.run(out.gpu, dtype.name, sizes, *[(x.address, steps) for x, steps in operands], out.address)
    return out


def matrices(x: Buffer, lead) -> tuple[Buffer, tuple[int, int, int]]:
    """`x`, or a copy whose matrices lie at equal distances, and its steps; see `products.steps`."""
    found = products.steps(x.shape, [s // x.itemsize for s in x.strides], lead)
    if found is None:
        x = x.view_by(lambda t: numpy.broadcast_to(t, (*lead, *x.shape[-2:]))).copy()
        found = x.shape[-2] * x.shape[-1], x.shape[-1], 1
    return x, found
