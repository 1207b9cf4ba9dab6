"""`python -m numblocks`, as a newcomer runs it."""

import os
import subprocess
import sys

import pytest

from numblocks import demo


def run(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "numblocks", *arguments], cwd=cwd, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.getcwd(), **environment},
    )  # fmt: skip


def test_the_job(tmp_path):
    done = run("--output", str(tmp_path / "out"), cwd=tmp_path)
    # Timings on a busy machine prove nothing; everything else must hold.
    problems = [
        line for line in done.stdout.splitlines() if line.startswith("PROBLEM") and "faster" not in line
    ]
    assert problems == [], done.stdout + done.stderr
    assert done.returncode in (0, 1), done.stderr
    assert "samples/s" in done.stdout and "predictions equal" in done.stdout
    assert {"initial.params", "eager.params", "hybridized.params"} <= set(os.listdir(tmp_path / "out"))


def test_too_short_a_run_fails(tmp_path):
    done = run("--epochs", "1", "--no-hybridize", "--batch-size", "1438", cwd=tmp_path)
    assert done.returncode == 1 and "PROBLEM: eager: accuracy" in done.stdout
    assert (tmp_path / "numblocks-digits" / "eager.params").exists()


def test_absent_gpu(tmp_path):
    done = run("--device", "gpu(7)", cwd=tmp_path)
    assert done.returncode == 2 and "gpu(7)" in done.stderr and "Traceback" not in done.stderr


def test_cache(tmp_path):
    folder = tmp_path / "kernels"
    shown = run("cache", cwd=tmp_path, NUMBLOCKS_CACHE_DIR=str(folder))
    assert shown.returncode == 0 and str(folder) in shown.stdout
    assert run("cache", "clear", cwd=tmp_path, NUMBLOCKS_CACHE_DIR=str(folder)).returncode == 0
    assert run("cache", "shuffle", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize(("text", "shown"), [("cpu", "cpu(0)"), ("gpu1", "gpu(1)"), ("gpu(2)", "gpu(2)")])
def test_devices(text, shown):
    assert str(demo.parse_device(text)) == shown


@pytest.mark.parametrize("arguments", [["--device", "tpu"], ["--epochs", "0"], ["--batch-size", "x"]])
def test_bad_options(arguments):
    with pytest.raises(SystemExit):
        demo.arguments().parse_args(arguments)
