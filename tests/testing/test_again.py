"""The script that a failure prints, run by itself, fails in the same way: functions, lambdas, Blocks, custom ops."""

import os
import subprocess
import sys
from functools import partial

import numpy
import pytest

from numblocks import autograd, custom, gluon, np
from numblocks.gluon import nn
from numblocks.op import REGISTRY
from numblocks.testing import GradientError, check_gradients, check_op, drawn, layers
from numblocks.testing.again import Again


class Slipped(autograd.Function):
    """x^2 whose gradient is off by `slip`."""

    def __init__(self, slip):
        self.slip = slip

    def forward(self, x):
        self.save_for_backward(x)
        return x * x

    def backward(self, dy):
        return 2 * dy * self.saved_tensors[0] + self.slip


@custom.scalar(vjp=lambda g, y, x: g * x)
def half_slope(x):
    return x * x


class Head(gluon.HybridBlock):
    """A Block whose forward uses a custom op."""

    def __init__(self, function=half_slope):
        super().__init__()
        self.body = nn.HybridSequential(nn.Dense(3, activation="tanh"), nn.Dense(2))
        self.function = function

    def forward(self, x):
        return self.function(self.body(x))


def plain(x):
    return Slipped(1e-3)(x)


POINT = numpy.array([[0.5, -1.25, 2.0]])


def run(script, folder):
    (folder / "again.py").write_text(script)  # a kernel's source is read from a file
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run([sys.executable, "again.py"], capture_output=True, text=True, timeout=120, env=env,
                          cwd=folder)  # fmt: skip


def same_failure(folder, f, *inputs, **options):
    """Let the check fail, run its script elsewhere, and compare what both say."""
    with pytest.raises(GradientError) as caught:
        check_gradients(f, *inputs, **options)
    repeated(caught.value, folder)


def repeated(error, folder):
    done = run(error.script, folder)
    first = str(error).splitlines()[0]
    assert first in done.stderr, f"{error.script}\n---\n{done.stderr}\n--- instead of\n{first}"


def local_function():
    slip, shift = 1e-3, numpy.array([0.5, 1.0, 2.0])

    def inner(x):
        return Slipped(slip)(x) * np.array(shift)

    return inner


def local_op():
    @custom.scalar(vjp=lambda g, y, x: g * 3.0 * x)
    def third(x):
        return x * x

    return lambda x: third(x) + 1


def local_loop():
    def back(dx, g, x):
        for i in range(len(g)):
            dx[i] = g[i]

    @custom.loop(vjp=back, jit=False)
    def doubled(y, x):
        for i in range(len(x)):
            y[i] = 2 * x[i]

    return lambda x: doubled(x)


def local_class():
    scale = 2.0

    class Inside(gluon.HybridBlock):
        def forward(self, x):
            return scale * Slipped(1e-3)(x)

    return nn.HybridSequential(nn.Dense(3), Inside())


FUNCTIONS = {
    "a function of a module": lambda: plain,
    "a lambda": lambda: lambda x: Slipped(0.01)(x) * 2,
    "one of two lambdas in a line": lambda: (lambda x: x, lambda x: half_slope(x))[1],
    "a function in a function": local_function,
    "an op of one's own, declared in a function": local_op,
    "a loop of one's own, declared in a function": local_loop,
    "an op of one's own": lambda: half_slope,
    "a Block of a test": Head,
    "a nest with a class made in a function": local_class,
    "a Block with a lambda": lambda: Head(lambda x: half_slope(x) * 2),
}


@pytest.mark.parametrize("what", FUNCTIONS)
def test_the_script_fails_in_the_same_way(what, tmp_path):
    f = FUNCTIONS[what]()
    if isinstance(f, gluon.Block):
        f.initialize()
    same_failure(tmp_path, f, POINT[0] if "loop" in what else POINT, seed=3)


def test_large_arrays_go_through_files(tmp_path):
    same_failure(tmp_path, plain, numpy.random.default_rng(0).uniform(1, 2, (30, 20)), method="central")


def test_a_drawn_net_and_a_drawn_op(tmp_path):
    right = REGISTRY["tanh"].vjp
    REGISTRY["tanh"].vjp = (lambda g, y, x: g * (1 - y),)
    try:
        with pytest.raises(GradientError) as net:
            drawn(lambda tree: check_gradients(tree.net(), tree.input()), layers.trees(kinds=("dense",)), 60)
        with pytest.raises(GradientError) as op:
            check_op("tanh", max_examples=5)
    finally:
        REGISTRY["tanh"].vjp = right
    broken = "from numblocks.op import REGISTRY\nREGISTRY['tanh'].vjp = (lambda g, y, x: g * (1 - y),)\n"
    for error in (net.value, op.value):
        error.script = error.script.replace("check_gradients(f", broken + "check_gradients(f")
        repeated(error, tmp_path)


def test_what_has_no_source_says_so():
    scope = {"Slipped": Slipped}
    exec("f = lambda x: Slipped(1e-3)(x)", scope)
    with pytest.raises(GradientError, match="its source cannot be found; write it here"):
        check_gradients(scope["f"], POINT)
    again = Again()
    bound = partial(plain)
    assert again.expression(bound, "f") == "f" and not again.missing  # through a file
    assert again.expression([1, (2.5, None), {"a": float("nan")}], "x") == "[1, (2.5, None), {'a': float('nan')}]"
