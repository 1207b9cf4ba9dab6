"""What every test shares: hypothesis profiles, a fixed seed, and a guard against leaked state.

Profiles (`NUMBLOCKS_TEST_PROFILE`): `ci`, the default, draws the same examples each time; `dev` draws new ones;
`nightly` draws many. Kernels come from the ordinary cache (`NUMBLOCKS_CACHE_DIR`), so that a second run builds none.
"""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))  # reference.py and strategies.py
if getattr(importlib.util.find_spec("coverage"), "origin", None) is None:
    sys.modules["coverage"] = None  # Numba looks for the package of that name and must not find tests/coverage
os.environ.setdefault("NUMBLOCKS_CHECK", "1")  # every traced graph is verified

from numblocks import random
from numblocks.device import cpu, current_device
from numblocks.op import current

_RELAXED = dict(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.register_profile("ci", max_examples=25, derandomize=True, database=None, **_RELAXED)
settings.register_profile("dev", max_examples=50, **_RELAXED)
settings.register_profile("nightly", max_examples=1000, **_RELAXED)
settings.load_profile(os.environ.get("NUMBLOCKS_TEST_PROFILE", "ci"))

_REST = {name: getattr(current, name) for name in vars(type(current)) if not name.startswith("_")}


@pytest.fixture(autouse=True)
def guard():
    """Each test starts from the same seed; one that leaves recording, training, a trace or a device behind fails."""
    random.seed(0)
    yield
    found = {name: getattr(current, name) for name in _REST}
    leaked = {name: value for name, value in found.items() if value is not _REST[name]}
    for name, value in _REST.items():
        setattr(current, name, value)
    device = current_device()
    while current_device() is not cpu(0):
        current_device().__exit__(None, None, None)
    assert not leaked and device is cpu(0), f"the test left behind: {leaked or device}"
