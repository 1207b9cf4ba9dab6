"""Nets on a (simulated) GPU: the same training as on the CPU, eager and hybridized."""

import numpy
import pytest

from numblocks import autograd, cpu, gluon, gpu, np, num_gpus
from numblocks.base import MXNetError
from numblocks.cuda import Buffer
from numblocks.gluon import nn
from numblocks.kernels.cuda import devices

pytestmark = pytest.mark.usefixtures("simulated_gpus")


def mlp(place, seed=0):
    """A small net whose values do not depend on the device."""
    net = nn.HybridSequential()
    net.add(nn.Dense(8, in_units=4, activation="tanh"), nn.BatchNorm(in_channels=8), nn.Dense(3, in_units=8))
    net.initialize(ctx=place)
    rng = numpy.random.default_rng(seed)
    for p in net.collect_params().values():
        if p.grad_req != "null":
            p.set_data(np.array(rng.uniform(-1, 1, p.shape), dtype="float32", ctx=place))
    return net


def batch(place, n=6):
    rng = numpy.random.default_rng(1)
    x, y = rng.standard_normal((n, 4)).astype("float32"), rng.integers(0, 3, n).astype("float32")
    return np.array(x, ctx=place), np.array(y, ctx=place)


def trained(place, optimizer="adam", hybridize=False, steps=3, loss=None):
    """Losses of a few steps, and the parameters after them."""
    net, loss = mlp(place), loss or gluon.loss.SoftmaxCrossEntropyLoss()
    if hybridize:
        net.hybridize()
        loss.hybridize()
    trainer = gluon.Trainer(net.collect_params(), optimizer, {"learning_rate": 0.05})
    x, y = batch(place)
    losses = []
    for _ in range(steps):
        with autograd.record():
            value = loss(net(x), y)
        value.backward()
        trainer.step(len(x))
        losses.append(value.asnumpy())
    values = [p.data(place) for p in net.collect_params().values()]
    assert all(isinstance(v._data, Buffer) == place.far for v in values)
    return losses + [v.asnumpy() for v in values]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("hybridize", [False, True], ids=["eager", "hybridized"])
def test_training_is_that_of_the_cpu(optimizer, hybridize):
    for a, b in zip(trained(cpu(0), optimizer, hybridize), trained(gpu(0), optimizer, hybridize), strict=True):
        numpy.testing.assert_allclose(b, a, rtol=2e-4, atol=2e-5)


def test_a_hybridized_net_is_few_launches_and_no_copies():
    net = mlp(gpu(0))
    x, _ = batch(gpu(0))
    device = devices.get(0)

    def launches():
        before = device.launches, device.copied
        with autograd.predict_mode():
            y = net(x)
        assert device.copied == before[1]
        return device.launches - before[0], y.asnumpy()

    launches()
    eager, wanted = launches()
    net.hybridize()
    launches()
    fused, found = launches()
    assert fused <= 5 < eager
    numpy.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    allocations = device.pool.allocations
    for _ in range(3):
        launches()
    assert device.pool.allocations == allocations


def test_other_batch_sizes_use_the_same_kernels(monkeypatch):
    net = mlp(gpu(0))
    net.hybridize()
    net(batch(gpu(0))[0])
    monkeypatch.setattr(type(devices.get(0)), "load", None)  # nothing is loaded any more
    for n in (1, 7):
        numpy.testing.assert_allclose(
            net(batch(gpu(0), n)[0]).asnumpy(), (lambda m: m(batch(cpu(0), n)[0]))(mlp(cpu(0))).asnumpy(), rtol=1e-4,
            atol=1e-5,
        )  # fmt: skip


def test_a_whole_step_compiled():
    from numblocks.gluon.step import compile_step

    found = []
    for place in (cpu(0), gpu(0)):
        net = mlp(place)
        trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
        step = compile_step(net, gluon.loss.SoftmaxCrossEntropyLoss(), trainer)
        x, y = batch(place)
        found.append([step(x, y).asnumpy() for _ in range(4)])
    numpy.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-5)


def test_the_update_of_all_weights_is_few_launches():
    net = mlp(gpu(0))
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.1})
    x, _ = batch(gpu(0))
    device, counts = devices.get(0), []
    for _ in range(3):
        with autograd.record():
            loss = (net(x) ** 2).sum()
        loss.backward()
        before = device.launches
        trainer.step(1)
        counts.append(device.launches - before)
    assert counts[1] == counts[2] <= 6


def test_dropout_draws_the_same_numbers():
    found = []
    for place in (cpu(0), gpu(0)):
        for hybridize in (False, True):
            np.random.seed(5)
            net = nn.Dropout(0.5)
            if hybridize:
                net.hybridize()
            with autograd.train_mode():
                found.append([net(np.ones((4, 9), ctx=place)).asnumpy() for _ in range(2)])
    for other in found[1:]:
        numpy.testing.assert_array_equal(other, found[0])


def test_a_label_out_of_range_is_refused():
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    x, y = np.ones((2, 3), ctx=gpu(0)), np.array([0, 3], ctx=gpu(0))
    for hybridize in (False, True):
        loss.hybridize(hybridize)
        with pytest.raises(IndexError, match="3 is out of bounds"):
            loss(x, y)


def test_second_derivatives_through_a_hybridized_net():
    found = []
    for place in (cpu(0), gpu(0)):
        net = nn.HybridSequential()
        net.add(nn.Dense(3, in_units=2, activation="tanh"), nn.Dense(1, in_units=3))
        net.initialize(ctx=place)
        for k, p in enumerate(net.collect_params().values()):
            p.set_data(np.array(numpy.linspace(-1, 1, p.data().size).reshape(p.shape) + 0.1 * k, ctx=place))
        net.hybridize()
        x = np.array([[0.3, -0.7]], ctx=place)
        x.attach_grad()
        with autograd.record():
            dx = autograd.grad(net(x), x, create_graph=True)[0]
            (dx * dx).sum().backward()
        found.append(x.grad.asnumpy())
    numpy.testing.assert_allclose(found[1], found[0], rtol=1e-4)


def test_parameters_move_and_are_stored(tmp_path):
    net = mlp(gpu(0))
    x, _ = batch(gpu(0))
    wanted = net(x).asnumpy()
    file = str(tmp_path / "net.params")
    net.save_parameters(file)
    for place in (cpu(0), gpu(0)):
        other = mlp(place, seed=9)
        other.load_parameters(file, ctx=place)
        numpy.testing.assert_allclose(other(x.as_in_ctx(place)).asnumpy(), wanted, rtol=1e-5, atol=1e-6)
    net.collect_params().reset_ctx(cpu(0))
    numpy.testing.assert_allclose(net(x.as_in_ctx(cpu(0))).asnumpy(), wanted, rtol=1e-5, atol=1e-6)
    net.collect_params().reset_ctx([gpu(0), gpu(1)] if num_gpus() > 1 else gpu(0))
    net.zero_grad()
    norms = gluon.utils.clip_global_norm([p.data(gpu(0)) for p in net.collect_params().values()], 1.0)
    assert norms > 1


def test_gradients_of_two_devices_are_added():
    if num_gpus() < 2:
        pytest.skip("there is one GPU")
    places = [gpu(0), gpu(1)]
    net = nn.Dense(2, in_units=4)
    net.initialize(ctx=places)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    x, _ = batch(cpu(0), 8)
    with autograd.record():
        losses = [(net(part) ** 2).sum() for part in gluon.utils.split_and_load(x, places)]
    autograd.backward(losses)
    trainer.step(8)
    a, b = (net.weight.data(place).asnumpy() for place in places)
    numpy.testing.assert_array_equal(a, b)


def test_an_embedding_learns_as_on_the_cpu():
    found = []
    for place in (cpu(0), gpu(0)):
        for hybridize in (False, True):
            net = nn.HybridSequential()
            net.add(nn.Embedding(5, 3), nn.Dense(2, in_units=6))
            net.initialize(ctx=place)
            for k, p in enumerate(net.collect_params().values()):
                p.set_data(np.array(numpy.linspace(-1, 1, p.data().size).reshape(p.shape) + 0.1 * k, ctx=place))
            net.hybridize(hybridize)
            tokens = np.array([[1, 4], [4, 4], [0, 1]], ctx=place)
            with autograd.record():
                loss = (net(tokens) ** 2).sum()
            loss.backward()
            found.append([loss.asnumpy(), *(p.grad().asnumpy() for p in net.collect_params().values())])
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            numpy.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("hybridize", [False, True], ids=["eager", "hybridized"])
def test_a_convolutional_net_learns_as_on_the_cpu(hybridize):
    found = []
    for place in (cpu(0), gpu(0)):
        net = nn.HybridSequential()
        net.add(nn.Conv2D(3, 3, padding=1, in_channels=1, activation="relu"), nn.MaxPool2D())
        net.add(nn.BatchNorm(in_channels=3), nn.Conv2D(2, 2, in_channels=3), nn.AvgPool2D(2, 1))
        net.add(nn.Dense(3, in_units=2))
        net.initialize(ctx=place)
        for k, p in enumerate(p for p in net.collect_params().values() if p.grad_req != "null"):
            p.set_data(np.array(numpy.sin(numpy.arange(p.data().size) * 1.7 + k).reshape(p.shape), ctx=place))
        net.hybridize(hybridize)
        trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.05})
        loss = gluon.loss.SoftmaxCrossEntropyLoss()
        x = np.array(numpy.random.default_rng(0).standard_normal((2, 1, 6, 6)), dtype="float32", ctx=place)
        losses = []
        for _ in range(2):
            with autograd.record():
                value = loss(net(x), np.array([0, 2], ctx=place))
            value.backward()
            trainer.step(2)
            losses.append(value.asnumpy())
        found.append([*losses, *(p.data().asnumpy() for p in net.collect_params().values())])
    for a, b in zip(*found, strict=True):
        numpy.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-5)


def test_layers_without_kernels_say_so():
    net = gluon.rnn.LSTM(3, input_size=2)
    net.initialize(ctx=gpu(0))
    for hybridize in (False, True):
        net.hybridize(hybridize)
        with pytest.raises(MXNetError, match=r"not available on gpu\(0\) yet"):
            net(np.ones((4, 1, 2), ctx=gpu(0)))
