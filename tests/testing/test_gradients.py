"""check_gradients: passes what is right, refuses kinks, and says which element of which array is wrong."""

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, gluon, np, npx
from numblocks.gluon import nn
from numblocks.testing import (
    GradientError,
    KinkError,
    check_block,
    check_consistency,
    check_gradients,
    check_program,
    drawn,
    layers,
    programs,
)
from numblocks.testing.numeric import differentiate


class Wrong(autograd.Function):
    """x^2 with a gradient that is off by `slip` at one element."""

    def __init__(self, at, slip):
        self.at, self.slip = at, slip

    def forward(self, x):
        self.save_for_backward(x)
        return x * x

    def backward(self, dy):
        g = (2 * dy * self.saved_tensors[0]).asnumpy()
        g[self.at] += self.slip
        return np.array(g, dtype=g.dtype)


@given(
    st.floats(-3, 3),
    st.sampled_from([(math.sin, math.cos), (math.exp, math.exp), (math.atan, lambda x: 1 / (1 + x * x))]),
)
def test_error_of_differences_is_a_bound(x, pair):
    function, slope = pair
    found = differentiate(lambda h: numpy.array([function(x + h)]), numpy.ones(1))
    assert abs(found.value - slope(x)) <= 8 * found.error
    assert found.error <= 1e-8 * max(1, abs(slope(x)), abs(function(x)))


@pytest.mark.parametrize("at", [0.0, 1e-8, -3e-7])
@pytest.mark.parametrize("bend", [abs, lambda x: max(x, 0.0), lambda x: 1.0 * (x > 0), lambda x: x - math.floor(x)])
def test_kinks_are_refused(bend, at):
    with pytest.raises(KinkError, match="no derivative"):
        differentiate(lambda h: numpy.array([bend(at + h)]), numpy.ones(1))


@given(st.floats(1e-3, 1.0), st.booleans())
def test_a_kink_nearby_does_not_disturb(distance, left):
    at = -distance if left else distance
    found = differentiate(lambda h: numpy.array([abs(at + h)]), numpy.ones(1))
    assert abs(found.value - (-1 if left else 1)) < 1e-6


def test_kinks_reject_the_draw():
    seen = []

    @settings(max_examples=30)
    @given(st.sampled_from([-1.0, 0.0, 2.0]))
    def run(x):
        check_gradients(npx.relu, np.array([x]))
        seen.append(x)

    run()
    assert set(seen) == {-1.0, 2.0}
    with pytest.raises(KinkError):
        check_gradients(npx.relu, np.array([0.0]))


def test_the_report_names_the_element_and_repeats_itself():
    x = np.array(numpy.arange(6.0).reshape(2, 3) + 1, dtype="float64")
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x: Wrong((1, 2), 1e-6)(x), x, seed=3)
    error = caught.value
    assert error.where == "input 0" and error.element == (1, 2) and error.seed == 3
    assert abs(error.analytic - error.numeric) > error.tolerance
    assert "input 0 [1, 2]" in str(error) and "seed 3" in str(error)
    assert "check_gradients(f, x0, order=1" in error.script
    rebuilt = {}
    exec(
        error.script.replace("f = ...", "f = None")[: error.script.index("check_gradients(f") + 4].rsplit("\n", 1)[0],
        rebuilt,
    )
    assert (rebuilt["x0"].asnumpy() == x.asnumpy()).all()


def test_one_wrong_element_among_many():
    x = numpy.random.default_rng(0).uniform(1, 2, (50, 40))
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x: Wrong((37, 11), 1e-4)(x), x)
    assert caught.value.element == (37, 11)


def test_parameters_states_and_dropout():
    net = nn.HybridSequential(nn.Dense(5, activation="tanh"), nn.BatchNorm(), nn.Dropout(0.4), nn.Dense(2))
    net.initialize()
    x = np.array(numpy.random.default_rng(1).normal(size=(4, 3)))
    net(x)
    before = [p.data().asnumpy() for p in net.collect_params().values()]
    for modes in (("eager",), ("hybridized",)):
        check_gradients(net, x, order=2, modes=modes)
        check_gradients(net, x, train_mode=False, modes=modes)
    assert all((a == p.data().asnumpy()).all() for a, p in zip(before, net.collect_params().values(), strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_narrow_nets_are_checked_in_their_own_dtype(dtype):
    class Slip(gluon.HybridBlock):
        slip = 0.0

        def forward(self, x):
            return np.tanh(x) * (1 + self.slip * (x.dtype != "float64"))

    net, x = Slip(), np.array([0.3, -0.8], dtype=dtype)
    check_gradients(net, x)
    net.slip = 0.2
    with pytest.raises(GradientError, match=f"in {dtype}"):
        check_gradients(net, x)


def test_bfloat16_is_refused_with_the_reason():
    for call in (lambda: np.array([1.0], dtype="bfloat16"), lambda: nn.Dense(2).cast("bfloat16"),
                 lambda: check_consistency(np.tanh, np.array([1.0]), dtypes=("float32", "bfloat16"))):  # fmt: skip
        with pytest.raises(TypeError, match="'bfloat16' is not supported. NumPy has no such type"):
            call()


def test_integers_stay_where_they_are():
    net = nn.Embedding(4, 3)
    net.initialize()
    check_gradients(net, np.array([[0, 3], [3, 1]], dtype="int32"))


def test_functions_of_something_else_are_refused():
    rng = numpy.random.default_rng(0)
    with pytest.raises(GradientError, match="two calls on the same inputs differ"):
        check_gradients(lambda x: x * float(rng.uniform()), np.array([1.0]))
    with pytest.raises(TypeError, match="output 0 is float32"):
        check_gradients(lambda x: x.astype("float32"), np.array([1.0]))
    with pytest.raises(ValueError, match="mode 'fast' is unknown"):
        check_gradients(np.tanh, np.array([1.0]), modes=("fast",))


def test_dropped_second_order_is_found():
    with pytest.raises(GradientError, match="second derivative"):
        check_gradients(lambda x: Wrong(0, 0.0)(x), np.array([0.5]), order=2)  # its backward leaves the tape
    stale = lambda x: np.exp(x) * x.detach()
    with pytest.raises(GradientError):
        check_gradients(stale, np.array([0.5]))


def test_random_nets():
    assert drawn(lambda tree: check_block(tree, hybrid=False), layers.trees(), 60) > 40


def test_random_nets_compiled():
    assert drawn(check_block, layers.trees(max_layers=2), 8) >= 4


def test_random_programs():
    assert drawn(lambda p: check_program(p, hybrid=False), programs.programs(), 60) > 20
