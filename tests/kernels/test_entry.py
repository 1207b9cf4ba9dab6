"""The short ways into machine code: what they read from Python's and NumPy's objects, what they refuse."""

import gc
import math
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numblocks.kernels import addresses, build, entry, loops
from numblocks.kernels.native import address

pytestmark = pytest.mark.skipif(
    not addresses.LAYOUT_KNOWN or build.interpreted(), reason="needs CPython's functions and compiled kernels"
)
F32, F64, I64 = np.dtype("float32"), np.dtype("float64"), np.dtype("int64")


def scaled(x, a):
    return x * a + 1.0


def squashed(x):
    return math.tanh(x)


def double(dtype="float32"):
    """A kernel of `x * a + 1` over contiguous arrays, with `a` a number."""
    _, kernel = loops._single(scaled, "m", ("c", None, "c"), (dtype, dtype), dtype)
    return kernel


def each(limit=10**9, dtype=F32):
    launch = entry.launcher(double(dtype.name), entry.EACH, limit, [0] * 4, [(1, dtype), (2, dtype), (3, entry.FLOAT)])
    assert launch is not None
    return launch


@settings(deadline=None, max_examples=60)
@given(hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5), st.floats(-3, 3, width=32), st.integers(-2, 2))
def test_a_launch_over_each_element(shape, a, b):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    for number in (a, b):
        y = np.full(shape, np.nan, "float32")
        assert each()(x, y, number) is True
        np.testing.assert_allclose(y, x * np.float32(number) + 1, rtol=1e-6)


def test_what_does_not_fit_is_left_alone():
    x = np.ones((4, 6), "float32")
    sub = type("Sub", (np.ndarray,), {})
    swapped = x.astype(x.dtype.newbyteorder())
    odd = np.frombuffer(b"\0" * 97, np.uint8)[1:].view("float32").reshape(4, 6)  # no multiple of 4
    for bad in (x.T, x[:, ::2], x.astype("float64"), x.reshape(-1), np.ones((4, 7), "float32"), x.view(sub), swapped,
                odd, [1.0], None, 3.0):  # fmt: skip
        y = np.full((4, 6), 7, "float32")
        assert each()(bad, y, 2.0) is False
        assert (y == 7).all()
    y = np.full((4, 6), 7, "float32")
    assert each(limit=23)(x, y, 2.0) is False and (y == 7).all()
    assert each(limit=24)(x, y, 2.0) is True and (y == 3).all()


def test_errors_are_pythons():
    x = np.ones(3, "float32")
    launch = each()
    for wrong in ((x, x), (x, x, 1.0, 2.0), ()):
        with pytest.raises(TypeError):
            launch(*wrong)
    with pytest.raises(TypeError):
        launch(x, x, "2")
    assert launch(x, np.empty_like(x), -1.0) is True  # -1 is also what CPython returns beside an error
    with pytest.raises(TypeError):
        double().call(0, 1)
    with pytest.raises(TypeError):
        double().call(0, 1.5, 0)


def test_whole_numbers_of_all_sizes():
    def chosen(x, k):
        return x + k

    for dtype, values in (("int64", (0, -1, 1 << 62, -(1 << 63))), ("uint64", (0, 1 << 63, (1 << 64) - 1))):
        _, kernel = loops._single(chosen, "m", ("c", None, "c"), (dtype, dtype), dtype)
        launch = entry.launcher(kernel, entry.EACH, 9, [0] * 4, [(1, np.dtype(dtype)), (2, np.dtype(dtype)), (3, 2)])
        for value in values:
            y = np.empty(2, dtype)
            assert launch(np.zeros(2, dtype), y, value)
            assert y.tolist() == [value, value]


def test_a_fixed_launch_takes_any_array():
    x, y = np.arange(12, dtype="float32").reshape(3, 4), np.empty(12, "float32")
    launch = entry.launcher(double(), 5, 5, [12, 0, 0, 0], [(1, entry.ARRAY), (2, entry.ARRAY), (3, entry.FLOAT)])
    y[:] = 0
    assert launch(x, y, 2.0) is True
    assert y.tolist() == [1, 3, 5, 7, 9] + [0] * 7
    assert launch([1], y, 2.0) is False


def test_launches_are_counted():
    before = build.cache_info().launches
    x = np.ones(3, "float32")
    for _ in range(5):
        each()(x, np.empty_like(x), 1.0)
    assert build.cache_info().launches == before + 5


def test_an_array_is_followed():
    words = np.zeros(4, np.int64)
    point = entry.pointer([(memoryview(words), 1, 0), (memoryview(words), 3, 16)])
    for x in (np.ones(3), np.ones((2, 2), "int8"), np.array(1.0)):
        assert point(x) is True
        assert words.tolist() == [0, address(x), 0, address(x) + 16]
    kept = words.copy()
    for bad in (np.ones((3, 3)).T[:2], np.ones(6)[::2], [1], None):
        assert point(bad) is False
        assert (words == kept).all()
    with pytest.raises(TypeError):
        point()


def test_without_machine_code_the_same(monkeypatch):
    monkeypatch.setattr(entry, "_definitions", {})
    words = np.zeros(2, np.int64)
    point = entry.pointer([(memoryview(words), 1, 8)])
    x = np.ones(3)
    assert point(x) is True and words[1] == address(x) + 8
    assert point(np.ones((2, 3)).T) is False
    assert entry.launcher(double(), entry.EACH, 1, [0] * 4, []) is None
    y, z = np.ones(5, "float32"), np.empty(5, "float32")
    loops.Prepared(*loops._single(squashed, "m", ("c", "c"), ("float32",), "float32"), (5,), [(1,), (1,)]).run((y, z))
    np.testing.assert_allclose(z, np.tanh(y), rtol=1e-6)


def test_references_are_neither_lost_nor_kept():
    x, y = np.ones(3, "float32"), np.empty(3, "float32")
    launch, point = each(), entry.pointer([])
    objects = (x, y, F32, 2.5)
    before = [sys.getrefcount(o) for o in objects]
    for _ in range(1000):
        launch(x, y, 2.5)
        point(x)
    assert [sys.getrefcount(o) for o in objects] == before


def test_a_function_outlives_its_maker():
    launch = each()
    gc.collect()
    y = np.empty(2, "float32")
    assert launch(np.ones(2, "float32"), y, 1.0) and y.tolist() == [2, 2]


def test_other_threads_run_during_a_call():
    """`call` gives the GIL away: a second thread counts on while a long loop runs."""
    x = np.ones(1 << 22, "float32")
    packed = np.array([x.size, address(x), address(x), 0], np.int64)
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=count)
    interval = sys.getswitchinterval()
    try:
        thread.start()
        sys.setswitchinterval(60)  # Python itself would not switch
        before = counted[0]
        for _ in range(20):
            double().call(0, x.size, address(packed))
        seen = counted[0] - before
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        thread.join()
    assert seen > 0


def test_dense_operands_may_differ_in_shape():
    x, y = np.arange(12, dtype="float32").reshape(3, 4), np.zeros(5, "float32")
    dense = (entry.DENSE, F32)
    launch = entry.launcher(double(), 5, 5, [12, 0, 0, 0], [(1, dense), (2, dense), (3, entry.FLOAT)])
    assert launch(x, y, 2.0) is True
    assert y.tolist() == [1, 3, 5, 7, 9]
    y[:] = 7
    for bad in (x.T, x[:, ::2], x.astype("float64"), [1.0], None):
        assert launch(bad, y, 2.0) is False and (y == 7).all()
