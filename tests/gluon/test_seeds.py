"""The code of the seed articles, in numblocks' terms.

Each test names its seed: 000 and 002 are notes on D2L's chapter on deep-learning computation, 001 answers its
exercises (in PyTorch; here in Gluon), 003 is about parameters of custom layers, 004 about deferred
initialization.
"""

import numpy
import pytest

from numblocks import autograd, cpu, gluon, gpu, init, nd, np, npx, num_gpus
from numblocks.errors import MXNetError
from numblocks.gluon import nn
from numblocks.gluon.parameter import DeferredInitializationError

npx.set_np()


# ---- 000: blocks, parameters, files --------------------


class MLP(nn.Block):
    def __init__(self, **kwargs):
        super(MLP, self).__init__(**kwargs)  # noqa: UP008, as in the seed
        self.hidden = nn.Dense(256, activation="relu")
        self.output = nn.Dense(10)

    def forward(self, x):
        return self.output(self.hidden(x))


def test_000_mlp():
    X = nd.random.uniform(shape=(2, 20))
    net = MLP()
    net.initialize()
    assert net(X).shape == (2, 10)


def test_000_children_are_an_ordered_dict_of_blocks():
    net = MLP()
    assert list(net._children.items()) == [("hidden", net.hidden), ("output", net.output)]


def test_000_constant_is_not_trained():
    class FancyMLP(nn.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.rand_weight = self.params.get_constant("rand_weight", np.random.uniform(size=(20, 20)))
            self.dense = nn.Dense(20, activation="relu")

        def forward(self, x):
            x = self.dense(x)
            x = npx.relu(np.dot(x, self.rand_weight.data()) + 1)
            x = self.dense(x)
            while np.abs(x).sum() > 1:
                x /= 2
            if np.abs(x).sum() < 0.8:
                x *= 10
            return x.sum()

    net = FancyMLP()
    net.initialize()
    before = net.rand_weight.data().asnumpy()
    assert net(np.random.uniform(size=(2, 20))).shape == ()
    weight = net.dense.weight.data().asnumpy()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    with autograd.record():
        loss = (npx.relu(np.dot(net.dense(np.ones((2, 20))), net.rand_weight.data())) + 1).sum()
    loss.backward()
    trainer.step(2)
    assert (net.rand_weight.data().asnumpy() == before).all() and net.rand_weight.grad_req == "null"
    assert (net.dense.weight.data().asnumpy() != weight).any()


def test_000_blocks_nest_in_add():
    class NestMLP(nn.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.net = nn.Sequential()
            self.net.add(nn.Dense(64, activation="relu"), nn.Dense(32, activation="relu"))
            self.dense = nn.Dense(16, activation="relu")

        def forward(self, x):
            return self.dense(self.net(x))

    net = nn.Sequential()
    net.add(NestMLP(), nn.Dense(20), MLP())
    net.initialize()
    assert net(np.random.uniform(size=(2, 20))).shape == (2, 10)
    # exercise: replacing the registered Sequential by a list is refused
    with pytest.raises(
        TypeError, match="Changing attribute type for net from .*Sequential.* to .*list.* is not"
    ):
        net[0].net = [nn.Dense(64, activation="relu"), nn.Dense(32, activation="relu")]


def test_000_without_super_init():
    class NestMLP(nn.Block):
        def __init__(self, **kwargs):
            self.net = nn.Sequential()

    with pytest.raises(AttributeError, match="'NestMLP' object has no attribute '_children'"):
        NestMLP()


def test_000_dense_numbers_go_up():
    assert [nn.Dense(1).name for _ in range(3)] == ["dense0", "dense1", "dense2"]


def test_000_parameters_between_initialize_and_the_first_batch():
    net = MLP()
    net.initialize()
    assert net.hidden.weight.shape == (256, -1)
    with pytest.raises(DeferredInitializationError):
        net.hidden.weight.data()
    net(np.ones((2, 20)))
    assert net.hidden.weight.data().shape == (256, 20)


def test_000_shared_layer_gradients_add_up():
    net = nn.Sequential()
    shared = nn.Dense(8, activation="relu")
    net.add(
        nn.Dense(8, activation="relu"),
        shared,
        nn.Dense(8, activation="relu", params=shared.params),
        nn.Dense(10),
    )
    net.initialize(init.Uniform(0.5))
    x = np.random.uniform(size=(2, 20))
    net(x)
    assert (net[1].weight.data()[0] == net[2].weight.data()[0]).asnumpy().all()
    assert net[1].weight is net[2].weight
    with autograd.record():
        loss = net(x).sum()
    loss.backward()
    both = net[1].weight.grad().asnumpy()
    # the same net with two layers of equal values: their gradients sum to the shared one
    apart = nn.Sequential(net[0], nn.Dense(8, activation="relu"), nn.Dense(8, activation="relu"), net[3])
    apart[1:3].initialize()
    for layer in (apart[1], apart[2]):
        layer.weight.set_data(net[1].weight.data())
        layer.bias.set_data(net[1].bias.data())
    with autograd.record():
        loss = apart(x).sum()
    loss.backward()
    assert numpy.allclose(
        both, apart[1].weight.grad().asnumpy() + apart[2].weight.grad().asnumpy(), atol=1e-5
    )


def test_000_changing_the_input_afterwards():
    net = MLP()
    net.initialize()
    net(np.ones((2, 20)))
    assert net(np.ones((5, 20))).shape == (5, 10)  # another batch size: no effect
    with pytest.raises(MXNetError, match=r"mlp0.hidden.*\(2, 10\).*\(256, 20\)"):
        net(np.ones((2, 10)))


def test_000_custom_layer():
    class CenteredLayer(nn.Block):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)

        def forward(self, x):
            return x - x.mean()

    assert CenteredLayer()(np.array([1, 2, 3, 4, 5])).tolist() == [-2, -1, 0, 1, 2]
    net = nn.Sequential()
    net.add(nn.Dense(128), CenteredLayer())
    net.initialize()
    assert abs(net(np.random.uniform(size=(4, 8))).mean().item()) < 1e-6


def test_000_save_and_load(tmp_path):
    x = np.random.uniform(size=(2, 20))
    net = MLP()
    net.initialize()
    y = net(x)
    net.save_parameters(str(tmp_path / "mlp.params"))
    net2 = MLP()
    net2.load_parameters(str(tmp_path / "mlp.params"))
    assert (net2(x) == y).asnumpy().all()


def test_000_fancy_mlp_of_gluon_1():
    class FancyMLP(nn.Block):
        def __init__(self, **kwargs):
            super(FancyMLP, self).__init__(**kwargs)  # noqa: UP008, as in the seed
            self.rand_weight = self.params.get_constant("rand_weight", nd.random.uniform(shape=(20, 20)))
            self.dense = nn.Dense(20, activation="relu")

        def forward(self, x):
            x = self.dense(x)
            x = nd.relu(nd.dot(x, self.rand_weight.data()) + 1)
            x = self.dense(x)
            while x.norm().asscalar() > 1:
                x /= 2
            if x.norm().asscalar() < 0.8:
                x *= 10
            return x.sum()

    net = FancyMLP()
    net.initialize()
    y = net(nd.random.uniform(shape=(2, 20)))
    assert y.shape == (1,) and y.asscalar() > 0
    # the exercise: without asscalar, one value is compared, more than one are refused
    assert nd.ones((1,)) > 0.5
    with pytest.raises(ValueError, match="more than one|truth"):
        bool(nd.ones((2,)) > 0.5)


def test_000_custom_initializer_and_the_two_ways_round_deferring(capsys):
    class MyInit(init.Initializer):
        def _init_weight(self, name, data):
            print("Init", name, data.shape)
            data[:] = nd.random.uniform(low=-10, high=10, shape=data.shape)
            data *= data.abs() >= 5

    net = nn.Sequential()
    net.add(nn.Dense(4, activation="relu"), nn.Dense(2))
    net.initialize(init=MyInit())
    assert capsys.readouterr().out == ""  # deferred
    net(nd.random.uniform(shape=(2, 3)))
    names = [layer.weight.name for layer in net]
    assert capsys.readouterr().out == f"Init {names[0]} (4, 3)\nInit {names[1]} (2, 4)\n"
    weight = net[0].weight.data().asnumpy()
    assert ((numpy.abs(weight) >= 5) | (weight == 0)).all() and numpy.ptp(weight) > 0
    net.initialize(init=MyInit(), force_reinit=True)  # the shapes are known: at once
    assert capsys.readouterr().out.count("Init") == 2
    net = nn.Sequential()
    net.add(nn.Dense(4, in_units=3), nn.Dense(2, in_units=4))
    net.initialize(init=MyInit())
    assert capsys.readouterr().out.count("Init") == 2


def test_000_files_of_lists_and_dicts(tmp_path):
    x, y = nd.ones(3), nd.zeros(4)
    nd.save(str(tmp_path / "x"), x)
    nd.save(str(tmp_path / "xy"), [x, y])
    nd.save(str(tmp_path / "dict"), {"x": x, "y": y})
    assert [a.asnumpy().tolist() for a in nd.load(str(tmp_path / "x"))] == [[1, 1, 1]]
    assert [a.shape for a in nd.load(str(tmp_path / "xy"))] == [(3,), (4,)]
    assert {k: a.shape for k, a in nd.load(str(tmp_path / "dict")).items()} == {"x": (3,), "y": (4,)}


def test_000_devices():
    x = nd.array([1, 2, 3], ctx=cpu())
    net = nn.Sequential()
    net.add(nn.Dense(1))
    net.initialize(ctx=cpu())
    assert x.context == cpu(0) and net(x.reshape((1, 3))).context == net[0].weight.data().context == cpu()
    assert x.copyto(cpu(0)) is not x and x.as_in_context(cpu()) is x
    if num_gpus() == 0:
        with pytest.raises(MXNetError, match="gpu"):
            nd.array([1, 2, 3], ctx=gpu())


# ---- 001: exercises --------------------


class NestMLP(nn.Block):
    def __init__(self, out=16, **kwargs):
        super().__init__(**kwargs)
        self.net = nn.Sequential(nn.Dense(64, activation="relu"), nn.Dense(32, activation="relu"))
        self.linear = nn.Dense(out)

    def forward(self, X):
        return self.linear(self.net(X))


def test_001_blocks_in_a_python_list():
    class MySequential(nn.Block):
        def __init__(self, *args):
            super().__init__()
            self._module = []
            for module in args:
                self._module.append(module)

        def forward(self, X):
            for block in self._module:
                X = block(X)
            return X

    layers = [nn.Dense(4), nn.Dense(2)]
    net = MySequential(*layers)
    for layer in layers:
        layer.initialize()
    X = np.ones((2, 3))
    assert (net(X) == layers[1](layers[0](X))).asnumpy().all()  # the output does not differ
    assert repr(net) == "MySequential(\n\n)"  # but the structure is not seen
    with pytest.warns(UserWarning, match="MySequential._module"):
        assert list(net.collect_params()) == []


def test_001_parallel_block():
    class CombineNet(nn.Block):
        def __init__(self, net1, net2):
            super().__init__()
            self.net1 = net1
            self.net2 = net2

        def forward(self, X):
            return np.concatenate((self.net1(X), self.net2(X)))

    comb_net = CombineNet(NestMLP(), nn.Sequential(nn.Dense(16, in_units=20)))
    assert (
        repr(comb_net)
        == """CombineNet(
  (net1): NestMLP(
    (net): Sequential(
      (0): Dense(-1 -> 64, Activation(relu))
      (1): Dense(-1 -> 32, Activation(relu))
    )
    (linear): Dense(-1 -> 16, linear)
  )
  (net2): Sequential(
    (0): Dense(20 -> 16, linear)
  )
)"""
    )
    comb_net.initialize()
    assert comb_net(np.random.uniform(size=(1, 20))).shape == (2, 16)


def test_001_repeated_blocks():
    class MultiModule(nn.Block):
        def __init__(self, basic_module=NestMLP, repeat_times=3):
            super().__init__()
            self.repeat_times = repeat_times
            for i in range(repeat_times):
                self._children[str(i)] = basic_module(20)

        def forward(self, X):
            for i in range(self.repeat_times):
                X = self._children[str(i)](X)
            return X

    multi_net = MultiModule()
    multi_net.initialize()
    assert multi_net(np.random.uniform(size=(2, 20))).shape == (2, 20)
    assert repr(multi_net).count("NestMLP(") == 3 and "  (2): NestMLP(" in repr(multi_net)
    assert len(multi_net.collect_params()) == 18


def test_001_named_children():
    def block1():
        return nn.Sequential(nn.Dense(8, activation="relu"), nn.Dense(4, activation="relu"))

    def block2():
        net = nn.Sequential()
        for i in range(4):
            net.register_child(block1(), f"block {i}")
        return net

    rgnet = nn.Sequential(block2(), nn.Dense(1))
    rgnet.initialize()
    assert rgnet(np.random.uniform(size=(2, 4))).shape == (2, 1)
    assert "    (block 3): Sequential(\n      (0): Dense(4 -> 8, Activation(relu))\n" in repr(rgnet)


def test_001_parameter_walk():
    nest = NestMLP(20)
    nest.initialize()
    nest(np.ones((2, 20)))
    walked = {name: param.data()[0] for name, param in nest.net.named_parameters()}
    assert list(walked) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert walked["0.weight"].shape == (20,) and walked["0.bias"].shape == ()
    assert [name for name, _ in nest.linear.named_parameters()] == ["weight", "bias"]
    # activations that are blocks of their own, as in the seed, count among the children
    net = nn.Sequential(nn.Dense(64), nn.Activation("relu"), nn.Dense(32), nn.Activation("relu"))
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_001_plot(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    x = np.random.normal(0, 1, (10, 2))
    plt.scatter(x[:, 0].detach().asnumpy(), x[:, 1].detach().asnumpy())
    plt.plot(range(10), x[:, 0])  # an array of ours as it is
    plt.savefig(tmp_path / "plot.png")
    plt.close()
    assert (tmp_path / "plot.png").stat().st_size > 1000


@pytest.mark.parametrize("hybridize", [False, True])
def test_001_tied_training(hybridize):
    true_w, true_b = np.array([2, -3.4]), 4.2
    np.random.seed(1)
    x = np.random.normal(0, 1, (1000, 2))
    y = np.dot(x, true_w) + true_b
    y += np.random.normal(0, 0.01, y.shape)
    train_loader = gluon.data.DataLoader(gluon.data.ArrayDataset(x, y), batch_size=50, shuffle=True)

    net1 = nn.Dense(1)
    net = nn.HybridSequential(net1, nn.Dense(2), net1)
    net.initialize(init.Normal(0.5))
    if hybridize:
        net.hybridize()
    net(x[:2])
    loss = gluon.loss.HuberLoss()
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.03})
    losses = []
    for _ in range(10):
        loss_sum = 0.0
        for X, Y in train_loader:
            with autograd.record():
                loss_temp = loss(net(X).reshape(Y.shape), Y).mean()
            loss_temp.backward()
            assert (net[0].weight.grad() == net[2].weight.grad()).asnumpy().all()
            trainer.step(1)
            loss_sum += loss_temp.item()
        losses.append(loss_sum / len(train_loader))
    assert losses[-1] < 0.05 * losses[0] and losses[-1] < 0.05


# ---- 002: parameter management --------------------


def test_002_walk_over_all_parameters():
    net = nn.Sequential(nn.Dense(8, activation="relu"), nn.Dense(1))
    net.initialize()
    net(np.random.uniform(size=(2, 4)))
    assert [(name, param.shape) for name, param in net.named_parameters()] == [
        ("0.weight", (8, 4)), ("0.bias", (8,)), ("1.weight", (1, 8)), ("1.bias", (1,)),
    ]  # fmt: skip
    assert net[1].bias.data().tolist() == [0.0]
    assert (net[1].weight.grad().asnumpy() == 0).all()  # backward has not run yet


def test_002_shared_layer_is_one_object():
    shared = nn.Dense(8, in_units=8)
    net = nn.Sequential(
        nn.Dense(8, in_units=4), nn.Activation(
            "relu"), shared, nn.Activation("relu"), shared, nn.Activation("relu"
        ),
        nn.Dense(1, in_units=8),
    )  # fmt: skip
    net.initialize()
    net(np.random.uniform(size=(2, 4)))
    assert (net[2].weight.data()[0] == net[4].weight.data()[0]).tolist() == [True] * 8
    net[2].weight.data()[0, 0] = 100
    assert (net[2].weight.data()[0] == net[4].weight.data()[0]).tolist() == [True] * 8
    assert net[4].weight.data()[0, 0].item() == 100 and len(net.collect_params()) == 6


def test_002_initializers():
    net = nn.Sequential(nn.Dense(8), nn.Dense(1))
    net.initialize(init=init.Normal(sigma=0.01))
    net(np.ones((2, 4)))
    assert numpy.abs(net[0].weight.data().asnumpy()).max() < 0.1
    net.initialize(init=init.Constant(1), force_reinit=True)
    assert (net[0].weight.data().asnumpy() == 1).all()
    net[0].weight.initialize(init=init.Xavier(), force_reinit=True)
    net[1].initialize(init=init.Constant(42), force_reinit=True)
    assert numpy.ptp(net[0].weight.data().asnumpy()) > 0 and (net[1].weight.data().asnumpy() == 42).all()
    net[0].weight.data()[:] += 1
    net[0].weight.data()[0, 0] = 42
    assert net[0].weight.data()[0, 0].item() == 42


def test_002_single_arrays_in_files(tmp_path):
    x = np.arange(4)
    npx.save(str(tmp_path / "x-file"), x)
    assert npx.load(str(tmp_path / "x-file"))[0].tolist() == [0, 1, 2, 3]


# ---- 003: parameters of custom layers --------------------


class Dense1(nn.HybridBlock):
    """The seed's simplified Dense: parameters with initializers of their own, in_units perhaps open."""

    def __init__(self, units, in_units=0, **kwargs):
        super().__init__(**kwargs)
        self._units = units
        with self.name_scope():
            self.weights = self.params.get(
                "weights",
                shape=(units, in_units),
                init=init.Xavier(),
                dtype="float32",
                allow_deferred_init=True,
            )
            self.bias = self.params.get("bias", shape=(units,), init=init.One(), allow_deferred_init=True)

    def hybrid_forward(self, F, x, weights, bias):
        return F.FullyConnected(x, weights, bias, num_hidden=self._units)


@pytest.mark.parametrize("hybridize", [False, True])
def test_003_dense1(hybridize):
    net = nn.HybridSequential()
    net.add(Dense1(5), nn.Dense(2, weight_initializer=init.Normal(), bias_initializer="zeros"))
    net.initialize()
    if hybridize:
        net.hybridize()
    assert net[0].weights.shape == (5, -1)
    with pytest.raises(DeferredInitializationError):
        net[0].weights.data()
    x = np.random.uniform(size=(3, 4))
    y = net(x)
    assert y.shape == (3, 2) and net[0].weights.shape == (5, 4)
    assert net[0].bias.data().tolist() == [1.0] * 5
    first = x.asnumpy() @ net[0].weights.data().asnumpy().T + 1
    assert numpy.allclose(y.asnumpy(), first @ net[1].weight.data().asnumpy().T, atol=1e-5)


def test_003_in_units_given():
    net = Dense1(5, in_units=4)
    net.initialize()
    assert net.weights.data().shape == (5, 4)


def test_003_without_allow_deferred_init_the_width_is_needed():
    class Strict(nn.HybridBlock):
        def __init__(self, units, in_units=0):
            super().__init__()
            self.weight = self.params.get("weight", shape=(units, in_units), allow_deferred_init=False)

    with pytest.raises(ValueError, match="strict0_weight"):
        Strict(5).initialize()
    Strict(5, 4).initialize()


@pytest.mark.parametrize("size, kernel, stride", [(28, 5, 1), (28, 3, 2), (7, 7, 1)])
def test_003_conv_output_size(size, kernel, stride):
    layer = nn.Conv2D(6, kernel_size=kernel, strides=stride)
    layer.initialize()
    side = (size - kernel) // stride + 1
    assert layer(np.ones((2, 3, size, size))).shape == (2, 6, side, side)


def test_003_asscalar():
    net = nn.Dense(1)
    net.initialize()
    assert isinstance(nd.ones((1,)).asscalar(), float | numpy.floating)


# ---- 004: deferred initialization --------------------


def test_004(capsys):
    def get_net():
        net = nn.Sequential()
        net.add(nn.Dense(256, activation="relu"))
        net.add(nn.Dense(10))
        return net

    net = get_net()
    print(net.collect_params)
    assert capsys.readouterr().out == (
        "<bound method Block.collect_params of Sequential(\n  (0): Dense(-1 -> 256, Activation(relu))\n"
        "  (1): Dense(-1 -> 10, linear)\n)>\n"
    )
    before = (
        "sequential0_ (\n  Parameter dense0_weight (shape=(256, -1), dtype=float32)\n"
        "  Parameter dense0_bias (shape=(256,), dtype=float32)\n"
        "  Parameter dense1_weight (shape=(10, -1), dtype=float32)\n"
        "  Parameter dense1_bias (shape=(10,), dtype=float32)\n)\n"
    )
    print(net.collect_params())
    assert capsys.readouterr().out == before
    with pytest.raises(RuntimeError, match="dense0_weight"):
        net[0].weight.data()
    net.initialize()
    print(net.collect_params())
    assert capsys.readouterr().out == before
    X = np.random.uniform(size=(2, 20))
    net(X)
    print(net.collect_params())
    assert capsys.readouterr().out == before.replace("(256, -1)", "(256, 20)").replace(
        "(10, -1)", "(10, 256)"
    )
