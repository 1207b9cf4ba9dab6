"""Random changes of colour draw their numbers where the picture lies."""

import os
import subprocess
import sys

SCRIPT = """
from numblocks import gpu, np
from numblocks.gluon.data.vision import transforms as T
x = np.ones((4, 4, 3), ctx=gpu(0))
for change in (T.RandomColorJitter(0.1, 0.1, 0.1, 0.1), T.RandomLighting(0.1), T.RandomGray(0.5)):
    y = change(x)
    assert y.ctx == gpu(0) and y.shape == x.shape, (change, y.ctx)
"""


def test_changes_of_colour():
    env = {**os.environ, "NUMBLOCKS_CUDA": "sim"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
