"""What is special to `mx.nd`: outputs with a loss built in, reshape codes, in-place updates, `out=` and `exclude=`."""

import inspect
from pathlib import Path

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


# Arguments that say how MXNet computes, not what; and those of functions that need an attribute of the op to exist.
HOW = set(
    "workspace cudnn_tune cudnn_off min_calib_range max_calib_range forward_stype out_dtype keep_highest target_shape"
    " array_cls infer_range ndev key sparse_grad is_int output_mean_var use_length stype".split()
)
OPEN = {"nd.contrib.uniform": {"shape"}, "nd.choose_element_0index": {"axis", "keepdims", "mode"}}


@pytest.mark.parametrize("line", (Path(__file__).parent / "arguments.txt").read_text().splitlines())
def test_arguments_have_the_names_of_gluon_1(line):
    # arguments.txt: inspect.signature of all functions of MXNet 1.9.1's nd
    where, names = line.split("\t")
    module, _, name = where.rpartition(".")
    space = nd if module == "nd" else getattr(nd, module[3:])
    function = getattr(space, name, None)
    if function is None:
        return  # tests/coverage says why it is left out
    mine = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in mine):
        return
    known = {p.name for p in mine if p.kind is not p.POSITIONAL_ONLY} | set(getattr(function, "argument_names", ()))
    assert set(names.split()) - known - HOW - OPEN.get(where, set()) == set()


@pytest.mark.parametrize("expression, shape", [
    ("nd.transpose(x, axes=(1, 0, 2))", (3, 2, 4)), ("x.transpose(axes=(2, 1, 0))", (4, 3, 2)),
    ("nd.swapaxes(data=x, dim1=0, dim2=2)", (4, 3, 2)), ("x.swapaxes(dim1=0, dim2=1)", (3, 2, 4)),
    ("x.flatten()", (2, 12)), ("x.split(3)[1]", (2, 1, 4)), ("x.split(num_outputs=2, axis=2)[0]", (2, 3, 2)),
    ("x.sum(axis=1, exclude=True)", (3,)), ("x.mean((0, 1), exclude=True)", (2, 3)),
    ("x.max(axis=-1, exclude=True, keepdims=True)", (1, 1, 4)), ("x.diag()", (4, 2)), ("x.diag(k=1)", (4, 2)),
    ("nd.zeros((2, 3), x.context)", (2, 3)), ("nd.full(shape=(2,), val=3)", (2,)),
    ("nd.arange(0, 3, repeat=2)", (6,)), ("nd.relu(data=x)", (2, 3, 4)), ("nd.maximum(lhs=x, rhs=1)", (2, 3, 4)),
    ("nd.batch_dot(lhs=x, rhs=x, transpose_b=True)", (2, 3, 3)), ("nd.take(a=x, indices=x[0, 0], axis=1)", (2, 4, 4)),
    ("nd.one_hot(indices=x[0, 0], depth=5)", (4, 5)), ("nd.power(base=x, exp=2)", (2, 3, 4)),
    ("nd.LayerNorm(data=x, gamma=nd.ones(4), beta=nd.zeros(4))", (2, 3, 4)),
])  # fmt: skip
def test_shapes_of_legacy_calls(expression, shape):
    assert eval(expression, {"nd": nd, "x": nd.arange(24).reshape((2, 3, 4))}).shape == shape


def test_a_condition_with_one_axis_chooses_rows():
    x, y = nd.array([[1, 2], [3, 4]]), nd.zeros((2, 2))
    assert nd.where(nd.array([0, 1]), x, y).asnumpy().tolist() == [[0, 0], [3, 4]]
    assert nd.where(nd.array([[0, 1], [1, 0]]), x, y).asnumpy().tolist() == [[0, 2], [3, 0]]


def test_batch_norm_means_by_default_what_it_meant():
    x, ones, zeros = nd.array(X), nd.ones(3), nd.zeros(3)
    y = nd.BatchNorm(data=x, gamma=5 * ones, beta=ones, moving_mean=zeros, moving_var=ones)
    numpy.testing.assert_allclose(y.asnumpy(), X / numpy.sqrt(1 + 1e-3) + 1, rtol=1e-5)  # gamma counts as 1
    y = nd.BatchNorm(x.astype("float16"), 5 * ones, ones, zeros, ones, fix_gamma=False)
    assert y.dtype == numpy.float16
    numpy.testing.assert_allclose(y.asnumpy(), 5 * X / numpy.sqrt(1 + 1e-3) + 1, rtol=1e-2, atol=1e-2)


def test_draws_take_their_shape_in_place():
    for draw, args in ((nd.random.uniform, (0, 1)), (nd.random.normal, (0, 1)), (nd.random.randint, (0, 9)),
                       (nd.random.gamma, (1, 1)), (nd.random.exponential, (1,)), (nd.random.poisson, (3,)),
                       (nd.random_uniform, (0, 1)), (nd.normal, (0, 1))):  # fmt: skip
        assert draw(*args, (2, 3)).shape == draw(*args, shape=(2, 3)).shape == (2, 3)
    assert nd.random.uniform(0, 1, (2,), "float64").dtype == numpy.float64


def test_one_value_is_written_to_one_element():
    x, y = nd.arange(6).reshape((2, 3)), nd.zeros((2, 2))
    y[0, 1] = x[:, 1].sum()  # of shape (1,)
    y[1] = x[1:, 2:].max(keepdims=True)
    assert y.asnumpy().tolist() == [[0, 5], [5, 5]]
