"""DataLoader with worker processes: same batches, exceptions with their traceback, nothing left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest

from numblocks import nd, np, random
from numblocks.gluon import data as gdata
from numblocks.gluon.data.vision import Digits, transforms

pytestmark = pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="looks for shared memory in /dev/shm")


class Squares(gdata.Dataset):
    """Kinds of trouble by number."""

    def __init__(self, trouble=None, n=10):
        self.trouble, self.n = trouble, n

    def __len__(self):
        return self.n

    def __getitem__(self, k):
        if k == 7 and self.trouble == "raise":
            raise KeyError("seven")
        if k == 7 and self.trouble == "die":
            os._exit(3)
        if k == 7 and self.trouble == "hang":
            time.sleep(60)
        return np.array([k, k * k]), k, random.uniform(shape=(1,))


def memory():
    return {p.name for p in Path("/dev/shm").iterdir() if p.name.startswith("psm_")}


@pytest.fixture(autouse=True)
def nothing_left():
    before = memory()
    yield
    left = memory() - before
    for _ in range(200):  # what a test in another process uses goes; what was forgotten stays
        left &= memory()
        if not left:
            break
        time.sleep(0.1)
    assert not left
    assert not [p for p in multiprocessing.active_children() if p.name == "numblocks-data"]


def test_batches_and_leaving_early():
    loader = gdata.DataLoader(Squares(), 3, num_workers=2, thread_pool=False)
    random.seed(1)
    first = [[c.asnumpy() for c in batch] for batch in loader]
    assert [b[1].tolist() for b in first] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert first[1][0].tolist() == [[3, 9], [4, 16], [5, 25]] and len(loader) == 4
    for _ in loader:
        break
    random.seed(1)
    again = [[c.asnumpy() for c in batch] for batch in loader]
    for a, b in zip(first, again, strict=True):
        numpy.testing.assert_array_equal(a[2], b[2])  # draws in workers repeat
    batch = next(iter(loader))[0]
    batch[0] = 5.0  # batches can be written
    loader.clean()


def test_real_data():
    changed = Digits(train=False).transform_first(transforms.ToTensor())
    loader = gdata.DataLoader(changed, 100, num_workers=1, thread_pool=False)
    for (x, y), (a, b) in zip(loader, gdata.DataLoader(changed, 100), strict=True):
        numpy.testing.assert_array_equal(x.asnumpy(), a.asnumpy())
        numpy.testing.assert_array_equal(y.asnumpy(), b.asnumpy())
    legacy = gdata.ArrayDataset(nd.array([[1.0], [2.0]]))
    loader = gdata.DataLoader(legacy, 2, num_workers=1, thread_pool=False)
    assert isinstance(next(iter(loader)), nd.NDArray)
    del loader


def test_exception_with_traceback():
    loader = gdata.DataLoader(Squares("raise"), 2, num_workers=2, thread_pool=False)
    seen = []
    with pytest.raises(KeyError, match="seven") as caught:
        for batch in loader:
            seen += batch[1].tolist()
    assert seen == [0, 1, 2, 3, 4, 5]
    assert "__getitem__" in str(caught.value.__cause__) and 'KeyError("seven")' in str(caught.value.__cause__)


@pytest.mark.parametrize(("trouble", "words"), [("die", "exit code 3"), ("hang", "within 8 seconds")])
def test_dead_and_hanging_workers(trouble, words):
    loader = gdata.DataLoader(Squares(trouble), 5, num_workers=1, thread_pool=False, timeout=8)
    with pytest.raises(RuntimeError, match=words):
        list(loader)


def test_what_cannot_be_sent():
    data = gdata.SimpleDataset([1]).transform(lambda v: v)
    with pytest.raises(TypeError, match="no lambdas"):
        iter(gdata.DataLoader(data, 1, num_workers=1, thread_pool=False))


SCRIPT = """
import time
from numblocks.gluon import data
class Slow(data.Dataset):
    def __len__(self): return 1000
    def __getitem__(self, k):
        time.sleep(0.05)
        return k
if __name__ == "__main__":
    for batch in data.DataLoader(Slow(), 2, num_workers=2, thread_pool=False):
        print("batch", flush=True)
"""


def test_interrupt(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    running = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=environment,
    )  # fmt: skip
    assert running.stdout.readline() == "batch\n"
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, errors = running.communicate(timeout=60)
    assert running.returncode != 0 and errors.count("KeyboardInterrupt") == 1 and "leaked" not in errors
    with pytest.raises(ProcessLookupError):  # nobody is left in its group
        for _ in range(50):
            os.killpg(running.pid, 0)
            time.sleep(0.1)
