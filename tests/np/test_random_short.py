"""Draws by the short way are those of the long one: numbers, streams, dtypes, devices."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import numblocks as mx
from numblocks import autograd, gluon, np
from numblocks.ops import random as rnd
from numblocks.shortcut import concrete

SHAPES = st.lists(st.integers(0, 40), max_size=3).map(tuple)


def long_way(call):
    """What `call()` gives while no op takes its short way."""
    concrete.enable(False)
    try:
        return call()
    finally:
        concrete.enable(True)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**63), SHAPES, st.sampled_from(["float32", "float64", "float16"]), st.booleans())
def test_numbers_and_streams(seed, shape, dtype, normal):
    def drawn():
        mx.random.seed(seed)
        op = rnd.normal01 if normal else rnd.uniform01
        found = [rnd.draw(op, shape, dtype) for _ in range(3)]
        assert [x.shape for x in found] == [shape] * 3 and {x.dtype.name for x in found} == {dtype}
        return [x._data.tobytes() for x in found], rnd.generator.stream

    assert drawn() == long_way(drawn)


def test_large_draws_go_on_where_small_ones_end():
    def drawn():
        mx.random.seed(3)
        return [np.random.normal(size=n).asnumpy().tobytes() for n in (10, 300_000, 7)]

    assert drawn() == long_way(drawn)


@pytest.mark.parametrize("n", [1, 7, 255, 256, 1000])
def test_hybridized_draws_are_eager_ones(n):
    class Noisy(gluon.HybridBlock):
        def forward(self, x):
            return x + np.random.normal(size=x.shape) + np.random.uniform(size=x.shape)

    found = []
    for hybrid in (False, True):
        net = Noisy()
        if hybrid:
            net.hybridize()
        mx.random.seed(11)
        found.append([net(np.zeros(n)).asnumpy() for _ in range(2)])
    numpy.testing.assert_array_equal(*found)


def test_shapes_and_parameters_as_before():
    mx.random.seed(1)
    for size, shape in (((2, 3), (2, 3)), ([2, 3], (2, 3)), (4, (4,)), (None, ()), (numpy.int64(3), (3,))):
        assert np.random.uniform(size=size).shape == shape
    assert np.random.uniform(np.zeros(3), 1.0).shape == (3,)
    low = np.array([1.0, 2.0])
    low.attach_grad()
    with autograd.record():
        y = np.random.uniform(low, 3.0)
    y.backward()
    assert y.shape == (2,) and (low.grad.asnumpy() > 0).all()
    with mx.cpu(1):
        assert np.random.normal(size=2).ctx == mx.cpu(1)
    assert np.random.normal(size=2, ctx=mx.cpu(2)).ctx == mx.cpu(2)
    with pytest.raises(ValueError):
        np.random.uniform(size=(-1,))
