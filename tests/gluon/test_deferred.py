"""Deferred initialization, eager, hybridized, nested and in custom layers."""

import pytest

from numblocks import cpu, gluon, init, np
from numblocks.errors import MXNetError
from numblocks.gluon import nn
from numblocks.gluon.parameter import DeferredInitializationError

BEFORE = """sequential0_ (
  Parameter dense0_weight (shape=(256, -1), dtype=float32)
  Parameter dense0_bias (shape=(256,), dtype=float32)
  Parameter dense1_weight (shape=(10, -1), dtype=float32)
  Parameter dense1_bias (shape=(10,), dtype=float32)
)"""
AFTER = BEFORE.replace("(256, -1)", "(256, 20)").replace("(10, -1)", "(10, 256)")


def test_collect_params_before_and_after():
    net = nn.Sequential()
    net.add(nn.Dense(256, activation="relu"))
    net.add(nn.Dense(10))
    assert str(net.collect_params()) == BEFORE
    net.initialize()
    assert str(net.collect_params()) == BEFORE
    net(np.random.uniform(size=(2, 20)))
    assert str(net.collect_params()) == AFTER
    assert str(net[0].params).startswith("dense0_ (\n  Parameter dense0_weight (shape=(256, 20)")


def test_what_is_allowed_while_deferred():
    layer = nn.Dense(3)
    layer.initialize()
    assert layer.bias.data().shape == (3,) and layer.weight.list_ctx() == [cpu(0)]
    assert layer.weight.shape == (3, -1)
    layer.weight.zero_grad()
    layer.collect_params().reset_ctx(cpu(1))
    with pytest.raises(DeferredInitializationError, match="dense0_weight"):
        layer.weight.data()
    with pytest.raises(DeferredInitializationError):
        layer.weight.grad()
    layer.weight.set_data(np.ones((3, 4)))
    assert layer.weight.data().ctx == cpu(1) and (layer.weight.data().asnumpy() == 1).all()


@pytest.mark.parametrize("hybridize", [False, True])
def test_nested_and_hybridized(hybridize):
    net = nn.HybridSequential(nn.HybridSequential(nn.Conv2D(4, 3), nn.BatchNorm()), nn.Flatten(), nn.Dense(5))
    net.initialize()
    if hybridize:
        net.hybridize()
    assert net(np.ones((2, 3, 8, 8))).shape == (2, 5)
    assert net[0][0].weight.shape == (4, 3, 3, 3) and net[2].weight.shape == (5, 144)
    assert net[0][1].running_mean.shape == (4,)
    assert net(np.ones((7, 3, 8, 8))).shape == (7, 5)


def test_infer_shape_without_values():
    net = nn.HybridSequential(nn.Dense(4), nn.Dense(2))
    net.initialize()
    net.infer_shape(np.ones((2, 7)))
    assert net[0].weight.shape == (4, 7) and net[1].weight.shape == (2, 4)


class Scale(nn.HybridBlock):
    """Gluon 2 style: forward, and infer_shape for what is open."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale = self.params.get("scale", shape=(-1,), init=init.One(), allow_deferred_init=True)

    def infer_shape(self, x):
        self.scale.shape = (x.shape[-1],)

    def forward(self, x):
        return x * self.scale.data()


class Dense1(nn.HybridBlock):
    """1.x style, as in seed 003: a Dense whose input width is not known."""

    def __init__(self, units, in_units=0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        with self.name_scope():
            self.weight = self.params.get(
                "weight", shape=(units, in_units), init=init.Normal(), allow_deferred_init=True
            )
            self.bias = self.params.get("bias", shape=(units,), init=init.Zero())

    def hybrid_forward(self, F, x, weight, bias):
        return F.FullyConnected(x, weight, bias, num_hidden=self.units)


class Dotted(nn.HybridBlock):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.weight = self.params.get("weight", shape=(0, units), allow_deferred_init=True)
        self.bias = self.params.get("bias", shape=(-1,), allow_deferred_init=True)

    def hybrid_forward(self, F, x, weight, bias):
        return F.npx.relu(F.np.dot(x, weight) + bias)


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("make", [Scale, lambda: Dense1(6), lambda: Dotted(6)])
def test_custom_layers(make, hybridize):
    net = nn.HybridSequential(make(), nn.Dense(2))
    net.initialize()
    if hybridize:
        net.hybridize()
    x = np.random.uniform(size=(3, 6))
    assert net(x).shape == (3, 2) and net(x[:1]).shape == (1, 2)
    assert all(p.data().size for p in net.collect_params().values())


def test_what_cannot_be_inferred_says_so():
    class Odd(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.weight = self.params.get("weight", shape=(-1,), allow_deferred_init=True)

        def hybrid_forward(self, F, x, weight):
            return F.exp(weight) * x

    net = Odd()
    net.initialize()
    with pytest.raises(DeferredInitializationError, match="odd0.*odd0_weight.*infer_shape"):
        net(np.ones((2, 3)))


def test_not_allowed():
    p = gluon.Parameter("p", shape=(-1, 3))
    with pytest.raises(ValueError, match=r"'p'.*\(-1, 3\)"):
        p.initialize()


def test_another_batch_size_is_fine_another_width_is_not():
    net = nn.Dense(256)
    net.initialize()
    net(np.ones((2, 20)))
    assert net(np.ones((5, 20))).shape == (5, 256)
    with pytest.raises(MXNetError, match="dense0"):
        net(np.ones((2, 10)))


def test_dense_flattens():
    net = nn.Dense(5)
    net.initialize()
    assert net(np.ones((2, 3, 4))).shape == (2, 5) and net.weight.shape == (5, 12)
    net = nn.Dense(5, flatten=False)
    net.initialize()
    assert net(np.ones((2, 3, 4))).shape == (2, 3, 5) and net.weight.shape == (5, 4)


def test_same_seed_same_values_however_it_runs():
    def outputs(hybridize):
        np.random.seed(3)
        net = nn.HybridSequential(nn.Dense(4, activation="relu"), nn.Dense(2))
        net.initialize(init.Xavier())
        if hybridize:
            net.hybridize()
        return net(np.ones((2, 3))).asnumpy()

    assert abs(outputs(False) - outputs(True)).max() < 1e-6


def test_forward_without_infer_shape_says_so():
    class Open(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.w = self.params.get("w", shape=(-1, 2), allow_deferred_init=True)

        def forward(self, x):
            return np.dot(x, self.w.data())

    net = nn.HybridSequential(Open())
    net.initialize()
    with pytest.raises(DeferredInitializationError, match=r"0.0 \(Open\).*open0_w.*self.w.shape"):
        net(np.ones((2, 3)))


def test_initialize_is_all_or_nothing():
    strict = nn.Block()
    strict.params.get("w", shape=(-1,))
    net = nn.Sequential(nn.Dense(2, in_units=2), strict)
    with pytest.raises(ValueError, match="block0_w"):
        net.initialize()
    with pytest.raises(RuntimeError):
        net[0].weight.data()


@pytest.mark.parametrize(
    "shapes, x, use, expected",
    [
        ({"w": (4, 0, 3, 3), "b": (4,)}, (2, 5, 6, 6),
         lambda F, x, w, b: F.Convolution(x, w, b, kernel=(3, 3), num_filter=4), {"w": (4, 5, 3, 3)}),
        ({"w": (4, -1, 3)}, (2, 5, 6),
         lambda F, x, w: F.npx.convolution(x, weight=w, kernel=3, num_filter=4, no_bias=True),
         {"w": (4, 5, 3)}),
        ({"g": (0,), "b": (-1,)}, (2, 5), lambda F, x, g, b: F.npx.layer_norm(x, g, b),
         {"g": (5,), "b": (5,)}),
        ({"g": (0,), "b": (0,), "m": (0,), "v": (0,)}, (2, 5, 3),
         lambda F, x, g, b, m, v: F.npx.batch_norm(x, g, b, m, v),
         {"g": (5,), "v": (5,)}),
        ({"w": (-1, -1)}, (2, 3),
         lambda F, x, w: F.npx.embedding(x, w, input_dim=7, output_dim=4), {"w": (7, 4)}),
        ({"w": (3, -1)}, (5, 2), lambda F, x, w: F.np.dot(w, x), {"w": (3, 5)}),
        ({"w": (-1, 3)}, (2, 5), lambda F, x, w: x @ w, {"w": (5, 3)}),
        ({"w": (-1,)}, (2, 5), lambda F, x, w: 1 + x * w, None),
        ({"w": (1, -1)}, (2, 5), lambda F, x, w: w - x, {"w": (1, 5)}),
        ({"w": (3, 0)}, (2, 5, 4),
         lambda F, x, w: F.npx.fully_connected(x, w, no_bias=True, flatten=False), {"w": (3, 4)}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("hybridize", [False, True])
def test_operations_that_complete_shapes(shapes, x, use, expected, hybridize):
    class Layer(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            for name, shape in shapes.items():
                setattr(self, name, self.params.get(name, shape=shape, allow_deferred_init=True))

        def hybrid_forward(self, F, x, **params):
            return use(F, x, **params)

    net = Layer()
    net.initialize(init.One())
    if hybridize:
        net.hybridize()
    x = np.ones(x)
    y = net(x)
    for name, shape in (expected or {"w": (5,)}).items():
        assert getattr(net, name).shape == shape
    assert (net(x).asnumpy() == y.asnumpy()).all()
