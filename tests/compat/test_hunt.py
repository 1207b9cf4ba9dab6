"""What snippets in the manner of Gluon tutorials found when MXNet 1.9.1 and numblocks ran them side by side."""

import numpy
import pytest

import numblocks as mx
from numblocks import autograd, gluon, nd, np
from numblocks.gluon import nn


@pytest.mark.parametrize("n, parts, sizes", [
    (5, 2, [3, 2]), (7, 3, [3, 2, 2]), (8, 3, [3, 3, 2]), (10, 4, [3, 3, 2, 2]), (6, 3, [2, 2, 2]),
])  # fmt: skip
def test_uneven_splits_begin_with_the_longer_parts(n, parts, sizes):
    found = gluon.utils.split_data(nd.arange(n), parts, even_split=False)
    assert [x.shape[0] for x in found] == sizes
    assert numpy.concatenate([x.asnumpy() for x in found]).tolist() == list(range(n))


@pytest.mark.parametrize("call", [
    lambda x: nd.contrib.arange_like(x), lambda x: nd.contrib.arange_like(x, axis=1), lambda x: nd.shape_array(x),
    lambda x: nd.contrib.index_array(x), lambda x: nd.one_hot(x[0], 4), lambda x: nd.zeros_like(x),
    lambda x: nd.contrib.MultiBoxPrior(x.reshape((1, 1, 2, 2))), lambda x: nd.size_array(x), lambda x: x.argmax(),
])  # fmt: skip
def test_what_is_made_of_a_shape_has_the_class_of_its_array(call):
    y = call(nd.array([[1.0, 2.0], [3.0, 0.0]]))
    assert type(y) is nd.NDArray and y.ndim > 0


def test_a_zero_keeps_a_size_also_in_parameters_and_batches():
    net = nn.Dense(3, in_units=4)
    net.initialize()
    assert net.weight.data().reshape((0, -1)).shape == (3, 4)
    assert net.weight.data().reshape((0, 2, 2)).shape == (3, 2, 2)
    assert np.zeros((0, 3)).reshape((0, 3)).shape == (0, 3)
    with pytest.raises(mx.MXNetError):
        np.ones((2, 3)).reshape((6, 0, 0))


def test_weights_of_gluon_1_are_updated_in_place_by_hand():
    conv = nn.Conv2D(1, kernel_size=(1, 2))
    conv.initialize(mx.init.Constant(0.1))
    x = nd.ones((6, 8))
    x[:, 2:6] = 0
    y = (x[:, :-1] - x[:, 1:]).reshape((1, 1, 6, 7))
    x = x.reshape((1, 1, 6, 8))
    losses = []
    for _ in range(4):
        with autograd.record():
            loss = (conv(x) - y) ** 2
        loss.backward()
        conv.weight.data()[:] -= 3e-2 * conv.weight.grad()
        losses.append(loss.sum().asscalar())
    numpy.testing.assert_allclose(losses, [12.599999, 5.2992005, 2.259026, 0.9819201], rtol=1e-6)  # MXNet's


def test_a_clip_of_gradients_by_hand():
    w = nd.array([3.0, 4.0])
    w.attach_grad()
    with autograd.record():
        loss = (w * w).sum() / 2
    loss.backward()
    norm = nd.array([0], mx.cpu())
    norm += (w.grad**2).sum()
    norm = norm.sqrt().asscalar()
    w.grad[:] *= 1.0 / norm
    assert norm == 5 and numpy.allclose(w.grad.asnumpy(), [0.6, 0.8])
