"""Initializers: what they fill arrays with, how they are named, and what they refuse."""

import json
import math

import numpy
import pytest

from numblocks import init, initializer, random
from numblocks.array import wrap
from numblocks.device import cpu


def filled(initializer_, shape, name="weight"):
    arr = wrap(numpy.full(shape, 7, "float32"), cpu())
    initializer_(name, arr)
    return arr.asnumpy()


@pytest.fixture(autouse=True)
def _seed():
    random.seed(1)


def test_constants():
    assert (filled(init.Zero(), (2, 3)) == 0).all()
    assert (filled(init.One(), (2, 3)) == 1).all()
    assert (filled(init.Constant(2.5), (2,)) == 2.5).all()
    assert filled(init.Constant([[1, 2]]), (1, 2)).tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="shape"):
        filled(init.Constant([1, 2]), (2, 2))


def test_spread():
    u = filled(init.Uniform(), (200, 200))
    assert 0.069 < abs(u).max() <= 0.07 and abs(u.mean()) < 1e-3
    n = filled(init.Normal(0.5), (200, 200))
    assert n.std() == pytest.approx(0.5, rel=0.02)


def test_xavier():
    w = filled(init.Xavier(), (1000, 100))
    assert abs(w).max() == pytest.approx(math.sqrt(3 / 550), rel=1e-3)
    w = filled(init.Xavier("gaussian", "in", 2), (64, 32, 3, 3))
    assert w.std() == pytest.approx(math.sqrt(2 / (32 * 9)), rel=0.03)
    w = filled(init.MSRAPrelu("out", 0.0), (64, 32, 3, 3))
    assert w.std() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.03)
    with pytest.raises(ValueError, match="dense4_bias.*2 axes"):
        init.Xavier()._init_weight("dense4_bias", wrap(numpy.zeros(3, "float32"), cpu()))


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (4, 3, 3)])
def test_orthogonal(shape):
    w = filled(init.Orthogonal(scale=1.0), shape).reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] < w.shape[1] else w.T @ w
    numpy.testing.assert_allclose(small, numpy.eye(len(small)), atol=1e-5)


def test_bilinear():
    w = filled(init.Bilinear(), (1, 1, 4, 4))[0, 0]
    line = numpy.array([0.25, 0.75, 0.75, 0.25])
    numpy.testing.assert_allclose(w, numpy.outer(line, line))


def test_lstm_bias():
    assert filled(init.LSTMBias(), (8,), "lstm0_bias").tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_the_name_decides():
    one = init.Constant(5.0)
    for name, value in [
        ("fc_weight", 5),
        ("fc_bias", 0),
        ("bn_gamma", 1),
        ("bn_beta", 0),
        ("bn_running_mean", 0),
        ("bn_running_var", 1),
        ("bn_moving_mean", 0),
    ]:
        assert (filled(one, (3,), name) == value).all(), name
    with pytest.raises(ValueError, match="cannot tell"):
        filled(one, (3,), "thing")


def test_a_parameters_own_initializer_wins():
    desc = init.InitDesc("fc_bias", {"__init__": init.One()})
    assert desc == "fc_bias"
    assert (filled(init.Zero(), (3,), desc) == 1).all()
    desc = init.InitDesc("fc_bias", {"__init__": "ones"})
    assert (filled(init.Mixed([".*"], [init.Zero()]), (3,), desc) == 1).all()


def test_custom():
    class Mine(init.Initializer):
        def _init_weight(self, name, arr):
            arr._data[:] = len(name)

    assert (filled(Mine(), (2,), init.InitDesc("abc", {"__init__": Mine()})) == 3).all()
    with pytest.raises(NotImplementedError):
        filled(init.Initializer(), (2,))


def test_names_and_json():
    for name, klass in [("zeros", init.Zero), ("Xavier", init.Xavier), ("MSRAPRELU", init.MSRAPrelu)]:
        assert type(init.create(name)) is klass
    for made in (
        init.Normal(0.2),
        init.Xavier("gaussian", "in", 2),
        init.Constant(3),
        init.MSRAPrelu("in", 0.1),
    ):
        assert json.loads(made.dumps())[0] == type(made).__name__.lower()
        assert init.create(made.dumps()) == made
    with pytest.raises(AssertionError, match="foo.*not registered"):
        init.create("foo")
    with pytest.raises(AssertionError, match="must be a string"):
        init.create(5)
    assert initializer.Xavier is init.Xavier

    @init.register
    class Seven(init.Constant):
        def __init__(self):
            super().__init__(7)

    assert (filled(init.create("seven"), (2,)) == 7).all()


def test_mixed_and_load():
    mixed = init.Mixed([".*bias", ".*"], [init.Constant(1), init.Constant(2)])
    assert (filled(mixed, (2,), "a_weight") == 2).all()
    own = init.InitDesc("a_weight", {"__init__": mixed})  # what Parameter passes for initialize(mixed)
    assert (filled(mixed, (2,), own) == 2).all()
    with pytest.raises(ValueError, match="no pattern"):
        filled(init.Mixed(["x"], ["zeros"]), (2,), "a_weight")
    load = init.Load({"arg:a_weight": numpy.full(2, 9)}, default_init="zeros")
    assert (filled(load, (2,), "a_weight") == 9).all()
    assert (filled(load, (2,), "b_weight") == 0).all()
    with pytest.raises(AssertionError):
        filled(load, (3,), "a_weight")


def test_seed_repeats():
    first = filled(init.Xavier(), (3, 4))
    second = filled(init.Xavier(), (3, 4))
    random.seed(1)
    assert (filled(init.Xavier(), (3, 4)) == first).all() and not (first == second).all()


def test_verbose():
    lines = []
    init.One().set_verbosity(True, lines.append)("a_weight", wrap(numpy.zeros(2), cpu()))
    assert lines and "a_weight" in lines[0]
