"""What an installed numblocks consists of, and what importing it does."""

import subprocess
import sys
from pathlib import Path

import numblocks
import numblocks.kernels

ROOT = Path(numblocks.kernels.__file__).parent


def test_import_is_light():
    heavy = ["numba", "llvmlite", "scipy", "tqdm", "matplotlib"]
    script = f"import sys, numblocks; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_every_folder_of_modules_is_a_package():
    # setup.py finds packages by their __init__.py: a folder without one would be missing in the wheel.
    for top in (Path(numblocks.__file__).parent, ROOT):
        for file in top.rglob("*.py"):
            assert (file.parent / "__init__.py").exists(), file.parent


def test_switches_of_mxnet_are_accepted():
    from numblocks import np
    from numblocks.util import is_np_array, np_array, np_shape, use_np

    @use_np
    class Something:
        pass

    numblocks.util.set_np()
    with np_shape(True), np_array(True):
        assert is_np_array() and np.ones(()).shape == ()
    numblocks.util.reset_np()
    assert Something.__name__ == "Something" and numblocks.initializer.Xavier is numblocks.init.Xavier


def test_data_files_are_where_the_code_looks():
    from numblocks.gluon.data.vision import datasets

    assert Path(datasets.__file__).with_name("digits.npz").exists()
