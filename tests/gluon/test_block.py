"""Blocks: registration, names, scopes, printing, hooks, summary."""

import warnings

import pytest

from numblocks import gluon, init, np
from numblocks.gluon import nn


class MLP(nn.Block):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = nn.Dense(256, activation="relu")
        self.output = nn.Dense(10)

    def forward(self, x):
        return self.output(self.hidden(x))


def chain(cls=nn.Sequential):
    net = cls()
    net.add(nn.Dense(256, activation="relu"), nn.Dense(10))
    return net


def test_repr_of_sequential():
    assert repr(chain()) == (
        "Sequential(\n  (0): Dense(-1 -> 256, Activation(relu))\n  (1): Dense(-1 -> 10, linear)\n)"
    )


def test_repr_of_custom_block():
    assert repr(MLP()) == (
        "MLP(\n  (hidden): Dense(-1 -> 256, Activation(relu))\n  (output): Dense(-1 -> 10, linear)\n)"
    )


def test_repr_nested_after_first_forward():
    def block():
        return nn.Sequential(nn.Dense(32, activation="relu"), nn.Dense(16, activation="relu"))

    net = nn.Sequential(nn.Sequential(block(), block()), nn.Dense(10))
    net.initialize()
    net(np.ones((2, 20)))
    assert (
        repr(net)
        == """Sequential(
  (0): Sequential(
    (0): Sequential(
      (0): Dense(20 -> 32, Activation(relu))
      (1): Dense(32 -> 16, Activation(relu))
    )
    (1): Sequential(
      (0): Dense(16 -> 32, Activation(relu))
      (1): Dense(32 -> 16, Activation(relu))
    )
  )
  (1): Dense(16 -> 10, linear)
)"""
    )


def test_empty_bodies():
    assert repr(nn.Sequential()) == "Sequential(\n\n)"
    assert repr(nn.GELU()) == "GELU(\n\n)"


def test_slice_index_length_iteration():
    net = chain()
    assert repr(net[0:1]) == "Sequential(\n  (0): Dense(-1 -> 256, Activation(relu))\n)"
    assert net[-2] is net[0] and len(net) == 2 and [b for b in net] == [net[0], net[1]]
    assert net[1:].prefix == net.prefix
    with pytest.raises(IndexError):
        net[5]


def test_names_count_per_class():
    first, second = MLP(), MLP()
    assert (first.name, second.name) == ("mlp0", "mlp1")
    assert second.prefix == "mlp1_" and second.hidden.name == "dense2"
    assert list(second.collect_params().keys()) == [
        "dense2_weight", "dense2_bias", "dense3_weight", "dense3_bias",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: nn.Conv2D(1, 3), "conv0"), (lambda: nn.MaxPool2D(), "pool0"),
        (lambda: nn.BatchNorm(), "batchnorm0"),
        (lambda: nn.Activation("relu"), "relu0"), (lambda: nn.HybridSequential(), "hybridsequential0"),
        (lambda: gluon.loss.L2Loss(), "l2loss0"),
        (lambda: gluon.loss.SigmoidBCELoss(), "sigmoidbinarycrossentropyloss0"),
    ],
)  # fmt: skip
def test_hints(make, name):
    assert make().name == name


class Scoped(nn.Block):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.a = nn.Dense(2)
            self.b = nn.Dense(2)
            self.c = nn.Sequential()
            with self.c.name_scope():
                self.c.add(nn.Dense(2))


def test_name_scope():
    names = list(Scoped().collect_params("scoped.*weight"))
    assert names == ["scoped0_dense0_weight", "scoped0_dense1_weight", "scoped0_sequential0_dense0_weight"]
    assert nn.Dense(1).name == "dense0"  # the scope counted for itself


def test_prefix():
    assert list(nn.Dense(1, prefix="my_").collect_params()) == ["my_weight", "my_bias"]
    net = nn.HybridSequential(prefix="")
    with net.name_scope():
        net.add(nn.Dense(1))
    assert net.name == "" and net[0].name == "dense0"
    net = Scoped(prefix="my_")
    assert net.name == "my" and net.a.name == "my_dense0"


def test_children():
    net = MLP()
    assert list(net._children) == ["hidden", "output"]
    assert list(chain()._children) == ["0", "1"]
    assert dict(net.named_children()) == {"hidden": net.hidden, "output": net.output}


def test_apply_visits_children_first():
    seen = []
    net = MLP()
    assert net.apply(lambda block: seen.append(block.name)) is net
    assert seen == ["dense0_relu", "dense0", "dense1", "mlp0"]


def test_collect_params_select():
    net = chain()
    assert list(net.collect_params(".*weight")) == ["dense0_weight", "dense1_weight"]
    assert net.collect_params()["dense1_bias"].shape == (10,)
    with pytest.raises(KeyError):
        net.collect_params()["foo"]


def test_same_name_twice():
    net = nn.Sequential(nn.Dense(1, prefix="d_"), nn.Dense(2, prefix="d_"))
    with pytest.raises(AssertionError, match="d_weight"):
        net.collect_params()


def test_list_of_blocks_warns():
    class Listed(nn.Block):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Dense(1), {"x": nn.Dense(2)}]

    with pytest.warns(UserWarning, match="Listed.layers"):
        assert not list(Listed().collect_params())


def test_registered_list_does_not_warn():
    class Listed(nn.Block):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Dense(1), nn.Dense(2)]
            for layer in self.layers:
                self.register_child(layer)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(Listed().collect_params()) == 4


def test_every_public_attribute_can_be_read():
    net = MLP()
    for name in dir(net):
        getattr(net, name)


def test_hooks():
    net, calls = chain(), []
    net.initialize()
    before = net.register_forward_pre_hook(lambda block, inputs: calls.append(("pre", inputs[0].shape)))
    after = net.register_forward_hook(lambda block, inputs, out: calls.append(("post", out.shape)))
    net(np.ones((2, 3)))
    assert calls == [("pre", (2, 3)), ("post", (2, 10))]
    before.detach()
    after.detach()
    net(np.ones((2, 3)))
    assert len(calls) == 2


def test_summary(capsys):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(6, kernel_size=5, padding=2, activation="sigmoid"), nn.AvgPool2D(2, 2))
    net.add(nn.Flatten(), nn.Dense(10))
    net.initialize()
    net.summary(np.ones((1, 1, 28, 28)))
    assert (
        capsys.readouterr().out
        == """\
--------------------------------------------------------------------------------
        Layer (type)                                Output Shape         Param #
================================================================================
               Input                              (1, 1, 28, 28)               0
        Activation-1                              (1, 6, 28, 28)               0
            Conv2D-2                              (1, 6, 28, 28)             156
         AvgPool2D-3                              (1, 6, 14, 14)               0
           Flatten-4                                   (1, 1176)               0
             Dense-5                                     (1, 10)           11770
================================================================================
Parameters in forward computation graph, duplicate included
   Total params: 11926
   Trainable params: 11926
   Non-trainable params: 0
Shared params in forward computation graph: 0
Unique parameters in model: 11926
--------------------------------------------------------------------------------
"""
    )
    net.hybridize()
    with pytest.raises(AssertionError, match="hybridized"):
        net.summary(np.ones((1, 1, 28, 28)))


def test_summary_counts_shared_once(capsys):
    shared = nn.Dense(4, in_units=4)
    net = nn.Sequential(shared, shared)
    net.initialize(init.One())
    net.summary(np.ones((1, 4)))
    out = capsys.readouterr().out
    assert "Shared params in forward computation graph: 20\nUnique parameters in model: 20" in out


def test_cast():
    net = chain()
    net.initialize()
    net(np.ones((2, 3)))
    net.cast("float64")
    assert net[0].weight.data().dtype == "float64"
    assert net(np.ones((2, 3), dtype="float64")).dtype == "float64"


def test_hybridize_of_sequential_warns():
    with pytest.warns(UserWarning, match="HybridSequential"):
        chain().hybridize()


def test_hybridized_is_the_same():
    x = np.random.uniform(size=(3, 20))
    net = chain(nn.HybridSequential)
    net.initialize()
    net.hybridize()
    first = net(x)  # deferred and hybridized
    net.hybridize(False)
    assert np.abs(net(x) - first).max() < 1e-6
    net.hybridize()
    net.add(nn.Dense(3))
    net[2].initialize()
    assert net(x).shape == (3, 3)  # the change of the net is seen
