"""The pytest plugin `numblocks`: fixtures for tests of nets, a guard against leaked state, hypothesis profiles.

| fixture | what |
|---|---|
| device | each device there is, one test run for each |
| np_rng | a NumPy generator, seeded by the test's name |
| numblocks_guard | the same seed for each test; fails one that leaves recording, a trace or a device behind |

`numblocks_guard = true` in the pytest configuration puts every test under the guard. `--numblocks-profile=NAME` (or
`NUMBLOCKS_TEST_PROFILE`) loads a hypothesis profile: `ci` draws the same examples each time, `dev` new ones,
`nightly` many; none has a deadline, since the first call of a kernel compiles it. Nothing of numblocks is imported
before a fixture asks for it.
"""

from __future__ import annotations

import importlib
import os
import zlib

import pytest

PROFILES = {
    "ci": {"max_examples": 25, "derandomize": True, "database": None},
    "dev": {"max_examples": 50},
    "nightly": {"max_examples": 1000},
}


def pytest_addoption(parser):
    """The profile and the guard."""
    group = parser.getgroup("numblocks")
    group.addoption(
        "--numblocks-profile", choices=sorted(PROFILES), help="hypothesis profile for tests of nets (ci, dev, nightly)"
    )
    parser.addini(
        "numblocks_guard", "every test fails that leaves state of numblocks behind", type="bool", default=False
    )


def pytest_configure(config):
    """Load the profile that was asked for."""
    config.addinivalue_line("markers", "mutation: plants faults into numblocks and expects the checks to find them")
    config.addinivalue_line("markers", "nightly: draws many thousand cases")
    name = config.getoption("--numblocks-profile", default=None) or os.environ.get("NUMBLOCKS_TEST_PROFILE")
    if name is not None:
        load_profile(name)


def load_profile(name: str) -> None:
    """Register and load the hypothesis profile `numblocks-NAME`; without hypothesis there is nothing to load."""
    try:
        hypothesis = importlib.import_module("hypothesis")
    except ImportError:
        return
    if name not in PROFILES:
        raise pytest.UsageError(f"numblocks profile {name!r} is unknown. The profiles are {', '.join(PROFILES)}.")
    relaxed = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
    settings = dict(PROFILES[name], deadline=None, suppress_health_check=relaxed)
    hypothesis.settings.register_profile(f"numblocks-{name}", **settings)
    hypothesis.settings.load_profile(f"numblocks-{name}")


def devices() -> list[str]:
    """Names of the devices there are; asks only whether there is a GPU."""
    count = importlib.import_module("numblocks.device").num_gpus()
    return ["cpu(0)", *(f"gpu({k})" for k in range(count))]


def pytest_generate_tests(metafunc):
    """One run of a test for each device, unless the project has a `device` fixture of its own."""
    if "device" not in metafunc.fixturenames:
        return
    found = metafunc._arg2fixturedefs.get("device")
    if found and found[-1].func.__module__ == __name__:
        metafunc.parametrize("device", devices(), indirect=True)


@pytest.fixture
def device(request):
    """A device, made current for the test."""
    module = importlib.import_module("numblocks.device")
    kind, number = getattr(request, "param", "cpu(0)").rstrip(")").split("(")
    with getattr(module, kind)(int(number)) as found:
        yield found


@pytest.fixture
def np_rng(request):
    """A NumPy generator; each test has its own numbers, the same in each run."""
    numpy = importlib.import_module("numpy")
    return numpy.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def numblocks_guard():
    """The test starts from seed 0 and must leave no recording, training, trace or device behind."""
    current = importlib.import_module("numblocks.op").current
    device_ = importlib.import_module("numblocks.device")
    rest = {name: getattr(current, name) for name in vars(type(current)) if not name.startswith("_")}
    importlib.import_module("numblocks.random").seed(0)
    yield
    leaked = {name: getattr(current, name) for name, value in rest.items() if getattr(current, name) is not value}
    for name, value in rest.items():
        setattr(current, name, value)
    left = device_.current_device()
    while device_.current_device() is not device_.cpu(0):
        device_.current_device().__exit__(None, None, None)
    assert not leaked and left is device_.cpu(0), f"the test left behind: {leaked or left}"


@pytest.fixture(autouse=True)
def _numblocks_everywhere(request):
    """The guard for every test where the configuration asks for it."""
    if request.config.getini("numblocks_guard"):
        request.getfixturevalue("numblocks_guard")
