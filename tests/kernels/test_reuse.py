"""Blocks are handed out again only when nothing looks into them."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.kernels import reuse


@pytest.fixture(autouse=True)
def nothing_kept():
    reuse.release()
    yield
    reuse.release()


def place(x):
    return x.__array_interface__["data"][0]


def test_a_forgotten_array_leaves_its_block():
    x = reuse.empty((300, 300), "float32")
    where = place(x)
    del x
    assert place(reuse.empty((299, 300), numpy.float32)) == where


def test_a_view_holds_the_block():
    x = reuse.empty((300, 300), numpy.float32)
    view = x[3:, ::2].T
    where = place(x)
    del x
    assert place(reuse.empty((300, 300), numpy.float32)) != where
    del view
    assert place(reuse.empty((300, 300), numpy.float32)) == where


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 700), st.integers(1, 700), st.booleans()), max_size=20))
def test_living_arrays_never_share_memory(calls):
    living = []
    for k, (rows, columns, keep) in enumerate(calls):
        x = reuse.empty((rows, columns), numpy.float64)
        assert x.shape == (rows, columns) and x.flags.c_contiguous and x.flags.writeable
        x[...] = k
        if keep:
            living.append((x, k))
    assert all((x == k).all() for x, k in living)


def test_what_is_idle_is_bounded(monkeypatch):
    monkeypatch.setattr(reuse, "IDLE", 1 << 20)
    for k in range(40):
        reuse.empty((1 << 18, 1 + k), numpy.uint8)
    used, idle = reuse.held()
    assert used == 0 and idle <= (1 << 20) + 2 * (1 << 18) * 41


def test_small_and_huge_arrays_are_numpy_s_own():
    assert reuse.empty((10,), "float32").base is None
    assert reuse.held() == (0, 0)
