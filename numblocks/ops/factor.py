"""Factorizations: `cholesky`, `qr`, `eigh`, `svd`, for stacks of matrices; several factors come packed in one array.

Gradients: Cholesky after I. Murray, Differentiation of the Cholesky decomposition (2016); QR after S. Walter and
L. Lehmann, Algorithmic differentiation of linear algebra functions (2010), wide matrices by splitting off the square
part; eigenvectors after M. Giles (2008); SVD after J. Townsend, Differentiating the singular value decomposition
(2016).
Where two eigenvalues or singular values are equal, the vectors are not differentiable and their term counts as 0.
"""

from __future__ import annotations

import numpy

from ..array import Aval
from ..kernels import copying
from ..kernels import lapack as direct
from . import lapack
from .elementwise import equal, where
from .lapack import column, constant, float_of, infer_square, linear, pack, row, unpack
from .linalg import solve
from .matmul import matmul, swap
from .move import concat, freeze_key, slice_


def lower(x, k: int = 0):
    """The lower triangle of the last two axes."""
    return where(constant(numpy.tri(x.shape[-2], x.shape[-1], k, dtype=bool), x), x, 0.0)


def symmetric(x):
    """The mean of each matrix and its transpose."""
    return (x + swap(x)) * 0.5


def _halved(x):
    """Lower triangle with half the diagonal."""
    return lower(x) * constant((1.0 - 0.5 * numpy.eye(x.shape[-1])).astype(x.dtype), x)


def _cholesky_vjp(g, y, x):
    inner = solve(swap(y), _halved(matmul(swap(y), g)))
    return symmetric(swap(solve(swap(y), swap(inner))))


_HALF = {numpy.dtype(name): numpy.array(0.5, name) for name in ("float32", "float64")}


def _mean_with_transpose(x):
    y = numpy.add(x, copying.copy(numpy.swapaxes(x, -1, -2)))
    y *= x.dtype.type(0.5)
    return y


@linear(infer=infer_square("cholesky"), vjp=(_cholesky_vjp,))
def cholesky(x):
    """The lower triangular L with L @ L.T = (x + x.T) / 2, which must be positive definite."""
    x = _mean_with_transpose(x)
    y = direct.cholesky(x)
    return numpy.linalg.cholesky(x) if y is None else y


lapack.small(cholesky, "cholesky_lo", lambda x: numpy.multiply(numpy.add(x, x.mT), _HALF[x.dtype]))


def shapes_of_qr(x):
    """Shapes of q and r of one matrix."""
    m, n = x.shape[-2:]
    return (m, min(m, n)), (min(m, n), n)


def shapes_of_svd(x):
    """Shapes of u, s and v (transposed) of one matrix."""
    m, n = x.shape[-2:]
    k = min(m, n)
    return (m, k), (k,), (k, n)


def shapes_of_eigh(x):
    """Shapes of the eigenvalues and of the matrix of eigenvectors of one matrix."""
    n = x.shape[-1]
    return (n,), (n, n)


def _infer_packed(name, shapes):
    def infer(x):
        (lapack.square if name == "eigh" else lapack.matrices)(name, x)
        return Aval(x.shape[:-2] + (sum(int(numpy.prod(s)) for s in shapes(x)),), float_of(x))

    return infer


def tall_qr_cotangent(q, r, gq, gr):
    """The cotangent of a matrix with at least as many rows as columns."""
    m = matmul(r, swap(gr)) - matmul(swap(gq), q)
    both = lower(m) + swap(lower(m, -1))
    return swap(solve(r, swap(gq + matmul(q, both))))


def _qr_vjp(g, y, x):
    (q, r), (gq, gr) = unpack(y, *shapes_of_qr(x)), unpack(g, *shapes_of_qr(x))
    m, n = x.shape[-2:]
    if m >= n:
        return tall_qr_cotangent(q, r, gq, gr)
    left, right = (freeze_key((Ellipsis, part)) for part in (slice(0, m), slice(m, None)))
    g_right = slice_(gr, key=right)
    gq = gq + matmul(slice_(x, key=right), swap(g_right))
    g_left = tall_qr_cotangent(q, slice_(r, key=left), gq, slice_(gr, key=left))
    return concat(g_left, matmul(q, g_right), axis=x.ndim - 1)


@linear(infer=_infer_packed("qr", shapes_of_qr), vjp=(_qr_vjp,))
def qr(x):
    """x = q @ r, reduced and packed: `unpack(y, *shapes_of_qr(x))`."""
    return pack(*numpy.linalg.qr(x), batch=x.ndim - 2)


def differences(w):
    """1 / (w_j - w_i), and 0 where they are equal."""
    d = row(w) - column(w)
    same = equal(d, 0)
    return where(same, 0.0, 1.0 / where(same, 1.0, d))


def _eigh_vjp(g, y, x):
    (w, v), (gw, gv) = unpack(y, *shapes_of_eigh(x)), unpack(g, *shapes_of_eigh(x))
    inner = differences(w) * matmul(swap(v), gv)
    return symmetric(matmul(v * row(gw) + matmul(v, inner), swap(v)))


@linear(infer=_infer_packed("eigh", shapes_of_eigh), vjp=(_eigh_vjp,))
def eigh(x):
    """Eigenvalues (ascending) and eigenvectors of (x + x.T) / 2, packed: `unpack(y, *shapes_of_eigh(x))`."""
    return pack(*numpy.linalg.eigh(_mean_with_transpose(x)), batch=x.ndim - 2)


def svd_cotangent(u, s, vt, gu, gs, gvt):
    """The cotangent of a matrix, from the reduced factors and theirs."""
    v, gv = swap(vt), swap(gvt)
    f, zero = differences(s * s), equal(s, 0)
    inverse = where(zero, 0.0, 1.0 / where(zero, 1.0, s))
    ug, vg = matmul(swap(u), gu), matmul(swap(v), gv)
    middle = (f * (ug - swap(ug))) * row(s) + column(s) * (f * (vg - swap(vg)))
    answer = matmul(u * row(gs) + matmul(u, middle), vt)
    m, n = u.shape[-2], vt.shape[-1]
    if m > n:
        answer = answer + matmul((gu - matmul(u, ug)) * row(inverse), vt)
    if n > m:
        answer = answer + matmul(u * row(inverse), swap(gv - matmul(v, vg)))
    return answer


def _svd_vjp(g, y, x):
    return svd_cotangent(*unpack(y, *shapes_of_svd(x)), *unpack(g, *shapes_of_svd(x)))


@linear(infer=_infer_packed("svd", shapes_of_svd), vjp=(_svd_vjp,))
def svd(x):
    """x = (u * s) @ vt, reduced and packed: `unpack(y, *shapes_of_svd(x))`."""
    return pack(*numpy.linalg.svd(x, full_matrices=False), batch=x.ndim - 2)


__all__ = [
    "cholesky", "differences", "eigh", "lower", "qr", "shapes_of_eigh", "shapes_of_qr", "shapes_of_svd", "svd",
    "svd_cotangent", "symmetric", "tall_qr_cotangent",
]  # fmt: skip
