"""What every test shares: hypothesis profiles, a fixed seed, and a guard against leaked state.

Profiles (`NUMBLOCKS_TEST_PROFILE`): `ci`, the default, draws the same examples each time; `dev` draws new ones;
`nightly` draws many; they and the guard are those of `numblocks.pytest_plugin`. Kernels come from the ordinary cache
(`NUMBLOCKS_CACHE_DIR`), so that a second run builds none.
"""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # reference.py and strategies.py
if getattr(importlib.util.find_spec("coverage"), "origin", None) is None:
    sys.modules["coverage"] = None  # Numba looks for the package of that name and must not find tests/coverage
os.environ.setdefault("NUMBLOCKS_CHECK", "1")  # every traced graph is verified

from numblocks.pytest_plugin import load_profile, numblocks_guard  # noqa: F401  a fixture

load_profile(os.environ.get("NUMBLOCKS_TEST_PROFILE", "ci"))


@pytest.fixture
def simulated_gpus(monkeypatch):
    """Two simulated GPUs, unless the process was started with some."""
    from numblocks import num_gpus
    from numblocks.kernels.cuda import devices

    if not num_gpus():
        monkeypatch.setenv("NUMBLOCKS_CUDA", "sim2")
        devices.forget()
    yield
    monkeypatch.undo()
    devices.forget()


@pytest.fixture(autouse=True)
def guard(numblocks_guard):  # noqa: F811
    """Every test is under the guard."""
