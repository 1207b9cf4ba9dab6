"""What goes wrong gets an error of the right type that names the block; nothing is half done."""

import numpy
import pytest

from numblocks import autograd, cpu, gluon, gpu, init, np
from numblocks.errors import MXNetError
from numblocks.gluon import nn


class MLP(nn.Block):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = nn.Dense(4, activation="relu")
        self.output = nn.Dense(2)

    def forward(self, x):
        return self.output(self.hidden(x))


def net_for(width=3):
    net = nn.HybridSequential(nn.HybridSequential(nn.Dense(4)), nn.Dense(2))
    net.initialize()
    net(np.ones((2, width)))
    return net


def test_uninitialized():
    net = MLP()
    for use in (net.hidden.weight.data, net.hidden.weight.grad, net.hidden.weight.list_ctx):
        with pytest.raises(RuntimeError, match=r"dense0_weight.*initialize\(\)"):
            use()
    with pytest.raises(
        RuntimeError, match=r"^mlp0.hidden \(Dense\): Parameter 'dense0_weight'.*initialize\(\)"
    ):
        net(np.ones((2, 3)))


@pytest.mark.parametrize("hybridize", [False, True])
def test_wrong_width_names_the_path(hybridize):
    net = net_for()
    if hybridize:
        net.hybridize()
        net(np.ones((2, 3)))
    with pytest.raises(MXNetError, match=r"^hybridsequential1.0.0 \(Dense\): .*\(2, 5\).*\(4, 3\)"):
        net(np.ones((2, 5)))
    assert net(np.ones((2, 3))).shape == (2, 2)


@pytest.mark.parametrize("shape", [(3,), ()])
def test_wrong_rank_dense(shape):
    with pytest.raises(ValueError, match=r"dense0 \(Dense\)"):
        layer = nn.Dense(2)
        layer.initialize()
        layer(np.ones(shape))


def test_wrong_rank_conv():
    layer = nn.Conv2D(2, 3)
    layer.initialize()
    with pytest.raises(ValueError, match=r"conv0 \(Conv2D\): the input has 2 axes"):
        layer(np.ones((2, 4)))
    assert layer.weight.shape == (2, -1, 3, 3)
    layer(np.ones((1, 1, 4, 4)))
    with pytest.raises((ValueError, MXNetError), match=r"conv0 \(Conv2D\)"):
        layer(np.ones((2, 4)))
    with pytest.raises((ValueError, MXNetError), match=r"conv0 \(Conv2D\)"):
        layer(np.ones((1, 5, 4, 4)))
    with pytest.raises(ValueError, match="pool0"):
        nn.MaxPool2D()(np.ones((2, 4)))


def test_error_in_shared_and_nested_blocks_is_named_once():
    class Outer(nn.Block):
        def __init__(self):
            super().__init__()
            self.inner = MLP()

        def forward(self, x):
            return self.inner(x)

    with pytest.raises(RuntimeError) as caught:
        Outer()(np.ones((2, 3)))
    assert str(caught.value).count("Parameter 'dense0_weight'") == 1
    assert str(caught.value).startswith("outer0.inner.hidden (Dense): ")


def test_user_errors_keep_their_type_and_get_the_path():
    class Picky(nn.Block):
        def forward(self, x):
            raise ValueError("negative")

    with pytest.raises(ValueError, match=r"^picky0 \(Picky\): negative$"):
        Picky()(1)


def test_attribute_type_change():
    net = MLP()
    for value in (5, None, nn.Flatten(), [nn.Dense(64)]):
        with pytest.raises(TypeError, match="Changing attribute type for hidden"):
            net.hidden = value
    net.hidden = nn.Dense(3)  # the same class may replace it
    net.plain = 1
    net.plain = nn.Dense(2)  # and a plain attribute may become a block
    assert len(net._children) == 3


def test_parameter_replaced():
    layer = nn.Dense(2)
    with pytest.raises(AssertionError, match="weight"):
        layer.weight = gluon.Parameter("w", shape=(1,))


def test_no_super_init():
    class NoSuper(nn.Block):
        def __init__(self):
            self.plain = 1
            self.hidden = nn.Dense(1)

    class NoSuperHybrid(nn.HybridBlock):
        def __init__(self):
            self.plain = 1

    for cls in (NoSuper, lambda: NoSuperHybrid().params, lambda: NoSuperHybrid()(1)):
        with pytest.raises(AttributeError, match=r"object has no attribute .*super\(\).__init__"):
            cls()
    with pytest.raises(AttributeError, match="'NoSuper' object has no attribute '_children'"):
        NoSuper()
    assert "NoSuperHybrid" in repr(NoSuperHybrid())
    with pytest.raises(AttributeError, match="object has no attribute 'nothing'"):
        nn.Dense(1).nothing  # noqa: B018


def test_no_forward():
    for cls in (nn.Block, nn.HybridBlock):
        with pytest.raises(NotImplementedError, match="forward"):
            cls()(np.ones((1,)))


def test_block_in_hybrid_block():
    with pytest.raises(ValueError, match="MLP"):
        nn.HybridSequential(MLP())

    class Net(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.part = MLP()

    with pytest.raises(ValueError, match="HybridBlock"):
        Net()


def test_children_are_blocks():
    with pytest.raises(TypeError, match="Lambda"):
        nn.Sequential().add(5)


def test_absent_gpu():
    with pytest.raises(MXNetError, match=r"gpu\(64\)"):
        MLP().initialize(ctx=gpu(64))


def test_initializers():
    with pytest.raises(AssertionError, match="foo"):
        MLP().initialize("foo")
    with pytest.raises(AssertionError):
        MLP().initialize(5)
    with pytest.raises(ValueError, match="b_bias"):
        nn.Dense(3, in_units=2, bias_initializer=init.Xavier(), prefix="b_").initialize()


def test_grad_req():
    with pytest.raises(AssertionError, match="foo"):
        gluon.Parameter("p", grad_req="foo")


@pytest.mark.parametrize("hybridize", [False, True])
def test_foreign_input(hybridize):
    net = net_for()
    if hybridize:
        net.hybridize()
    for foreign in (numpy.ones((2, 3)), "text", [1, 2]):
        with pytest.raises(ValueError, match=rf"hybridsequential1.*{type(foreign).__name__}"):
            net(foreign)


def test_other_attribute_errors_pass():
    class Wrong(nn.HybridBlock):
        def forward(self, x):
            return x.nothing_like_it

    with pytest.raises(AttributeError, match="nothing_like_it"):
        Wrong()(np.ones((1,)))


def test_float_index_into_embedding():
    layer = nn.Embedding(4, 2)
    layer.initialize()
    with pytest.raises(IndexError, match="embedding0"):
        layer(np.array([7]))
    with pytest.raises((ValueError, TypeError, IndexError), match="embedding0"):
        layer(np.array([float("nan")]))


def test_backward_twice_and_without_record():
    net = net_for()
    y = net(np.ones((1, 3)))
    with pytest.raises(MXNetError):
        y.backward()
    with autograd.record():
        y = net(np.ones((1, 3)))
    y.backward()
    with pytest.raises(MXNetError):
        y.backward()


def test_split_and_load():
    parts = gluon.utils.split_and_load(numpy.ones((4, 2)), [cpu(0), cpu(1)])
    assert [(p.shape, p.ctx) for p in parts] == [((2, 2), cpu(0)), ((2, 2), cpu(1))]
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        gluon.utils.split_and_load(np.ones((3, 2)), [cpu(0), cpu(1)])
    parts = gluon.utils.split_and_load(np.ones((3, 2)), [cpu(0), cpu(1)], even_split=False)
    assert [p.shape for p in parts] == [(2, 2), (1, 2)]


def test_clip_global_norm():
    a, b = np.array([3.0]), np.array([4.0])
    assert abs(gluon.utils.clip_global_norm([a, b], 1.0) - 5.0) < 1e-6
    assert abs(a.item() - 0.6) < 1e-6 and abs(b.item() - 0.8) < 1e-6
    gluon.utils.clip_global_norm([a, b], 10.0)
    assert abs(a.item() - 0.6) < 1e-6
    with pytest.warns(UserWarning, match="nan"):
        gluon.utils.clip_global_norm([np.array([float("nan")])], 1.0)


def test_two_devices():
    net = nn.Dense(2, in_units=3)
    net.initialize(ctx=[cpu(0), cpu(1)])
    assert net(np.ones((1, 3), ctx=cpu(1))).ctx == cpu(1)
    with pytest.raises(RuntimeError, match=r"dense0 \(Dense\).*cpu\(2\)"):
        net(np.ones((1, 3), ctx=cpu(2)))
