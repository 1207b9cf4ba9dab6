"""The built wheel, installed beside NumPy, Numba and pytest and nothing of this checkout: a project with the plugin.

Runs offline, in ten seconds, where there is a setuptools that can build the wheel (77 or later).
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import numblocks

ROOT = Path(numblocks.__file__).parents[1]

PARTS = '''
import math
from numblocks import custom
from numblocks.gluon import nn

@custom.scalar
def mish(x):
    return x * math.tanh(math.log1p(math.exp(x)))

def back(dx, g, x):
    dx[-1] = g[-1]
    for i in range(len(g) - 2, -1, -1):
        dx[i] = g[i] + 0.5 * dx[i + 1]

@custom.loop(vjp=back, examples=((((5,),), {}), (((1,),), {})))
def decayed(y, x):
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = x[i] + 0.5 * y[i - 1]

class Mixer(nn.HybridBlock):
    def __init__(self):
        super().__init__()
        self.body = nn.Dense(3)

    def forward(self, x):
        return decayed(mish(self.body(x)).reshape(-1))
'''

TESTS = '''
import sys
import numblocks, pytest
from hypothesis import given, settings
from numblocks import autograd, current_device, np
from numblocks.testing import check_block, check_consistency, check_gradients, check_hybrid, check_op, check_saved
from numblocks.testing import layers, strategies
from parts import Mixer, decayed, mish

def test_where():
    assert "site" in numblocks.__file__ and "site" in sys.modules["numblocks.kernels"].__file__

def test_ops():
    assert check_op(mish, max_examples=10) > 10
    assert check_op(decayed, order=1, max_examples=5) > 5

def test_net(device, np_rng):
    net = Mixer()
    net.initialize()
    x = np.array(np_rng.normal(size=(4, 2)))
    assert x.ctx == device == current_device()
    for check in (check_gradients, check_hybrid, check_saved, check_consistency):
        check(net, x)

@given(strategies.arrays(strategies.shapes(1, 2)))
def test_drawn(x):
    check_gradients(mish, x)

@settings(max_examples=3)
@given(layers.trees(max_layers=2))
def test_trees(tree):
    check_block(tree, hybrid=False)

def test_profile(request):
    name = request.config.getoption("--numblocks-profile")
    assert settings().max_examples == {"ci": 25, "dev": 50, "nightly": 1000}[name] and settings().deadline is None

def test_leak():
    autograd.set_recording(True)

def test_wrong():
    check_gradients(lambda x: np.exp(x) * x.detach(), np.array([0.5]))
'''


def builder() -> int:
    """The major version of setuptools, 0 if that or pip is missing."""
    try:
        importlib.metadata.version("pip")
        return int(importlib.metadata.version("setuptools").split(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return 0


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the installed wheel."""
    if builder() < 77:
        pytest.skip("pip and setuptools>=77 build the wheel")
    top = tmp_path_factory.mktemp("wheel")
    source, dist, folder = top / "source", top / "dist", top / "site"
    for name in ("numblocks", "kernels"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    plain = ["--no-deps", "--no-index"]
    commands = [[*pip, "wheel", *plain, "--no-build-isolation", "-w", str(dist), str(source)],
                [*pip, "install", *plain, "--no-compile", "--target", str(folder), "--find-links", str(dist),
                 "numblocks"]]  # fmt: skip
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_project_of_its_own(site, tmp_path):
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "test_parts.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nnumblocks_guard = true\n")
    env = {**os.environ, "PYTHONPATH": str(site)}
    for name in ("NUMBLOCKS_TEST_PROFILE", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS", "NUMBLOCKS_CUDA"):
        env.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--numblocks-profile=ci"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env, cwd=tmp_path)
    assert "7 passed" in done.stdout and "1 failed" in done.stdout and "1 error" in done.stdout, done.stdout
    assert "the test left behind: {'record':" in done.stdout and "GradientError" in done.stdout, done.stdout
