"""Fusion: what shares a loop, what must not, and that it never changes an answer."""

import numpy
import pytest
from hybrids import Function, counted, entries, hybrid, results
from hypothesis import given, note, settings

from numblocks import np, npx
from numblocks.graph.fuse import LINES, OPERANDS, fuse
from numblocks.graph.lower import Launch
from numblocks.testing.programs import programs


def rand(*shape):
    return np.array(numpy.random.default_rng(0).normal(size=shape).astype("float32"))


def close(found, wanted, tolerance):
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        scale = max(1.0, numpy.abs(b).max(initial=0.0))
        numpy.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)


@settings(max_examples=60)
@given(programs(unseen=True))
def test_random_programs_mean_the_same(program):
    """Outputs and gradients of a random program, eager and hybridized; the second call must not see the first's."""
    inputs, block = program.inputs(), Function(program)
    other = [numpy.asarray(numpy.tanh(x + 0.3)) for x in inputs]
    eager = [results(block, x) for x in (inputs, other)]
    block.hybridize()
    compiled = [results(block, x) for x in (inputs, other, inputs)]
    note(str(entries(block)[0].plan.forward))
    for (y, g), (wanted_y, wanted_g) in zip(compiled, [*eager, eager[0]], strict=True):
        tolerance = 1e-6 if any(name == "cast" for _, name, _, _ in program.steps) else 1e-11
        close(y, wanted_y, tolerance)
        close(g, wanted_g, tolerance)


@settings(max_examples=15)
@given(programs(unseen=True))
def test_groups_are_convex_and_ordered(program):
    """Each group can run when those before it have run, and the caps on size hold."""
    block = hybrid(program)
    results(block, program.inputs())
    plan = entries(block)[0].plan
    for graph in filter(None, (plan.forward, plan.backward)):
        groups = fuse(graph)
        assert sorted(n.number for g in groups for n in g.nodes) == [n.number for n in graph.nodes]
        done = set(graph.inputs)
        for group in groups:
            for node in group.nodes:
                assert all(x in done or x in group.nodes for x in node.nodes()), (group, node)
            done |= set(group.nodes)
            assert len(group.nodes) <= LINES


CHAINS = {
    "elementwise chain": (lambda x: np.tanh(x * 2 + 1) * npx.sigmoid(x), 1),
    "softmax": (lambda x: npx.softmax(x), 1),
    "log_softmax": (lambda x: npx.log_softmax(x), 1),
    "softmax of the first axis": (lambda x: npx.softmax(x, axis=0), 1),
    "layer norm": (lambda x: npx.layer_norm(x, np.ones(8), np.zeros(8)), 1),
    "mean of squares": (lambda x: (x * x).mean(), 1),
    "row sums and what follows": (lambda x: np.sqrt((x * x).sum(axis=1) + 1), 1),
    "variance": (lambda x: x.var(axis=1), 1),
    "transpose in the middle": (lambda x: np.tanh((x * 2).T + 1).sum(axis=1), 1),
    "broadcast back": (lambda x: x / (np.abs(x).sum(axis=1, keepdims=True) + 1), 1),
    "two outputs": (lambda x: [x + 1, np.tanh(x + 1)], 1),
    "a product between": (lambda x: np.tanh(np.dot(np.tanh(x), x.T)), 2),
}


@pytest.mark.parametrize("name", CHAINS)
def test_launches_of(name):
    function, launches = CHAINS[name]
    forward, _ = counted(hybrid(function), rand(6, 8), train=False)
    assert forward["launches"] <= launches and forward["copies"] == 0, forward


def test_long_chains_are_cut():
    def chain(x):
        for k in range(3 * LINES):
            x = np.sin(x) + 0.01 * k
        return x

    block, x = hybrid(chain), rand(5)
    assert numpy.allclose(block(x).asnumpy(), chain(x).asnumpy(), atol=1e-5)
    found = entries(block)[0].plan.first.steps
    assert 6 <= len(found) <= 12 and all(len(s.program.body) <= LINES + 4 for s in found)


def test_many_operands_are_cut():
    xs = [rand(4, 3) + k for k in range(3 * OPERANDS)]
    block = hybrid(lambda *xs: sum(xs[1:], xs[0]))
    assert numpy.allclose(block(*xs).asnumpy(), sum(x.asnumpy() for x in xs), rtol=1e-5)
    for step in entries(block)[0].plan.first.steps:
        assert isinstance(step, Launch) and len(step.operands) <= OPERANDS + 1


def test_a_path_through_another_step_keeps_groups_apart():
    """b = x + 1; c = cumsum(b); b * c: the last line may not join the first line's loop, which c waits for."""
    function = lambda x: (x + 1) * np.cumsum(x + 1, axis=1)
    x = rand(4, 5)
    block = hybrid(function)
    assert numpy.allclose(block(x).asnumpy(), function(x).asnumpy(), rtol=1e-5)
    assert len(entries(block)[0].plan.first.steps) == 3


def test_unused_work_is_dropped():
    block = hybrid(lambda x: [x + 1, np.dot(x, x.T)][0])
    block(rand(4, 4))
    assert len(entries(block)[0].plan.first.steps) == 1
