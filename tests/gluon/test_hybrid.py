"""hybridize(): the same results as eager, whatever happens to the net in between."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, cpu, gluon, init, np
from numblocks.gluon import nn


def rand(*shape):
    return numpy.random.default_rng(0).normal(size=shape).astype("float32")


def mlp(*extra):
    net = nn.HybridSequential(nn.Dense(4, activation="tanh"), *extra, nn.Dense(2))
    net.initialize(init.Xavier())
    return net


def gradients(net, *inputs):
    with autograd.record():
        y = net(*inputs)
        loss = (y * y).sum()
    loss.backward()
    wanted = [p for p in net.collect_params().values() if p.grad_req != "null"]
    return [y.asnumpy()] + [p.grad().asnumpy() for p in wanted]


def both(net, *inputs):
    """Outputs and gradients of `net`, eager and hybridized."""
    net.hybridize(False)
    eager = gradients(net, *inputs)
    net.hybridize()
    return eager, gradients(net, *inputs)


def close(a, b):
    return len(a) == len(b) and all(
        numpy.allclose(x, y, atol=1e-5, rtol=1e-4) for x, y in zip(a, b, strict=True)
    )


def test_outputs_and_gradients():
    assert close(*both(mlp(nn.LayerNorm(), nn.GELU()), np.array(rand(5, 3))))


def test_new_arrays_are_seen():
    net, x = mlp(), np.array(rand(5, 3))
    net.hybridize()
    net(x)
    net.initialize(init.One(), force_reinit=True)
    after = gradients(net, x)
    net.hybridize(False)
    assert close(after, gradients(net, x))
    net.hybridize()
    net.collect_params().reset_ctx(cpu(1))
    assert close(gradients(net, x.as_in_ctx(cpu(1))), after)
    net.cast("float64")
    y = net(np.array(rand(5, 3), dtype="float64", ctx=cpu(1)))
    assert y.dtype == "float64" and numpy.allclose(y.asnumpy(), after[0], atol=1e-4)


def test_values_set_in_place_are_seen():
    net, x = mlp(), np.array(rand(5, 3))
    net.hybridize()
    before = net(x).asnumpy()
    net[0].weight.set_data(net[0].weight.data() * 2)
    net[1].bias.data()[:] += 1
    after = net(x).asnumpy()
    net.hybridize(False)
    assert numpy.abs(after - before).max() > 0.1 and numpy.allclose(net(x).asnumpy(), after, atol=1e-6)


def test_grad_req_may_change():
    net, x = mlp(), np.array(rand(5, 3))
    net.hybridize()
    gradients(net, x)
    net[0].collect_params().setattr("grad_req", "null")
    assert len(gradients(net, x)) == 3
    net[0].collect_params().setattr("grad_req", "write")
    again = gradients(net, x)
    net.hybridize(False)
    assert close(again, gradients(net, x))


def test_exchanged_and_added_children():
    net, x = mlp(), np.array(rand(5, 3))
    net.hybridize()
    assert net(x).shape == (5, 2)
    net.add(nn.Dense(7))
    net[2].initialize()
    assert net(x).shape == (5, 7)

    class Holder(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.inner = nn.HybridSequential(nn.Dense(2))

        def forward(self, x):
            return self.inner(x)

    net = Holder()
    net.initialize()
    net.hybridize()
    assert net(x).shape == (5, 2)
    net.inner.add(nn.Dense(3))  # deep inside
    net.inner[1].initialize()
    assert net(x).shape == (5, 3)


def test_two_devices_use_their_own_copies():
    net = mlp()
    net.initialize(ctx=[cpu(0), cpu(1)], force_reinit=True)
    net.hybridize()
    data = rand(4, 3)
    with autograd.record():
        losses = [net(np.array(data, ctx=d)).sum() for d in (cpu(0), cpu(1))]
    autograd.backward(losses)
    a, b = net[1].weight.list_grad()
    assert a.ctx == cpu(0) and b.ctx == cpu(1) and numpy.abs(a.asnumpy()).max() > 0
    assert numpy.allclose(a.asnumpy(), b.asnumpy())
    net[1].weight.data(cpu(1))[:] = 0
    net[1].bias.data(cpu(1))[:] = 0
    assert (net(np.array(data, ctx=cpu(1))).asnumpy() == 0).all()
    assert numpy.abs(net(np.array(data, ctx=cpu(0))).asnumpy()).max() > 0


def test_training_and_prediction_are_told_apart():
    net, x = nn.HybridSequential(nn.Dropout(0.5)), np.ones((50, 50))
    net.hybridize()
    assert (net(x).asnumpy() == 1).all()
    with autograd.record():
        first, second = net(x).asnumpy(), net(x).asnumpy()
    assert 0.4 < (first == 0).mean() < 0.6 and (first != second).any()
    assert (net(x).asnumpy() == 1).all()


def test_same_dropout_stream_as_eager():
    net, x = nn.HybridSequential(nn.Dropout(0.5), nn.Dropout(0.3)), np.ones((20, 20))
    found = []
    for hybridize in (False, True):
        net.hybridize(hybridize)
        np.random.seed(5)
        with autograd.record():
            found.append(net(x).asnumpy())
    assert numpy.allclose(*found)


class Several(nn.HybridBlock):
    """Nested inputs, None, a plain value and a keyword in; a dict and a list out."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(3)

    def forward(self, x, states, mask=None, scale=1.0):
        h = self.dense(x) * scale + states[0]
        if mask is not None:
            h = h * mask
        return h, {"states": [h, states[1]]}


@pytest.mark.parametrize("hybridize", [False, True])
def test_nested_arguments_and_results(hybridize):
    net = Several()
    net.initialize(init.One())
    if hybridize:
        net.hybridize()
    x, a, b = np.ones((2, 4)), np.ones((2, 3)), np.zeros((1,))
    y, rest = net(x, [a, b])
    assert y.asnumpy().tolist() == [[5.0] * 3] * 2 and rest["states"][1].shape == (1,)
    assert net(x, [a, b], scale=2.0)[0].asnumpy().tolist() == [[9.0] * 3] * 2
    assert net(x, [a, b], mask=np.zeros((2, 3)))[0].asnumpy().max() == 0


def test_child_called_alone_and_inside():
    net, x = mlp(), np.array(rand(5, 3))
    net.hybridize()
    net(x)
    h = net[0](x)
    assert numpy.allclose(net[1](h).asnumpy(), net(x).asnumpy(), atol=1e-6)


def test_plain_block_with_hybrid_children():
    class Mixed(nn.Block):
        def __init__(self):
            super().__init__()
            self.net = mlp()

        def forward(self, x):
            y = self.net(x)
            return y if y.sum().item() > 1e9 else -y

    net, x = Mixed(), np.array(rand(5, 3))
    first = net(x).asnumpy()
    net.hybridize()
    assert numpy.allclose(net(x).asnumpy(), first, atol=1e-6)


def test_shared_layer_gradients():
    shared = nn.Dense(3, in_units=3, activation="tanh")
    net = nn.HybridSequential(shared, nn.Dense(3, in_units=3, params=shared.params), shared)
    net.initialize(init.Xavier())
    assert close(*both(net, np.array(rand(5, 3))))


def test_hooks_run_round_the_compiled_call():
    net, calls = mlp(), []
    net.hybridize()
    net.register_forward_hook(lambda block, inputs, out: calls.append(out.shape))
    for n in (2, 3):
        net(np.ones((n, 3)))
    assert calls == [(2, 2), (3, 2)]


def test_error_while_tracing_leaves_the_net_usable():
    net = mlp()
    net.hybridize()
    net(np.ones((2, 3)))
    with pytest.raises(RuntimeError, match=r"hybridsequential0.0 \(Dense\)"):
        net(np.ones((2, 4)))
    assert net(np.ones((5, 3))).shape == (5, 2)


def test_value_dependent_forward_says_so():
    class Branch(nn.HybridBlock):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    net = Branch()
    assert net(np.ones((2,))).shape == (2,)
    net.hybridize()
    with pytest.raises(RuntimeError, match=r"branch0 \(Branch\)"):
        net(np.ones((2,)))
    net.hybridize(False)
    assert net(-np.ones((2,))).asnumpy().tolist() == [1, 1]


def test_trains_the_same():
    x, y = np.array(rand(32, 3)), np.array((rand(32) > 0).astype("float32"))
    found = []
    for hybridize in (False, True):
        np.random.seed(7)
        net = mlp(nn.BatchNorm())
        loss_fn = gluon.loss.SoftmaxCrossEntropyLoss()
        if hybridize:
            net.hybridize()
            loss_fn.hybridize()
        trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9})
        for _ in range(5):
            with autograd.record():
                loss = loss_fn(net(x), y)
            loss.backward()
            trainer.step(32)
        found.append([p.data().asnumpy() for p in net.collect_params().values()])
    assert close(*found)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.sampled_from(["dense", "relu", "norm", "batch", "drop", "swish"]), min_size=1, max_size=5))
def test_any_stack(kinds):
    make = {
        "dense": lambda: nn.Dense(3), "relu": lambda: nn.Activation("relu"), "norm": nn.LayerNorm,
        "batch": nn.BatchNorm, "drop": lambda: nn.Dropout(0.3), "swish": nn.Swish,
    }  # fmt: skip
    net = nn.HybridSequential(*(make[k]() for k in kinds), nn.Dense(1))
    net.initialize(init.Xavier())
    x, found = np.array(rand(4, 3)), []
    net(x)
    for hybridize in (False, True):
        net.hybridize(hybridize)
        np.random.seed(1)
        found.append(gradients(net, x))
    assert close(*found)


def test_freezing_back_and_forth_traces_each_way_once():
    net, x = mlp(), np.array(rand(5, 3))
    net.hybridize()
    gradients(net, x)
    kept = []
    for req in ("null", "write", "null", "write"):
        net[0].collect_params().setattr("grad_req", req)
        gradients(net, x)
        kept.append(net._traced.compiled)
    assert kept[0] is kept[2] and kept[1] is kept[3] and kept[0] is not kept[1]
