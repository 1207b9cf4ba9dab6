"""Arguments by the names and in the places that MXNet 1.9 has them; `out=` of operators; what its defaults mean."""

import math

import numpy
import pytest

from numblocks import autograd, nd, np, npx

X = numpy.random.default_rng(3).normal(size=(2, 3)).astype("float32")


def close(a, b):
    numpy.testing.assert_allclose(a.asnumpy(), numpy.asarray(b), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("call, like", [
    ("npx.relu(data=x)", "x * (x > 0)"), ("npx.sigmoid(data=x)", "1 / (1 + np.exp(-x))"),
    ("npx.one_hot(indices=i, depth=4)", "np.eye(4)[i.astype('int64')]"),
    ("npx.batch_dot(lhs=x[None], rhs=x[None], transpose_b=True)", "(x @ x.T)[None]"),
    ("npx.fully_connected(data=x, weight=x, num_hidden=2, no_bias=True)", "x @ x.T"),
    ("npx.pick(x, i, 1, True)", "x[np.arange(2), i.astype('int64')].reshape(2, 1)"),
    ("npx.pick(x, i, 1, 'clip')", "x[np.arange(2), i.astype('int64')]"),
    ("npx.softmax(x, length=i, use_length=True)", "npx.softmax(x, i, use_length=True)"),
    ("np.max(x, 1, True)", "np.max(x, axis=1, keepdims=True)"), ("np.add(x1=x, x2=x)", "x + x"),
    ("np.sum(x, 1, None, True)", "np.sum(x, axis=1, keepdims=True)"), ("np.exp(x=x)", "np.exp(x)"),
    ("np.diag(array=x)", "x[np.arange(2), np.arange(2)]"), ("np.all(x, 1, True)", "np.array([[True], [True]])"),
    ("npx.dropout(x, 0.5, 'training')", "x"), ("np.nanmax(x, initial=9.0)", "9.0"),
    ("npx.pooling(x[None], (3,), 'lp', p_value=2)", "np.sqrt((x * x).sum(-1))[None, :, None]"),
])  # fmt: skip
def test_names_and_places(call, like):
    space = {"np": np, "npx": npx, "x": np.array(X), "i": np.array([1, 2])}
    expected = eval(like, space)
    close(eval(call, space), expected.asnumpy() if isinstance(expected, np.ndarray) else expected)


@pytest.mark.parametrize("call", [
    "npx.softmax(x, out=o)", "npx.log_softmax(x, out=o)", "npx.relu(x, out=o)", "npx.activation(x, 'tanh', out=o)",
    "npx.layer_norm(x, w, w, out=o)", "npx.fully_connected(x, x[:1].repeat(3, 0), no_bias=True, out=o)",
    "npx.smooth_l1(x, scalar=1.0, out=o, name='distance')", "npx.embedding(np.array([0, 1]), x, out=o)",
])  # fmt: skip
def test_out_is_filled(call):
    space = {"np": np, "npx": npx, "x": np.array(X), "o": np.zeros((2, 3)), "w": np.array([1.0, 2.0, 3.0])}
    assert eval(call, space) is space["o"]
    plain = eval(call.replace("out=o", "out=None"), space)
    close(space["o"], plain.asnumpy())


def test_batch_norm_takes_gamma_for_one_unless_told_otherwise():
    x, one, two = np.array(X), np.ones(3), np.full((3,), 2.0)
    zero = np.zeros(3)
    close(npx.batch_norm(x, two, zero, zero, one), X / math.sqrt(1.001))
    close(npx.batch_norm(x, two, zero, zero, one, fix_gamma=False, eps=0.0), 2 * X)
    with autograd.train_mode():
        y, mean, inverse = npx.batch_norm(x, two, zero, np.zeros(3), np.ones(3), output_mean_var=True)
    close(mean, X.mean(0))
    close(inverse, 1 / numpy.sqrt(X.var(0) + 1e-3))
    close(y, (X - X.mean(0)) / numpy.sqrt(X.var(0) + 1e-3))


def test_pooling_by_norm_has_no_gradient_where_all_is_zero():
    x = np.array([[[3.0, -4.0, 0.0, 0.0]]])
    x.attach_grad()
    with autograd.record():
        y = npx.pooling(x, kernel=2, stride=2, pool_type="lp", p_value=2)
    y.backward()
    close(y, [[[5.0, 0.0]]])
    close(x.grad, [[[0.6, -0.8, 0.0, 0.0]]])
    close(npx.pooling(x, pool_type="lp", p_value=3, global_pool=True), [[[91 ** (1 / 3)]]])
    with pytest.raises(RuntimeError, match="p_value"):
        npx.pooling(x, kernel=2, pool_type="lp")


def test_slopes_of_rrelu_are_drawn_while_training_only():
    x = nd.array(-numpy.ones(4000))
    close(nd.LeakyReLU(x, act_type="rrelu", lower_bound=0.1, upper_bound=0.3), numpy.full(4000, -0.2))
    x.attach_grad()
    with autograd.record():
        y = nd.LeakyReLU(x, act_type="rrelu", lower_bound=0.1, upper_bound=0.3)
    y.backward()
    close(x.grad, -y.asnumpy())
    slopes = -y.asnumpy()
    assert 0.1 <= slopes.min() < 0.11 and 0.29 < slopes.max() <= 0.3 and abs(slopes.mean() - 0.2) < 0.01


def test_random_exponential_takes_a_rate_and_random_dot_exponential_a_scale():
    assert abs(nd.random_exponential(lam=4.0, shape=(20000,)).mean().asscalar() - 0.25) < 0.02
    assert abs(nd.random_exponential(4.0, (20000,)).mean().asscalar() - 0.25) < 0.02
    assert abs(nd.random.exponential(4.0, shape=(20000,)).mean().asscalar() - 4.0) < 0.3
    assert abs(nd.random.exponential_like(nd.ones((20000,)), lam=4.0).mean().asscalar() - 0.25) < 0.02


def test_bernoulli_by_logit():
    assert npx.random.bernoulli(logit=50.0, size=(3,)).tolist() == [1, 1, 1]
    assert npx.random.bernoulli(0.0, size=(3,)).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="exactly one"):
        npx.random.bernoulli(prob=0.5, logit=0.0)
