"""Optimizers: the figures of MXNet 1.9.1 (gradients [1, 2], batch 2, three steps), then their options."""

import numpy
import pytest

from numblocks import cache_info, lr_scheduler, np, optimizer

TABLE = {
    "sgd": ({"learning_rate": 0.1}, [(0.95, 0.9), (0.9, 0.8), (0.85, 0.7)]),
    "sgd clip": ({"learning_rate": 0.1, "clip_gradient": 0.1}, [(0.99, 0.99), (0.98, 0.98), (0.97, 0.97)]),
    "nag": ({"learning_rate": 0.1, "momentum": 0.9}, [(0.905, 0.81), (0.7695, 0.539), (0.59755, 0.1951)]),
    "adam": ({"learning_rate": 0.1}, [(0.899999,) * 2, (0.799999,) * 2, (0.699998,) * 2]),
    "adagrad": ({"learning_rate": 0.1}, [(0.9,) * 2, (0.829289,) * 2, (0.771554,) * 2]),
    "rmsprop": ({"learning_rate": 0.1, "gamma1": 0.9}, [(0.683772,) * 2, (0.454357,) * 2, (0.262262,) * 2]),
    "rmsprop centered": (
        {"learning_rate": 0.1, "centered": True}, [(0.666667,) * 2, (0.11176,) * 2, (-0.612639,) * 2],
    ),
    "adadelta": ({"rho": 0.9}, [(0.990002, 0.99), (0.979744, 0.979741), (0.969308, 0.969304)]),
    "adadelta has no rate": (
        {"rho": 0.9, "learning_rate": 5.0}, [(0.990002, 0.99), (0.979744, 0.979741), (0.969308, 0.969304)],
    ),
    "adamax": ({}, [(0.998,) * 2, (0.996,) * 2, (0.994,) * 2]),
    "nadam": ({}, [(0.998944,) * 2, (0.99816,) * 2, (0.997428,) * 2]),
    "ftrl": ({}, [(0.299333, 0.4495), (0.270044, 0.408079), (0.243249, 0.371476)]),
    "ftml": ({}, [(0.99,) * 2, (0.98375,) * 2, (0.978648,) * 2]),
    "signum": ({}, [(0.99,) * 2, (0.98,) * 2, (0.97,) * 2]),
    "lamb": ({}, [(0.999,) * 2, (0.998001,) * 2, (0.997003,) * 2]),
    "dcasgd": ({}, [(0.995, 0.99), (0.99, 0.980004), (0.985001, 0.970008)]),
}  # fmt: skip


def run(made, weight, gradients):
    update = optimizer.Updater(made)
    w = np.array(weight)
    for g in gradients:
        update(0, np.array(g), w)
        yield w.asnumpy()


@pytest.mark.parametrize("case", TABLE)
def test_table(case):
    hyper, expected = TABLE[case]
    made = optimizer.create(case.split()[0], rescale_grad=0.5, **hyper)
    steps = list(run(made, [1.0, 1.0], [[1.0, 2.0]] * 3))
    numpy.testing.assert_allclose(steps, expected, atol=3e-6)


def test_sgd_momentum_and_decay():
    made = optimizer.create("sgd", learning_rate=0.1, momentum=0.9, wd=0.01, rescale_grad=0.25)
    numpy.testing.assert_allclose(list(run(made, [1.0], [[4.0]] * 2)), [[0.899], [0.707201]], rtol=1e-6)


def test_adam_against_its_definition():
    rng = numpy.random.default_rng(0)
    grads = rng.normal(size=(20, 7))
    w, m, v = numpy.ones(7), 0, 0
    for t, g in enumerate(grads, 1):
        g = g + 0.1 * w
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g * g
        w = w - 0.01 * (m / (1 - 0.8**t)) / (numpy.sqrt(v / (1 - 0.95**t)) + 1e-12)
    made = optimizer.Adam(0.01, beta1=0.8, beta2=0.95, epsilon=1e-12, wd=0.1)
    *_, last = run(made, numpy.ones(7), grads)
    assert last.dtype == numpy.float64
    numpy.testing.assert_allclose(last, w, rtol=1e-9)


def test_weight_decay_alone_shrinks():
    for name in (
        "sgd",
        "nag",
        "adam",
        "adagrad",
        "rmsprop",
        "adadelta",
        "signum",
        "lamb",
        "dcasgd",
        "adamax",
        "nadam",
    ):
        *_, last = run(optimizer.create(name, wd=0.1), [1.0], [[0.0]] * 3)
        assert numpy.isfinite(last).all() and last < 1, name


def test_zero_gradients_stay_finite():
    for name in TABLE:
        *_, last = run(optimizer.create(name.split()[0]), [1.0, -1.0], [[0.0, 0.0]] * 2)
        assert numpy.isfinite(last).all(), name


def test_sgld_is_noisy_sgd():
    from numblocks import random

    random.seed(0)
    *_, last = run(
        optimizer.create("sgld", learning_rate=0.01), numpy.zeros(4000, "float32"), [numpy.ones(4000)]
    )
    assert last.mean() == pytest.approx(-0.005, abs=0.01) and last.std() == pytest.approx(0.1, rel=0.1)


def test_the_rule_writes_nothing():
    made = optimizer.create("adam")
    w, g = np.array([1.0]), np.array([1.0])
    state = made.create_state(0, w)
    new_w, new_state = made.rule(w, g, state, 0.1, 0.0, 1.0, made.factors(1))
    assert w == 1 and new_w != 1
    assert all(s == 0 for s in state) and all(s != 0 for s in new_state)


def test_rules_take_numbers_as_arrays():
    # A compiled step passes lr, wd, rescale and factors as 0-d arrays, so that a new rate compiles nothing.
    for name in TABLE:
        name, hyper = name.split()[0], TABLE[name][0]
        made = optimizer.create(name, **hyper)
        w, g = np.array([1.0, 2.0]), np.array([0.5, -0.25])
        state = made.create_state(0, w)
        plain, _ = made.rule(w, g, state, 0.1, 0.01, 0.5, made.factors(1))
        numbers = [np.array(v) for v in (0.1, 0.01, 0.5)]
        arrays, _ = made.rule(w, g, state, *numbers, tuple(np.array(f) for f in made.factors(1)))
        numpy.testing.assert_allclose(plain.asnumpy(), arrays.asnumpy(), rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("case", TABLE)
def test_updating_together_is_updating_one_by_one(case):
    hyper = {"learning_rate": 0.1, "wd": 0.01, "clip_gradient": 1.5, **TABLE[case][0]}
    rng = numpy.random.default_rng(0)
    shapes = [(3, 4), (4,), (2, 1, 3, 3), ()]
    start = [rng.normal(size=s) for s in shapes]
    several, single = optimizer.create(case.split()[0], **hyper), optimizer.create(case.split()[0], **hyper)
    several.set_lr_mult({1: 0.5})
    single.set_lr_mult({1: 0.5})
    update_all, update_one = optimizer.Updater(several), optimizer.Updater(single)
    a, b = ([np.array(w, dtype="float32") for w in start] for _ in range(2))
    gradients = [np.zeros(s) for s in shapes]
    for step in range(4):
        if step == 2:
            several.set_learning_rate(0.05)
            single.set_learning_rate(0.05)
        if step == 3:  # a constant of the rule
            several.clip_gradient = single.clip_gradient = 0.3
        for g in gradients:
            g[...] = np.array(rng.normal(size=g.shape))
        update_all(list(range(4)), gradients, a)
        for k, (g, w) in enumerate(zip(gradients, b, strict=True)):
            update_one(k, g, w)
    for x, y in zip(a, b, strict=True):
        numpy.testing.assert_allclose(x.asnumpy(), y.asnumpy(), rtol=2e-5, atol=1e-6)


def test_updating_together_takes_one_launch_per_weight():
    for name in ("sgd", "adam"):
        update = optimizer.Updater(optimizer.create(name, wd=0.1))
        weights, gradients = [np.ones((2, 3)), np.ones(5)], [np.ones((2, 3)), np.ones(5)]
        update([0, 1], gradients, weights)
        before = cache_info()
        update([0, 1], gradients, weights)
        after = cache_info()
        assert after.launches - before.launches == 2 and after.builds == before.builds, name
        bigger = [np.ones((7, 3)), np.ones(50)]
        optimizer.Updater(update.optimizer)([2, 3], [np.ones((7, 3)), np.ones(50)], bigger)
        assert cache_info().builds == before.builds  # sizes compile nothing


def test_new_buffers_are_noticed():
    made = optimizer.create("sgd", learning_rate=1.0)
    update = optimizer.Updater(made)
    w, g = np.array([1.0]), np.array([0.25])
    update([0], [g], [w])
    w, g = np.array([5.0]), np.array([1.0])
    update([0], [g], [w])
    assert w == 4


def test_scheduler_and_learning_rate():
    schedule = lr_scheduler.FactorScheduler(1, 0.5, base_lr=1.0)
    made = optimizer.create("sgd", lr_scheduler=schedule)
    numpy.testing.assert_allclose(list(run(made, [0.0], [[1.0]] * 3)), [[-1], [-1.5], [-1.75]])
    with pytest.raises(UserWarning, match="schedule"):
        made.set_learning_rate(1.0)
    made = optimizer.create("sgd", learning_rate=0.5)
    made.set_learning_rate(0.25)
    assert made.learning_rate == 0.25
    started = optimizer.create(
        "adam", learning_rate=2.0, lr_scheduler=lr_scheduler.PolyScheduler(4, base_lr=1.0, pwr=1)
    )
    assert started.learning_rate == 2.0
    assert (
        optimizer.create("adam", lr_scheduler=lr_scheduler.PolyScheduler(4, base_lr=1.0)).learning_rate == 1.0
    )


def test_multipliers():
    made = optimizer.create("sgd", learning_rate=1.0, wd=1.0, param_idx2name={0: "a_weight", 1: "b_weight"})
    made.set_lr_mult({"b_weight": 0.5})
    made.set_wd_mult({0: 0.0})
    update = optimizer.get_updater(made)
    a, b = np.array([1.0]), np.array([1.0])
    update([0, 1], [np.array([0.5]), np.array([0.5])], [a, b])
    assert a == 0.5 and b == 0.25


def test_multi_precision():
    made = optimizer.create("sgd", learning_rate=1e-4, multi_precision=True)
    update = optimizer.Updater(made)
    w = np.array([1.0], dtype="float16")
    for _ in range(100):
        update(0, np.array([1.0], dtype="float16"), w)
    # In float16 alone 1 - 1e-4 is 1 again, and nothing would ever change.
    assert w.dtype == numpy.float16 and float(w) == pytest.approx(0.99, abs=1e-3)


def test_unknown_names():
    with pytest.raises(ValueError, match="cannot find optimizer 'foo'"):
        optimizer.create("foo")
    with pytest.raises(TypeError, match="no hyper-parameter 'lr'.*learning_rate"):
        optimizer.create("sgd", lr=0.1)


def test_custom_optimizer():
    @optimizer.register
    class Constant(optimizer.Optimizer):
        def rule(self, w, g, state, lr, wd, rescale, factors):
            return w - lr, ()

    *_, last = run(optimizer.create("constant", learning_rate=0.5), [1.0], [[9.0]])
    assert last == 0.5


@pytest.mark.parametrize("kind", ["array", "tuple", "nested", "none"])
def test_custom_optimizer_with_an_update_of_its_own(kind):
    """As Gluon's own optimizers are written: `update` counts, asks for its rates, and writes in place."""

    class Momentum(optimizer.Optimizer):
        def create_state(self, index, weight):
            zeros = np.zeros(weight.shape)
            return {"array": zeros, "tuple": (zeros,), "nested": ((zeros, None), zeros.copy()), "none": None}[kind]

        def update(self, index, weight, grad, state):
            self._update_count(index)
            (lr,), (wd,) = self._get_lrs([index]), self._get_wds([index])
            while isinstance(state, tuple):
                state = state[0]
            step = grad * self.rescale_grad + wd * weight
            if state is not None:
                state[:] = 0.5 * state + step
                step = state
            weight[:] -= lr * step

    def make():
        schedule = lr_scheduler.FactorScheduler(2, 0.1, base_lr=1.0)
        made = Momentum(wd=0.5, rescale_grad=0.25, lr_scheduler=schedule)
        made.set_lr_mult({1: 0.5})
        return made, optimizer.get_updater(made), [np.array([4.0]), np.array([8.0])]

    first, update, weights = make()
    grad = np.array([4.0])
    for _ in range(3):
        update([0, 1], [grad, grad], weights)
    w, v = numpy.array([4.0, 8.0]), numpy.zeros(2)
    for lr in (1.0, 1.0, 0.1):
        v = (0 if kind == "none" else 0.5 * v) + 1 + 0.5 * w
        w = w - lr * numpy.array([1, 0.5]) * v
    numpy.testing.assert_allclose([x.item() for x in weights], w, rtol=1e-6)
    assert first.num_update == 3 and first.learning_rate == pytest.approx(0.1)

    packed, copies = update.pack(), {k: x.copy() for k, x in enumerate(weights)}
    second, resumed, _ = make()
    resumed.unpack("test", packed, copies)
    for weight, updater in ((weights[0], update), (copies[0], resumed)):
        updater(0, grad, weight)
    assert weights[0].item() == copies[0].item() and second.num_update == 4
