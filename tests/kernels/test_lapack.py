"""Matrices solved, inverted and factored in their own dtype, whatever their layout; errors as NumPy's."""

import numpy
import pytest

from numblocks import np
from numblocks.kernels import lapack

SIZES = [lapack.LEAST - 1, lapack.LEAST, 70, 200]


def matrix(n, dtype, seed=0):
    x = numpy.random.default_rng(seed).standard_normal((n, n))
    return (x @ x.T + n * numpy.eye(n)).astype(dtype), x.astype(dtype) + numpy.eye(n, dtype=dtype) * n


def layouts(x):
    yield x
    yield numpy.asfortranarray(x)
    yield numpy.repeat(x, 2, axis=1)[:, ::2]
    yield x[::-1].copy()[::-1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", SIZES)
def test_answers(n, dtype):
    symmetric, general = matrix(n, dtype)
    b = numpy.random.default_rng(1).standard_normal((n, 5)).astype(dtype)
    near = {"rtol": 0, "atol": 2e-6 if dtype == "float32" else 1e-14}
    for a, s in zip(layouts(general), layouts(symmetric), strict=True):
        before = a.copy(), s.copy()
        wide = a.astype("f8")
        for right in (b, b[:, :1], numpy.asfortranarray(b), b[::-1]):
            x = np.linalg.solve(np.array(a), np.array(right))
            assert x.dtype == dtype
            numpy.testing.assert_allclose(x._data, numpy.linalg.solve(wide, right.astype("f8")), **near)
        numpy.testing.assert_allclose(np.linalg.inv(np.array(a))._data, numpy.linalg.inv(wide), **near)
        for found in (lapack.solve(a, b), lapack.inverse(a), lapack.cholesky(s)):
            assert (found is None) == (n < lapack.LEAST or lapack._found() is None)
            assert found is None or (found.flags.c_contiguous and found.dtype == dtype)
        factor = np.linalg.cholesky(np.array(s))._data
        assert (numpy.triu(factor, 1) == 0).all()
        wide = factor.astype("f8")
        numpy.testing.assert_allclose(wide @ wide.T, s, rtol=0, atol=near["atol"] * s.max())
        numpy.testing.assert_array_equal(a, before[0])
        numpy.testing.assert_array_equal(s, before[1])


@pytest.mark.parametrize("n", SIZES)
def test_errors(n):
    symmetric, general = matrix(n, "float32")
    general[:, 3] = 0
    symmetric[5, 5] = -1
    for call in (lambda x: np.linalg.inv(x), lambda x: np.linalg.solve(x, x)):
        with pytest.raises(numpy.linalg.LinAlgError, match="Singular"):
            call(np.array(general))
    with pytest.raises(numpy.linalg.LinAlgError, match="positive definite"):
        np.linalg.cholesky(np.array(symmetric))


def test_no_columns_and_stacks_are_numpy_s():
    _, general = matrix(60, "float32")
    assert np.linalg.solve(np.array(general), np.zeros((60, 0))).shape == (60, 0)
    stack = numpy.stack([general, 2 * general])
    numpy.testing.assert_allclose(np.linalg.inv(np.array(stack))._data, numpy.linalg.inv(stack), rtol=1e-4, atol=1e-6)
    assert lapack.inverse(general.astype("float16")) is None


def test_nan_stays():
    _, general = matrix(60, "float32")
    general[4, 7] = numpy.nan
    assert numpy.isnan(np.linalg.inv(np.array(general))._data).any()
