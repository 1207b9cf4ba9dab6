"""The team of threads: pieces cover a range once, whoever takes them; workers sleep, and wake when it is worth it."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.kernels import build, prelude, teamwork, workers

PIECES = prelude.header("y[i] counts visits of i; z[lo] is the size of a piece") + (
    "def pieces(lo, hi, a):\n"
    "    y = pointer(a[0], int64)\n"
    "    z = pointer(a[1], int64)\n"
    "    z[lo] = hi - lo\n"
    "    for i in range(lo, hi):\n"
    "        y[i] = y[i] + 1\n"
)


@pytest.fixture(autouse=True, scope="module")
def three():
    old = build.threads()
    build.set_threads(3)
    yield
    build.set_threads(old)


def arrays(n):
    y, z = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    return y, z, np.array([y.ctypes.data, z.ctypes.data])


def check(y, z, n, grain):
    np.testing.assert_array_equal(y, [1] * n + [0])
    sizes = z[z > 0]
    assert sizes.sum() == n and len(sizes) <= 3 * teamwork.PIECES_PER_THREAD
    if n >= 2 * grain:
        assert (sizes >= min(grain, sizes.max())).sum() >= len(sizes) - 1  # all but a rest
    else:
        assert list(sizes) == [n]


@settings(deadline=None, max_examples=100)
@given(n=st.integers(1, 3000), grain=st.integers(1, 1500))
def test_pieces_are_worth_a_thread_and_cover_the_range(n, grain):
    y, z, words = arrays(n)
    build.run(build.load("pieces", PIECES), n, words.ctypes.data, grain)
    check(y, z, n, grain)


@settings(deadline=None, max_examples=100)
@given(n=st.integers(1, 3000), grain=st.integers(1, 1500))
def test_a_prefixed_kernel_does_the_same(n, grain):
    y, z, words = arrays(n)
    kernel, words_before = workers.prefixed(build.load("pieces", PIECES).address, grain, build.load)
    packed = np.array([*words_before, *words])
    kernel(0, n, packed.ctypes.data)
    check(y, z, n, grain)


def asleep() -> bool:
    for _ in range(2000):
        if not workers._team[teamwork.AWAKE]:
            return True
        time.sleep(0.001)
    return False


def test_workers_sleep_and_small_loops_wake_them_together():
    kernel = build.load("pieces", PIECES)
    build.run(kernel, 0, 0, 1)
    workers.prepare(build.load)
    assert workers._team[teamwork.STARTED] >= 2
    for _ in range(20):
        assert asleep()
        workers._team[teamwork.DEBT] = 0
        loops = teamwork.WORTH_WAKING // 4
        for k in range(loops):
            y, z, words = arrays(4000)
            build.run(kernel, 4000, words.ctypes.data, 1000)
            check(y, z, 4000, 1000)
            assert (workers._team[teamwork.DEBT] == 0) == (k == loops - 1)
            if k < loops - 1:
                assert z[0] == 4000  # alone: nobody was awake


def test_a_large_loop_wakes_at_once():
    assert asleep()
    workers._team[teamwork.DEBT] = 0
    y, z, words = arrays(teamwork.WORTH_WAKING * 10)
    build.run(build.load("pieces", PIECES), y.size - 1, words.ctypes.data, 10)
    assert workers._team[teamwork.DEBT] == 0
    check(y, z, y.size - 1, 10)


def test_workers_that_nobody_wants_sleep_on():
    build.set_threads(2)
    try:
        assert asleep()
        workers.wake()
        assert workers._team[teamwork.AWAKE] <= 1
    finally:
        build.set_threads(3)
