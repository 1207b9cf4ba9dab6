"""A compiled step is the three-line loop, bit for bit."""

from __future__ import annotations

import numpy
import pytest

import numblocks as mx
from numblocks import autograd, gluon, lr_scheduler, np, random
from numblocks.gluon import nn

OPTIMIZERS = [
    ("sgd", {"learning_rate": 0.1}),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "wd": 1e-3}),
    ("adam", {"learning_rate": 0.01}),
]


def make(optimizer="sgd", hyper=None, dropout=0.0):
    random.seed(5)
    net = nn.HybridSequential(nn.Dense(8, activation="relu"), nn.Dropout(dropout), nn.BatchNorm(), nn.Dense(3))
    net.initialize()
    net(np.ones((2, 4)))
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    net.hybridize()
    loss.hybridize()
    return net, loss, gluon.Trainer(net.collect_params(), optimizer, dict(hyper or {"learning_rate": 0.1}))


def batches(sizes):
    rng = numpy.random.default_rng(0)
    return [
        (np.array(rng.standard_normal((n, 4)).astype("float32")), np.array(rng.integers(0, 3, n))) for n in sizes
    ]


def weights(net):
    return [p.data().asnumpy() for p in net.collect_params().values()]


def loop(net, loss, trainer, data, label):
    with autograd.record():
        l = loss(net(data), label)
    l.backward()
    trainer.step(data.shape[0])
    return l.asnumpy()


@pytest.mark.parametrize("optimizer, hyper", OPTIMIZERS)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_the_same_bits_as_the_loop(optimizer, hyper, dropout):
    net, loss, trainer = make(optimizer, hyper, dropout)
    other, loss2, trainer2 = make(optimizer, hyper, dropout)
    step = gluon.compile_step(other, loss2, trainer2)
    random.seed(9)
    wanted = [loop(net, loss, trainer, *batch) for batch in batches([6, 6, 6, 3, 6, 3])]
    random.seed(9)
    found = [step(*batch).asnumpy() for batch in batches([6, 6, 6, 3, 6, 3])]
    if dropout == 0:  # net and loss in one plan, BatchNorm's sums in another grouping: still the same bits
        for a, b in zip(wanted, found, strict=True):
            numpy.testing.assert_array_equal(a, b)
        for a, b in zip(weights(net), weights(other), strict=True):
            numpy.testing.assert_array_equal(a, b)
    else:
        for a, b in zip(wanted + weights(net), found + weights(other), strict=True):
            numpy.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_new_learning_rate_builds_nothing_and_counts():
    net, loss, trainer = make("sgd", {"learning_rate": 0.1})
    step = gluon.compile_step(net, loss, trainer)
    data, label = batches([6])[0]
    for _ in range(3):
        step(data, label)
    before = mx.cache_info()
    trainer.set_learning_rate(0.0)
    kept = [p.data().asnumpy() for p in net.collect_params().values() if p.grad_req != "null"]
    step(data, label)
    after = [p.data().asnumpy() for p in net.collect_params().values() if p.grad_req != "null"]
    assert (mx.cache_info().builds, mx.cache_info().loads) == (before.builds, before.loads)
    for a, b in zip(kept, after, strict=True):
        numpy.testing.assert_array_equal(a, b)


def test_a_schedule_is_followed():
    schedule = lr_scheduler.FactorScheduler(2, 0.5, base_lr=0.2)
    net, loss, trainer = make("sgd", {"lr_scheduler": schedule})
    step = gluon.compile_step(net, loss, trainer)
    rates = []
    for batch in batches([6] * 6):
        step(*batch)
        rates.append(trainer.learning_rate)
    assert rates == [0.2, 0.2, 0.1, 0.1, 0.05, 0.05]


def test_steps_of_both_kinds_mix():
    net, loss, trainer = make("adam", {"learning_rate": 0.01})
    other, loss2, trainer2 = make("adam", {"learning_rate": 0.01})
    step = gluon.compile_step(other, loss2, trainer2)
    for k, batch in enumerate(batches([6] * 6)):
        loop(net, loss, trainer, *batch)
        if k % 2:
            step(*batch)
        else:
            loop(other, loss2, trainer2, *batch)
    for a, b in zip(weights(net), weights(other), strict=True):
        numpy.testing.assert_array_equal(a, b)


def test_a_wrong_label_changes_no_weight():
    net, loss, trainer = make()
    step = gluon.compile_step(net, loss, trainer)
    data, label = batches([6])[0]
    for _ in range(2):
        step(data, label)
    learned = [p.data().asnumpy() for p in net.collect_params().values() if p.grad_req != "null"]
    with pytest.raises(IndexError, match="out of bounds"):
        step(data, label * 0 + 7)
    now = [p.data().asnumpy() for p in net.collect_params().values() if p.grad_req != "null"]
    for a, b in zip(learned, now, strict=True):
        numpy.testing.assert_array_equal(a, b)


def test_accumulated_gradients_take_the_long_way():
    net, loss, trainer = make()
    for p in net.collect_params().values():
        if p.grad_req != "null":
            p.grad_req = "add"
    step = gluon.compile_step(net, loss, trainer)
    data, label = batches([6])[0]
    step(data, label)
    first = net[0].weight.grad().asnumpy().copy()
    step(data, label)
    assert numpy.abs(net[0].weight.grad().asnumpy()).max() > 0 and (net[0].weight.grad().asnumpy() != first).any()


def test_only_hybrid_blocks():
    net, loss, trainer = make()
    with pytest.raises(TypeError, match="HybridBlock"):
        gluon.compile_step(nn.Sequential(), loss, trainer)
    with pytest.raises(TypeError, match="Trainer"):
        gluon.compile_step(net, loss, "sgd")
