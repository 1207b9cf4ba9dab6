"""`np.linalg`: factorizations, equations, norms; differentiable, any number of times, wherever a derivative exists.

Symmetric factorizations (`cholesky`, `eigh`, `eigvalsh`) take the mean of the matrix and its transpose, so that
gradients are symmetric; for a symmetric matrix that is the matrix.
"""

from __future__ import annotations

import math

import numpy

from ..array import Aval, ndarray, wrap
from ..ops import elementwise as ew
from ..ops import factor, lapack, whole_factors
from ..ops import linalg as la
from ..ops import matmul as mm
from ..ops import reduce as red
from ..ops.lapack import LinAlgError as LinAlgError
from .norms import matrix_norm, norm, singular_values, vector_norm
from .reductions import _as_array
from .shape import moveaxis, reshape


def inv(a) -> ndarray:
    """The inverse of each matrix `(..., n, n)`; `LinAlgError` if one is singular."""
    return la.inv.direct(_as_array(a))


def det(a) -> ndarray:
    """The determinant of each matrix."""
    return la.det(_as_array(a))


def slogdet(a):
    """Sign and logarithm of the absolute determinant of each matrix."""
    y = la.slogdet(_as_array(a))
    return y[..., 0], y[..., 1]


def solve(a, b) -> ndarray:
    """x with a @ x = b; `b` is a vector or (a stack of) matrices.

    >>> from numblocks import np
    >>> np.linalg.solve(np.array([[2., 0.], [0., 4.]]), np.array([2., 2.]))
    array([1. , 0.5])
    """
    a, b = _as_array(a), _as_array(b)
    if b.ndim != 1:
        return la.solve.direct(a, b)
    y = la.solve(a, reshape(b, (-1, 1)))
    return reshape(y, y.shape[:-1])


def cholesky(a, upper=False) -> ndarray:
    """The lower triangular L with L @ L.T = a (or its transpose); `LinAlgError` if `a` is not positive definite."""
    y = factor.cholesky.direct(_as_array(a))
    return mm.swap(y) if upper else y


def qr(a, mode="reduced"):
    """a = q @ r with orthonormal q and upper triangular r; mode 'reduced', 'r' or 'complete' (square q).

    The gradient by the columns of q that only complete it holds for what does not depend on their choice.
    """
    a = _as_array(a)
    if mode == "complete" and a.ndim > 1 and a.shape[-2] > a.shape[-1]:
        return tuple(lapack.unpack(whole_factors.qr_complete(a), *whole_factors.shapes_of_qr_complete(a)))
    if mode == "complete":
        mode = "reduced"
    if mode not in ("reduced", "r"):
        raise ValueError(f"qr: mode {mode!r} is unknown. It says what to return. Use 'reduced', 'complete' or 'r'.")
    q, r = lapack.unpack(factor.qr(a), *factor.shapes_of_qr(a))
    return (q, r) if mode == "reduced" else r


def svd(a, full_matrices=False, compute_uv=True):
    """a = (u * s[..., None, :]) @ vt with singular values descending.

    Reduced, as in MXNet: u `(..., m, k)`, s `(..., k)`, vt `(..., k, n)`, k = min(m, n). NumPy's square factors come
    with `full_matrices=True`; the gradient by the vectors that only complete them holds for what does not depend on
    their choice.
    """
    a = _as_array(a)
    if full_matrices and compute_uv and a.ndim > 1 and a.shape[-2] != a.shape[-1]:
        return tuple(lapack.unpack(whole_factors.svd_full(a), *whole_factors.shapes_of_svd_full(a)))
    u, s, vt = lapack.unpack(factor.svd(a), *factor.shapes_of_svd(a))
    return (u, s, vt) if compute_uv else s


def svdvals(x) -> ndarray:
    """The singular values of each matrix, descending."""
    return singular_values(_as_array(x))


def eigh(a, UPLO="L"):
    """Eigenvalues (ascending) and eigenvectors (columns) of each symmetric matrix."""
    a = _as_array(a)
    return tuple(lapack.unpack(factor.eigh(a), *factor.shapes_of_eigh(a)))


def eigvalsh(a, UPLO="L") -> ndarray:
    """The eigenvalues (ascending) of each symmetric matrix."""
    return eigh(a)[0]


def eig(a):
    """Eigenvalues and eigenvectors (columns of norm 1) of each square matrix; `ValueError` if some are complex."""
    a = _as_array(a)
    return tuple(lapack.unpack(whole_factors.eig(a), *factor.shapes_of_eigh(a)))


def eigvals(a) -> ndarray:
    """The eigenvalues of each square matrix; `ValueError` if some are complex."""
    return eig(a)[0]


def pinv(a, rcond=1e-15, hermitian=False) -> ndarray:
    """The pseudo-inverse (Moore, Penrose); singular values up to `rcond` times the largest count as 0."""
    return la.pinv(_as_array(a), rcond=float(rcond))


def lstsq(a, b, rcond="warn"):
    """The x that makes |a @ x - b| smallest, the squared residuals, the rank and the singular values.

    `x` is differentiable; the residuals are empty unless `a` has full rank and more rows than columns.
    """
    a, b = _as_array(a), _as_array(b)
    cutoff = None if rcond in (None, "warn") else float(rcond)
    side = reshape(b, (-1, 1)) if b.ndim == 1 else b
    x = la.lstsq(a, side, rcond=cutoff)
    s = singular_values(a)
    limit = (max(a.shape) * numpy.finfo(s.dtype).eps) if cutoff is None else cutoff
    largest = red.max_(s, axis=(0,), keepdims=True) if s.size else s
    rank = red.sum_(ew.greater(s, largest * float(limit)), axis=(0,), keepdims=False)
    m, n = a.shape
    if m > n and not isinstance(rank._data, Aval) and int(rank) == n:
        left = red.sum_(ew.square(mm.matmul(a, x) - side), axis=(0,), keepdims=False)
    else:
        left = wrap(numpy.zeros(0, x.dtype), x._device)
    return (reshape(x, (-1,)) if b.ndim == 1 else x), left, rank, s


def matrix_rank(A, tol=None, hermitian=False) -> ndarray:
    """How many singular values exceed `tol` (the largest times max(m, n) times the rounding error): int64."""
    a = _as_array(A)
    if a.ndim < 2:
        return ew.astype(ew.not_equal(a, 0).any(), "int64")
    s = singular_values(a)
    if tol is None:
        tol = red.max_(s, axis=(s.ndim - 1,), keepdims=True) * (max(a.shape[-2:]) * float(numpy.finfo(s.dtype).eps))
    elif isinstance(tol, ndarray):
        tol = reshape(tol, (*tol.shape, 1))
    return red.sum_(ew.greater(s, tol), axis=(s.ndim - 1,), keepdims=False)


def cond(x, p=None) -> ndarray:
    """The condition number: the norm of order `p` (None: 2) of the matrix times that of its inverse."""
    x = _as_array(x)
    if p in (None, 2, -2):
        s = singular_values(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return norm(x, p, (-2, -1)) * norm(la.inv(x), p, (-2, -1))


def matrix_power(a, n: int) -> ndarray:
    """The matrix multiplied with itself `n` times, by squaring; the inverse for negative `n`."""
    a = _as_array(a)
    lapack.square("matrix_power", a)
    if n < 0:
        a, n = la.inv(a), -n
    if n == 0:
        return a * 0 + lapack.unit(a.shape[-1], a)
    answer = None
    while n:
        if n & 1:
            answer = a if answer is None else mm.matmul(answer, a)
        n >>= 1
        if n:
            a = mm.matmul(a, a)
    return answer


def multi_dot(arrays, *, out=None) -> ndarray:
    """The product of several matrices in the order that costs least; the first and last may be vectors."""
    arrays = [_as_array(x) for x in arrays]
    if len(arrays) < 2:
        raise ValueError("multi_dot: a product needs two arrays at least. Pass a longer list.")
    first, last = arrays[0].ndim == 1, arrays[-1].ndim == 1
    work = [reshape(x, (1, -1)) if k == 0 and first else reshape(x, (-1, 1)) if k == len(arrays) - 1 and last else x
            for k, x in enumerate(arrays)]  # fmt: skip
    split = _cheapest([work[0].shape[0]] + [x.shape[1] for x in work])

    def product(i, j):
        return work[i] if i == j else mm.matmul(product(i, split[i, j]), product(split[i, j] + 1, j))

    y = product(0, len(work) - 1)
    y = reshape(y, () if first and last else (-1,) if first or last else y.shape)
    if out is not None:
        out[...] = y
        return out
    return y


def _cheapest(sizes) -> dict:
    """Where to split each chain i..j of matrices of `sizes[k] x sizes[k + 1]` (Godbole 1973)."""
    n = len(sizes) - 1
    cost, split = {(i, i): 0 for i in range(n)}, {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = {k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)}
            split[i, j] = min(options, key=options.get)
            cost[i, j] = options[split[i, j]]
    return split


def tensorinv(a, ind=2) -> ndarray:
    """The inverse of `a` as a map from its last axes to its first `ind`."""
    a = _as_array(a)
    rows, columns = a.shape[:ind], a.shape[ind:]
    n, m = math.prod(rows), math.prod(columns)
    if n != m:
        raise ValueError(
            f"tensorinv: the first {ind} axes of {a.shape} hold {n} places and the others {m}. They must agree."
        )
    return reshape(la.inv(reshape(a, (n, n))), columns + rows)


def tensorsolve(a, b, axes=None) -> ndarray:
    """x with tensordot(a, x, x.ndim) = b; `axes` of `a` go to its end first."""
    a, b = _as_array(a), _as_array(b)
    if axes is not None:
        a = moveaxis(a, tuple(axes), tuple(range(a.ndim - len(axes), a.ndim)))
    shape = a.shape[b.ndim :]
    n = math.prod(shape)
    if n != b.size:
        raise ValueError(
            f"tensorsolve: {b.size} equations (shape {b.shape}) for {n} unknowns (shape {shape}). They must agree."
        )
    return reshape(la.solve(reshape(a, (n, n)), reshape(b, (-1, 1))), shape)


__all__ = [
    "LinAlgError", "cholesky", "cond", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "matrix_norm",
    "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensorinv",
    "tensorsolve", "vector_norm",
]  # fmt: skip
