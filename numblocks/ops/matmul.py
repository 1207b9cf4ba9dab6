"""Contractions: everything that ends in a matrix product. BLAS does the work, through NumPy."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval, ndarray
from ..errors import MXNetError
from ..kernels import products
from ..shortcut import replayed, small
from .kinds import primitive
from .move import reshape, transpose
from .reduce import sum_, sum_to


def swap(x):
    """The last two axes exchanged."""
    n = x.ndim
    return transpose(x, axes=tuple(range(n - 2)) + (n - 1, n - 2))


def _infer_matmul(a, b):
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise MXNetError(
            f"matmul: shapes {a.shape} and {b.shape} do not multiply. The last axis of the first ({a.shape[-1:]}) must"
            f" equal the last but one of the second ({b.shape[-2:-1]}). Transpose or reshape one of them."
        )
    try:
        batch = numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise MXNetError(f"matmul: the leading axes of {a.shape} and {b.shape} do not broadcast.") from None
    return Aval(batch + (a.shape[-2], b.shape[-1]), dt.promote(a.dtype, b.dtype))


@primitive(
    kind="contraction",
    nin=2,
    infer=_infer_matmul,
    vjp=(
        lambda g, y, a, b: sum_to(matmul(g, swap(b)), a.shape),
        lambda g, y, a, b: sum_to(matmul(swap(a), g), b.shape),
    ),
    examples=((((2, 3), (3, 4)), {}), (((2, 1, 3), (5, 3, 2)), {}), (((4, 2, 3), (4, 3, 1)), {})),
)
def matmul(a, b, *, out=None):
    """Matrix product of the last two axes, broadcast over the others: `(..., n, k) @ (..., k, m) -> (..., n, m)`."""
    if a.dtype != b.dtype:
        common = dt.promote(a.dtype, b.dtype)
        a, b = a.astype(common, copy=False), b.astype(common, copy=False)
    if a.dtype.itemsize == 2:  # half precision is storage: compute in float32
        y = numpy.matmul(a.astype(numpy.float32), b.astype(numpy.float32)).astype(a.dtype)
        if out is None:
            return y
        out[...] = y
        return out
    return products.matmul(a, b, out=out)


matmul.direct = small.matrices(matmul, matmul.direct)


def _infer_linear(x, w, b):
    y = _infer_matmul(x, Aval(w.shape[::-1], w.dtype))
    return Aval(y.shape, dt.promote(y.dtype, b.dtype))


@primitive(
    kind="contraction",
    nin=3,
    infer=_infer_linear,
    traced=lambda x, w, b: matmul(x, transpose(w, axes=(1, 0))) + b,
    vjp=(
        lambda g, y, x, w, b: matmul(g, w),
        lambda g, y, x, w, b: matmul(transpose(g, axes=(1, 0)), x),
        lambda g, y, x, w, b: sum_(g, axis=(0,), keepdims=False),
    ),
    examples=((((4, 3), (2, 3), (2,)), {}),),
)
def linear(x, w, b, *, out=None):
    """`x @ w.T + b` for `x` `(n, k)`, `w` `(m, k)` and `b` `(m,)`: a dense layer without its activation."""
    if out is None and x.size * len(w) <= products.SMALL:
        out = x.dot(w.T)  # takes half the time of numpy.matmul for the same
    else:
        out = products.matmul(x, w.T, out=out)
    return numpy.add(out, b, out)


linear.direct = replayed.linear(linear)


@primitive(
    kind="contraction",
    nin=2,
    infer=lambda x, w: _infer_matmul(x, Aval(w.shape[::-1], w.dtype)),
    traced=lambda x, w: matmul(x, transpose(w, axes=(1, 0))),
    vjp=(lambda g, y, x, w: matmul(g, w), lambda g, y, x, w: matmul(transpose(g, axes=(1, 0)), x)),
    examples=((((4, 3), (2, 3)), {}),),
)
def unbiased(x, w, *, out=None):
    """`linear` without a bias."""
    if out is None and x.size * len(w) <= products.SMALL:
        return x.dot(w.T)
    return products.matmul(x, w.T, out=out)


unbiased.direct = replayed.unbiased(unbiased)


def dot(a, b):
    """NumPy's dot: scalars multiply, vectors give an inner product, otherwise last axis with last but one."""
    if isinstance(a, ndarray) and isinstance(b, ndarray):
        left, right = a._data.shape, b._data.shape
        if len(left) == 2 == len(right) and left[1] == right[0]:
            return matmul.direct(a, b)
    if not hasattr(a, "ndim") or not hasattr(b, "ndim") or a.ndim == 0 or b.ndim == 0:
        return a * b
    if a.shape[-1] != b.shape[max(b.ndim - 2, 0)]:
        raise MXNetError(
            f"dot: shapes {a.shape} and {b.shape} do not multiply. The last axis of the first must equal the"
            f" {'only' if b.ndim == 1 else 'last but one'} axis of the second. Transpose or reshape one of them."
        )
    if a.ndim <= 2 and b.ndim <= 2:
        return inner_matmul(a, b)
    # a (..., k) with b (..., k, m): every row of a with every matrix of b
    k, m = a.shape[-1], b.shape[-1] if b.ndim > 1 else 1
    lead = b.shape[:-2] if b.ndim > 1 else ()
    columns = b if b.ndim > 1 else reshape(b, shape=(k, 1))
    axes = (len(lead),) + tuple(range(len(lead))) + (len(lead) + 1,)
    columns = reshape(transpose(columns, axes=axes), shape=(k, -1))
    y = matmul(reshape(a, shape=(-1, k)), columns)
    return reshape(y, shape=a.shape[:-1] + lead + ((m,) if b.ndim > 1 else ()))


def inner_matmul(a, b):
    """matmul with NumPy's rule for vectors: a missing axis is added and taken away again."""
    x = reshape(a, shape=(1,) + a.shape) if a.ndim == 1 else a
    w = reshape(b, shape=b.shape + (1,)) if b.ndim == 1 else b
    y = matmul(x, w)
    if a.ndim == 1:
        y = reshape(y, shape=y.shape[:-2] + y.shape[-1:])
    if b.ndim == 1:
        y = reshape(y, shape=y.shape[:-1])
    return y
