"""Plans: memory by liveness, residuals that outlive, buffers that are nobody else's."""

import gc

import numpy
import pytest
from hybrids import counted, entries, hybrid
from hypothesis import given
from hypothesis import strategies as st

from numblocks import autograd, np, npx
from numblocks.gluon import nn
from numblocks.graph.memory import ALIGN, Arena, allocate


def rand(*shape):
    return np.array(numpy.random.default_rng(0).normal(size=shape).astype("float32"))


wants = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 5000)), max_size=30)


@given(wants)
def test_buffers_needed_at_the_same_time_do_not_overlap(wanted):
    arena = Arena()
    life = {k: (min(a, b), max(a, b), max(size, 1)) for k, (a, b, size) in enumerate(wanted)}
    for k, (first, last, size) in life.items():
        arena.want(k, size, first, last)
    offsets, total = arena.place()
    assert set(offsets) == set(life)
    for j, (f, l, n) in life.items():
        assert offsets[j] % ALIGN == 0 and offsets[j] + n <= total
        for k, (f2, l2, n2) in life.items():
            if j < k and f <= l2 and f2 <= l:
                assert offsets[j] + n <= offsets[k] or offsets[k] + n2 <= offsets[j]
    assert total <= sum(-(-n // ALIGN) * ALIGN for _, _, n in life.values())


def test_short_lives_share_bytes():
    arena = Arena()
    for k in range(10):
        arena.want(k, 1000, 2 * k, 2 * k + 1)
    assert arena.place()[1] == 1024


def test_memory_is_aligned():
    for n in (1, 64, 1000):
        assert allocate(n).__array_interface__["data"][0] % ALIGN == 0 and allocate(n).nbytes == n


def deep(x):
    for _ in range(12):
        x = np.cumsum(np.tanh(x), axis=1)
    return x


def test_the_arena_does_not_grow_with_depth():
    block, x = hybrid(deep), rand(50, 40)
    block(x)
    assert entries(block)[0].plan.arena_bytes <= 2 * x.nbytes + 2 * ALIGN


def test_moved_views_cost_nothing():
    for function in (lambda x: np.dot(x.T, x), lambda x: np.tanh(x[1:, ::2]), lambda x: np.tanh(x.T.reshape(-1)),
                     lambda x: np.expand_dims(x, 0)[0, :, 1] * 2):  # fmt: skip
        forward, _ = counted(hybrid(function), rand(6, 4))
        assert forward["copies"] == 0 and forward["launches"] + forward["calls"] <= 2, forward


def test_an_output_that_is_an_input_is_a_copy():
    block, x = hybrid(lambda x: [x, x[1:], x.T]), rand(3, 4)
    y, tail, turned = block(x)
    before = x.asnumpy()
    x[:] = 0
    assert (
        (y.asnumpy() == before).all() and (tail.asnumpy() == before[1:]).all() and (turned.asnumpy() == before.T).all()
    )


def test_outputs_are_the_callers():
    block, x = hybrid(lambda x: x + 1), rand(4)
    first = block(x)
    kept = first.asnumpy()
    second = block(x * 3)
    assert (first.asnumpy() == kept).all() and (second.asnumpy() != kept).any()
    first[:] = 7
    assert (block(x).asnumpy() == kept).all()


@pytest.mark.parametrize("keep", [lambda y: y[1:], lambda y: y.detach(), lambda y: y.T, lambda y: numpy.asarray(y)[::2],
                                  lambda y: memoryview(numpy.asarray(y))])  # fmt: skip
def test_a_view_of_an_output_keeps_it(keep):
    block, x = hybrid(lambda x: x + 1), rand(4)
    view = keep(block(x))
    before = numpy.array(numpy.asarray(view))
    for k in range(3):
        block(x + k)
    assert (numpy.asarray(view) == before).all()


def test_gradients_are_the_callers():
    block = hybrid(lambda x: np.tanh(x) * x)
    x = rand(4)
    x.attach_grad()
    found = []
    for _ in range(3):
        with autograd.record():
            y = block(x).sum()
        found.append(autograd.grad(y, x)[0])
    values = [g.asnumpy() for g in found]
    found[0][:] = 0
    assert (found[1].asnumpy() == values[1]).all() and (found[2].asnumpy() == values[2]).all()


def test_instances_are_used_again():
    net = nn.HybridSequential(nn.Dense(4, activation="tanh"), nn.Dense(2))
    net.initialize()
    net.hybridize()
    x = rand(5, 3)
    for _ in range(4):
        with autograd.record():
            loss = net(x).sum()
        loss.backward()
        del loss
        net(x)
    gc.collect()
    for entry in entries(net):
        assert len(entry.plan.pool) == 1


def test_two_calls_before_one_backward_keep_two_sets_of_residuals():
    block = hybrid(lambda x: np.tanh(x) * x)
    a, b = rand(4), rand(4) * 2
    for x in (a, b):
        x.attach_grad()
    with autograd.record():
        y, z = block(a), block(b)
        loss = (y + z).sum()
    loss.backward()
    for x in (a, b):
        t = numpy.tanh(x.asnumpy())
        assert numpy.allclose(x.grad.asnumpy(), t + x.asnumpy() * (1 - t * t), atol=1e-5)


def test_residuals_are_few():
    """A chain of elementwise ops keeps its masks as recipes, not as arrays."""
    block, x = hybrid(lambda x: npx.relu(x * 2) + 1), rand(100, 100)
    counted(block, _variable(x))
    plan = entries(block)[-1].plan
    assert all(n.dtype.kind != "b" for n in plan.residuals) and len(plan.residuals) <= 1


def _variable(x):
    x.attach_grad()
    return x


def test_empty_arrays_pass_through():
    block = hybrid(lambda x: [np.tanh(x), x.sum(axis=0), x[:, ::-1], np.dot(x, np.ones((3, 2)))])
    x = _variable(np.zeros((0, 3)))
    for _ in range(2):
        with autograd.record():
            ys = block(x)
        autograd.backward(ys)
        assert [y.shape for y in ys] == [(0, 3), (3,), (0, 3), (0, 2)] and (ys[1].asnumpy() == 0).all()
        assert x.grad.shape == (0, 3)


def test_large_kernels_run_in_threads_and_agree():
    block, x = hybrid(lambda x: np.tanh(x) * 2 + x.sum(axis=1, keepdims=True)), rand(300, 1000)
    wanted = numpy.tanh(x.asnumpy()) * 2 + x.asnumpy().sum(1, keepdims=True)
    assert numpy.allclose(block(x).asnumpy(), wanted, atol=1e-4)
