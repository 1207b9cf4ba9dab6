"""Gradients of the functions of `np` that are composed of ops: against differences, twice, and hybridized."""

import numpy
import pytest

from numblocks import np
from numblocks.testing import check_gradients

rng = numpy.random.default_rng(1)


def positive(n):
    """A symmetric matrix with eigenvalues far apart."""
    q = numpy.linalg.qr(rng.standard_normal((n, n)))[0]
    return q @ numpy.diag(1.0 + 0.7 * numpy.arange(n)) @ q.T


A, S, P, V, W = (
    rng.standard_normal((3, 4)),
    rng.standard_normal((4, 4)),
    positive(4),
    rng.standard_normal(6),
    rng.uniform(0.5, 2, 6),
)
X = numpy.arange(6) + rng.uniform(-0.3, 0.3, 6)

FUNCTIONS = {
    "einsum": (lambda a, s: np.einsum("ij,jk,ik->i", a, s, a), A, S),
    "einsum diagonal": (lambda s: np.einsum("ii->i", s) ** 2, S),
    "tensordot": (lambda a, s: np.tensordot(a, s, 1), A, S),
    "kron": (lambda a, v: np.kron(a, v), A, V),
    "trace": (lambda s: np.trace(s @ s), S),
    "cross": (lambda a: np.cross(a[:, :3], a[:, 1:]), A),
    "cumprod": (lambda v: np.cumprod(v), W),
    "diff": (lambda v: np.diff(v, 2), V),
    "ediff1d": (lambda v: np.ediff1d(v, 1.0, 2.0) ** 2, V),
    "gradient": (lambda v, x: np.gradient(v, np.cumsum(x), edge_order=2), V, W),
    "trapz": (lambda v, x: np.trapz(v, x), V, X),
    "interp": (lambda x, f: np.interp(x, np.arange(6), f), X[1:5], V),
    "convolve": (lambda v, w: np.convolve(v, w, "same"), V, W[:3]),
    "quantile": (lambda v: np.quantile(v, [0.2, 0.7]), V),
    "median": (lambda a: np.median(a, 0), A),
    "sort": (lambda v: np.sort(v) * np.arange(6), V),
    "take_along_axis": (lambda a: np.take_along_axis(a, np.array([[0, 1], [1, 1], [3, 2]], dtype="int64"), 1), A),
    "cov": (lambda a: np.cov(a), A),
    "corrcoef": (lambda a: np.corrcoef(a), A),
    "average": (lambda a, w: np.average(a, 1, w), A, W[:4]),
    "nanmean": (lambda v: np.nanmean(v**2), V),
    "polyval": (lambda p, x: np.polyval(p, x), V[:4], W),
    "polymul": (lambda p, q: np.polymul(p, q), V[:4], W),
    "poly": (lambda z: np.poly(z), V[:3]),
    "insert": (lambda a, v: np.insert(a, [1, 2], v, 1) ** 2, A, V[:2]),
    "delete": (lambda a: np.delete(a, 1, 1) ** 2, A),
    "append": (lambda v, w: np.append(v, w) ** 2, V, W),
    "rot90": (lambda a: np.rot90(a) ** 2, A),
    "pad": (lambda a: np.pad(a, 2, "reflect") ** 2, A),
    "pad mean": (lambda a: np.pad(a, 1, "mean") ** 2, A),
    "ldexp": (lambda v, w: np.ldexp(v, w), V, W),
    "sinc": (lambda v: np.sinc(v), V),
    "where sum": (lambda a: np.sum(a * a, 1, where=np.array(A > 0)), A),
    "vander": (lambda v: np.vander(v, 3), V),
    "piecewise": (lambda v: np.piecewise(v, [v < 0, v >= 0], [lambda x: -x, lambda x: x * x]), V),
    "pv": (lambda r, n: np.pv(r, n, -2.0), W / 10, W * 5),
    "norm 2": (lambda v: np.linalg.norm(v), V),
    "norm 3": (lambda a: np.linalg.norm(a, 3, 1), A),
    "norm nuc": (lambda a: np.linalg.norm(a, "nuc"), A),
    "norm matrix 2": (lambda a: np.linalg.norm(a, 2), A),
    "norm matrix inf": (lambda a: np.linalg.norm(a, np.inf), A),
    "inv": (lambda s: np.linalg.inv(s), S),
    "det": (lambda s: np.linalg.det(s), S),
    "slogdet": (lambda s: np.linalg.slogdet(s)[1], S),
    "solve": (lambda s, v: np.linalg.solve(s, v), S, V[:4]),
    "lstsq": (lambda s, v: np.linalg.lstsq(s, v, None)[0], rng.standard_normal((6, 3)), V),
    "pinv": (lambda a: np.linalg.pinv(a), A),
    "cholesky": (lambda p: np.linalg.cholesky(p), P),
    "qr": (lambda s: np.linalg.qr(s)[0] @ np.exp(np.linalg.qr(s)[1]), S),
    "svd": (lambda a: np.linalg.svd(a)[1] ** 3, A),
    "svd vectors": (lambda a: (np.linalg.svd(a)[0] ** 2) @ (np.linalg.svd(a)[2] ** 2), A),
    "eigh": (lambda p: np.linalg.eigh(p)[1] ** 2 @ np.exp(np.linalg.eigh(p)[0]), P),
    "eigvalsh": (lambda p: np.linalg.eigvalsh(p) ** 2, P),
    "cond": (lambda s: np.linalg.cond(s), S),
    "matrix_power": (lambda s: np.linalg.matrix_power(s, 3), S),
    "multi_dot": (lambda a, s: np.linalg.multi_dot([a, s, s.T]), A, S),
    "tensorinv": (lambda s: np.linalg.tensorinv(s.reshape(2, 2, 4), 2), S),
    "tensorsolve": (lambda s, b: np.linalg.tensorsolve(s.reshape(2, 2, 4), b), S, S[:2, :2]),
}
CASES = [pytest.param(f, xs, id=name) for name, (f, *xs) in FUNCTIONS.items()]


@pytest.mark.parametrize("function, values", CASES)
def test_gradients(function, values):
    """Of both orders, of the compiled function, too, whose answers are the eager ones."""
    check_gradients(function, *values, order=2, modes=("eager", "hybridized"))
