"""Products of arrays: dot, matmul, einsum and their relatives."""

from __future__ import annotations

import math

from ..array import ndarray
from ..ops import matmul as mm
from ..ops.diagonal import diagonal as _diagonal
from ..ops.einsum import einsum as _einsum
from ..ops.matmul import swap
from ..shortcut.small import matrices
from .creation import array
from .math import deliver, operand
from .reductions import sum
from .shape import moveaxis, ravel, reshape, stack, transpose


def _array(x) -> ndarray:
    x = operand(x)
    return x if isinstance(x, ndarray) else array(x)


def dot(a, b, out=None) -> ndarray:
    """NumPy's dot: scalars multiply, vectors give an inner product, otherwise last axis with last but one."""
    y = _dot(a, b)
    return y if out is None else deliver(y, out)


_dot = matrices(mm.matmul, lambda a, b: mm.dot(_array(a), _array(b)), 2)


def matmul(a, b, out=None) -> ndarray:
    """Matrix product of the last two axes; vectors get an axis that goes away again."""
    return deliver(mm.inner_matmul(_array(a), _array(b)), out)


def vdot(a, b) -> ndarray:
    """Inner product of the flattened arrays."""
    return mm.dot(ravel(_array(a)), ravel(_array(b)))


def inner(a, b) -> ndarray:
    """Sum of products over the last axes."""
    a, b = _array(a), _array(b)
    return mm.dot(a, swap(b) if b.ndim == 2 else b) if b.ndim <= 2 else tensordot(a, b, (a.ndim - 1, b.ndim - 1))


def outer(a, b, out=None) -> ndarray:
    """All products of the elements of two flattened arrays: shape `(a.size, b.size)`."""
    return deliver(reshape(_array(a), (-1, 1)) * reshape(_array(b), (1, -1)), out)


def tensordot(a, b, axes=2) -> ndarray:
    """Sum of products over the named axes of `a` and `b`.

    Args:
        axes: how many of the last axes of `a` and the first of `b`, or a pair of axes or lists of axes.
    """
    a, b = _array(a), _array(b)
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([k] if isinstance(k, int) else list(k) for k in axes)
    left, right = [k % a.ndim for k in left], [k % b.ndim for k in right]
    if [a.shape[k] for k in left] != [b.shape[k] for k in right]:
        raise ValueError(
            f"tensordot: axes {left} of shape {a.shape} and axes {right} of shape {b.shape} do not match. The"
            " lengths must"
            f" agree in order. Name other axes."
        )
    keep_a, keep_b = [k for k in range(a.ndim) if k not in left], [k for k in range(b.ndim) if k not in right]
    n, rows = math.prod(a.shape[k] for k in left), math.prod(a.shape[k] for k in keep_a)
    x = reshape(transpose(a, keep_a + left), (rows, n))
    w = reshape(transpose(b, right + keep_b), (n, math.prod(b.shape[k] for k in keep_b)))
    return reshape(mm.matmul(x, w), [a.shape[k] for k in keep_a] + [b.shape[k] for k in keep_b])


def einsum(subscripts, *operands, out=None, optimize=False, **ignored) -> ndarray:
    """Sums of products by subscripts: `einsum('ij,jk->ik', a, b)`, or `einsum(a, [0, 1], b, [1, 2], [0, 2])`.

    >>> einsum('ij->j', array([[1., 2.], [3., 4.]]))
    array([4., 6.])
    """
    if not isinstance(subscripts, str):
        rest = (subscripts, *operands)
        answer = "->" + _letters(rest[-1]) if len(rest) % 2 else ""
        subscripts = ",".join(_letters(part) for part in rest[1::2][: len(rest) // 2]) + answer
        operands = rest[: len(rest) // 2 * 2 : 2]
    y = _einsum(subscripts, *[x if type(x) is ndarray else _array(x) for x in operands], optimize=optimize)
    return y if out is None else deliver(y, out)


def _letters(axes) -> str:
    return "".join("..." if k is Ellipsis else "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[k] for k in axes)


def kron(a, b) -> ndarray:
    """The Kronecker product: each element of `a` times all of `b`."""
    a, b = _array(a), _array(b)
    n = max(a.ndim, b.ndim)
    left, right = ((1,) * (n - x.ndim) + x.shape for x in (a, b))
    blocks = reshape(a, tuple(m for size in left for m in (size, 1)))
    x = blocks * reshape(b, tuple(m for size in right for m in (1, size)))
    return reshape(x, tuple(i * j for i, j in zip(left, right, strict=True)))


def diagonal(a, offset=0, axis1=0, axis2=1) -> ndarray:
    """The diagonal of two axes, `offset` above the main one, as the last axis."""
    return _diagonal(moveaxis(_array(a), (axis1, axis2), (-2, -1)), offset=int(offset))


def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None) -> ndarray:
    """The sum of a diagonal."""
    return sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype, out=out)


def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None) -> ndarray:
    """The vector product of vectors of three elements (or two: the last element of the product)."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(_array(a), axisa, -1), moveaxis(_array(b), axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError(
            f"cross: shapes {a.shape} and {b.shape} do not hold vectors of 2 or 3 elements. Name another axis."
        )
    x, y = [a[..., k] for k in range(a.shape[-1])], [b[..., k] for k in range(b.shape[-1])]
    last = x[0] * y[1] - x[1] * y[0]
    if len(x) == 2 and len(y) == 2:
        return last
    x, y = (v if len(v) == 3 else [*v, v[0] * 0] for v in (x, y))
    return stack([x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], last], axis=axisc)


__all__ = ["cross", "diagonal", "dot", "einsum", "inner", "kron", "matmul", "outer", "tensordot", "trace", "vdot"]
