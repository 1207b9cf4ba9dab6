"""Reductions on both sides of the sizes from which kernels do them: NumPy's answers, whatever the layout."""

import numpy
import pytest

from numblocks import autograd, cpu, np, npx
from numblocks.array import wrap
from numblocks.kernels import build, loops, rows

SHAPES = [(63, 65), (64, 128), (91, 90), (90, 91), (128, 256), (127, 259), (4, 3000), (9000, 2), (3, 50, 60), (32768,)]


@pytest.fixture(autouse=True, scope="module")
def two_threads():
    old = build.threads()
    build.set_threads(2)
    yield
    build.set_threads(old)


def layouts(x):
    yield x
    yield numpy.asfortranarray(x)
    yield numpy.repeat(x, 2, axis=-1)[..., ::2]
    yield x[::-1]


@pytest.mark.parametrize("how", ["sum", "prod", "max", "min", "mean", "var"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_as_numpy(shape, dtype, how):
    x = 1 + 0.01 * numpy.random.default_rng(0).standard_normal(shape).astype(dtype)
    axes = [None, *range(x.ndim), *([(0, 1), (1, 2), (0, 2)] if x.ndim == 3 else [])]
    for y in layouts(x):
        for axis in axes:
            for keepdims in (False, True):
                found = getattr(wrap(y, cpu(0)), how)(axis=axis, keepdims=keepdims)._data
                want = getattr(y.astype("f8"), how)(axis=axis, keepdims=keepdims)
                assert found.shape == want.shape and found.dtype == dtype and type(found) is numpy.ndarray
                tight = 1e-5 if dtype == "float32" else 1e-9
                numpy.testing.assert_allclose(found, want, rtol=1e-3 if how == "var" else 10 * tight)


@pytest.mark.parametrize("shape", [(100, 90), (300, 200), (2, 6000)])
def test_special_values(shape):
    x = numpy.random.default_rng(1).standard_normal(shape).astype("float32")
    x[0, 3], x[1, 7], x[-1, -1] = numpy.nan, numpy.inf, -numpy.inf
    with numpy.errstate(all="ignore"):
        for how in ("sum", "max", "min"):
            for axis in (None, 0, 1):
                numpy.testing.assert_allclose(getattr(np.array(x), how)(axis=axis)._data, getattr(x, how)(axis=axis),
                                              rtol=1e-4, atol=1e-4)  # fmt: skip
    zeros = -numpy.zeros(shape, "float32")
    assert numpy.signbit(np.array(zeros).max(axis=1)._data).all()
    assert (np.array(zeros).sum(axis=1)._data == 0).all()


def test_nothing_to_reduce():
    empty = np.zeros((0, 9000))
    assert empty.sum(axis=0).shape == (9000,) and float(empty.sum()) == 0 and float(empty.prod()) == 1
    assert np.zeros((9000, 0)).sum(axis=1).shape == (9000,)
    with pytest.raises(ValueError):
        empty.max()


def test_gradients_of_medium_reductions():
    x = np.array(numpy.random.default_rng(2).uniform(1, 1.01, (40, 300)).astype("float32"))
    x.attach_grad()
    for how, want in (("sum", 1.0), ("mean", 1 / 300)):
        with autograd.record():
            y = getattr(x, how)(axis=1)
        y.backward()
        numpy.testing.assert_allclose(x.grad._data, want, rtol=1e-6)
    with autograd.record():
        y = x.prod(axis=1)
    y.backward()
    numpy.testing.assert_allclose(x.grad._data, y._data[:, None] / x._data, rtol=1e-4)


@pytest.mark.parametrize("f", [npx.softmax, npx.log_softmax], ids=["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", [(16, 255), (64, 65), (256, 256), (3, 5000), (4, 20, 70)], ids=str)
def test_softmax(f, shape):
    x = numpy.random.default_rng(3).standard_normal(shape).astype("float32") * 5
    x.flat[1] = -numpy.inf
    for axis in range(x.ndim):
        e = numpy.exp(x.astype("f8") - x.max(axis, keepdims=True))
        want = e / e.sum(axis, keepdims=True)
        with numpy.errstate(divide="ignore"):
            want = want if f is npx.softmax else numpy.log(want)
        numpy.testing.assert_allclose(f(np.array(x), axis=axis)._data, want, rtol=1e-4, atol=1e-6)


def test_softmax_in_place_of_its_operand():
    x = numpy.random.default_rng(4).standard_normal((60, 130)).astype("float32")
    want = rows.softmax(x, axis=1)
    launch = rows._prepare(rows._softmax, {"x": x}, x, (1,), ())
    assert isinstance(launch, loops.Prepared)
    launch.run((x, x))
    numpy.testing.assert_array_equal(x, want)
