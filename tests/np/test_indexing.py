"""x[key] and x[key] = value against NumPy: views, gathers, masks, gradients, hybridized, errors."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from programs import Function, hybrid
from strategies import basic_keys, shapes

from numblocks import autograd, np
from numblocks.errors import MXNetError


def counting(shape, dtype="float64"):
    return numpy.arange(1, numpy.prod(shape) + 1, dtype=dtype).reshape(shape)


@given(st.data())
def test_basic_keys_are_views(data):
    shape = data.draw(shapes())
    key, x = data.draw(basic_keys(shape)), counting(shape)
    y = np.array(x)
    found = y[key]
    assert found.shape == x[key].shape and (found.asnumpy() == x[key]).all() and found.dtype == x.dtype
    if found.size and found.ndim:
        assert numpy.shares_memory(numpy.asarray(y), numpy.asarray(found))


@st.composite
def keys(draw, shape):
    """Any key NumPy takes: basic parts, integer arrays and lists, masks."""
    kind = draw(st.sampled_from(["basic", "arrays", "mask", "mixed"]))
    if kind == "basic" or not shape or 0 in shape:
        return draw(basic_keys(shape))
    if kind == "mask":
        part = shape[: draw(st.integers(1, len(shape)))]
        return draw(hnp.arrays(bool, part))
    index = lambda n, s: draw(hnp.arrays("int64", s, elements=st.integers(-n, n - 1)))
    if kind == "arrays":
        size = draw(shapes(0, 2, largest=3))
        return tuple(index(n, size) for n in shape[: draw(st.integers(1, len(shape)))])
    parts = [draw(st.sampled_from([slice(None), slice(None, None, -1), "a", 0])) for _ in shape]
    size = draw(st.integers(0, 3))
    return tuple(index(n, size) if isinstance(p, str) else p for p, n in zip(parts, shape, strict=True))


def ours(key):
    """The same key with ndarrays for NumPy arrays."""
    if isinstance(key, tuple):
        return tuple(ours(k) for k in key)
    return np.array(key) if isinstance(key, numpy.ndarray) else key


@given(st.data())
def test_reading_writing_and_the_gradient(data):
    shape = data.draw(shapes())
    key, x = data.draw(keys(shape)), counting(shape)
    wanted = x[key]
    for k in (key, ours(key)):
        assert numpy.array_equal(np.array(x)[k].asnumpy(), wanted) and np.array(x)[k].shape == numpy.shape(wanted)
    y = np.array(x)
    y.attach_grad()
    with autograd.record():
        z = (y[ours(key)] ** 2).sum()
    z.backward()
    slope = numpy.zeros_like(x)
    numpy.add.at(slope, key, 2 * wanted)
    assert numpy.allclose(y.grad.asnumpy(), slope)
    x2, y2 = x.copy(), np.array(x)
    x2[key] = -1
    y2[ours(key)] = -1
    assert (y2.asnumpy() == x2).all()
    x2[key] = wanted * 3
    y2[ours(key)] = np.array(wanted * 3)
    if not isinstance(key, tuple) or not any(isinstance(k, numpy.ndarray) for k in key):  # else repeated places race
        assert (y2.asnumpy() == x2).all()


@given(st.data())
def test_hybridized(data):
    shape = data.draw(shapes())
    key, x = data.draw(keys(shape)), counting(shape)
    found = []
    block = Function(lambda x: x[ours(key)] * 2)
    for hybridize in (False, True):
        block.hybridize(hybridize)
        y = np.array(x)
        y.attach_grad()
        with autograd.record():
            z = block(y)
        z.backward()
        found.append([z.asnumpy(), y.grad.asnumpy()])
    assert all(a.shape == b.shape and (a == b).all() for a, b in zip(*found, strict=True))


def test_an_index_that_is_an_argument():
    x, i = np.array(counting((4, 3))), np.array([2, 0, 2], dtype="int64")
    block = hybrid(lambda x, i: x[i])
    assert (block(x, i).asnumpy() == x.asnumpy()[[2, 0, 2]]).all()
    assert (block(x, np.array([1, 1, -1], dtype="int64")).asnumpy() == x.asnumpy()[[1, 1, -1]]).all()
    with pytest.raises(IndexError):
        block(x, np.array([0, 0, 9], dtype="int64"))


def test_views_write_through():
    x = np.zeros((3, 4))
    x[1][2] = 5
    x[:, 0] += 1
    x.T[3] = np.array([1.0, 2.0, 3.0])
    assert x.tolist() == [[1, 0, 0, 1], [1, 0, 5, 2], [1, 0, 0, 3]]


def test_lists_ranges_and_numbers():
    x = np.array(counting((5,)))
    assert (
        x[[0, 2]].tolist() == [1, 3]
        and x[range(2)].tolist() == [1, 2]
        and x[[True, False, True, False, False]].tolist() == [1, 3]
    )
    assert x[numpy.int64(1)].item() == 2 and x[np.array(1, dtype="int64")].item() == 2 and x[[]].shape == (0,)
    assert x[np.array([1.0, 3.0])].tolist() == [2, 4]  # whole-numbered floats, as Gluon's labels are


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (5, IndexError, "out of bounds"),
        ((0, 0), IndexError, "too many indices"),
        ("a", IndexError, "cannot index"),
        ([0, 9], IndexError, "out of bounds"),
        (np.array([0.5]), IndexError, "whole"),
        (np.array([float("nan")]), IndexError, "whole"),
        (1.5, IndexError, "cannot index"),
    ],
)
def test_bad_keys(key, error, words):
    with pytest.raises(error, match=words) as caught:
        np.array(counting((3,)))[key]
    assert "(3,)" in str(caught.value) or "index" in str(caught.value)


def test_bad_writes_leave_the_array_alone():
    x = np.array(counting((3, 2)))
    before = x.asnumpy()
    with pytest.raises(ValueError, match=r"broadcast.*\(3, 2\)|\(3, 2\).*broadcast"):
        x[:] = np.ones((4, 2))
    with pytest.raises(IndexError, match="out of bounds"):
        x[7] = 1
    x.attach_grad()
    with autograd.record(), pytest.raises(MXNetError, match="in place"):
        x[0] = 1
    assert (x.asnumpy() == before).all()


def test_take():
    x = np.array(counting((3, 4)))
    assert (np.take(x, np.array([0, 2]), axis=1).asnumpy() == x.asnumpy()[:, [0, 2]]).all()
    assert np.take(x, np.array([100]), mode="clip").item() == 12 and np.take(x, np.array([13]), mode="wrap").item() == 2
    with pytest.raises(IndexError):
        np.take(x, np.array([100]), mode="raise")


def test_length_and_iteration():
    x = np.array(counting((3, 2)))
    assert len(x) == 3 and [row.tolist() for row in x] == x.tolist()
    for bad in (lambda: len(np.array(1.0)), lambda: list(np.array(1.0))):
        with pytest.raises(TypeError, match="0-d"):
            bad()
