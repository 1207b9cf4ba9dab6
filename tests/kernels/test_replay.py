"""What a function launches, done again by one call: the same bits, and no replay of what does more than launch."""

import gc
import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.kernels import addresses, build, pooling, replay, rows, scratch
from numblocks.op import REGISTRY

pytestmark = pytest.mark.skipif(
    not addresses.LAYOUT_KNOWN or build.interpreted(), reason="needs CPython's functions and compiled kernels"
)


@pytest.fixture(autouse=True)
def time_does_not_matter(monkeypatch):
    monkeypatch.setattr(replay, "LONG", math.inf)
    monkeypatch.setattr(replay, "LIMIT", math.inf)


def random(*shape, dtype="float32", seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def agree(function, *arrays):
    """A replay of `function` gives its bits on other values, and keeps off arrays that do not fit."""
    found = replay.made(function, arrays)
    assert found is not None
    launch, shape, dtype, _ = found
    for seed in (2, 3):
        xs = [random(*x.shape, dtype=x.dtype, seed=seed + k) for k, x in enumerate(arrays)]
        out = np.full(shape, np.nan, dtype)
        gc.collect()
        assert launch(*xs, out) is True
        assert out.tobytes() == function(*xs).tobytes()
    out = np.full(shape, 7, dtype)
    other = np.dtype("float64" if dtype == "float32" else "float32")
    assert launch(*[x.astype(other) for x in arrays], out) is False
    assert launch(*[np.asfortranarray(np.stack([x, x]))[0] for x in arrays], out) is False
    assert (out == 7).all()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(0, 2), st.booleans(),
       st.sampled_from(["float32", "float64"]))  # fmt: skip
def test_convolutions(n, groups, stride, pad, bias, dtype):
    spec = {"stride": (stride, 1), "pad": (pad, 1), "dilate": (1, 1), "groups": groups}
    x, w = random(n, 2 * groups, 7, 6, dtype=dtype), random(3 * groups, 2, 3, 2, dtype=dtype)
    if bias:
        agree(lambda x, w, b: REGISTRY["conv_bias"].run(x, w, b, **spec), x, w, random(3 * groups, dtype=dtype))
    agree(lambda x, w: REGISTRY["conv"].run(x, w, **spec), x, w)
    g = REGISTRY["conv"].run(x, w, **spec)
    agree(lambda g, w: REGISTRY["conv_grad_data"].run(g, w, size=(7, 6), **spec), g, w)
    agree(lambda g, x: REGISTRY["conv_grad_weight"].run(g, x, kernel=(3, 2), **spec), g, x)


def test_rows():
    x, p = random(5, 7), random(7)
    agree(lambda x: rows.softmax(x, axis=1), x)
    agree(lambda x: rows.softmax(x, axis=0), x)
    agree(lambda x, a, b: rows.layer_norm(x, a, b, axis=1, eps=1e-5), x, p, p)
    agree(lambda x: rows.variance(x, axis=(0, 1), keepdims=True, ddof=1), x)


def test_what_does_more_than_launch_is_left_alone():
    def doubled(x):
        return rows.softmax(x * 2, axis=1)

    def added_to(x):
        y = rows.softmax(x, axis=1)
        y += 1
        return y

    for function in (doubled, added_to, lambda x: x * 2, lambda x: x, lambda x: None, lambda x: x.sum(),
                     lambda x: rows.softmax(x, axis=1).T):  # fmt: skip
        assert replay.made(function, [random(5, 7)]) is None
    assert replay.made(lambda x: rows.softmax(x, axis=1), [np.zeros((0, 3), "f4")]) is None
    assert build.recorder is None and scratch.watching is None


def test_what_is_long_is_left_to_threads(monkeypatch):
    monkeypatch.setattr(replay, "LIMIT", 0.0)
    assert replay.made(lambda x: rows.softmax(x, axis=1), [random(5, 7)]) is None


def test_what_is_large_is_not_even_tried(monkeypatch):
    runs = []

    def counted(x):
        runs.append(x.size)
        return rows.softmax(x, axis=1)

    monkeypatch.setattr(replay, "LARGE", 34)
    assert replay.made(counted, [random(5, 7)]) is None and not runs
    monkeypatch.setattr(replay, "LARGE", 35)
    monkeypatch.setattr(replay, "LONG", 0.0)
    assert replay.made(counted, [random(5, 7)]) is None and len(runs) == 3


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(replay, "HELD", 20_000)
    known: dict = {}
    for k in range(50):
        replay.remember(known, k, object(), 1000)
        assert k in known and len(known) <= 4


def test_an_error_leaves_nothing_behind():
    with pytest.raises(ValueError, match="no"):
        replay.made(_fails, [random(3)])
    assert build.recorder is None and scratch.watching is None


def _fails(x):
    raise ValueError("no")


def test_threads_share_a_replay():
    win = pooling.windows((8, 8), (4, 4), (2, 2), (2, 2), (0, 0))

    def pooled(x):
        return pooling.maximum(x, np.empty((*x.shape[:2], 4, 4), "f4"), win)

    launch, shape, dtype, _ = replay.made(pooled, [random(2, 3, 8, 8)])
    wrong = []

    def work(seed):
        x = random(2, 3, 8, 8, seed=seed)
        wanted = x.reshape(2, 3, 4, 2, 4, 2).max((3, 5))
        for _ in range(200):
            out = np.empty(shape, dtype)
            if not launch(x, out) or not math.isclose(abs(out - wanted).max(), 0):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_replay_is_shared_among_threads(monkeypatch):
    monkeypatch.setattr(replay, "LIMIT", 1.0)
    before = build.threads()
    build.set_threads(3)
    try:
        x = np.random.default_rng(0).standard_normal((500, 160)).astype("float32")
        launch, shape, dtype, _ = replay.made(lambda x: rows.softmax(x, axis=1), [x])
        want, y = rows.softmax(x, axis=1), np.empty(shape, dtype)
        for _ in range(50):
            y[...] = np.nan
            assert launch(x, y)
            np.testing.assert_array_equal(y, want)
    finally:
        build.set_threads(before)
