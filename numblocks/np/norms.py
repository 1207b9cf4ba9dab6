"""Norms of vectors and matrices, of every order NumPy has."""

from __future__ import annotations

import math

from ..array import ndarray
from ..ops import elementwise as ew
from ..ops import factor, lapack, move
from ..ops import reduce as red
from ..ops.kinds import normalize_axis
from .reductions import _as_array


def _vector(x, order, axes, keepdims):
    if order == 2:
        return red.norm(x, axis=axes, keepdims=keepdims, ord=2)
    size = ew.abs_(x)
    if order == math.inf:
        return red.max_(size, axis=axes, keepdims=keepdims)
    if order == -math.inf:
        return red.min_(size, axis=axes, keepdims=keepdims)
    if order == 0:
        return red.sum_(ew.astype(ew.not_equal(x, 0), x.dtype), axis=axes, keepdims=keepdims)
    if order == 1:
        return red.sum_(size, axis=axes, keepdims=keepdims)
    return ew.power(red.sum_(ew.power(size, float(order)), axis=axes, keepdims=keepdims), 1.0 / order)


def singular_values(x):
    """The singular values (descending) of each matrix; differentiable."""
    return lapack.unpack(factor.svd(x), *factor.shapes_of_svd(x))[1]


def _matrix(x, order, axes, keepdims):
    """Norm over the pair `axes` (rows, columns), as given by the caller."""
    if order in ("fro", "f"):
        return red.norm(x, axis=tuple(sorted(axes)), keepdims=keepdims, ord=2)
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    y = move.transpose(x, axes=(*rest, *axes))
    last = y.ndim - 1
    if order in (1, -1, math.inf, -math.inf):
        sums = red.sum_(ew.abs_(y), axis=(last - 1 if order in (1, -1) else last,), keepdims=False)
        y = (red.max_ if order > 0 else red.min_)(sums, axis=(last - 1,), keepdims=False)
    elif order in (2, -2, "nuc"):
        s = singular_values(y)
        reduce = {2: red.max_, -2: red.min_, "nuc": red.sum_}[order]
        y = reduce(s, axis=(last - 1,), keepdims=False)
    else:
        raise ValueError(
            f"norm: order {order!r} is no matrix norm. Matrices have 'fro', 'nuc', inf, -inf, 1, -1, 2 and -2."
            " Use one of"
            f" them, or flatten the array for a vector norm."
        )
    return move.reshape(y, shape=tuple(1 if k in axes else n for k, n in enumerate(x.shape))) if keepdims else y


def norm(x, ord=None, axis=None, keepdims=False) -> ndarray:
    """The norm of vectors (an int axis) or matrices (two axes); without order and axis, of all elements.

    Args:
        ord: of vectors: any number, inf and -inf included (0 counts what is not 0); of matrices: 'fro', 'nuc', inf,
            -inf, 1, -1, 2, -2. None: the square root of the sum of squares.

    >>> from numblocks import np
    >>> np.linalg.norm(np.array([3.0, 4.0]))
    array(5.)
    """
    x = _as_array(x)
    x = x if x.dtype.kind == "f" else ew.astype(x, "float32")
    order = {"inf": math.inf, "-inf": -math.inf}.get(ord, ord)
    if order is None:
        return red.norm(x, axis=normalize_axis("norm", axis, x.ndim), keepdims=bool(keepdims), ord=2)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(normalize_axis("norm", k, x.ndim)[0] for k in axes)
    if len(axes) == 1:
        if isinstance(order, str):
            raise ValueError(f"norm: order {ord!r} is a matrix norm but axis {axis} names vectors. Name two axes.")
        return _vector(x, order, axes, bool(keepdims))
    if len(axes) == 2 and axes[0] != axes[1]:
        return _matrix(x, order, axes, bool(keepdims))
    raise ValueError(
        f"norm: order {ord!r} over axes {axes} of shape {x.shape}. Norms are over one or two axes. Name them."
    )


def vector_norm(x, axis=None, keepdims=False, ord=2) -> ndarray:
    """The norm of vectors along `axis`, or of all elements."""
    x = _as_array(x)
    x = x if x.dtype.kind == "f" else ew.astype(x, "float32")
    return _vector(x, ord, normalize_axis("vector_norm", axis, x.ndim), bool(keepdims))


def matrix_norm(x, keepdims=False, ord="fro") -> ndarray:
    """The norm of the matrices in the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


__all__ = ["matrix_norm", "norm", "singular_values", "vector_norm"]
