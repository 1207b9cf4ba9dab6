"""Valid calls of the ops of order, diagonals and linear algebra: `calls.CASES` takes them in."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .strategies import generators, shapes

batches = shapes(0, 1, smallest=1, largest=2)


@st.composite
def _order(draw):
    rng, shape = draw(generators()), draw(shapes(1, smallest=1))
    x = rng.permutation(int(np.prod(shape))).reshape(shape) / 3.0
    return [x], {"axis": draw(st.integers(0, x.ndim - 1)), "descending": draw(st.booleans())}


@st.composite
def _searchsorted(draw):
    rng = draw(generators())
    a = np.sort(rng.uniform(-3, 3, draw(st.integers(0, 5))))
    return [a, rng.uniform(-4, 4, draw(shapes(0, 2)))], {"side": draw(st.sampled_from(["left", "right"]))}


@st.composite
def _along(draw):
    rng, shape = draw(generators()), draw(shapes(1))
    x = rng.uniform(-2.0, 2.0, shape) * (rng.random(shape) > 0.2)  # one 0, several, none
    return [x], {"axis": draw(st.integers(0, x.ndim - 1))}


@st.composite
def _diagonal(draw):
    x = draw(generators()).uniform(-3, 3, draw(shapes(2)))
    return [x], {"offset": draw(st.integers(-2, 2))}


@st.composite
def _undiagonal(draw):
    (x,), spec = draw(_diagonal())
    offset = spec["offset"]
    if abs(offset) > min(x.shape[-2:]):
        offset = 0
    g = np.diagonal(x, offset, -2, -1).copy()
    return [g], {"offset": offset, "shape": x.shape}


def spread_out(rng, batch, m, n, low=1.0):
    """Matrices with singular values low, low + 0.7, low + 1.4 ...: far from each other and from 0."""
    k = min(m, n)
    u, v = (np.linalg.qr(rng.standard_normal((*batch, d, d)))[0] for d in (m, n))
    return (u[..., :, :k] * (low + 0.7 * np.arange(k))) @ v[..., :k, :]


@st.composite
def _square(draw):
    n = draw(st.integers(1, 4))
    return [spread_out(draw(generators()), draw(batches), n, n)], {}


@st.composite
def _positive(draw):
    n, rng, batch = draw(st.integers(1, 4)), draw(generators()), draw(batches)
    x = spread_out(rng, batch, n, n)
    skew = rng.uniform(-0.1, 0.1, x.shape)
    return [x @ x.swapaxes(-1, -2) + skew - skew.swapaxes(-1, -2)], {}


@st.composite
def _any_matrix(draw):
    return [spread_out(draw(generators()), draw(batches), draw(st.integers(1, 4)), draw(st.integers(1, 4)))], {}


@st.composite
def _nearly_square(draw, wide=True):
    """One column at most completes the basis: it is defined."""
    n, more = draw(st.integers(1, 4)), draw(st.sampled_from([-1, 0, 1] if wide else [0, 1]))
    return [spread_out(draw(generators()), draw(batches), max(n + more, 1), n)], {}


@st.composite
def _real_eigenvalues(draw):
    n, rng, batch = draw(st.integers(1, 4)), draw(generators()), draw(batches)
    v = spread_out(rng, batch, n, n)
    return [(v * (rng.permutation(n) - 1.3)) @ np.linalg.inv(v)], {}


@st.composite
def _tall(draw):
    n = draw(st.integers(1, 3))
    return [spread_out(draw(generators()), draw(batches), n + draw(st.integers(0, 2)), n)], {"rcond": 1e-15}


@st.composite
def _solve(draw):
    (a,), _ = draw(_square())
    batch = draw(st.sampled_from([a.shape[:-2], ()]))
    return [a, draw(generators()).uniform(-2, 2, (*batch, a.shape[-1], draw(st.integers(1, 3))))], {}


@st.composite
def _lstsq(draw):
    rng, n = draw(generators()), draw(st.integers(1, 3))
    a = spread_out(rng, (), n + draw(st.integers(0, 2)), n)
    return [a, rng.uniform(-2, 2, (a.shape[0], draw(st.integers(1, 3))))], {"rcond": None}


@st.composite
def _pair(draw, first, second):
    rng, shape = draw(generators()), draw(shapes())
    return [rng.uniform(*first, shape), rng.uniform(*second, shape)], {}


CASES = {
    "gamma_slope": _pair((0.3, 5.0), (0.2, 6.0)), "poisson_quantile": _pair((0.01, 0.99), (0.1, 20.0)),
    "argsort": _order(), "sort": _order(), "searchsorted": _searchsorted(), "cumprod": _along(),
    "diagonal": _diagonal(), "undiagonal": _undiagonal(),
    "inv": _square(), "det": _square(), "slogdet": _square(), "solve": _solve(), "pinv": _tall(), "lstsq": _lstsq(),
    "cholesky": _positive(), "eigh": _positive(), "qr": _any_matrix(), "svd": _any_matrix(),
    "qr_complete": _nearly_square(wide=False), "svd_full": _nearly_square(), "eig": _real_eigenvalues(),
}  # fmt: skip
