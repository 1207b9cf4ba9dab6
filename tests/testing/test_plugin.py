"""The pytest plugin: fixtures, the guard, profiles; quiet where nothing is asked of it."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numblocks

ROOT = str(Path(numblocks.__file__).parents[1])


def pytest_run(folder, text, *options, ini=""):
    (folder / "test_it.py").write_text(textwrap.dedent(text))
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    env = {**os.environ, "PYTHONPATH": ROOT, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    env.pop("NUMBLOCKS_TEST_PROFILE", None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "numblocks.pytest_plugin",
        "-p",
        "no:cacheprovider",
        *options,
        str(folder),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, cwd=folder)


def test_fixtures(tmp_path):
    done = pytest_run(tmp_path, """
        import numblocks
        first = []
        def test_device(device, np_rng):
            assert numblocks.current_device() is device
            first.append(np_rng.uniform())
        def test_other_numbers(np_rng):
            assert np_rng.uniform() != first[0]
        """)  # fmt: skip
    assert f"{2 + numblocks.num_gpus()} passed" in done.stdout, done.stdout + done.stderr
    assert "test_device[cpu(0)]" in pytest_run(tmp_path, (tmp_path / "test_it.py").read_text(), "-vv").stdout
    own = (
        tmp_path / "test_it.py"
    ).read_text() + "import pytest\n@pytest.fixture\ndef device(): return numblocks.cpu(0)\n"
    assert "::test_device PASSED" in pytest_run(tmp_path, own, "-vv").stdout


def test_guard(tmp_path):
    text = """
        from numblocks import autograd
        def test_leaks(): autograd.set_recording(True)
        def test_after(): assert not autograd.is_recording()
        """
    done = pytest_run(tmp_path, text, ini="numblocks_guard = true")
    assert "the test left behind" in done.stdout and "2 passed, 1 error" in done.stdout, done.stdout
    assert "the test left behind" not in pytest_run(tmp_path, text).stdout


def test_profiles(tmp_path):
    text = """
        import sys
        from hypothesis import settings
        def test_profile():
            assert settings().deadline is None and settings().max_examples == 1000
        """
    assert "1 passed" in pytest_run(tmp_path, text, "--numblocks-profile=nightly").stdout
    assert "1 failed" in pytest_run(tmp_path, text).stdout


def test_it_imports_nothing_by_itself(tmp_path):
    done = pytest_run(tmp_path, """
        import sys
        def test_light(): assert "numblocks.array" not in sys.modules and "numba" not in sys.modules
        """)  # fmt: skip
    assert "1 passed" in done.stdout or "numblocks.array" in done.stdout, done.stdout
