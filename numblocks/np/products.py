"""Products of arrays: dot, matmul and their relatives."""

from __future__ import annotations

import math

from ..array import ndarray
from ..ops.matmul import dot, swap
from ..ops.matmul import inner_matmul as matmul
from .shape import ravel, reshape, transpose


def vdot(a, b) -> ndarray:
    """Inner product of the flattened arrays."""
    return dot(ravel(a), ravel(b))


def inner(a, b) -> ndarray:
    """Sum of products over the last axes."""
    return dot(a, swap(b) if b.ndim > 1 else b)


def outer(a, b) -> ndarray:
    """All products of the elements of two flattened arrays: shape `(a.size, b.size)`."""
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


def tensordot(a, b, axes=2) -> ndarray:
    """Sum of products over the named axes of `a` and `b`."""
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([k] if isinstance(k, int) else list(k) for k in axes)
    left, right = [k % a.ndim for k in left], [k % b.ndim for k in right]
    keep_a, keep_b = [k for k in range(a.ndim) if k not in left], [k for k in range(b.ndim) if k not in right]
    n = math.prod(a.shape[k] for k in left)
    x = reshape(transpose(a, keep_a + left), (-1, n))
    w = reshape(transpose(b, right + keep_b), (n, -1))
    return reshape(matmul(x, w), [a.shape[k] for k in keep_a] + [b.shape[k] for k in keep_b])


__all__ = ["dot", "inner", "matmul", "outer", "tensordot", "vdot"]
