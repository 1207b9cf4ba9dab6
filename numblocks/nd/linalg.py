"""`nd.linalg`: products and factorizations of stacks of matrices, LAPACK's names."""

from __future__ import annotations

import numpy

from .. import np
from ..np import linalg as la
from ..ops import diagonal as dg
from ..ops import elementwise as ew
from ..ops import factor, move
from ..ops import index as ix
from ..ops import matmul as mm
from ..ops import reduce as red
from .array import NDArray
from .wrapping import export


def _turned(x, transpose: bool):
    return mm.swap(x) if transpose else x


def gemm2(A, B, transpose_a=False, transpose_b=False, alpha=1.0, axis=-2) -> NDArray:
    """alpha op(A) op(B)"""
    if axis != -2:
        A, B = (np.moveaxis(x, axis, -2) for x in (A, B))
    y = mm.matmul(_turned(A, transpose_a), _turned(B, transpose_b)) * alpha
    return y if axis == -2 else np.moveaxis(y, -2, axis)


def gemm(A, B, C, transpose_a=False, transpose_b=False, alpha=1.0, beta=1.0, axis=-2) -> NDArray:
    """alpha op(A) op(B) + beta C"""
    return gemm2(A, B, transpose_a, transpose_b, alpha, axis) + beta * C


def potrf(A) -> NDArray:
    """The lower triangular L with A = L L^T."""
    return la.cholesky(A)


def potri(A) -> NDArray:
    """The inverse of B from its Cholesky factor A: (A A^T)^-1."""
    return la.inv(mm.matmul(A, mm.swap(A)))


def _triangle(A, lower: bool):
    return factor.lower(A) if lower else mm.swap(factor.lower(mm.swap(A)))


def trmm(A, B, transpose=False, rightside=False, lower=True, alpha=1.0) -> NDArray:
    """alpha op(A) B, or alpha B op(A) if `rightside`, for triangular A."""
    a = _turned(_triangle(A, lower), transpose)
    return (mm.matmul(B, a) if rightside else mm.matmul(a, B)) * alpha


def trsm(A, B, transpose=False, rightside=False, lower=True, alpha=1.0) -> NDArray:
    """X with op(A) X = alpha B, or X op(A) = alpha B if `rightside`, for triangular A."""
    a = _turned(_triangle(A, lower), transpose)
    if rightside:
        return mm.swap(la.solve(mm.swap(a), mm.swap(B))) * alpha
    return la.solve(a, B) * alpha


def syrk(A, transpose=False, alpha=1.0) -> NDArray:
    """alpha A A^T, or alpha A^T A if `transpose`."""
    return (mm.matmul(mm.swap(A), A) if transpose else mm.matmul(A, mm.swap(A))) * alpha


def sumlogdiag(A) -> NDArray:
    """The sum of the logarithms of the diagonal."""
    d = dg.diagonal(A, offset=0)
    return red.sum_(ew.log(d), axis=(d.ndim - 1,), keepdims=False)


def extractdiag(A, offset=0) -> NDArray:
    """A diagonal of each matrix."""
    return dg.diagonal(A, offset=offset)


def makediag(A, offset=0) -> NDArray:
    """Matrices with these diagonals."""
    n = A.shape[-1] + abs(offset)
    return dg.undiagonal(A, offset=offset, shape=A.shape[:-1] + (n, n))


def _corners(n: int, offset: int, lower: bool):
    """Row and column numbers of a triangle, row by row."""
    rows, columns = (
        numpy.tril_indices(n, offset) if (offset < 0 or (offset == 0 and lower)) else numpy.triu_indices(n, offset)
    )
    return rows, columns


def extracttrian(A, offset=0, lower=True) -> NDArray:
    """The triangle of each matrix as a row: below the diagonal `offset` (0 and `lower`, or negative), or above it."""
    rows, columns = _corners(A.shape[-1], offset, lower)
    flat = move.reshape(A, shape=A.shape[:-2] + (-1,))
    return np.take(flat, np.array(rows * A.shape[-1] + columns, dtype="int64", ctx=A.ctx), axis=-1)


def maketrian(A, offset=0, lower=True) -> NDArray:
    """Matrices from rows that `extracttrian` made."""
    count, n = A.shape[-1], abs(offset)
    while len(_corners(n, offset, lower)[0]) < count:
        n += 1
    rows, columns = _corners(n, offset, lower)
    places = np.array(rows * n + columns, dtype="int64", ctx=A.ctx)
    y = ix.scatter_add(A, places, axis=A.ndim - 1, size=n * n, mode="raise")
    return move.reshape(y, shape=A.shape[:-1] + (n, n))


def gelqf(A) -> list[NDArray]:
    """Q and L with A = L Q, L lower triangular with a positive diagonal, the rows of Q orthonormal."""
    q, r = la.qr(mm.swap(A))
    d = dg.diagonal(r, offset=0)
    sign = ew.where(ew.less(d, 0), -1.0, 1.0).detach()
    return [mm.swap(q * move.expand_dims(sign, sign.ndim - 1)), mm.swap(r * move.expand_dims(sign, sign.ndim))]


def syevd(A) -> list[NDArray]:
    """Eigenvectors (rows of U) and eigenvalues of symmetric matrices: A = U^T diag(L) U."""
    values, vectors = la.eigh(A)
    return [mm.swap(vectors), values]


def slogdet(A) -> list[NDArray]:
    """Sign and logarithm of the absolute determinant."""
    return list(la.slogdet(A))


_OWN = (gemm2, gemm, potrf, potri, trmm, trsm, syrk, sumlogdiag, extractdiag, makediag, extracttrian, maketrian,
    gelqf, syevd,
        slogdet)  # fmt: skip
NAMES = {f.__name__: f for f in _OWN} | {"det": la.det, "inverse": la.inv}
export(globals(), NAMES)
