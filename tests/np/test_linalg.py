"""`np.linalg` beside its values: dtypes, stacks, empty matrices, properties of the factors, errors."""

import numpy
import pytest

from numblocks import autograd, np
from numblocks.errors import MXNetError
from numblocks.testing import check_gradients

rng = numpy.random.default_rng(0)
S = rng.standard_normal((2, 4, 4)) + 3 * numpy.eye(4)
T = rng.standard_normal((2, 3, 5))
P = S @ S.swapaxes(-1, -2)


@pytest.mark.parametrize("name", ["inv", "det", "cholesky", "pinv", "eigvalsh", "svdvals", "norm", "cond"])
@pytest.mark.parametrize(
    "dtype, answer", [("float16", "float16"), ("float32", "float32"), ("float64", "float64"), ("int32", "float32")]
)
def test_dtypes(name, dtype, answer):
    x = numpy.array([[4.0, 1.0], [1.0, 3.0]]).astype(dtype)
    found = getattr(np.linalg, name)(np.array(x))
    wanted = getattr(numpy.linalg, name)(x.astype("f8"))
    assert found.dtype == answer
    numpy.testing.assert_allclose(found.asnumpy(), wanted, rtol=2e-2 if dtype == "float16" else 1e-5)


@pytest.mark.parametrize("name, args", [
    ("inv", (S,)), ("det", (S,)), ("cholesky", (P,)), ("solve", (S, T[:, 0, :4, None])), ("pinv", (T,)), ("eigvalsh",
        (P,)),
    ("matrix_rank", (T,)), ("matrix_power", (S, 3)), ("svdvals", (T,)), ("cond", (S,)),
])  # fmt: skip
def test_stacks(name, args):
    found = getattr(np.linalg, name)(*[np.array(x) if isinstance(x, numpy.ndarray) else x for x in args])
    for k in range(2):
        one = getattr(numpy.linalg, name)(*[x[k] if isinstance(x, numpy.ndarray) else x for x in args])
        numpy.testing.assert_allclose(found[k].asnumpy(), one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 3, 5), (0, 3, 3), (2, 0, 3), (1, 1)])
def test_factors_multiply_to_the_matrix(shape):
    a = rng.standard_normal(shape)
    x, k = np.array(a), min(shape[-2:])
    u, s, vt = np.linalg.svd(x)
    assert numpy.allclose(((u * s[..., None, :]) @ vt).asnumpy(), a) and s.shape == (*shape[:-2], k)
    q, r = np.linalg.qr(x)
    assert numpy.allclose((q @ r).asnumpy(), a) and q.shape == (*shape[:-1], k)
    assert numpy.allclose(r.asnumpy(), numpy.triu(r.asnumpy()))
    if shape[-1] == shape[-2]:
        p = a @ a.swapaxes(-1, -2) + numpy.eye(shape[-1])
        w, v = np.linalg.eigh(np.array(p))
        assert numpy.allclose(((v * w[..., None, :]) @ v.swapaxes(-1, -2)).asnumpy(), p)
        low = np.linalg.cholesky(np.array(p))
        assert numpy.allclose((low @ low.swapaxes(-1, -2)).asnumpy(), p)
        upper = np.linalg.cholesky(np.array(p), upper=True)
        assert numpy.allclose(upper.asnumpy(), low.swapaxes(-1, -2).asnumpy())


def test_full_and_complete_factors():
    u, s, vt = np.linalg.svd(np.array(T[0]), full_matrices=True)
    assert u.shape == (3, 3) and vt.shape == (5, 5)
    q, r = np.linalg.qr(np.array(T[0].T), mode="complete")
    assert q.shape == (5, 5) and r.shape == (5, 3)


INVARIANT = {  # functions of square factors that do not depend on how a basis is completed
    "qr": lambda x: np.linalg.qr(x, mode="complete")[0][:, 2:],
    "svd of a tall one": lambda x: np.linalg.svd(x, full_matrices=True)[0][:, 2:],
    "svd of a wide one": lambda x: np.linalg.svd(x.T, full_matrices=True)[2][2:].T,
}


@pytest.mark.parametrize("name", INVARIANT)
def test_gradients_of_completing_columns(name):
    a, w = T[0].T[:, :2].copy(), rng.standard_normal((5, 5))

    def value(x):
        rest = INVARIANT[name](x)
        return ((rest @ rest.T) * np.array(w)).sum()

    check_gradients(value, a)


def test_eigenvalues_of_matrices_that_are_not_symmetric():
    a = S[0] @ numpy.diag([1.0, 2.0, 3.0, 5.0]) @ numpy.linalg.inv(S[0])
    w, v = np.linalg.eig(np.array(a))
    numpy.testing.assert_allclose(numpy.sort(w.asnumpy()), [1, 2, 3, 5])
    numpy.testing.assert_allclose(a @ v.asnumpy(), v.asnumpy() * w.asnumpy())
    x = np.array(a)
    x.attach_grad()
    with autograd.record():
        y = (np.linalg.eigvals(x) ** 2).sum()  # the trace of the square
    y.backward()
    numpy.testing.assert_allclose(x.grad.asnumpy(), 2 * a.T, rtol=1e-9, atol=1e-9)


def test_empty_matrices():
    empty = np.zeros((0, 0))
    assert np.linalg.det(empty).item() == 1.0 and np.linalg.inv(empty).shape == (0, 0)
    assert np.linalg.norm(np.zeros(0)).item() == 0.0


def test_non_contiguous_matrices():
    x = np.array(S)[:, ::-1].swapaxes(-1, -2)
    assert numpy.allclose(np.linalg.inv(x).asnumpy(), numpy.linalg.inv(S[:, ::-1].swapaxes(-1, -2)))


@pytest.mark.parametrize("call, error", [
    (lambda: np.linalg.inv(np.zeros((2, 2))), numpy.linalg.LinAlgError),
    (lambda: np.linalg.inv(np.ones((2, 3))), MXNetError),
    (lambda: np.linalg.cholesky(-np.eye(2)), numpy.linalg.LinAlgError),
    (lambda: np.linalg.solve(np.eye(2), np.ones((3, 1))), MXNetError),
    (lambda: np.linalg.det(np.ones(3)), MXNetError),
    (lambda: np.linalg.norm(np.ones((2, 2)), "no"), ValueError),
    (lambda: np.linalg.norm(np.ones((2, 2, 2)), 1), ValueError),
    (lambda: np.linalg.eigvals(np.array([[0.0, 1.0], [-1.0, 0.0]])), ValueError),
    (lambda: np.linalg.tensorinv(np.ones((2, 3)), 1), ValueError),
    (lambda: np.linalg.multi_dot([np.eye(2)]), ValueError),
    (lambda: np.linalg.qr(np.eye(2), "raw"), ValueError),
    (lambda: np.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((2, 3))), MXNetError),
    (lambda: np.einsum("ij->kk", np.ones((2, 3))), ValueError),
    (lambda: np.tensordot(np.ones((2, 3)), np.ones((2, 3)), 1), ValueError),
])  # fmt: skip
def test_errors(call, error):
    with pytest.raises(error) as caught:
        call()
    assert ": " in str(caught.value) and str(caught.value).rstrip().endswith(".")
