"""LARS, LBSGD, AdamW, GroupAdaGrad and Test against their definitions in NumPy, one weight at a time and together."""

import numpy
import pytest

from numblocks import lr_scheduler, np, optimizer

rng = numpy.random.default_rng(0)
GRADS = rng.normal(size=(6, 3, 4))
START = rng.normal(size=(3, 4))


def updates(made, grads=GRADS, start=START):
    update, w = optimizer.Updater(made), np.array(start)
    for g in grads:
        update(0, np.array(g), w)
        yield w.asnumpy()


def norm(x):
    return numpy.sqrt((x * x).sum())


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_lars(momentum):
    w, v = START, 0
    for g, found in zip(GRADS, updates(optimizer.LARS(momentum, learning_rate=0.5, wd=0.1, eta=0.02)), strict=True):
        rate = 0.5 * 0.02 * norm(w) / (norm(g) + 0.1 * norm(w))
        v = momentum * v - rate * (g + 0.1 * w)
        w = w + v
        numpy.testing.assert_allclose(found, w, rtol=1e-6)


def test_lars_leaves_biases_and_zeros_alone():
    plain = list(updates(optimizer.SGD(learning_rate=0.5)))
    found = list(updates(optimizer.LARS(learning_rate=0.5, param_idx2name={0: "dense0_bias"})))
    numpy.testing.assert_allclose(found, plain)
    zeros = numpy.zeros((3, 4))
    *_, last = updates(optimizer.LARS(learning_rate=0.5), GRADS[:1], zeros)
    numpy.testing.assert_allclose(last, -0.5 * GRADS[0])
    *_, last = updates(optimizer.LARS(learning_rate=0.5), [zeros] * 2)
    numpy.testing.assert_array_equal(last, START)


def test_lars_corrects_momentum():
    schedule = lr_scheduler.FactorScheduler(1, 0.5, base_lr=1.0)
    names = {0: "a_bias"}
    found = list(updates(optimizer.LARS(0.9, lr_scheduler=schedule, param_idx2name=names), [[1.0]] * 2, [0.0]))
    assert found[0] == pytest.approx(-1.0) and found[1] - found[0] == pytest.approx(0.9 * 0.5 * -1.0 - 0.5)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("strategy", ["linear", "power2", "sqrt", "lars"])
def test_lbsgd(strategy, momentum):
    made = optimizer.LBSGD(
        momentum, warmup_strategy=strategy, warmup_epochs=1, updates_per_epoch=4, batch_scale=2,
        learning_rate=0.1, wd=0.01,
    )  # fmt: skip
    w, v, total = START, 0, 0
    for t, (g, found) in enumerate(zip(GRADS, updates(made), strict=True), 1):
        total = total + g
        if t % 2 == 0:
            mean, total, done = total / 2, 0, min(1, t / 4)
            grown = 1 + {"linear": done, "power2": done**2, "sqrt": done**0.5, "lars": 0}[strategy]
            if strategy == "lars":
                grown = numpy.clip(norm(w) / numpy.sqrt(norm(mean) ** 2 + 0.01 * norm(w) ** 2), 0.01, 100)
            v = momentum * v - 0.1 * grown * (mean + 0.01 * w)
            w = w + v
        numpy.testing.assert_allclose(found, w, rtol=1e-6)


def test_adamw():
    w, m, v = START, 0, 0
    for t, (g, found) in enumerate(zip(GRADS, updates(optimizer.AdamW(0.1, wd=0.3)), strict=True), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * (m / (1 - 0.9**t) / (numpy.sqrt(v / (1 - 0.999**t)) + 1e-6) + 0.3 * w)
        numpy.testing.assert_allclose(found, w, rtol=1e-6)


def test_group_adagrad():
    w, total = START, 0
    for g, found in zip(GRADS, updates(optimizer.create("groupadagrad", learning_rate=0.1)), strict=True):
        total = total + (g * g).mean(1, keepdims=True)
        w = w - 0.1 * g / numpy.sqrt(total + 1e-5)
        numpy.testing.assert_allclose(found, w, rtol=1e-6)
    with pytest.raises(ValueError, match="weight decay"):
        list(updates(optimizer.GroupAdaGrad(wd=0.1)))


def test_test():
    *_, last = updates(optimizer.create("test", rescale_grad=0.5))
    numpy.testing.assert_allclose(last, START + 0.5 * GRADS.sum(0))


def test_refusals():
    for wrong in ({"warmup_strategy": "x"}, {"batch_scale": 0}):
        with pytest.raises(ValueError, match="LBSGD"):
            optimizer.LBSGD(**wrong)


CASES = {
    "lars": {"momentum": 0.9, "wd": 0.1, "param_idx2name": {1: "b_bias"}}, "adamw": {"wd": 0.1}, "groupadagrad": {},
    "lbsgd": {"momentum": 0.9, "batch_scale": 2}, "test": {},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_together_is_one_by_one(name):
    several, single = (optimizer.Updater(optimizer.create(name, **CASES[name])) for _ in range(2))
    shapes = [(3, 4), (4,), (2, 1, 3)]
    start = [rng.normal(size=s) for s in shapes]
    a, b = ([np.array(w, dtype="float32") for w in start] for _ in range(2))
    for _ in range(4):
        grads = [np.array(rng.normal(size=s), dtype="float32") for s in shapes]
        several([0, 1, 2], grads, a)
        for k in range(3):
            single(k, grads[k], b[k])
    for x, y in zip(a, b, strict=True):
        numpy.testing.assert_allclose(x.asnumpy(), y.asnumpy(), rtol=2e-5, atol=1e-6)


def test_all_of_mxnet_are_there():
    known = """adadelta adagrad adam adamax ccsgd dcasgd ftml ftrl groupadagrad lamb lars lbsgd nadam nag rmsprop sgd
    sgld signum test""".split()
    assert set(known) <= set(optimizer.Optimizer.opt_registry)
