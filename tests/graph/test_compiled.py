"""Compiled Blocks mean what eager ones mean: signatures, tape, aliasing, state, random numbers, errors."""

import threading

import numpy
import pytest
from hybrids import Function, entries, hybrid
from hypothesis import given, settings
from hypothesis import strategies as st

import numblocks
from numblocks import autograd, gluon, nd, np, npx
from numblocks.errors import MXNetError
from numblocks.gluon import nn


def rand(*shape, dtype="float32", seed=0):
    return np.array(numpy.random.default_rng(seed).normal(size=shape).astype(dtype))


def variable(*shape, **kwargs):
    x = rand(*shape, **kwargs)
    x.attach_grad()
    return x


def close(a, b, tolerance=1e-5):
    return numpy.allclose(a.asnumpy(), b.asnumpy() if hasattr(b, "asnumpy") else b, rtol=tolerance, atol=tolerance)


def kernels():
    """How many kernels this process has made or loaded."""
    info = numblocks.cache_info()
    return info.builds + info.loads


# ---- signatures --------------------------------------------------------------------------------------------


def mlp():
    return nn.HybridSequential(nn.Dense(16, activation="relu"), nn.Dropout(0.2), nn.Dense(10)), (12,)


def lenet():
    net = nn.HybridSequential(
        nn.Conv2D(4, 3, activation="relu"),
        nn.MaxPool2D(2),
        nn.Conv2D(6, 3, padding=1),
        nn.AvgPool2D(2),
        nn.Flatten(),
        nn.Dense(10),
    )
    return net, (1, 10, 10)


def normalized():
    return nn.HybridSequential(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Activation("tanh"), nn.Dense(5), nn.LayerNorm()), (
        2,
        6,
        6,
    )


@pytest.mark.parametrize("make", [mlp, lenet, normalized])
def test_a_new_batch_size_builds_no_kernel(make):
    net, shape = make()
    net.initialize()
    net.hybridize()
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    loss.hybridize()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})

    def steps(n):
        x, label = rand(n, *shape), np.array(numpy.arange(n) % 5)
        with autograd.record():
            value = loss(net(x), label)
        value.backward()
        trainer.step(n)
        net(x)

    steps(7)
    before = kernels()
    for n in (1, 7, 32, 256):
        steps(n)
        assert kernels() == before, f"batch size {n} built kernels"
    assert len(entries(net)) == 8  # but each size has plans of its own, for training and for prediction


def test_signatures():
    block, count = hybrid(lambda x, *rest: x + 1), lambda: len(entries(block))
    block(rand(3))
    block(rand(3))
    assert count() == 1
    block(rand(3, dtype="float64"))
    block(rand(3, 1))
    block(rand(4))
    assert count() == 4
    with autograd.train_mode():
        block(rand(3))
    with autograd.record():
        block(rand(3))
        block(variable(3))
    assert count() == 7
    block(rand(3), None)
    block(rand(3), 2)
    block(rand(3), 2.0)
    block(rand(3), "a")
    block(rand(3), [rand(3), {"k": rand(2)}])
    assert count() == 12
    block(rand(3), [rand(3), {"k": rand(2)}])
    block(rand(3), "a")
    assert count() == 12
    block(nd.array([1.0, 2.0, 3.0]))
    assert count() == 13


def test_plain_arguments_steer_the_trace():
    block = hybrid(lambda x, n, how=None: x * n if how is None else x + len(how))
    assert close(block(rand(3), 2), rand(3) * 2) and close(block(rand(3), 5), rand(3) * 5)
    assert close(block(rand(3), 5, "abc"), rand(3) + 3)


def test_equal_numbers_of_different_types_are_different_arguments():
    block = hybrid(lambda x, n: x.astype("int64") * n)
    x = np.array([3.0, 5.0])
    assert block(x, 1).dtype == "int64" and block(x, 1.0).dtype == "float32" and block(x, True).dtype == "int64"


def test_unhashable_arguments_are_refused():
    with pytest.raises(TypeError, match="signature"):
        hybrid(lambda x, s: x)(rand(3), {1, 2})


def test_nested_arguments_and_results():
    def function(pair, table, nothing):
        a, (b, c) = pair
        assert nothing is None
        return {"sum": a + b, "rest": [c * 2, (table["x"], None)]}

    block = hybrid(function)
    y = block([rand(2), (rand(2) + 1, rand(3))], {"x": rand(1)}, None)
    assert close(y["sum"], 2 * rand(2) + 1) and close(y["rest"][0], rand(3) * 2)
    assert (
        type(y["rest"]) is list
        and type(y["rest"][1]) is tuple
        and y["rest"][1][1] is None
        and close(y["rest"][1][0], rand(1))
    )


@pytest.mark.parametrize("result", [3.0, "text", lambda: 1, numpy.ones(2)])
def test_results_must_be_arrays(result):
    with pytest.raises(TypeError, match="returned"):
        hybrid(lambda x: [x, result])(rand(2))


def test_legacy_arrays_stay_legacy():
    assert type(hybrid(lambda x: x * 2)(nd.ones((2,)))) is nd.NDArray
    assert type(hybrid(lambda x: x * 2)(np.ones((2,)))) is type(np.ones(1))


def test_no_arrays_at_all():
    block = hybrid(lambda n: np.ones((n,)) * 2)
    assert (block(3).asnumpy() == 2).all() and block(4).shape == (4,)


# ---- aliasing and layouts ----------------------------------------------------------------------------------


def test_the_same_array_twice():
    x = variable(4)
    block = hybrid(lambda a, b: a * a * b)
    with autograd.record():
        y = block(x, x)
    y.backward()
    assert close(x.grad, 3 * x.asnumpy() ** 2)
    z = variable(4, seed=1)
    with autograd.record():  # the same signature, now without aliasing
        y = block(x, z)
    y.backward()
    assert close(x.grad, 2 * x.asnumpy() * z.asnumpy()) and close(z.grad, x.asnumpy() ** 2)


def test_an_argument_that_is_also_captured():
    x = variable(4)
    block = hybrid(lambda a: a * x)
    with autograd.record():
        y = block(x)
    y.backward()
    assert close(x.grad, 2 * x.asnumpy())


def test_an_argument_that_is_a_gradient_buffer():
    x = variable(4)
    block = hybrid(lambda a, b: np.tanh(a) * b)
    x.grad[:] = 3
    with autograd.record():
        y = block(x, x.grad)
    y.backward()
    assert close(x.grad, 3 * (1 - numpy.tanh(x.asnumpy()) ** 2))


@pytest.mark.parametrize(
    "view",
    [lambda x: x.T, lambda x: x[::-1], lambda x: x[:, ::2], lambda x: np.broadcast_to(x[:1], x.shape), lambda x: x[1:]],
)
def test_inputs_of_any_layout(view):
    x = view(rand(4, 4))
    x.attach_grad()
    block = Function(lambda x: np.tanh(x) * x + np.dot(x, x.T).sum())
    found = []
    for hybridize in (False, True):
        block.hybridize(hybridize)
        with autograd.record():
            y = block(x)
        y.backward()
        found += [y.asnumpy(), x.grad.asnumpy()]
    assert numpy.allclose(found[0], found[2], atol=1e-5) and numpy.allclose(found[1], found[3], atol=1e-4)


def test_views_of_one_buffer():
    x = rand(8)
    assert close(hybrid(lambda a, b: a * 2 + b)(x[:6], x[2:]), x.asnumpy()[:6] * 2 + x.asnumpy()[2:])


# ---- the tape ----------------------------------------------------------------------------------------------


def test_gradient_requests():
    net = nn.Dense(3, in_units=4)
    net.initialize()
    net.hybridize()
    x = rand(5, 4)

    def gradient():
        with autograd.record():
            y = net(x).sum()
        y.backward()
        return net.weight.grad().asnumpy()

    first = gradient()
    net.weight.grad_req = "add"
    net.zero_grad() if hasattr(net, "zero_grad") else net.weight.zero_grad()
    gradient()
    assert numpy.allclose(gradient(), 2 * first, atol=1e-5)
    net.weight.grad_req = "null"
    with autograd.record():
        y = net(x).sum()
    y.backward()
    assert numpy.allclose(net.bias.grad().asnumpy(), 5)
    net.weight.grad_req = "write"
    assert numpy.allclose(gradient(), first, atol=1e-5)


def test_added_and_aliased_gradients():
    x = rand(3)
    x.attach_grad("add")
    block = hybrid(lambda a, b: a * b)
    for _ in range(2):
        with autograd.record():
            y = block(x, x)
        y.backward()
    assert close(x.grad, 4 * x.asnumpy())


def test_the_same_graph_twice():
    x = variable(3)
    block = hybrid(lambda x: np.exp(x))
    with autograd.record():
        y = block(x)
    y.backward(retain_graph=True)
    first = x.grad.asnumpy()
    y.backward(np.array([2.0, 2.0, 2.0]), retain_graph=True)
    assert numpy.allclose(x.grad.asnumpy(), 2 * first)
    y.backward()
    assert numpy.allclose(x.grad.asnumpy(), first)
    with pytest.raises(MXNetError, match="retain_graph"):
        y.backward()


def test_one_of_several_outputs():
    block = hybrid(lambda x: [x * 2, x * x, np.ones(3)])
    x = variable(3)
    with autograd.record():
        a, b, c = block(x)
    b.backward(retain_graph=True)
    assert close(x.grad, 2 * x.asnumpy())
    a.backward(retain_graph=True)
    assert (x.grad.asnumpy() == 2).all()
    autograd.backward([a, b])
    assert close(x.grad, 2 + 2 * x.asnumpy())
    with pytest.raises(MXNetError):
        c.backward()


def test_an_output_used_twice_and_in_another_block():
    inner, outer = hybrid(lambda x: np.tanh(x)), hybrid(lambda a, b: a * b)
    x = variable(3)
    with autograd.record():
        y = inner(x)
        z = outer(y, y) + y
    z.backward()
    t = numpy.tanh(x.asnumpy())
    assert close(x.grad, (2 * t + 1) * (1 - t * t))


def test_gradients_stop_where_eager_ones_do():
    block = hybrid(lambda x: [x.detach() * x, np.floor(x), x > 0])
    x = variable(3)
    with autograd.record():
        a, b, c = block(x)
    a.backward()
    assert close(x.grad, x.asnumpy()) and c.dtype == bool and b._node is None


def test_paused_inside():
    def function(x):
        with autograd.pause():
            y = x * 3
        return x * y

    block, x = hybrid(function), variable(3)
    with autograd.record():
        y = block(x)
    y.backward()
    assert close(x.grad, 3 * x.asnumpy())


@pytest.mark.parametrize("hybridize", [False, True])
def test_higher_orders(hybridize):
    net = nn.HybridSequential(nn.Dense(5, activation="tanh", in_units=3), nn.Dense(1, in_units=5))
    net.initialize(numblocks.init.Uniform(1.0))
    net.hybridize(hybridize)
    x = variable(4, 3)
    with autograd.record():
        y = net(x).sum()
        dx = autograd.grad(y, x, create_graph=True)[0]
        penalty = (dx * dx).sum()
    penalty.backward()
    w1, b1, w2 = (p.data().asnumpy().astype("f8") for p in (net[0].weight, net[0].bias, net[1].weight))

    def value(v):
        t = numpy.tanh(v @ w1.T + b1)
        return (((1 - t * t) * w2) @ w1**1) ** 2

    h, data = 1e-5, x.asnumpy().astype("f8")
    wanted = numpy.zeros_like(data)
    for i in numpy.ndindex(*data.shape):
        e = numpy.zeros_like(data)
        e[i] = h
        wanted[i] = (value(data + e).sum() - value(data - e).sum()) / (2 * h)
    assert numpy.allclose(x.grad.asnumpy(), wanted, atol=2e-3)


def test_third_order():
    x = variable(3)
    block = hybrid(lambda x: np.exp(2 * x))
    with autograd.record():
        y = block(x)
        first = autograd.grad(y, x, create_graph=True)[0]
        second = autograd.grad(first, x, create_graph=True)[0]
    second.backward()
    assert close(x.grad, 8 * numpy.exp(2 * x.asnumpy()), 1e-4)


def test_higher_order_through_dropout_uses_the_calls_own_mask():
    x = variable(1000)
    block = hybrid(lambda x: npx.dropout(x * x, 0.5))
    with autograd.record():
        y = block(x)
        dx = autograd.grad(y, x, create_graph=True)[0]
    dx.backward()
    assert ((x.grad.asnumpy() == 0) == (y.asnumpy() == 0)).all() and close(x.grad, numpy.where(y.asnumpy() == 0, 0, 4))


def test_gradient_by_something_on_the_way():
    block = hybrid(lambda x: x * x)
    x = variable(3)
    with autograd.record():
        y = x * 2
        z = block(y)
    assert close(autograd.grad(z, y)[0], 2 * y.asnumpy())


# ---- blocks in blocks --------------------------------------------------------------------------------------


def test_children_hybridized_or_not():
    x = rand(4, 3)
    outcomes = []
    for outer, inner in ((False, False), (False, True), (True, False), (True, True)):
        net = nn.HybridSequential(nn.Dense(4, activation="tanh"), nn.HybridSequential(nn.Dense(3), nn.Dense(2)))
        net.initialize(numblocks.init.One())
        net.hybridize(outer)
        net[1].hybridize(inner)
        with autograd.record():
            y = net(x)
        y.backward()
        outcomes.append([y.asnumpy(), *(p.grad().asnumpy() for p in net.collect_params().values())])
    for found in outcomes[1:]:
        assert all(numpy.allclose(a, b, atol=1e-5) for a, b in zip(outcomes[0], found, strict=True))


def test_shared_parameters_get_the_sum():
    x, found = rand(4, 3), []
    for hybridize in (False, True):
        first = nn.Dense(3, in_units=3, activation="tanh")
        net = nn.HybridSequential(first, nn.Dense(3, in_units=3, params=first.collect_params()))
        net.initialize(numblocks.init.Constant(0.3))
        net.hybridize(hybridize)
        with autograd.record():
            y = net(x)
        y.backward()
        found.append([y.asnumpy(), first.weight.grad().asnumpy()])
    assert all(numpy.allclose(a, b, atol=1e-5) for a, b in zip(*found, strict=True))


def test_changes_after_hybridize_are_seen():
    net, x = nn.Dense(2, in_units=3), rand(4, 3)
    net.initialize()
    net.hybridize()
    wanted = lambda: x.asnumpy() @ net.weight.data().asnumpy().T + net.bias.data().asnumpy()
    assert close(net(x), wanted())
    net.weight.set_data(np.ones((2, 3)))
    assert close(net(x), wanted())
    net.weight.data()[0] = 5
    assert close(net(x), wanted())
    net.initialize(numblocks.init.Constant(2.0), force_reinit=True)
    assert close(net(x), wanted())
    net.cast("float64")
    assert net(x.astype("float64")).dtype == "float64"
    net.cast("float32")
    assert close(net(x), wanted())


# ---- state and random numbers ------------------------------------------------------------------------------


def test_running_statistics_equal_eager_ones():
    found = []
    for hybridize in (False, True):
        net = nn.HybridSequential(nn.BatchNorm(in_channels=3), nn.Dense(2, in_units=3))
        net.initialize(numblocks.init.One())
        net.hybridize(hybridize)
        for k in range(4):
            with autograd.record():
                y = net(rand(6, 3, seed=k) * 2 + k)
            y.backward()
            net(rand(6, 3))
        found.append(
            [net[0].running_mean.data().asnumpy(), net[0].running_var.data().asnumpy(), net(rand(6, 3)).asnumpy()]
        )
    assert all(numpy.allclose(a, b, atol=1e-5) for a, b in zip(*found, strict=True))
    assert numpy.abs(found[0][0]).max() > 0.1


def test_statistics_are_updated_in_train_mode_without_recording():
    net = nn.BatchNorm(in_channels=3)
    net.initialize()
    net.hybridize()
    with autograd.train_mode():
        net(rand(6, 3) + 5)
    assert (net.running_mean.data().asnumpy() > 0.2).all()
    before = net.running_mean.data().asnumpy()
    net(rand(6, 3))
    with autograd.record(train_mode=False):
        net(rand(6, 3))
    assert (net.running_mean.data().asnumpy() == before).all()


def test_one_state_updated_twice_in_a_call():
    found = []
    for hybridize in (False, True):
        norm = nn.BatchNorm(in_channels=3)
        norm.initialize()
        net = Function(lambda x, norm=norm: norm(norm(x) * 2 + 1))
        net.register_child(norm)
        net.hybridize(hybridize)
        for _ in range(2):
            with autograd.record():
                y = net(rand(6, 3))
        found.append([y.asnumpy(), norm.running_mean.data().asnumpy(), norm.running_var.data().asnumpy()])
    assert all(numpy.allclose(a, b, atol=1e-5) for a, b in zip(*found, strict=True)), found


@settings(max_examples=5)
@given(st.integers(0, 1000), st.booleans())
def test_the_same_random_numbers_eager_and_hybridized(seed, recording):
    def function(x):
        u = np.random.uniform(size=(4,))
        return [npx.dropout(x, 0.5), u, np.random.normal(size=(2, 3)), npx.dropout(x * 2, 0.3)]

    block, found = Function(function), []
    for hybridize in (False, True, True):
        block.hybridize(hybridize)
        numblocks.random.seed(seed)
        with autograd.record() if recording else autograd.train_mode():
            found.append([y.asnumpy() for y in (*block(np.ones((40,))), *block(np.ones((40,))))])
    for a, b, c in zip(*found, strict=True):
        assert numpy.allclose(a, b, atol=1e-6) and (b == c).all()
    assert (found[1][0] != found[1][4]).any()  # each call its own mask


def test_predicting_draws_nothing():
    block, x = hybrid(lambda x: npx.dropout(x, 0.5)), np.ones((50,))
    numblocks.random.seed(1)
    block(x)
    a = np.random.uniform(size=(3,)).asnumpy()
    numblocks.random.seed(1)
    assert (np.random.uniform(size=(3,)).asnumpy() == a).all()


# ---- threads, copies ---------------------------------------------------------------------------------------


def test_threads_share_a_block():
    net = nn.HybridSequential(nn.Dense(8, activation="tanh", in_units=4), nn.Dense(3, in_units=8))
    net.initialize()
    xs = [rand(5, 4, seed=k) for k in range(4)]
    wanted = [net(x).asnumpy() for x in xs]
    net.hybridize()
    wrong = []

    def work(k):
        for _ in range(50):
            if not numpy.allclose(net(xs[k]).asnumpy(), wanted[k], atol=1e-5):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_value_kept_from_a_trace_is_refused():
    kept = []

    def function(x):
        kept.append(x)
        return x * 2

    hybrid(function)(rand(3))
    with pytest.raises(MXNetError):
        kept[0].asnumpy()
