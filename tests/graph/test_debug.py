"""NUMBLOCKS_DEBUG: what each level says; kernels as plain Python under a tracing debugger."""

import os
import subprocess
import sys
import textwrap

import numpy
import pytest

from numblocks import autograd, config, np
from numblocks.gluon import nn
from numblocks.graph import observe
from numblocks.graph.reasons import describe, reason


@pytest.fixture
def debug():
    """Sets a level; afterwards it is 0 and nobody looks on."""
    yield observe.set_debug
    observe.set_debug(0)
    assert not observe.watchers and config.DEBUG == 0


def net_of(*sizes):
    net = nn.HybridSequential(*[nn.Dense(n, activation="tanh") for n in sizes], prefix="net_")
    net.initialize()
    net.hybridize()
    return net


def test_level_0_is_silent(capfd):
    net_of(3)(np.ones((2, 2)))
    assert capfd.readouterr().err == ""


def test_level_1_gives_reasons(debug, capfd):
    debug(1)
    net = net_of(3)
    net(np.ones((2, 2)))
    said = capfd.readouterr().err
    assert "net: tracing for (float32[2, 2]), predicting: first call" in said
    net(np.ones((2, 2)))
    assert "tracing" not in capfd.readouterr().err
    net(np.ones((7, 2)))
    assert "shape of argument 0 is [7, 2], was [2, 2]" in capfd.readouterr().err
    with autograd.record():
        net(np.ones((7, 2)))
    said = capfd.readouterr().err
    assert "mode is training, recorded, was predicting" in said and "µs" not in said and " us" not in said


def test_level_1_tells_of_exchanged_parameters(debug, capfd):
    debug(1)
    net = net_of(3)
    net(np.ones((2, 2)))
    net.initialize(force_reinit=True)
    capfd.readouterr()
    net(np.ones((2, 2)))
    said = capfd.readouterr().err
    assert "net: compiled anew: blocks or parameter arrays are others" in said and "first call" in said


def test_level_2_shows_launches_with_time_and_bytes(debug, capfd):
    net, x = net_of(3, 2), np.ones((4, 5))
    net(x)
    capfd.readouterr()
    debug(2)  # plans already bound are bound again
    expected = net(x).asnumpy()
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 4 and "net forward: BLAS   matmul: " in said[0] and " us, 188 B" in said[0]
    assert "kernel map_" in said[1] and "GB/s" in said[1]
    debug(0)
    assert numpy.array_equal(net(x).asnumpy(), expected) and capfd.readouterr().err == ""


def test_backward_of_a_call_recorded_before_is_seen_too(debug, capfd):
    net, x = net_of(3), np.ones((4, 5))
    with autograd.record():
        y = net(x)
    capfd.readouterr()
    debug(2)
    y.backward()
    assert "net backward: " in capfd.readouterr().err
    debug(0)
    grad = net[0].weight.grad().asnumpy()
    net.hybridize(False)
    with autograd.record():
        y = net(x)
    y.backward()
    numpy.testing.assert_allclose(grad, net[0].weight.grad().asnumpy(), rtol=1e-5)


def test_level_3_shows_graphs(debug, capfd):
    debug(3)
    net = net_of(3)
    with autograd.record():
        net(np.ones((2, 2)))
    said = capfd.readouterr().err
    assert "net: forward graph\ninput  argument 0" in said and "net: backward graph" in said
    assert "net: fused\nnet(float32[2, 2])\nforward: " in said and "tanh" in said


def run(script, **environment):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=300,
                          env={**os.environ, **environment})  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


NET = """
import sys
from numblocks import autograd, np
from numblocks.gluon import nn
net = nn.HybridSequential(nn.Dense(4, activation="tanh"), nn.LayerNorm(), nn.Dropout(0.5), nn.Dense(2))
net.initialize()
np.random.seed(3)
x = np.random.normal(size=(3, 5))
net(x)
"""


def test_the_environment_and_level_4(tmp_path):
    script = NET + "net.hybridize(); net(x); net(x)"
    cache = str(tmp_path)
    first = run(script, NUMBLOCKS_DEBUG="4", NUMBLOCKS_CACHE_DIR=cache).stderr
    assert "numblocks: built row_add_tanh" in first and " ms (" in first and "def row_add_tanh" in first
    second = run(script, NUMBLOCKS_DEBUG="1", NUMBLOCKS_CACHE_DIR=cache).stderr
    assert "numblocks: loaded row_add_tanh" in second and "built" not in second and "def " not in second


def test_kernels_can_be_stepped_through(tmp_path):
    script = NET + """
reached = {}

def trace(frame, event, arg):
    name = frame.f_code.co_filename
    if name.endswith(".py") and frame.f_code.co_name.startswith(("row_", "map_", "col_")):
        def line(frame, event, arg):
            if event == "line":
                reached.setdefault(name, set()).add(frame.f_lineno)
            return line
        return line

def gradients():
    np.random.seed(5)
    with autograd.record():
        y = net(x)
        total = (y * y).sum()
    total.backward()
    return [y.asnumpy()] + [p.grad().asnumpy() for p in net.collect_params().values()]

expected = gradients()
net.hybridize()
sys.settrace(trace)
found = gradients()
sys.settrace(None)
for a, b in zip(expected, found):
    assert abs(a - b).max() <= 1e-4 * max(1, abs(a).max()), (a, b)
for name, lines in reached.items():
    text = open(name).read().splitlines()
    for n in lines:
        if "tanh_f32(" in text[n - 1]:
            print("reached", text[n - 1].strip())
print("numba" in sys.modules)
"""
    out = run(script, NUMBA_DISABLE_JIT="1", NUMBLOCKS_CACHE_DIR=str(tmp_path), NUMBLOCKS_CHECK="1").stdout
    assert "reached t1 = tanh_f32(t0)  # <string>:" in out and out.endswith("False\n")


def test_reasons():
    old = describe((np.ones((2, 3)), [np.ones(4), None], "same"), False)
    assert old["nesting"] == "(*, (*, None), 'same')" and old["shape of argument 1"] == "[4]"
    new = describe((np.ones((2, 3)), [np.ones(5, dtype="int32"), None], "other"), False)
    said = reason(new, [old])
    assert "shape of argument 1 is [5], was [4]" in said and "dtype of argument 1 is int32" in said
    assert "'other'" in said
    assert reason(old, [new, old]).startswith("the same signature")
    assert "is absent, was" in reason(describe((), False), [old])
