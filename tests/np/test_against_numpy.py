"""`np` against NumPy: the same expressions, evaluated with both."""

import numpy
import pytest

from numblocks import np
from numblocks.array import ndarray

rng = numpy.random.default_rng(0)
DATA = {
    "a": rng.standard_normal((3, 4)), "b": rng.standard_normal((3, 4)), "c": rng.standard_normal((4, 5)),
    "t": rng.standard_normal((2, 3, 4)), "v": rng.standard_normal(6), "w": rng.uniform(0.5, 2.0, 6),
    "s": rng.standard_normal((4, 4)), "p": numpy.cov(rng.standard_normal((4, 30))), "i": rng.integers(0, 9, 8),
    "j": rng.integers(1, 6, 8), "m": rng.standard_normal((3, 4)) > 0, "n": numpy.array([1.0, numpy.nan, -2.0, numpy.inf, 3.0]),
    "q": numpy.array([[1.0, numpy.nan, 3.0], [numpy.nan, 5.0, 4.0]]), "u": numpy.sort(rng.uniform(0, 5, 7)),
    "z": rng.standard_normal((3, 2, 4, 5)), "k": numpy.array([3, 1, 2, 3, 1]), "h": rng.standard_normal((5, 3)),
}  # fmt: skip

EXPRESSIONS = """
np.einsum('ij,jk->ik', a, c)                | np.einsum('ij,ij->', a, b)         | np.einsum('ii->i', s)     | np.einsum('ii', s)
np.einsum('...ij,...jk->...ik', t, s)       | np.einsum('ij->ji', a)             | np.einsum('ij,kj->ik', a, b)
np.einsum('i,j->ij', v, w)                  | np.einsum('ij,jk,km->im', a, s, c, optimize=True) | np.einsum('bij,bij->b', t, t)
np.einsum('ijk->k', t)                      | np.einsum('ij,ij->ij', a, b)       | np.einsum(a, [0, 1], c, [1, 2], [0, 2])
np.einsum('ij,j', s, s[0])                  | np.einsum('aij,bij->ab', t, t)     | np.einsum('...,...', v, w)
np.einsum('ij,ij->j', a[:1], b)             | np.einsum('ijk,jil->kl', t, t.transpose((1, 0, 2)))
np.tensordot(t, s, 1)                       | np.tensordot(a, b, ([0, 1], [0, 1])) | np.kron(a, s)           | np.kron(v, a)
np.trace(s) | np.trace(t, 1, 1, 2)          | np.diagonal(t, 1)                  | np.diagonal(t, -1, 1, 2)  | np.diagflat(v[:3], -1)
np.cross(a[:, :3], b[:, :3])                | np.inner(a, b) | np.vdot(a, b)     | np.outer(v, w) | np.dot(t, s) | np.inner(t, a[0])
np.cumsum(a) | np.cumsum(a, 1)              | np.cumprod(a, 0) | np.cumprod(a)   | np.diff(a) | np.diff(a, 2, 0)
np.diff(v, prepend=0.0, append=v[:1])       | np.ediff1d(a) | np.ediff1d(v, to_begin=1.0, to_end=v[:2])
np.gradient(v) | np.gradient(a)[0]          | np.gradient(a, 2.0, axis=1) | np.gradient(v, np.cumsum(w)) | np.gradient(v, 0.5, edge_order=2)
np.gradient(v, np.cumsum(w), edge_order=2)  | np.interp(v, u, u * u) | np.interp(v, u, u, left=-1.0, right=9.0) | np.interp(v, u, u, period=4.0)
np.convolve(v, w[:3]) | np.convolve(v, w[:3], 'same') | np.convolve(v, w[:4], 'valid') | np.correlate(v, w[:3]) | np.correlate(v, w[:3], 'full')
np.correlate(v, w[:3], 'same')              | np.unwrap(np.cumsum(w) * 3)
np.percentile(a, 30) | np.percentile(a, [10, 50], 1) | np.quantile(t, 0.3, (0, 2)) | np.quantile(a, 0.3, 0, keepdims=True) | np.median(a) | np.median(a, 1)
np.quantile(a, [[0.1, 0.9]], axis=0)        | np.quantile(v, 0.37, method='lower') | np.quantile(v, 0.37, method='higher') | np.quantile(v, 0.37, method='midpoint')
np.quantile(v, 0.37, method='nearest')      | np.median(n) | np.ptp(a) | np.ptp(a, 0) | np.cov(a) | np.cov(a, b) | np.corrcoef(a) | np.cov(a, rowvar=False)
np.cov(a, ddof=0) | np.cov(v) | np.cov(v, aweights=w) | np.average(a, 0, w[:3]) | np.average(a)
np.histogram(v, 4)[0] | np.histogram(v, 4)[1] | np.histogram(v, 3, (-1, 1))[0] | np.histogram_bin_edges(v, 3) | np.bincount(i) | np.bincount(i[:6], w, 12)
np.histogram2d(v, w, 3)[0] | np.histogramdd(h, 2)[0] | np.digitize(v, u) | np.digitize(v, u[::-1]) | np.digitize(v, u, right=True)
np.nansum(q) | np.nansum(q, 0) | np.nanprod(q, 1) | np.nanmax(q) | np.nanmin(q, 0) | np.nanmean(q, 1) | np.nanvar(q, 1) | np.nanstd(q)
np.nanargmax(q, 1) | np.nanargmin(q, 1) | np.nanmedian(q, 1) | np.nanpercentile(q, 40, 1) | np.nanquantile(q, 0.4) | np.nancumsum(q, 1) | np.nancumprod(q)
np.nan_to_num(n) | np.nan_to_num(n, nan=1.0, posinf=7.0) | np.isposinf(n) | np.isneginf(-n) | np.signbit(n) | np.copysign(v, -w) | np.isclose(v, v + 1e-9)
np.logaddexp(v, w) | np.logaddexp2(v, w) | np.ldexp(v, k[0]) | np.fmod(v, w) | np.fmax(n, 0.5) | np.fmin(n, 0.5) | np.heaviside(v, 0.5) | np.sinc(v)
np.modf(v)[0] | np.modf(v)[1] | np.frexp(v)[0] | np.frexp(v)[1] | np.divmod(v, w)[0] | np.divmod(v, w)[1] | np.float_power(w, 2) | np.i0(w) | np.spacing(w)
np.bitwise_and(i, j) | np.bitwise_or(i, j) | np.bitwise_xor(i, j) | np.invert(i) | np.left_shift(i, 2) | np.right_shift(i, 1) | np.gcd(i, j) | np.lcm(i, j)
i & j | i | j | ~m | m ^ True | np.packbits(m, 1) | np.hypot(v, w) | np.cbrt(v) | np.rint(v) | np.fix(v) | np.around(v, 2) | np.positive(v) | np.real(v)
np.sort(a) | np.sort(a, 0) | np.sort(a, None) | np.argsort(a) | np.argsort(a, 0) | np.msort(a) | np.lexsort((k, k[::-1])) | np.searchsorted(u, v) | np.searchsorted(u, u, 'right')
np.partition(v, 2)[2] | np.take_along_axis(a, np.argsort(a), 1) | np.count_nonzero(m) | np.count_nonzero(m, 1) | np.argwhere(m) | np.flatnonzero(m) | np.extract(m, a)
np.compress([True, False, True], a, 0) | np.choose(i[:4] % 3, [v[:4], w[:4], u[:4]]) | np.select([v > 0, v < -0.5], [v, w], 3.0) | np.piecewise(v, [v < 0, v >= 0], [lambda x: -x, 2.0])
np.unique(k) | np.unique(k, return_counts=True)[1] | np.unique(k, return_inverse=True)[1] | np.union1d(k, i) | np.intersect1d(k, i) | np.setdiff1d(i, k) | np.setxor1d(i, k)
np.isin(k, [1, 2]) | np.trim_zeros(np.array([0.0, 1.0, 0.0])) | np.append(v, w) | np.append(a, b, 0) | np.delete(v, 2) | np.delete(a, [0, 2], 1) | np.delete(a, slice(1, 3), 1)
np.insert(v, 1, 5.0) | np.insert(a, 1, 9.0, 1) | np.insert(a, [0, 2], 1.0, 0) | np.insert(a, 1, v[:4], 0) | np.insert(v, [1, 1, 3], w[:3]) | np.insert(a, [1], b[:, :2], 1) | np.insert(v, 2, w[:2])
np.resize(v, (2, 5)) | np.rot90(a) | np.rot90(a, 2) | np.rot90(t, -1, (1, 2)) | np.roll(a, 2) | np.roll(a, (1, 2), (0, 1)) | np.rollaxis(z, 3, 1) | np.flip(a, 0) | np.flip(t)
np.moveaxis(z, (0, 1), (-1, -2)) | np.dsplit(t, 2)[1] | np.atleast_3d(a) | np.atleast_3d(v) | np.vander(v, 3) | np.vander(v, 3, increasing=True)
np.apply_along_axis(lambda x: x.sum(), 1, t) | np.apply_along_axis(lambda x: x[:2], 0, a) | np.apply_over_axes(np.sum, t, [0, 2]) | np.array_split(v, 4)[1] | np.tile(a, (2, 1, 2))
np.pad(a, 1) | np.pad(a, ((1, 2), (0, 3)), 'edge') | np.pad(a, 2, 'reflect') | np.pad(a, 1, 'symmetric') | np.pad(a, (1, 2), 'wrap') | np.pad(a, 2, 'maximum') | np.pad(a, 2, 'mean', stat_length=2)
np.pad(a, 2, 'linear_ramp', end_values=3.0) | np.pad(a, ((1, 2), (3, 4)), constant_values=((1, 2), (3, 4))) | np.repeat(v, k[:1]) | np.repeat(a, 2, 1) | np.squeeze(a[None])
np.polyval(v[:3], w) | np.polyadd(v, w[:2]) | np.polysub(w[:2], v) | np.polymul(v, w) | np.polydiv(v, w[:2])[0] | np.polydiv(v, w[:2])[1] | np.polyder(v) | np.polyint(v, 2) | np.poly(v[:3])
np.polyfit(u, u * u, 2) | np.roots(np.array([1.0, -3.0, 2.0])) | np.tril(s, 1) | np.triu(t, -1) | np.diag(v, 1) | np.diag(s, -1) | np.tri(3, 4, 1)
np.tril_indices(3)[1] | np.triu_indices(3, 1)[0] | np.tril_indices_from(s)[0] | np.triu_indices_from(s)[1] | np.diag_indices(3)[1] | np.diag_indices_from(s)[0] | np.indices((2, 3))
np.ix_([0, 2], [1, 3])[1] | np.unravel_index(i, (3, 4))[0] | np.ravel_multi_index((k, k), (4, 5)) | np.unravel_index(7, (3, 4))[1] | np.meshgrid(v, w)[0]
np.sum(a, 1, where=m) | np.mean(a, 0, where=m) | np.max(a, 1, initial=5.0) | np.min(a, where=m, initial=0.0) | np.prod(a, initial=2.0) | np.sum(a, initial=1.0) | np.any(m, 1) | np.all(m)
np.linalg.norm(a) | np.linalg.norm(v, 3) | np.linalg.norm(v, 0) | np.linalg.norm(v, -np.inf) | np.linalg.norm(a, np.inf, 1) | np.linalg.norm(a, 'nuc') | np.linalg.norm(a, 2) | np.linalg.norm(a, -2)
np.linalg.norm(a, 1) | np.linalg.norm(a, -1) | np.linalg.norm(a, np.inf) | np.linalg.norm(t, 'fro', (1, 2)) | np.linalg.norm(t, 2, (2, 0), keepdims=True) | np.linalg.norm(t, axis=1)
np.linalg.inv(s) | np.linalg.det(s) | np.linalg.slogdet(s)[1] | np.linalg.slogdet(s)[0] | np.linalg.solve(s, s[0]) | np.linalg.solve(s, c) | np.linalg.cholesky(p) | np.linalg.pinv(a)
np.linalg.lstsq(h, h[:, 0], None)[0] | np.linalg.lstsq(h, v[:5], None)[0] | np.linalg.lstsq(h, v[:5], None)[1] | np.linalg.lstsq(h, v[:5], None)[2] | np.linalg.lstsq(h, v[:5], None)[3]
np.linalg.eigvalsh(p) | np.linalg.eigh(p)[0] | np.abs(np.linalg.eigh(p)[1]) | np.linalg.eigvals(np.tril(s)) | np.abs(np.linalg.eig(np.tril(s))[1]) | np.linalg.matrix_rank(s) | np.linalg.cond(s)
np.linalg.cond(s, 1) | np.linalg.cond(s, -2) | np.linalg.matrix_power(s, 5) | np.linalg.matrix_power(s, -2) | np.linalg.matrix_power(s, 0) | np.linalg.multi_dot([a, s, c, c.T])
np.linalg.tensorinv(np.reshape(s, (2, 2, 4)), 2) | np.linalg.tensorsolve(np.reshape(s, (2, 2, 4)), np.reshape(s[0], (2, 2))) | np.abs(np.linalg.qr(a)[1]) | np.linalg.svd(a, compute_uv=False)
np.linalg.vector_norm(a) | np.linalg.matrix_norm(t) | np.linalg.svdvals(a)
np.hamming(7) | np.hanning(6) | np.blackman(5) | np.bartlett(5) | np.kaiser(5, 2.0) | np.logspace(0, 2, 5) | np.linspace(0, 1, 5, endpoint=False)
np.array_equal(a, a) | np.array_equiv(a, a[:1]) | np.allclose(a, a + 1e-12) | np.shape(a) | np.ndim(t) | np.size(t, 1) | np.may_share_memory(a, a[1:]) | np.can_cast('int32', 'int64')
"""
CALLS = [e.strip() for line in EXPRESSIONS.strip().splitlines() for e in line.split(" | ") if e.strip()]
RENAMED = {"msort": lambda x: numpy.sort(x, 0)}  # gone from NumPy 2, still in MXNet


class Theirs:
    """NumPy with the names that MXNet kept."""

    linalg = numpy.linalg

    def __getattr__(self, name):
        return RENAMED[name] if name in RENAMED else getattr(numpy, name)


@pytest.mark.parametrize("expression", CALLS)
def test_same_as_numpy(expression):
    wanted = eval(expression, {"np": Theirs(), **DATA})
    found = eval(expression, {"np": np, **{k: np.array(x) for k, x in DATA.items()}})
    if isinstance(wanted, (bool, tuple, int)) and not isinstance(wanted, numpy.bool_):
        assert found == wanted
        return
    assert isinstance(found, ndarray), type(found)
    wanted = numpy.asarray(wanted)
    assert found.shape == wanted.shape
    if wanted.dtype.kind in "iub" and found.dtype.kind != "f":
        assert (found.asnumpy() == wanted).all()
    else:
        tolerance = 1e-11 if found.dtype == "float64" else 1e-5
        numpy.testing.assert_allclose(found.asnumpy(), wanted, rtol=tolerance, atol=tolerance)
