"""Comparisons, consistency, saving, training sequences, the state machine, MXNet's names."""

import subprocess
import sys

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import numblocks
from numblocks import np, test_utils
from numblocks.gluon import nn
from numblocks.op import REGISTRY
from numblocks.testing import (
    AutogradMachine,
    assert_almost_equal,
    check_autograd,
    check_consistency,
    check_op,
    check_saved,
    check_training,
    drawn,
    large_calls,
    layers,
    strategies,
    training,
    ulps,
)

TestAutograd = AutogradMachine.TestCase
TestAutograd.settings = settings(max_examples=40, stateful_step_count=20)


@given(st.integers(-(2**30), 2**30), st.integers(0, 1000))
def test_ulps_count_floats(start, steps):
    a = numpy.float32(start)
    b = a
    for _ in range(min(steps, 50)):
        b = numpy.nextafter(b, numpy.float32(numpy.inf))
    assert abs(ulps(a, b) - min(steps, 50)) <= min(steps, 50) / 2 + 1


def test_reports():
    with pytest.raises(AssertionError, match=r"(?s)in 1 of 3 elements.*\[1\].*ulp"):
        assert_almost_equal(np.array([1, 2, 3]), numpy.array([1, 2.01, 3]), names=("got", "want"))
    with pytest.raises(AssertionError, match="do not broadcast"):
        assert_almost_equal(numpy.zeros(2), numpy.zeros(3))
    with pytest.raises(AssertionError):
        assert_almost_equal(numpy.array([numpy.nan]), numpy.array([numpy.nan]))
    assert_almost_equal(numpy.array([numpy.nan]), numpy.array([numpy.nan]), equal_nan=True)
    assert_almost_equal(numpy.float32(1), numpy.float32(1 + 3e-7), max_ulp=4)
    with pytest.raises(AssertionError, match="more than 1 ulp"):
        assert_almost_equal(numpy.float32(1), numpy.float32(1 + 3e-7), max_ulp=1)


def test_consistency_over_dtypes():
    check_consistency(np.tanh, np.array([0.5, 1.0]), dtypes=("float64", "float32", "float16"))
    drawn(lambda tree: check_consistency(tree.net(), tree.input()), layers.trees(), 20)
    with pytest.raises(AssertionError, match="where everything given was float32"):
        check_consistency(lambda x: x.astype("float64"), np.array([0.5]))


def test_saved():
    drawn(lambda tree: check_saved(tree.net(), tree.input()), layers.trees(), 30)
    net = nn.Dense(3)
    net.initialize()
    check_saved(net, np.ones((2, 4)), make=lambda: nn.Dense(3, in_units=4))


def test_training_sequences():
    assert drawn(check_training, training.trainings(), 30) > 10


def test_check_autograd_finds_the_shortest_program():
    right = REGISTRY["tanh"].vjp
    REGISTRY["tanh"].vjp = (lambda g, y, x: g * (1 - y),)
    try:
        with pytest.raises(AssertionError) as caught:
            check_autograd(max_examples=60)
    finally:
        REGISTRY["tanh"].vjp = right
    assert "tanh" in " ".join(caught.value.__notes__)


@pytest.mark.parametrize("name", ["tanh", "where", "slice", "softmax", "window_sum", "take"])
def test_check_op_passes(name):
    assert check_op(name, max_examples=12) > 10


def test_check_op_does_the_parts_it_is_told():
    assert check_op("tanh", parts=("hybridized",), max_examples=18) == 3
    with pytest.raises(ValueError, match="are unknown. The parts are forward"):
        check_op("tanh", parts=("backward",))


@pytest.mark.parametrize("name", ["tanh", "sum", "matmul"])
def test_check_op_of_large_arrays_passes(name):
    assert check_op(name, cases=large_calls(name), order=1, max_examples=3) >= 6


@given(st.data())
def test_layouts_keep_values(data):
    x = data.draw(strategies.arrays(dtype="float32"))
    y = data.draw(strategies.layouts(x))
    assert y.shape == x.shape and y.dtype == "float32"


@given(strategies.smooth_points(REGISTRY["relu"]))
def test_smooth_points_are_away_from_kinks(args):
    assert (numpy.abs(args[0]) >= 1e-4).all()


@given(layers.trees())
@settings(max_examples=40)
def test_trees_run_and_print_as_they_are(tree):
    again = eval(repr(tree), {"Tree": layers.Tree})
    assert again == tree
    assert numpy.array_equal(again.net()(again.input()).asnumpy(), tree.net()(tree.input()).asnumpy())


def test_mxnet_names():
    assert numblocks.test_utils is test_utils
    assert test_utils.rand_ndarray((2, 3)).shape == (2, 3) and len(test_utils.rand_shape_nd(4)) == 4
    assert test_utils.default_context() == numblocks.cpu(0)
    test_utils.check_numeric_gradient(np.tanh, [np.ones((2, 4))])
    (g,) = test_utils.numeric_grad(lambda x: x * x, [np.array([1.0, 3.0])])
    test_utils.assert_almost_equal(g, numpy.array([2.0, 6.0]), rtol=1e-6)
    test_utils.check_gluon_hybridize_consistency(lambda: nn.Dense(3, in_units=4), [np.ones((2, 4))])
    assert test_utils.same(np.ones(2), numpy.ones(2)) and not test_utils.almost_equal(np.ones(2), np.zeros(2))
    x = numpy.arange(24.0).reshape(2, 3, 4)
    for axis in (None, 1, (0, -1)):
        for keep in (False, True):
            assert (test_utils.np_reduce(x, axis, keep, numpy.sum) == x.sum(axis, keepdims=keep)).all()
    test_utils.assert_exception(lambda: 1 / 0, ZeroDivisionError)


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)


def test_hypothesis_is_optional():
    assert run("import numblocks, sys; assert 'hypothesis' not in sys.modules").returncode == 0
    done = run("import sys; sys.modules['hypothesis'] = None\nimport numblocks.testing")
    assert "pip install 'numblocks[test]'" in done.stderr
