"""Elements by index against NumPy, out-of-range modes, gradients, errors."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, np
from numblocks.base import MXNetError
from numblocks.kernels import build, gathering
from numblocks.ops import index as ix

quick = settings(deadline=None, max_examples=60)
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@quick
@given(
    st.data(),
    shapes,
    st.lists(st.integers(0, 4), max_size=3).map(tuple),
    st.sampled_from(["raise", "clip", "wrap"]),
)
def test_take_and_its_transpose(data, shape, index_shape, mode):
    axis = data.draw(st.integers(0, len(shape) - 1))
    rng = numpy.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = shape[axis]
    x = rng.standard_normal(shape)
    index = rng.integers(-n, n, index_shape) if mode == "raise" else rng.integers(-3 * n, 3 * n, index_shape)
    dtype = data.draw(st.sampled_from(["int8", "int32", "int64", "float32"]))
    y = ix.take(np.array(x), np.array(numpy.asarray(index, dtype)), axis=axis, mode=mode).asnumpy()
    assert (y == numpy.take(x, index, axis, mode=mode)).all() and y.shape == (
        *shape[:axis],
        *index_shape,
        *shape[axis + 1 :],
    )
    g = rng.standard_normal(y.shape)
    back = ix.scatter_add(np.array(g), np.array(numpy.asarray(index)), axis=axis, size=n, mode=mode).asnumpy()
    assert back.shape == shape and numpy.isclose((back * x).sum(), (g * y).sum())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("threads", [1, 3])
def test_large_sums(dtype, axis, threads):
    rng = numpy.random.default_rng(0)
    shape, n = ((900, 40), 70) if axis == 0 else ((3, 5000, 7), 2000)
    g, index = rng.standard_normal(shape).astype(dtype), rng.integers(0, n, shape[axis])
    want = numpy.zeros((*shape[:axis], n, *shape[axis + 1 :]), dtype)
    numpy.add.at(want, (slice(None),) * axis + (index,), g)
    before = build.threads()
    try:
        build.set_threads(threads)
        assert (ix.scatter_add.run(g, index, axis=axis, size=n) == want).all()
    finally:
        build.set_threads(before)


def test_large_sums_of_nothing():
    out = numpy.ones((9000, 3), "f4")
    assert (gathering.add(numpy.zeros((0, 3), "f4"), numpy.zeros(0, "i8"), out, 0) == 0).all()


@quick
@given(st.data(), shapes, st.booleans(), st.sampled_from(["raise", "clip", "wrap"]))
def test_pick_and_its_transpose(data, shape, keepdims, mode):
    axis = data.draw(st.integers(0, len(shape) - 1))
    rng = numpy.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n, kept = shape[axis], (*shape[:axis], 1, *shape[axis + 1 :])
    x = rng.standard_normal(shape)
    index = rng.integers(-n, n, kept) if mode == "raise" else rng.integers(-3 * n, 3 * n, kept)
    places = {"raise": index % n, "clip": index.clip(0, n - 1), "wrap": index % n}[mode]
    given_index = index if data.draw(st.booleans()) else index.squeeze(axis)
    a = np.array(x)
    a.attach_grad()
    with autograd.record():
        y = ix.pick(a, np.array(given_index.astype("float32")), axis=axis, mode=mode, keepdims=keepdims)
    want = numpy.take_along_axis(x, places, axis)
    assert (y.asnumpy() == (want if keepdims else want.squeeze(axis))).all()
    g = rng.standard_normal(y.shape)
    y.backward(np.array(g))
    full = numpy.zeros(shape)
    numpy.put_along_axis(full, places, g.reshape(kept), axis)
    assert (a.grad.asnumpy() == full).all()


def test_embedding_gradient_and_second_order():
    weight, words = np.array(numpy.arange(12.0).reshape(4, 3)), np.array([[0, 2], [2, 2]])
    weight.attach_grad()
    with autograd.record():
        rows = ix.take(weight, words, axis=0)
        loss = (rows * rows).sum()
    loss.backward()
    assert numpy.allclose(weight.grad.asnumpy(), 2 * weight.asnumpy() * numpy.array([[1], [0], [3], [0]]))
    g = np.array(numpy.ones((2, 2, 3)))
    g.attach_grad()
    with autograd.record():
        total = (ix.scatter_add(g, words, axis=0, size=4) * weight).sum()
    total.backward()
    assert (g.grad.asnumpy() == weight.asnumpy()[words.asnumpy().astype(int)]).all()


def test_out_is_filled():
    x, index = numpy.arange(6.0).reshape(3, 2), numpy.array([2, 0])
    out = numpy.empty((2, 2))
    assert ix.take.run(x, index, axis=0, out=out) is out and out.tolist() == [[4, 5], [0, 1]]
    out = numpy.full((3, 2), 7.0)
    assert ix.scatter_add.run(x[:2], index, axis=0, size=3, out=out) is out and out.tolist() == [
        [2, 3],
        [0, 0],
        [0, 1],
    ]
    out = numpy.full((3, 2), 7.0)
    assert ix.pick_grad.run(x[2], index, axis=0, shape=(3, 2), out=out) is out
    assert out.tolist() == [[0, 5], [0, 0], [4, 0]]
    half = ix.scatter_add.run(numpy.ones((3, 2), "f2"), numpy.array([0, 0, 1]), axis=0, size=2)
    assert half.dtype == "f2" and half.tolist() == [[2, 2], [1, 1]]


def test_errors_name_index_and_size():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(IndexError, match=r"take: index 5 is out of bounds for axis of size 2"):
        ix.take(x, np.array([0, 5]))
    with pytest.raises(IndexError, match=r"index -3"):
        ix.take(x, np.array([-3, 0]))
    with pytest.raises(IndexError, match=r"pick: index 2 "):
        ix.pick(x, np.array([0, 2]), axis=1, mode="raise")
    with pytest.raises(ValueError, match=r"pick: index 0\.5 .* whole"):
        ix.pick(x, np.array([0, 0.5]), axis=1)
    with pytest.raises(ValueError, match=r"take: index nan"):
        ix.take(x, np.array([0, float("nan")]))
    with pytest.raises(MXNetError, match=r"pick: data has shape \(2, 2\) and index \(3,\)"):
        ix.pick(x, np.array([0, 1, 0]), axis=1)
    with pytest.raises(MXNetError, match=r"scatter_add: values have shape"):
        ix.scatter_add(x, np.array([0, 1, 0]), axis=0, size=3)
    with pytest.raises(ValueError, match="mode 'reflect'"):
        ix.take(x, np.array([0]), mode="reflect")
    with pytest.raises(IndexError, match="axis of size 0"):
        ix.take(np.zeros((0, 2)), np.array([0]), mode="clip")
