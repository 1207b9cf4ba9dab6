"""Each program of this folder, run as a user runs it: it ends well, and prints a result that is good enough.

The bounds are what the programs assert, said a second time: a program that lost its assertion would still be caught.
Beside each stands what a net with a wrong gradient, or one that does not learn, comes to.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

# name: the last line it prints, with a number, and the number's bounds
PROGRAMS = {
    "building_blocks": ("difference after loading:", 0, 0),
    "char_lstm": ("test perplexity", 1, 6.7),  # bigrams 12.2
    "custom_parts": ("test accuracy", 0.9, 1),  # 0.5
    "densenet": ("test accuracy", 0.96, 1),  # guessing 0.1, as for all digits
    "detection": ("objects found:", 0.9, 1),  # 0.1 or less
    "fine_tuning": ("test accuracy", 0.9, 1),  # 0.86 from scratch
    "gan": ("largest difference", 0, 0.5),  # 4
    "googlenet": ("test accuracy", 0.92, 1),
    "lenet": ("test accuracy", 0.94, 1),
    "linear_regression": ("largest error of a weight:", 0, 0.005),  # 4.2
    "linear_regression_scratch": ("largest error of a weight:", 0, 0.005),
    "matrix_factorization": ("test rmse", 0.09, 0.2),  # 1.23; below the noise of 0.1 nobody can come
    "micro_batches": ("largest difference of the outputs:", 0, 0.001),
    "mlp": ("test accuracy", 0.8, 1),
    "resnet": ("test accuracy", 0.96, 1),
    "rnn_scratch": ("perplexity", 1, 3),  # 40
    "segmentation": ("mean overlap", 0.7, 1),  # 0.25: all is ground
    "seq2seq": ("numbers never seen that came out right:", 0.9, 1),  # 0
    "softmax_regression_scratch": ("test accuracy", 0.9, 1),
    "text_cnn": ("test accuracy", 0.75, 1),  # 0.4
    "tied_layers": ("loss at the end:", 0, 0.001),  # 2.9
    "transformer": ("sequences sorted right:", 0.9, 1),  # 0.1
    "word2vec": ("pairs ranked right:", 0.65, 1),  # 0.5
}


def test_every_program_is_here():
    assert sorted(path.stem for path in HERE.glob("[!_]*.py") if path != Path(__file__)) == sorted(PROGRAMS)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program(name, tmp_path):
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT)}  # numblocks of this checkout, whatever is installed
    done = subprocess.run(
        [sys.executable, str(HERE / f"{name}.py")],
        cwd=tmp_path, env=surroundings, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"{name}.py\n{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())  # it leaves nothing behind
    label, low, high = PROGRAMS[name]
    last = done.stdout.splitlines()[-1]
    found = re.fullmatch(rf"{re.escape(label)} (\d+\.\d+)", last)
    assert found and low <= float(found[1]) <= high, f"{name}.py ends with {last!r}"
