"""Polynomials as vectors of coefficients, the highest power first."""

from __future__ import annotations

import numpy

from ..array import ndarray
from ..ops import elementwise as ew
from ..ops import move
from .calculus import convolve
from .creation import array
from .host import from_numpy, on_host
from .reductions import _as_array
from .shape import concatenate


def _coefficients(p) -> ndarray:
    p = _as_array(p)
    p = p if p.dtype.kind == "f" else ew.astype(p, "float32")
    return move.reshape(p, shape=(p.size,)) if p.ndim != 1 else p


def polyval(p, x) -> ndarray:
    """The polynomial with coefficients `p` at `x`, by Horner's rule; differentiable in both.

    >>> polyval(array([1., 0., 2.]), array([3.]))
    array([11.])
    """
    p, x = _as_array(p), _as_array(x)
    y = x * 0
    for k in range(p.shape[0]):
        y = y * x + p[k]
    return y


def _aligned(a, b):
    a, b = _coefficients(a), _coefficients(b)
    n = max(a.size, b.size)
    return (move.pad(x, widths=((n - x.size, 0),), value=0.0) for x in (a, b))


def polyadd(a1, a2) -> ndarray:
    """The sum of two polynomials."""
    a, b = _aligned(a1, a2)
    return a + b


def polysub(a1, a2) -> ndarray:
    """The difference of two polynomials."""
    a, b = _aligned(a1, a2)
    return a - b


def polymul(a1, a2) -> ndarray:
    """The product of two polynomials."""
    return convolve(_coefficients(a1), _coefficients(a2))


def polydiv(u, v):
    """Quotient and remainder of two polynomials; not differentiable."""
    return on_host("polydiv", lambda a, b: _trimmed(numpy.polydiv(a, b)), _coefficients(u), _coefficients(v))


def _trimmed(parts):
    return tuple(numpy.asarray(part) for part in parts)


def polyder(p, m=1) -> ndarray:
    """The m-th derivative of a polynomial."""
    p = _coefficients(p)
    for _ in range(m):
        n = p.size
        p = p[:-1] * array(numpy.arange(n - 1, 0, -1).astype(p.dtype)) if n > 1 else p * 0
    return p


def polyint(p, m=1, k=None) -> ndarray:
    """The m-th integral of a polynomial, with constants `k` (0)."""
    p = _coefficients(p)
    constants = [0.0] * m if k is None else [float(k)] * m if isinstance(k, (int, float)) else [float(c) for c in k]
    for c in constants[:m]:
        divided = p / array(numpy.arange(p.size, 0, -1).astype(p.dtype))
        p = concatenate([divided, array(numpy.array([c], p.dtype))])
    return p


def poly(seq_of_zeros) -> ndarray:
    """The polynomial with these roots (differentiable in them), or the characteristic polynomial of a matrix."""
    z = _as_array(seq_of_zeros)
    if z.ndim == 2:
        return on_host("poly", numpy.poly, z)
    z = _coefficients(z)
    p = array(numpy.ones(1, z.dtype))
    for k in range(z.size):
        p = concatenate([p, p[:1] * 0]) - concatenate([p[:1] * 0, p * z[k]])
    return p


def roots(p) -> ndarray:
    """The roots of a polynomial; `ValueError` when some are complex. Not differentiable."""
    return on_host("roots", numpy.roots, _coefficients(p))


polyfit = from_numpy("polyfit", "The polynomial of degree `deg` that fits points best in the least-squares sense.")

__all__ = ["poly", "polyadd", "polyder", "polydiv", "polyfit", "polyint", "polymul", "polysub", "polyval", "roots"]
