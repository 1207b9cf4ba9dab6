"""Parameter, Constant and ParameterDict."""

import copy
import pickle

import numpy
import pytest

from numblocks import autograd, cpu, gluon, init, np
from numblocks.gluon import nn
from numblocks.gluon.parameter import ParameterDict


def made(**kwargs):
    p = gluon.Parameter("p", shape=(2, 3), **kwargs)
    p.initialize(init.One())
    return p


def test_repr():
    params = nn.Block(prefix="myblk_").params
    assert repr(params.get("w", shape=(2, 3))) == (
        "Parameter myblk_w (shape=(2, 3), dtype=<class 'numpy.float32'>)"
    )
    block = nn.Block()
    assert repr(block.params.get_constant("c", np.ones((2, 3)))) == (
        "Constant block0_c (shape=(2, 3), dtype=float32)"
    )
    assert repr(ParameterDict()) == "(\n\n)"


def test_data_grad_and_zero():
    p = made()
    with autograd.record():
        loss = (p.data() * 3).sum()
    loss.backward()
    assert (p.grad().asnumpy() == 3).all()
    p.zero_grad()
    assert (p.grad().asnumpy() == 0).all()
    assert p.list_data()[0] is p.data() and p.list_grad()[0].shape == (2, 3) and p.list_ctx() == [cpu(0)]


def test_data_is_written_in_place():
    p = made()
    p.data()[:] += 1
    p.data()[0, 0] = 42
    assert p.data().asnumpy().tolist() == [[42, 2, 2], [2, 2, 2]]


def test_grad_req_add_and_null():
    p = made(grad_req="add")
    for _ in range(2):
        with autograd.record():
            loss = p.data().sum()
        loss.backward()
    assert (p.grad().asnumpy() == 2).all()
    p.grad_req = "null"
    with pytest.raises(RuntimeError, match="grad_req"):
        p.grad()


def test_set_data():
    p = made()
    array = p.data()
    p.set_data(np.zeros((2, 3)))
    assert p.data() is array and (array.asnumpy() == 0).all()
    with pytest.raises(AssertionError, match=r"\(3, 3\)"):
        p.set_data(np.ones((3, 3)))
    with pytest.raises(AssertionError):
        p.shape = (2, 4)
    assert p.shape == (2, 3) and (array.asnumpy() == 0).all()


def test_several_devices():
    p = gluon.Parameter("p", shape=(2,))
    p.initialize(ctx=[cpu(0), cpu(1)])
    assert p.list_ctx() == [cpu(0), cpu(1)]
    assert p.data(cpu(1)).ctx == cpu(1) and p.data().ctx == cpu(0)
    assert (p.data(cpu(1)).asnumpy() == p.data(cpu(0)).asnumpy()).all()
    with pytest.raises(RuntimeError, match=r"cpu\(2\)"):
        p.data(cpu(2))
    p.reset_ctx(cpu(1))
    assert p.list_ctx() == [cpu(1)] and p.data().ctx == cpu(1)


def test_initialize_again_warns():
    p = made()
    with pytest.warns(UserWarning, match="force_reinit"):
        p.initialize(init.Zero())
    assert (p.data().asnumpy() == 1).all()
    p.initialize(init.Zero(), force_reinit=True)
    assert (p.data().asnumpy() == 0).all()


def test_cast_keeps_values():
    p = made()
    p.cast("float64")
    assert p.data().dtype == "float64" and p.grad().dtype == "float64" and (p.data().asnumpy() == 1).all()


def test_constant():
    c = gluon.Constant("c", numpy.array([[1, 2]], dtype="int32"))
    c.initialize()
    assert c.data().dtype == "int32" and c.data().asnumpy().tolist() == [[1, 2]]
    c.grad_req = "write"
    assert c.grad_req == "null"


def test_get_twice():
    params = ParameterDict("b_")
    w = params.get("w", shape=(2, -1), allow_deferred_init=True)
    assert params.get("w", shape=(2, 3)) is w and w.shape == (2, 3)
    with pytest.raises(AssertionError, match="b_w.*shape"):
        params.get("w", shape=(2, 4))
    c = params.get_constant("c", [1.0])
    assert params.get_constant("c", [1.0]) is c and params.get_constant("c") is c
    with pytest.raises(AssertionError, match="b_c"):
        params.get_constant("c", [2.0])
    with pytest.raises(KeyError, match="b_d"):
        params.get_constant("d")


def test_setattr_for_all():
    net = nn.Sequential(nn.Dense(2, in_units=2), nn.Dense(2, in_units=2))
    net.initialize()
    net.collect_params().setattr("grad_req", "null")
    assert all(p.grad_req == "null" for p in net.collect_params().values())
    net.collect_params(".*weight").setattr("lr_mult", 0.5)
    assert net[0].weight.lr_mult == 0.5 and net[0].bias.lr_mult == 1.0


def test_shared_dict():
    shared = nn.Dense(8, in_units=8)
    layer = nn.Dense(8, in_units=8, params=shared.params)
    assert layer.weight is shared.weight and layer.name == "dense1"
    assert list(nn.Sequential(shared, layer).collect_params()) == ["dense0_weight", "dense0_bias"]
    lacking = nn.Dense(8, use_bias=False, prefix="a_")
    layer = nn.Dense(8, params=lacking.params, prefix="b_")
    assert layer.weight is lacking.weight and layer.bias.name == "a_bias"


def test_direct_parameters_are_adopted():
    class Direct(nn.Block):
        def __init__(self):
            super().__init__()
            self.weight = gluon.Parameter(shape=(2, 2))
            self.scale = gluon.Parameter("scale", shape=(1,))

    net = nn.Sequential(Direct(), Direct())
    assert list(net.collect_params()) == [
        "direct0_weight", "direct0_scale", "direct1_weight", "direct1_scale",
    ]  # fmt: skip


def test_parameter_dict_is_where_gluon_has_it():
    assert isinstance(nn.Dense(1).collect_params(), gluon.parameter.ParameterDict)
    assert gluon.parameter.tensor_types == (np.ndarray,)


def test_own_initializers_win():
    net = nn.Dense(2, in_units=3)
    net.initialize(init.One())
    assert (net.weight.data().asnumpy() == 1).all() and (net.bias.data().asnumpy() == 0).all()
    net.initialize("zeros", force_reinit=True)
    assert (net.weight.data().asnumpy() == 0).all()

    class Layer(nn.Block):
        def __init__(self):
            super().__init__()
            self.bias = self.params.get("bias", shape=(4,))

    layer = Layer()
    layer.initialize(init.One())  # no initializer of its own: the given one, whatever the name
    assert (layer.bias.data().asnumpy() == 1).all()


def test_custom_initializer():
    class MyInit(init.Initializer):
        def _init_weight(self, name, data):
            data[:] = np.random.uniform(-10, 10, data.shape)
            data *= np.abs(data) >= 5

    net = nn.Dense(20, in_units=20)
    net.initialize(MyInit())
    values = numpy.abs(net.weight.data().asnumpy())
    assert ((values == 0) | (values >= 5)).all() and (values > 0).any()


def test_copies_and_pickles():
    net = nn.HybridSequential(nn.Dense(4, activation="relu"), nn.Dense(2))
    net.initialize()
    x = np.random.uniform(size=(2, 3))
    net.hybridize()
    y = net(x).asnumpy()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert (twin(x).asnumpy() == y).all() and twin[0].weight.data() is not net[0].weight.data()
        with autograd.record():
            loss = twin(x).sum()
        loss.backward()
        assert numpy.abs(twin[1].weight.grad().asnumpy()).max() > 0
    assert (net[1].weight.grad().asnumpy() == 0).all()
    waiting = nn.Dense(2)
    waiting.initialize()
    assert copy.deepcopy(waiting)(x).shape == (2, 2)
