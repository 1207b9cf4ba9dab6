"""check_hybrid: passes where eager and hybridized agree, says what differs where not, leaves no trace."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numblocks import autograd, check_hybrid, gluon, np, npx, random
from numblocks.gluon import nn
from numblocks.gluon.check import compare, ulps
from numblocks.op import current
from numblocks.ops.random import generator


def rand(*shape):
    return np.array(numpy.random.default_rng(0).normal(size=shape).astype("float32"))


def built(*layers):
    net = nn.HybridSequential(*layers)
    net.initialize()
    return net


def test_agreement_of_a_net_with_states_and_dropout():
    net = built(nn.Dense(8), nn.BatchNorm(), nn.Activation("tanh"), nn.Dropout(0.5), nn.Dense(3))
    report = check_hybrid(net, rand(6, 5))
    assert not report.failures
    found = {row.what for row in report if row.mode == "train (replay)"}
    assert {"output 0", "gradient of argument 0", "gradient of 0.weight", "gradient of 4.bias"} <= found
    assert "0 differ" in str(report)


def state(net):
    values = [p.data().asnumpy() for p in net.collect_params().values()]
    grads = [p.grad().asnumpy() for p in net.collect_params().values() if p.grad_req != "null"]
    return values + grads


@pytest.mark.parametrize("active", [False, True])
def test_nothing_is_left_behind(active):
    net = built(nn.Dense(4), nn.BatchNorm(), nn.Dropout(0.5))
    x = rand(6, 5)
    net.hybridize(active)
    x.attach_grad()
    with autograd.record():
        net(x).sum().backward()
    traced, before, stream, grad = net._traced, state(net), generator.stream, x.grad.asnumpy()
    fresh = [p.data()._node.fresh for p in net.collect_params().values() if p.grad_req != "null"]
    with autograd.record():
        check_hybrid(net, x)
        assert autograd.is_recording() and autograd.is_training()
    assert net._active is active and net._traced is traced and generator.stream == stream
    assert all(child._active is active for child in net._children.values())
    assert all(numpy.array_equal(a, b) for a, b in zip(before, state(net), strict=True))
    assert numpy.array_equal(grad, x.grad.asnumpy())
    assert fresh == [p.data()._node.fresh for p in net.collect_params().values() if p.grad_req != "null"]


def test_open_shapes_are_completed_and_gradients_may_be_added():
    net = built(nn.Dense(4), nn.Dense(2))
    net.collect_params().setattr("grad_req", "add")
    check_hybrid(net, rand(3, 7))
    assert net[0].weight.shape == (4, 7) and not net[0].weight.grad().asnumpy().any()


class Cheat(gluon.HybridBlock):
    """Computes something else when traced."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.weight = gluon.Parameter("weight", shape=(3,), init="one")

    def forward(self, x):
        y = x * self.weight.data()
        return y * self.factor if current.substitute is not None else y


def test_a_difference_is_named():
    net = Cheat(1.001)
    net.initialize()
    x = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, -1.0]])
    with pytest.raises(AssertionError) as caught:
        check_hybrid(net, x)
    words = str(caught.value)
    assert "check_hybrid(cheat" in words and "output 0" in words and "gradient of weight" in words
    assert "predict (trace)" in words and "train (replay)" in words and "ulps" in words
    assert "5 of 6 elements" in words and "at [1, 0]: eager 4.0" in words
    check_hybrid(net, x, rtol=1e-2)
    check_hybrid(_ready(Cheat(1.0)), x, rtol=0, atol=0)
    assert not net._active


def _ready(net):
    net.initialize()
    return net


def test_an_error_of_the_trace_alone_is_reported():
    class Values(gluon.HybridBlock):
        def forward(self, x):
            return x * float(x.sum())

    with pytest.raises(AssertionError, match="the hybridized net raises"):
        check_hybrid(Values(), rand(2, 2))

    class Broken(gluon.HybridBlock):
        def forward(self, x):
            raise KeyError("both ways")

    with pytest.raises(KeyError):
        check_hybrid(Broken(), rand(2, 2))


def test_draws_must_be_as_many():
    class Draws(gluon.HybridBlock):
        def forward(self, x):
            if current.substitute is None:
                random.uniform(shape=2)
            return x * 2

    with pytest.raises(AssertionError, match="random stream"):
        check_hybrid(Draws(), rand(2))


def test_states_are_compared():
    class State(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.count = gluon.Parameter("count", shape=(1,), grad_req="null", init="zeros")

        def forward(self, x):
            from numblocks.op import assign

            assign(self.count.data(), self.count.data() + (2.0 if current.substitute is not None else 1.0))
            return x + 1

    with pytest.raises(AssertionError, match=r"state count .*eager 1.0, hybridized 2.0"):
        check_hybrid(_ready(State()), rand(2))


def test_nested_arguments_plain_blocks_and_integer_outputs():
    class Pair(gluon.HybridBlock):
        def forward(self, x, more, scale):
            return {"a": x + more[0] * scale, "b": [npx.relu(more[1]), (x > 0)]}

    check_hybrid(Pair(), rand(2, 3), [rand(3), rand(2)], 3)
    outer = nn.Sequential()
    inner = nn.HybridSequential(nn.Dense(3))
    outer.add(inner, nn.Dense(2))
    outer.initialize()
    check_hybrid(outer, rand(4, 5))

    class Plain(gluon.Block):
        def forward(self, x):
            return x

    with pytest.raises(TypeError, match="no HybridBlock"):
        check_hybrid(Plain(), rand(2))


def test_compare():
    a = numpy.float32([1.0, numpy.nan, numpy.inf, 0.0])
    assert compare("m", "w", a, a.copy()).where is None
    row = compare("m", "w", a, numpy.float32([1.0, 2.0, numpy.inf, 0.0]))
    assert row.where == (1,) and row.problem
    row = compare("m", "w", a, numpy.nextafter(a, numpy.float32(9)))
    assert not row.problem or row.where == (2,)
    assert compare("m", "w", numpy.arange(3), numpy.array([0, 1, 3])).ulps == 1
    assert "float64" in compare("m", "w", a, a.astype("float64")).problem


@given(hnp.arrays(numpy.float32, 4, elements=st.floats(-(2.0**99), 2.0**99, width=32)), st.integers(0, 3))
def test_ulps_counts_neighbours(a, steps):
    b = a
    for _ in range(steps):
        b = numpy.nextafter(b, numpy.float32(numpy.inf))
    assert (ulps(a, b) == steps).all() and (ulps(b, a) == steps).all()
    d = a.astype(numpy.float64)
    assert (ulps(d, numpy.nextafter(d, -numpy.inf)) == 1).all()
