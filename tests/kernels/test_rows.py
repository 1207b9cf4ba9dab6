"""Row kernels against NumPy in float64: layouts, axes, special values, and what they refuse."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, np, npx
from numblocks.kernels import rows


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(rows, "REDUCED", 1)


@st.composite
def arrays(draw):
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 16, 33]), min_size=1, max_size=4))
    axis = draw(st.integers(0, len(shape) - 1))
    x = numpy.random.default_rng(draw(st.integers(0, 99))).standard_normal(shape) * 3
    x = x.astype(draw(st.sampled_from(["float32", "float64"])))
    order = draw(st.permutations(range(x.ndim)))
    back = numpy.argsort(order)
    return numpy.ascontiguousarray(x.transpose(order)).transpose(back), axis  # any order of axes in memory


def near(found, want, x):
    numpy.testing.assert_allclose(found, want, rtol=2e-5 if x.dtype == "float32" else 1e-10, atol=1e-6)


@settings(deadline=None, max_examples=80)
@given(arrays(), st.sampled_from(["sum", "prod", "max", "min"]), st.booleans())
def test_reductions(drawn, how, keepdims):
    x, axis = drawn
    found = rows.reduce(x, how, (axis,), keepdims)
    if found is not None:
        near(found, getattr(numpy, how)(x.astype("f8"), axis, keepdims=keepdims), x)
    whole = rows.reduce(x, how, tuple(range(x.ndim)), keepdims)
    if whole is not None:
        near(whole, getattr(numpy, how)(x.astype("f8"), keepdims=keepdims).astype(x.dtype), x)


@settings(deadline=None, max_examples=80)
@given(arrays(), st.sampled_from(["sum", "prod", "max", "min"]), st.data())
def test_several_axes_some_of_length_1(drawn, how, data):
    x, _ = drawn
    axis = tuple(sorted(data.draw(st.sets(st.integers(0, x.ndim - 1), min_size=1))))
    found = rows.reduce(x, how, axis, False)
    if found is not None:
        near(found, getattr(numpy, how)(x.astype("f8"), axis), x)
    found = rows.variance(x, axis=axis, keepdims=True, ddof=0)
    if found is not None:
        near(found, x.astype("f8").var(axis, keepdims=True), x)


def test_a_large_array_is_reduced_as_a_whole_and_keeps_nan():
    x = numpy.random.default_rng(0).standard_normal((64, 64)).astype("float32")
    assert rows.reduce(x, "max", (0, 1), False) == x.max()
    x[3, 5] = numpy.nan
    assert numpy.isnan(rows.reduce(x, "max", (0, 1), False))
    assert numpy.isnan(rows.reduce(x, "min", (1,), False)).tolist() == [k == 3 for k in range(64)]


@settings(deadline=None, max_examples=80)
@given(arrays())
def test_softmax_and_its_gradient(drawn):
    x, axis = drawn
    e = numpy.exp(x.astype("f8") - x.max(axis, keepdims=True))
    want = e / e.sum(axis, keepdims=True)
    y = rows.softmax(x, axis=axis)
    near(y, want, x)
    near(rows.log_softmax(x, axis=axis), numpy.log(want), x)
    g = numpy.cos(x)
    near(rows.softmax_back(g, y, axis=axis), want * (g - (g * want).sum(axis, keepdims=True)), x)
    logs = numpy.log(want).astype(x.dtype)
    near(rows.log_softmax_back(g, logs, axis=axis), g - want * g.sum(axis, keepdims=True), x)


@settings(deadline=None, max_examples=40)
@given(arrays())
def test_layer_norm(drawn):
    x, axis = drawn
    gamma, beta = (numpy.linspace(a, b, x.shape[axis], dtype=x.dtype) for a, b in ((0.5, 2), (-1, 1)))
    tail = (1,) * (x.ndim - axis - 1)
    wide = x.astype("f8")
    z = (wide - wide.mean(axis, keepdims=True)) / numpy.sqrt(wide.var(axis, keepdims=True) + 1e-3)
    want = z * gamma.reshape(-1, *tail) + beta.reshape(-1, *tail)
    numpy.testing.assert_allclose(rows.layer_norm(x, gamma, beta, axis=axis, eps=1e-3), want, rtol=1e-4, atol=1e-4)


def test_other_dtypes_are_left_to_others():
    assert rows.softmax(numpy.ones((3, 3), "float16"), axis=1) is None
    assert rows.reduce(numpy.ones((3, 3), "int64"), "max", (1,), False) is None
    assert rows.reduce(numpy.ones((3, 3)), "any", (1,), False) is None


def test_eager_ops_use_them_and_differentiate_twice():
    x = np.array(numpy.random.default_rng(0).standard_normal((7, 9)))
    x.attach_grad()
    with autograd.record():
        y = (npx.softmax(x, axis=1) ** 2).sum()
        (dx,) = autograd.grad(y, [x], create_graph=True, retain_graph=True)
        z = (dx * dx).sum()
    z.backward()
    step, numeric = 1e-6, numpy.zeros((7, 9))
    for i in range(7):
        for j in range(9):
            values = []
            for sign in (1, -1):
                moved = x.asnumpy().copy()
                moved[i, j] += sign * step
                e = numpy.exp(moved)
                p = e / e.sum(1, keepdims=True)
                d = p * (2 * p - (2 * p * p).sum(1, keepdims=True))
                values.append((d * d).sum())
            numeric[i, j] = (values[0] - values[1]) / (2 * step)
    numpy.testing.assert_allclose(x.grad.asnumpy(), numeric, rtol=1e-4, atol=1e-8)


@settings(deadline=None, max_examples=40)
@given(arrays(), st.integers(0, 2), st.booleans())
def test_variance(drawn, ddof, keepdims):
    x, axis = drawn
    found = rows.variance(x, axis=(axis,), keepdims=keepdims, ddof=ddof)
    if found is None:
        assert x.size // x.shape[axis] < rows.PARTS or x.shape[axis] <= ddof
    else:
        near(found, x.astype("f8").var(axis, keepdims=keepdims, ddof=ddof), x)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 70), st.sampled_from([1, 2, 16, 20, 33, 700, 2048, 2049]), st.sampled_from(["f4", "f8"]))
def test_staged_rows_give_the_same_bits(count, n, dtype):
    x = numpy.random.default_rng(0).standard_normal((count, n)).astype(dtype) * 20
    x[numpy.random.default_rng(1).random(x.shape) < 0.02] = -numpy.inf
    if count > 3:
        x[1, n // 2], x[2] = numpy.nan, -numpy.inf
    for f in (rows.softmax, rows.log_softmax):
        y, before = f(x, axis=1), rows.SMALL
        rows.SMALL = 0
        try:
            numpy.testing.assert_array_equal(y.view("u" + dtype[1:]), f(x, axis=1).view("u" + dtype[1:]))
        finally:
            rows.SMALL = before
