"""Factorizations with square factors: `qr_complete`, `svd_full`; and `eig`, of matrices that need not be symmetric.

The columns that complete a basis are defined up to a rotation among themselves. Their gradient is that of the motion
without such a rotation, dU2 = -U1 dU1.T U2: right for everything that does not depend on the choice, such as
U2 @ U2.T, and for a single completing column. Eigenvectors of general matrices after C. Boeddeker et al., On the
computation of complex-valued gradients (2017), with vectors of norm 1; eigenvalues must be real, as arrays are, and
where two are equal their vectors' term counts as 0.
"""

from __future__ import annotations

import math

import numpy

from ..array import Aval
from . import lapack
from .factor import differences, shapes_of_eigh, svd_cotangent, tall_qr_cotangent
from .lapack import float_of, linear, pack, row, unit, unpack
from .linalg import solve
from .matmul import matmul, swap
from .move import freeze_key, slice_


def shapes_of_qr_complete(x):
    """Shapes of q and r of one matrix."""
    m, n = x.shape[-2:]
    return (m, m), (m, n)


def shapes_of_svd_full(x):
    """Shapes of u, s and v (transposed) of one matrix."""
    m, n = x.shape[-2:]
    return (m, m), (min(m, n),), (n, n)


def _infer(name, shapes, check=lapack.matrices):
    def infer(x):
        check(name, x)
        return Aval(x.shape[:-2] + (sum(math.prod(s) for s in shapes(x)),), float_of(x))

    return infer


def _columns(x, first: int, last: int | None):
    return slice_(x, key=freeze_key((Ellipsis, slice(first, last))))


def _rows(x, first: int, last: int | None):
    return slice_(x, key=freeze_key((Ellipsis, slice(first, last), slice(None))))


def _completed(u, g, k: int):
    """The first `k` columns of `u`, and their cotangent with what arrives at the completing columns moved to them."""
    first, rest = _columns(u, 0, k), _columns(u, k, None)
    if u.shape[-1] == k:
        return first, g
    return first, _columns(g, 0, k) - matmul(rest, matmul(swap(_columns(g, k, None)), first))


def _qr_vjp(g, y, x):
    (q, r), (gq, gr) = unpack(y, *shapes_of_qr_complete(x)), unpack(g, *shapes_of_qr_complete(x))
    n = x.shape[-1]
    first, g_first = _completed(q, gq, n)
    return tall_qr_cotangent(first, _rows(r, 0, n), g_first, _rows(gr, 0, n))


def _infer_tall(name, x):
    lapack.matrices(name, x)
    if x.shape[-2] < x.shape[-1]:
        raise ValueError(f"{name}: a matrix of shape {x.shape[-2:]} is wide. Its factors are square anyway. Use qr.")


@linear(infer=_infer("qr_complete", shapes_of_qr_complete, _infer_tall), vjp=(_qr_vjp,))
def qr_complete(x):
    """x = q @ r with square q, for tall matrices, packed: `unpack(y, *shapes_of_qr_complete(x))`."""
    return pack(*numpy.linalg.qr(x, mode="complete"), batch=x.ndim - 2)


def _svd_vjp(g, y, x):
    (u, s, vt), (gu, gs, gvt) = (unpack(part, *shapes_of_svd_full(x)) for part in (y, g))
    k = s.shape[-1]
    u, gu = _completed(u, gu, k)
    v, gv = _completed(swap(vt), swap(gvt), k)
    return svd_cotangent(u, s, swap(v), gu, gs, swap(gv))


@linear(infer=_infer("svd_full", shapes_of_svd_full), vjp=(_svd_vjp,))
def svd_full(x):
    """x = u[..., :k] @ (s * vt[..., :k, :]) with square u and vt, packed: `unpack(y, *shapes_of_svd_full(x))`."""
    return pack(*numpy.linalg.svd(x, full_matrices=True), batch=x.ndim - 2)


def _eig_vjp(g, y, x):
    (w, v), (gw, gv) = unpack(y, *shapes_of_eigh(x)), unpack(g, *shapes_of_eigh(x))
    vg, eye = matmul(swap(v), gv), unit(x.shape[-1], x)
    along = (vg * eye).sum(axis=-2, keepdims=True)  # what would change the norms, which stay 1
    inner = differences(w) * (vg - matmul(swap(v), v) * along) + eye * row(gw)
    return solve(swap(v), matmul(inner, swap(v)))


@linear(infer=_infer("eig", shapes_of_eigh, lapack.square), vjp=(_eig_vjp,))
def eig(x):
    """Eigenvalues and eigenvectors (columns of norm 1), packed: `unpack(y, *shapes_of_eigh(x))`."""
    w, v = numpy.linalg.eig(x)
    if w.dtype.kind == "c":
        raise ValueError(
            f"eig: a matrix of shape {x.shape} has complex eigenvalues. Arrays hold real numbers. Use numpy itself on"
            " x.asnumpy() for these."
        )
    return pack(w, v, batch=x.ndim - 2)


__all__ = ["eig", "qr_complete", "shapes_of_qr_complete", "shapes_of_svd_full", "svd_full"]
