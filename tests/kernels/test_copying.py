"""Copies by kernels are NumPy's copies: all layouts, element sizes, lengths, threads; and rows taken by index."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, np
from numblocks.kernels import build, copying

DTYPES = ["float32", "float64", "int8", "bool", "float16", "int64", "complex64", "complex128", "datetime64[s]"]


@pytest.fixture(autouse=True, scope="module")
def three_threads():
    old = build.threads()
    build.set_threads(3)
    yield
    build.set_threads(old)


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(copying, "LARGE", 1)
    monkeypatch.setattr(copying, "GRAIN", 64)


@st.composite
def arrays(draw):
    """A strided view, and the shape it has before an axis is repeated."""
    shape = draw(st.lists(st.sampled_from([1, 2, 3, 17, 70]), min_size=1, max_size=4))
    steps = [draw(st.sampled_from([1, 1, -1, 2, -3])) for _ in shape]
    x = numpy.arange(numpy.prod([n * abs(s) for n, s in zip(shape, steps, strict=True)]))
    x = x.reshape([n * abs(s) for n, s in zip(shape, steps, strict=True)]) % 100
    x = x.astype(draw(st.sampled_from(DTYPES)))
    x = x[tuple(slice(None, None, s) for s in steps)]
    return x.transpose(draw(st.permutations(range(x.ndim))))


@settings(deadline=None, max_examples=60)
@given(arrays(), st.data())
def test_copies(x, data):
    y = copying.copy(x)
    assert y.flags.c_contiguous and y.dtype == x.dtype and not numpy.shares_memory(x, y)
    numpy.testing.assert_array_equal(y, x)
    wide = numpy.zeros([n + 3 for n in x.shape], x.dtype)
    inside = tuple(slice(k, k + n) for k, n in zip((1, 2, 0, 3), x.shape, strict=False))
    want = wide.copy()
    want[inside] = x
    copying.copyto(wide[inside], x)
    numpy.testing.assert_array_equal(wide, want)
    part = x[tuple(slice(0, 1) if data.draw(st.booleans()) else slice(None) for _ in x.shape)]
    copying.copyto(y, part)
    numpy.testing.assert_array_equal(y, numpy.broadcast_to(part, x.shape))
    shape = (-1,) if data.draw(st.booleans()) else (x.shape[-1], -1)
    numpy.testing.assert_array_equal(copying.reshape(x, shape), x.reshape(shape))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from([1, 2, 5, 40]), min_size=1, max_size=3),
    st.integers(0, 50),
    st.sampled_from(DTYPES),
    st.data(),
)
def test_rows_taken(shape, count, dtype, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    x = numpy.arange(numpy.prod(shape)).reshape(shape).astype(dtype)
    index = numpy.random.default_rng(count).integers(0, shape[axis], count)
    want = x.take(index, axis)
    y = numpy.zeros_like(want)
    if copying.take(x, index, axis, y):
        numpy.testing.assert_array_equal(y, want)


@settings(deadline=None, max_examples=50)
@given(arrays(), st.integers(1, 4), st.data())
def test_arrays_joined(x, count, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    many = [x] * count + [x[(slice(None),) * (axis % x.ndim) + (slice(1),)]]
    numpy.testing.assert_array_equal(copying.join(many, axis), numpy.concatenate(many, axis))
    numpy.testing.assert_array_equal(copying.join([x] * count, axis, True), numpy.stack([x] * count, axis))


def test_arrays_that_do_not_join():
    a, b = numpy.zeros((3, 40)), numpy.zeros((3, 1))
    cases = ([a, b], 0, False), ([a, b], 0, True), ([a, a], 2, False), ([a, a], 3, True), ([a, a[0]], 0, False)
    for xs, axis, new in cases:
        with pytest.raises(ValueError):
            copying.join(xs, axis, new)
    with pytest.raises(Exception, match="must agree"):
        np.concatenate([np.zeros((300, 400)), np.zeros((300, 1))], 0)


def test_odd_ones_are_numpy_s():
    for x in (numpy.array([None, "a", 3], object), numpy.zeros((3, 2), "S3"), numpy.zeros((0, 4)), numpy.array(5.0)):
        numpy.testing.assert_array_equal(copying.copy(x), x)
    packed = numpy.zeros(30, [("a", "u1"), ("b", "<f4")])
    packed["b"] = numpy.arange(30)
    numpy.testing.assert_array_equal(copying.copy(packed["b"]), numpy.arange(30))  # neither aligned nor whole strides
    y = numpy.zeros(4)
    copying.copyto(y, numpy.arange(4))  # int64 to float64
    assert y.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("n", [3, 200, 2100])
def test_the_functions_that_copy(n):
    """Around the real thresholds, too: these are asked for at import."""
    a, b = numpy.random.default_rng(0).standard_normal((2, n, 65)).astype("float32")
    x, y = np.array(a), np.array(b)
    x.attach_grad()
    for axis in (0, 1):
        numpy.testing.assert_array_equal(np.concatenate([x, y, x], axis)._data, numpy.concatenate([a, b, a], axis))
        numpy.testing.assert_array_equal(np.stack([x, y], axis)._data, numpy.stack([a, b], axis))
        numpy.testing.assert_array_equal(np.flip(x, axis).copy()._data, numpy.flip(a, axis))
    numpy.testing.assert_array_equal(np.tile(x, (2, 3))._data, numpy.tile(a, (2, 3)))
    numpy.testing.assert_array_equal(np.pad(x, ((1, 2), (0, 3)))._data, numpy.pad(a, ((1, 2), (0, 3))))
    numpy.testing.assert_array_equal(x.T.copy()._data, a.T)
    numpy.testing.assert_array_equal(x.T.reshape((-1,))._data, a.T.reshape(-1))
    index = numpy.random.default_rng(1).integers(-n, n, (5, n))
    numpy.testing.assert_array_equal(np.take(x, np.array(index, dtype="int64"), axis=0)._data, a.take(index, 0))
    numpy.testing.assert_array_equal(
        np.concatenate([x, np.array(b.astype("float64"))])._data, numpy.concatenate([a, b.astype("float64")])
    )
    with autograd.record():
        z = (np.concatenate([x.T.copy(), y.T], 1) * 2).sum()
    z.backward()
    numpy.testing.assert_array_equal(x.grad._data, 2)


@pytest.mark.parametrize("n", [20, 300])
def test_padding(n, monkeypatch):
    monkeypatch.setattr(copying, "LARGE", 1 << 16)  # one is below, one above
    a = numpy.random.default_rng(0).standard_normal((n, n)).astype("float32")
    for widths in (1, (2, 0), ((0, 0), (3, 1))):
        for value in (0, 0.0, 2.5, -1, numpy.nan):
            found = np.pad(np.array(a), widths, constant_values=value)._data
            numpy.testing.assert_array_equal(found, numpy.pad(a, widths, constant_values=value))
    x = np.array(a)
    x.attach_grad()
    with autograd.record():
        y = np.pad(x, 1).sum()
    y.backward()
    assert (x.grad._data == 1).all()
    with pytest.raises(ValueError):
        np.pad(x, ((1, 2, 3), (1, 2, 3)))
