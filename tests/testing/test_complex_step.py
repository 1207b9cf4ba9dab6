"""The complex step: taken where ops are analytic, then nearer than differences; left alone where they are not."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numblocks import np, npx
from numblocks.gluon import nn
from numblocks.op import REGISTRY
from numblocks.testing import GradientError, NotAnalytic, check_gradients, drawn, strategies
from numblocks.testing.complexstep import analytic, complex_step, continued
from numblocks.testing.gradients import Check
from numblocks.testing.locate import flat
from numblocks.testing.numeric import differentiate

ANALYTIC = sorted(n for n, op in REGISTRY.items() if op.kind == "elementwise" and op.result != "cast"
                  and continued(op, {}) is not None)  # fmt: skip


def test_kinks_and_choices_are_not_continued():
    assert {"add", "divide", "exp", "tanh", "power", "sqrt", "arcsin"} <= set(ANALYTIC)
    assert not {"abs", "maximum", "relu", "where", "sign", "rint", "greater", "hypot"} & set(ANALYTIC)


@pytest.mark.parametrize("name", ANALYTIC)
def test_error_is_a_bound_and_smaller(name):
    """Against the VJP, whose own rounding is a few units in the last place."""

    def check(args):
        op = REGISTRY[name]
        checked = checker(op, args)
        found = checked.wide.gradients(checked.start, checked.heads)
        along = checked.direction()
        exact = sum(float((g * v).sum()) for g, v in zip(found, along, strict=True) if g is not None)
        step = lambda h: checked.plain_values(h, along)
        here = step(0.0)
        d = complex_step(step, here, checked.weights)
        differences = differentiate(step, checked.weights)
        assert abs(d.value - exact) <= d.error + 64 * numpy.finfo(float).eps * (abs(exact) + d.size)
        assert d.error < differences.error and d.method == "complex step"

    drawn(check, strategies.smooth_points(REGISTRY[name], shape=(3,)), 10)


def checker(f, args):
    """A Check with its heads drawn."""
    found = Check(f, args, "eager", True, 0, True, {})
    ys = found.plain.values(found.start)
    found.heads = [numpy.asarray(found.rng.uniform(0.5, 1.0, y.shape)) for y in ys]
    found.weights = flat(found.heads)
    return found


@given(st.floats(-3, 3))
def test_of_plain_functions(x):
    d = complex_step(lambda h: numpy.array([numpy.sin(x + h) ** 2]), numpy.array([math.sin(x) ** 2]), numpy.ones(1))
    assert abs(d.value - math.sin(2 * x)) <= d.error + 1e-15


@pytest.mark.parametrize("f", [npx.relu, np.abs, lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, x, 2 * x),
                               lambda x: np.array(numpy.tanh(x.asnumpy())) * x])  # fmt: skip
def test_refused_where_it_does_not_apply(f):
    x = np.array([0.5, -1.0], dtype="float64")
    with pytest.raises(NotAnalytic, match="complex step"):
        check_gradients(f, x, method="complex")


def test_a_power_of_a_negative_number_is_left_to_differences():
    check_gradients(lambda x: x**3.0, np.array([-1.3, 0.7], dtype="float64"))


def test_reports_say_the_method():
    x = np.array([0.5, -1.0], dtype="float64")
    for method, said in (("auto", "complex step"), ("complex", "complex step"), ("central", "central differences")):
        with pytest.raises(GradientError, match=f"by {said}") as caught:
            check_gradients(lambda x: np.exp(x) * x.detach(), x, method=method)
        assert caught.value.method == said
    with pytest.raises(ValueError, match="method 'best' is unknown"):
        check_gradients(np.tanh, x, method="best")


def test_what_numpy_computes_beside_is_seen_by_differences():
    """Values that leave for NumPy and come back have no gradient; the imaginary part would not show it."""
    with pytest.raises(GradientError, match="central differences"):
        check_gradients(lambda x: np.array(numpy.abs(x.asnumpy())), np.array([0.5, -1.0], dtype="float64"))


def test_parameters_and_states_stay():
    net = nn.HybridSequential(nn.Dense(3, activation="tanh"), nn.BatchNorm(), nn.Dense(2))
    net.initialize()
    x = np.array(numpy.random.default_rng(0).normal(size=(4, 3)), dtype="float64")
    net(x)
    before = [p.data().asnumpy() for p in net.collect_params().values()]
    check_gradients(net, x)
    assert all(numpy.array_equal(a, p.data().asnumpy()) for a, p in zip(before, net.collect_params().values(),
                                                                        strict=True))  # fmt: skip
    with analytic():
        pass
    assert np.tanh(x).dtype == "float64"
