"""Matrices solved and inverted: `inv`, `det`, `slogdet`, `solve`, `pinv`, `lstsq`, each for stacks of matrices.

The gradients are those of M. Giles, Collected matrix derivative results for forward and reverse mode algorithmic
differentiation (2008), and for the pseudo-inverse of G. Golub and V. Pereyra, The differentiation of pseudo-inverses
and nonlinear least squares problems whose variables separate (1973).
"""

from __future__ import annotations

import numpy

from ..array import Aval
from ..errors import MXNetError
from ..kernels import lapack as direct
from . import lapack
from .lapack import float_of, infer_square, linear, unit
from .matmul import matmul, swap
from .move import freeze_key, reshape, slice_
from .reduce import sum_to


@linear(
    infer=infer_square("inv"),
    vjp=(lambda g, y, x: -matmul(swap(y), matmul(g, swap(y))),),
)
def inv(x):
    """The inverse of each matrix: `(..., n, n)`."""
    y = direct.inverse(x)
    return numpy.linalg.inv(x) if y is None else y


lapack.small(inv, "inv")


def _scaled_inverse(g, x):
    """`g` times the transposed inverse: what a change of log|det| asks for."""
    return reshape(g, shape=g.shape + (1, 1)) * swap(inv(x))


@linear(infer=infer_square("det", lambda x: x.shape[:-2]), vjp=(lambda g, y, x: _scaled_inverse(g * y, x),))
def det(x):
    """The determinant of each matrix: `(..., n, n) -> (...)`. The gradient is for invertible matrices."""
    return numpy.linalg.det(x)


@linear(
    infer=infer_square("slogdet", lambda x: x.shape[:-2] + (2,)),
    vjp=(lambda g, y, x: _scaled_inverse(slice_(g, key=freeze_key((Ellipsis, 1))), x),),
)
def slogdet(x):
    """Sign and log|det| of each matrix: `(..., n, n) -> (..., 2)`."""
    return numpy.stack(numpy.linalg.slogdet(x), axis=-1)


def _infer_solve(a, b):
    lapack.square("solve", a)
    lapack.matrices("solve", b)
    if b.shape[-2] != a.shape[-1]:
        raise MXNetError(
            f"solve: the matrix has shape {a.shape} and the right side {b.shape}. There is one equation for"
            " each row, so"
            f" {a.shape[-1]} and {b.shape[-2]} must agree. Transpose or reshape the right side."
        )
    return Aval(numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2]) + b.shape[-2:], float_of(a, b))


def _solve_vjp_matrix(g, y, a, b):
    return sum_to(-matmul(solve(swap(a), g), swap(y)), a.shape)


@linear(nin=2, infer=_infer_solve, vjp=(_solve_vjp_matrix, lambda g, y, a, b: sum_to(solve(swap(a), g), b.shape)))
def solve(a, b):
    """X with a @ X = b: `(..., n, n), (..., n, k) -> (..., n, k)`, the leading axes broadcast."""
    y = direct.solve(a, b)
    return numpy.linalg.solve(a, b) if y is None else y


lapack.small(solve, "solve")


def _infer_pinv(x, *, rcond):
    lapack.matrices("pinv", x)
    return Aval(x.shape[:-2] + (x.shape[-1], x.shape[-2]), float_of(x))


def _pinv_vjp(g, y, x, **spec):
    """Golub and Pereyra, equation 4.12, transposed. It holds while the rank does not change."""
    yt, gt = swap(y), swap(g)
    off_range = unit(x.shape[-2], x) - matmul(x, y)
    off_rows = unit(x.shape[-1], x) - matmul(y, x)
    direct = matmul(yt, matmul(g, yt))
    return matmul(off_range, matmul(gt, matmul(y, yt))) + matmul(matmul(yt, y), matmul(gt, off_rows)) - direct


@linear(infer=_infer_pinv, vjp=(_pinv_vjp,))
def pinv(x, *, rcond):
    """The pseudo-inverse; singular values up to `rcond` times the largest count as 0: `(..., m, n) -> (..., n, m)`."""
    return numpy.linalg.pinv(x, rcond=rcond)


def _infer_lstsq(a, b, *, rcond):
    if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[0]:
        raise MXNetError(
            f"lstsq: the matrix has shape {a.shape} and the right side {b.shape}. Both need two axes and as many rows."
            f" Reshape them."
        )
    return Aval((a.shape[1], b.shape[1]), float_of(a, b))


def _lstsq_vjp_matrix(g, y, a, b, *, rcond):
    return _pinv_vjp(matmul(g, swap(b)), pinv(a, rcond=rcond), a)


def _lstsq_vjp_side(g, y, a, b, *, rcond):
    return matmul(swap(pinv(a, rcond=rcond)), g)


@linear(nin=2, infer=_infer_lstsq, vjp=(_lstsq_vjp_matrix, _lstsq_vjp_side))
def lstsq(a, b, *, rcond):
    """The shortest X that makes |a @ X - b| smallest: `(m, n), (m, k) -> (n, k)`."""
    return numpy.linalg.lstsq(a, b, rcond=rcond)[0]


__all__ = ["det", "inv", "lstsq", "pinv", "slogdet", "solve"]
