"""Launch budgets: how many steps a net's plan takes. Fusion that gets worse fails here; timings live in bench/.

A budget is `(kernel launches, calls of whole ops, copies)`. Matrix products, convolutions and poolings are calls.
When a change saves steps, lower the number.
"""

import numpy
import pytest
from hybrids import counted

import numblocks
from numblocks import autograd, gluon, np, npx
from numblocks.gluon import HybridBlock, nn


def rand(*shape):
    return np.array(numpy.random.default_rng(0).normal(size=shape).astype("float32"))


def mlp():
    return nn.HybridSequential(nn.Dense(64, activation="relu"), nn.Dense(32, activation="tanh"), nn.Dense(10)), (16, 20)


def lenet():
    net = nn.HybridSequential(
        nn.Conv2D(6, 3, activation="relu"),
        nn.MaxPool2D(2),
        nn.Conv2D(8, 3, activation="relu"),
        nn.MaxPool2D(2),
        nn.Flatten(),
        nn.Dense(16, activation="relu"),
        nn.Dense(10),
    )
    return net, (4, 1, 14, 14)


def normalized():
    return nn.HybridSequential(nn.Dense(8), nn.BatchNorm(), nn.Activation("relu"), nn.Dense(4)), (6, 5)


def dropped():
    return nn.HybridSequential(nn.Dense(8, activation="relu"), nn.Dropout(0.5), nn.Dense(4)), (6, 5)


class Attention(HybridBlock):
    """Scaled dot-product attention of a sequence with itself."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Dense(8, flatten=False, in_units=8) for _ in range(3))
        self.norm = nn.LayerNorm(in_channels=8)

    def forward(self, x):
        scores = npx.batch_dot(self.query(x), self.key(x), transpose_b=True) / 8**0.5
        return self.norm(x + npx.batch_dot(npx.softmax(scores), self.value(x)))


def attention():
    return Attention(), (2, 5, 8)


BUDGETS = {  # forward, backward
    mlp: ((3, 3, 0), (3, 5, 0)),
    lenet: ((4, 6, 0), (4, 9, 0)),
    normalized: ((2, 2, 0), (2, 3, 0)),
    dropped: ((2, 2, 0), (2, 3, 0)),
    attention: ((5, 5, 0), (7, 7, 0)),
}


@pytest.mark.parametrize("make", BUDGETS)
def test_training_step(make):
    net, shape = make()
    net.initialize()
    net.hybridize()
    x = rand(*shape)
    found = [tuple(c.values()) for c in counted(net, x)]
    assert all(
        a <= b for c, budget in zip(found, BUDGETS[make], strict=True) for a, b in zip(c, budget, strict=True)
    ), found


LOSSES = {  # backward: the cotangents of the rows, then what they are multiplied with
    "SoftmaxCrossEntropyLoss": (2, 2),  # forward: one more for the labels' range
    "L2Loss": (1, 2), "L1Loss": (1, 2), "HuberLoss": (1, 2), "SigmoidBinaryCrossEntropyLoss": (1, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_one_kernel(name):
    loss = getattr(gluon.loss, name)()
    loss.hybridize()
    x = rand(6, 4)
    x.attach_grad()
    label = np.array([0, 1, 2, 3, 0, 1]) if name.startswith("Softmax") else rand(6, 4)
    found = [sum(c.values()) for c in counted(loss, x, label)]
    assert all(n <= budget for n, budget in zip(found, LOSSES[name], strict=True)), found


def test_launches_are_counted():
    net, shape = mlp()
    net.initialize()
    net.hybridize()
    x = rand(*shape)
    net(x)
    before = numblocks.cache_info().launches
    net(x)
    assert 1 <= numblocks.cache_info().launches - before <= 3


def test_prediction_computes_no_residuals():
    net, shape = mlp()
    net.initialize()
    net.hybridize()
    forward, backward = counted(net, rand(*shape), train=False)
    with autograd.pause():
        net(rand(*shape))
    plan = list(net._traced.compiled.entries.values())[-1].plan
    assert plan.second is None and not plan.residuals
