"""What is special to `mx.nd`: outputs with a loss built in, reshape codes, in-place updates, `out=` and `exclude=`."""

import numpy
import pytest

from numblocks import autograd, nd, np


def gradient(function, x):
    x = nd.array(x)
    x.attach_grad()
    with autograd.record():
        y = function(x)
    y.backward()
    return y.asnumpy(), x.grad.asnumpy()


X = numpy.random.default_rng(0).standard_normal((4, 3)).astype("f4")
LABEL = numpy.array([0, 2, 1, 2], "f4")


def softmax(x):
    e = numpy.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_softmax_output():
    y, g = gradient(lambda x: nd.SoftmaxOutput(x, nd.array(LABEL)), X)
    wanted = softmax(X) - numpy.eye(3)[LABEL.astype(int)]
    numpy.testing.assert_allclose(y, softmax(X), rtol=1e-5)
    numpy.testing.assert_allclose(g, wanted, rtol=1e-4, atol=1e-6)
    _, g = gradient(lambda x: nd.SoftmaxOutput(x, nd.array(LABEL), use_ignore=True, ignore_label=2,
        normalization="batch"), X)
    numpy.testing.assert_allclose(g, wanted * (LABEL != 2)[:, None] / 4, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name,forward,slope", [
    ("LinearRegressionOutput", lambda x: x, lambda y, t: y - t),
    ("LogisticRegressionOutput", lambda x: 1 / (1 + numpy.exp(-x)), lambda y, t: y - t),
    ("MAERegressionOutput", lambda x: x, lambda y, t: numpy.sign(y - t)),
])  # fmt: skip
def test_regression_outputs(name, forward, slope):
    target = X[::-1] > 0
    y, g = gradient(lambda x: getattr(nd, name)(x, nd.array(target)), X)
    numpy.testing.assert_allclose(y, forward(X), rtol=1e-5)
    numpy.testing.assert_allclose(g, slope(forward(X), target) / 3, rtol=1e-4, atol=1e-6)


def test_make_loss_and_block_grad():
    assert (gradient(lambda x: nd.MakeLoss(x * 2, grad_scale=3), X)[1] == 6).all()
    assert nd.BlockGrad(nd.array(X))._node is None


def test_reductions_take_exclude_and_never_give_0d():
    x = nd.array(X)
    assert nd.sum(x, axis=0, exclude=True).shape == (4,) and nd.sum(x).shape == (1,)
    assert nd.mean(x, axis=1).shape == (4,) and nd.max(x, axis=(0, 1), keepdims=True).shape == (1, 1)


def test_out_is_written():
    x, y = nd.array(X), nd.zeros((3, 4))
    assert nd.reshape(x, (3, -1), out=y) is y and (y.asnumpy() == X.reshape(3, 4)).all()
    assert x.reshape((0, 1, -1)).shape == (4, 1, 3) and x.reshape(-3).shape == (12,)


def test_updates_in_place():
    w, g, m = nd.ones((2,)), nd.array([1.0, 2.0]), nd.zeros((2,))
    nd.sgd_mom_update(w, g, m, lr=0.1, momentum=0.9, out=w)
    numpy.testing.assert_allclose(w.asnumpy(), [0.9, 0.8], rtol=1e-6)
    nd.sgd_mom_update(w, g, m, lr=0.1, momentum=0.9, out=w)
    numpy.testing.assert_allclose(w.asnumpy(), [0.71, 0.42], rtol=1e-6)
    mean, var = nd.zeros((2,)), nd.zeros((2,))
    nd.adam_update(w, g, mean, var, lr=0.1, out=w)
    numpy.testing.assert_allclose(mean.asnumpy(), [0.1, 0.2], rtol=1e-5)


def test_straight_through_and_gradient_multiplier():
    assert (gradient(nd.contrib.round_ste, X)[1] == 1).all()
    assert (gradient(lambda x: nd.contrib.gradientmultiplier(x, -2.0), X)[1] == -2).all()


def test_draws_for_each_parameter():
    mu = nd.array([0.0, 100.0])
    y = nd.sample_normal(mu, nd.ones((2,)), shape=500).asnumpy()
    assert y.shape == (2, 500) and abs(y.mean(1) - mu.asnumpy()).max() < 0.3
    counts, logs = nd.sample_multinomial(nd.array([[0.2, 0.8], [1.0, 0.0]]), shape=400, get_prob=True)
    assert abs(counts.asnumpy()[0].mean() - 0.8) < 0.1 and (counts.asnumpy()[1] == 0).all() and logs.shape == (2, 400)


def test_images():
    x = nd.array(numpy.arange(24).reshape(2, 4, 3), dtype="uint8")
    assert nd.image.to_tensor(x).shape == (3, 2, 4) and nd.image.resize(x, (8, 4)).shape == (4, 8, 3)
    assert (nd.image.flip_left_right(x).asnumpy() == x.asnumpy()[:, ::-1]).all()
    assert nd.image.crop(x, 1, 0, 2, 2).shape == (2, 2, 3) and nd.image.random_hue(x, -0.1, 0.1).dtype == "uint8"


def test_np_arrays_have_the_methods_of_gluon_1():
    # Datasets and Parameters give np arrays; code of Gluon 1.x calls these on them.
    x = np.array(X)
    numpy.testing.assert_allclose(x.softmax().asnumpy(), softmax(X), rtol=1e-5)
    assert type(x.softmax(axis=0)) is np.ndarray and x.softmax().log().ndim == 2
    assert x.pick(np.array(LABEL)).shape == (4,) and np.array(LABEL).one_hot(3).shape == (4, 3)
    assert x.topk(k=2, axis=1).tolist() == numpy.argsort(-X, axis=1)[:, :2].tolist()
    assert (x.slice(begin=(1, 0), end=(3, 2)).asnumpy() == X[1:3, :2]).all()
    assert (x.relu().asnumpy() == numpy.maximum(X, 0)).all() and x.tostype("default") is x
