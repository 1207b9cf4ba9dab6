"""Other libraries take our arrays: NumPy's functions and ufuncs, DLPack, pickle, scikit-learn's style of use."""

import copy
import pickle

import numpy
import pytest

from numblocks import autograd, np
from numblocks.array import ndarray

A, B = numpy.arange(6.0).reshape(2, 3), numpy.array([[1.0, -2.0, 0.5]])


@pytest.mark.parametrize("call", [
    lambda a, b: numpy.concatenate([a, b]), lambda a, b: numpy.stack([a, a]), lambda a, b: numpy.mean(a, axis=0),
    lambda a, b: numpy.where(a > 2, a, 0.0), lambda a, b: numpy.linalg.norm(a), lambda a, b: numpy.dot(a, b.T),
    lambda a, b: numpy.einsum("ij,kj->ik", a, b), lambda a, b: numpy.sort(a, axis=0), lambda a, b: numpy.exp(a),
    lambda a, b: numpy.add(a, b), lambda a, b: numpy.clip(a, 1, 3), lambda a, b: numpy.percentile(a, 30),
    lambda a, b: numpy.transpose(a), lambda a, b: numpy.reshape(a, (3, 2)), lambda a, b: numpy.pad(a, 1),
    lambda a, b: numpy.fft.fft(a).real if isinstance(a, numpy.ndarray) else a * 0 + numpy.fft.fft(a.asnumpy()).real,
    lambda a, b: numpy.float_power(a, 2), lambda a, b: numpy.real_if_close(a), lambda a, b: numpy.linalg.pinv(a),
    lambda a, b: numpy.hypot(a, 2.0), lambda a, b: numpy.unique(a),
])  # fmt: skip
def test_numpy_functions_dispatch(call):
    found = call(np.array(A), np.array(B))
    assert isinstance(found, ndarray)
    numpy.testing.assert_allclose(found.asnumpy(), call(A, B), rtol=1e-6, atol=1e-9)


def test_dispatched_functions_are_differentiable():
    x = np.array(A)
    x.attach_grad()
    with autograd.record():
        y = numpy.sum(numpy.concatenate([x, x * x]))
    y.backward()
    assert numpy.allclose(x.grad.asnumpy(), 1 + 2 * A)


def test_mixed_arithmetic_with_numpy_arrays():
    x = np.array(A)
    for y in (x + B, B + x, B * x, numpy.add(B, x), x @ B.T):
        assert isinstance(y, ndarray)
    assert numpy.allclose((B - x).asnumpy(), B - A)
    assert numpy.allclose((A.T @ x).asnumpy(), A.T @ A)
    assert isinstance(numpy.float64(2.0) * x, ndarray)


def test_ufunc_with_out_and_reduce():
    x, out = np.array(A), np.zeros((2, 3), dtype="float64")
    assert numpy.add(x, 1.0, out=out) is out and numpy.allclose(out.asnumpy(), A + 1)
    assert numpy.add.reduce(x, axis=0).tolist() == A.sum(0).tolist()


def test_asarray_shares_memory():
    x = np.array(A)
    view = numpy.asarray(x)
    view[0, 0] = 7.0
    assert x[0, 0].item() == 7.0 and numpy.asarray(x, dtype="float32").dtype == "float32"


def test_dlpack_shares_memory_both_ways():
    x = np.array(A)
    y = numpy.from_dlpack(x)
    assert numpy.shares_memory(y, x._data) and (y == A).all()
    z = np.from_dlpack(A.copy())
    assert isinstance(z, ndarray) and z.dtype == "float64" and (z.asnumpy() == A).all()
    assert (np.from_dlpack(x.to_dlpack_for_read()).asnumpy() == A).all()
    assert x.__dlpack_device__() == (1, 0)


def test_torch_takes_and_gives_arrays():
    torch = pytest.importorskip("torch")
    x = np.array(A)
    t = torch.from_dlpack(x)
    t[0, 0] = 9.0
    assert x[0, 0].item() == 9.0
    assert (np.from_dlpack(torch.ones(3)).asnumpy() == 1).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64", "bool"])
def test_pickle_and_copies(dtype):
    x = np.array(A, dtype=dtype)
    for y in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x), x.copy()):
        assert y.dtype == dtype and y.ctx == x.ctx and (y.asnumpy() == x.asnumpy()).all() and y._data is not x._data


def test_lists_of_arrays_become_arrays():
    assert numpy.array([np.ones(2), np.zeros(2)]).tolist() == [[1, 1], [0, 0]]
    assert np.array([np.array(1.0), np.array(2.0)]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name, args", [
    ("concatenate", ([np.array(A), np.array(A)],)), ("add", (np.array(A), 1.0)), ("sum", (np.array(A), 0)),
    ("median", (np.array(A), 0)),
    ("matmul", (np.array(A), np.array(A.T))), ("cumsum", (np.array(A), 0)), ("exp", (np.array(A),)), ("clip",
        (np.array(A), 0, 1)),
    ("bitwise_and", (np.array([3]), 1)), ("stack", ([np.array(A), np.array(A)],)), ("max", (np.array(A), 1)),
    ("argmax", (np.array(A), 1)),
    ("einsum", ("ij->i", np.array(A))), ("trace", (np.array(A),)), ("flip", (np.array(A),)), ("vstack",
        ([np.array(A)],)),
    ("take", (np.array(A), np.array([0, 2]), 1)), ("outer", (np.array([1.0]), np.array([2.0]))), ("around",
        (np.array(A), 1)), ("squeeze", (np.array(B),)),
])  # fmt: skip
def test_out_is_filled_and_returned(name, args):
    if name == "bitwise_and":
        args = (np.array([3], dtype="int64"), 1)
    y = getattr(np, name)(*args)
    out = np.zeros(y.shape, dtype=y.dtype)
    assert getattr(np, name)(*args, out=out) is out and (out.asnumpy() == y.asnumpy()).all()


def test_where_of_ufuncs():
    x, keep = np.array(A), np.array(A > 2)
    out = np.full((2, 3), -1.0, dtype="float64")
    assert np.exp(x, out=out, where=keep) is out
    assert numpy.allclose(out.asnumpy(), numpy.where(A > 2, numpy.exp(A), -1))
    assert (np.sqrt(x, where=keep).asnumpy()[A > 2] == numpy.sqrt(A)[A > 2]).all()
