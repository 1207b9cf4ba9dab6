"""Loops and branches of a hybridized Block: one node each, equal to eager, gradients of any order."""

import threading

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, cpu, gpu, nd, np, npx, num_gpus, random
from numblocks.errors import MXNetError
from numblocks.gluon import HybridBlock, SymbolBlock, Trainer, nn
from numblocks.gluon.loss import SoftmaxCrossEntropyLoss
from numblocks.gluon.step import compile_step
from numblocks.graph.structure import flatten
from numblocks.kernels import build
from numblocks.kernels.cuda import devices


class Run(HybridBlock):
    """A Block around a function."""

    def __init__(self, function, **children):
        super().__init__()
        self.function = function
        for name, child in children.items():
            setattr(self, name, child)

    def forward(self, *xs):
        return self.function(*xs)


def drawn(seed, *shapes):
    """Arrays of normal numbers in float64."""
    rng = numpy.random.default_rng(seed)
    return [np.array(numpy.asarray(rng.standard_normal(s) * 0.5), dtype="float64") for s in shapes]


def total(y):
    """A number that depends on every float of nested outputs, not linearly."""
    parts = [x for x in flatten(y)[0] if x.dtype.kind == "f" and x.size]
    return sum(((x * x + x) * (k + 1)).sum() for k, x in enumerate(parts))


def results(block, xs, second=False):
    """Outputs and gradients by `xs`; `second`: gradients of the sum of the gradients' squares."""
    for x in xs:
        x.attach_grad()
    with autograd.record():
        y = block(*xs)
        value = total(y)
        if second:
            value = sum((g * g).sum() for g in autograd.grad(value, list(xs), create_graph=True))
    value.backward()
    return [*(p.asnumpy() for p in flatten(y)[0]), *(x.grad.asnumpy() for x in xs)]


def agree(function, *xs, second=False, tolerance=1e-11):
    """Eager and hybridized agree; the eager results."""
    block = Run(function)
    eager = results(block, xs, second)
    block.hybridize()
    for _ in range(2):
        compiled = results(block, xs, second)
        assert len(eager) == len(compiled)
        for a, b in zip(eager, compiled, strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype
            numpy.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)
    return eager


def cell(x, h, w):
    return np.tanh(np.dot(x, w) + h)


def recurrent(x, h, w):
    """A plain recurrent net."""

    def step(e, s):
        s = cell(e, s, w)
        return s * 2, s

    return npx.foreach(step, x, h)


# ---- foreach -----------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(st.sampled_from([0, 1, 2, 5]), st.integers(1, 3), st.integers(0, 9), st.booleans())
def test_foreach_agrees_with_eager(n, width, seed, second):
    agree(recurrent, *drawn(seed, (n, 2, width), (2, width), (width, width)), second=second)


def several(x, y, h, c):
    """Nested data, states and outputs; one state is an integer, one output comes in two places."""

    def step(element, states):
        (a, b), (s, (u, i)) = element, states
        t = np.sin(a * s) + u * b
        return [t, (t + i, u)], (t, [u * a, i + 1])

    return npx.foreach(step, [x, y], (h, [c, np.zeros((), dtype="int32")]))


@settings(max_examples=8)
@given(st.sampled_from([0, 1, 4]), st.integers(0, 9), st.booleans())
def test_nested_structures(n, seed, second):
    agree(several, *drawn(seed, (n, 3), (n, 3), (3,), (3,)), second=second)


def nested(x, h, w):
    """A loop in a loop; the inner one closes over what belongs to the outer and to nobody."""

    def outer(row, s):
        inner = lambda e, t: (t * e + s.mean(), np.tanh(t + e * w))
        outputs, t = npx.foreach(inner, row, s)
        return outputs.sum(axis=0), t + w

    return npx.foreach(outer, x, h)


@settings(max_examples=8)
@given(st.sampled_from([(1, 1), (2, 3), (3, 0)]), st.integers(0, 9), st.booleans())
def test_nested_loops(lengths, seed, second):
    agree(nested, *drawn(seed, (*lengths, 2), (2,), (2,)), second=second)


def test_only_states_or_only_outputs():
    x, h = drawn(0, (4, 2), (2,))
    agree(lambda x, h: npx.foreach(lambda e, s: ([], s * e), x, h)[1], x, h)
    agree(lambda x, h: npx.foreach(lambda e, s: (e * h, []), x, [])[0], x, h)


def test_values_that_serve_as_several():
    """One value as two outputs, as two states, as output and state, as a condition and a state."""

    def step(e, s):
        t = np.tanh(s[0] + e)
        return [t, t * 2, t, s[1]], [t, t * 2, t * 2, t]

    (x,) = drawn(0, (4, 2))
    agree(lambda x: npx.foreach(step, x, [x[0], x[1], x[2], x[3]]), x, second=True)
    agree(lambda x: npx.foreach(lambda e, s: (s[0], [s[1], s[0]]), x, [x[0], x[1]]), x)

    def count(k, flag):
        return [k, flag], [k - 1, (k - 1) != 0]

    block = Run(lambda k: npx.while_loop(lambda k, flag: k, count, [k, k != 0], 6))
    for active in (False, True):
        block.hybridize(active)
        (k, flags), _ = block(np.array([3.0]))
        assert k.ravel().tolist() == [3, 2, 1, 0, 0, 0] and flags.ravel().tolist() == [1, 1, 1, 0, 0, 0]


def test_branches_with_one_value_twice():
    agree(lambda x: npx.cond(x.sum() > 0, lambda: [x * 2] * 2, lambda: [x, x * 3]), drawn(3, (3,))[0])


def test_what_comes_from_outside():
    """Constants, values of the trace, detached values, an output that is an input."""
    x, h = drawn(1, (3, 2), (2,))
    table = np.array([1.0, 2.0], dtype="float64")

    def function(x, h):
        scale = h * h
        still = scale.detach()
        return npx.foreach(lambda e, s: ((table, e * scale, s * still, scale), s + e * scale), x, h)

    agree(function, x, h)


def test_gradient_functions_and_pauses_in_the_body():
    """What the tape alone knows holds in the loop."""

    class Doubled(autograd.Function):
        def forward(self, x):
            return x * 1

        def backward(self, g):
            return g * 2

    def step(e, s):
        with autograd.pause():
            c = s * e
        return Doubled()(e * s) + c, s + e.detach()

    agree(lambda x, h: npx.foreach(step, x, h), *drawn(2, (3, 2), (2,)))


def test_second_order_of_a_detached_value():
    def step(e, s):
        return s * s * e.detach(), np.sin(s * e)

    agree(lambda x, h: npx.foreach(step, x, h), *drawn(2, (3, 2), (2,)))


def test_third_order():
    x, h = drawn(3, (3, 2), (2,))
    block, found = Run(lambda x, h: npx.foreach(lambda e, s: (s * e, np.sin(s * e)), x, h)[0]), []
    for active in (False, True):
        block.hybridize(active)
        x.attach_grad()
        with autograd.record():
            g = autograd.grad(total(block(x, h)), x, create_graph=True)[0]
            g = autograd.grad((g * g).sum(), x, create_graph=True)[0]
            value = (g * g).sum()
        value.backward()
        found.append(x.grad.asnumpy())
    numpy.testing.assert_allclose(found[1], found[0], rtol=1e-10)


@pytest.mark.parametrize("name", ["float32", "float16", "int32", "bool"])
def test_dtypes(name):
    x = np.array(numpy.arange(6).reshape(3, 2) % 2, dtype=name)
    step = lambda e, s: (np.where(s, e, e), e)
    block = Run(lambda x: npx.foreach(step, x, x[0]))
    wanted = [y.asnumpy() for y in block(x)]
    block.hybridize()
    for a, b in zip(block(x), wanted, strict=True):
        assert a.dtype == b.dtype
        numpy.testing.assert_array_equal(a.asnumpy(), b)


def test_states_that_change_are_unrolled_or_refused():
    grow = lambda x: npx.foreach(lambda e, s: (e, np.concatenate([s, s])), x, x[0])[1]
    (x,) = drawn(0, (3, 2))
    agree(grow, x)
    block = Run(grow)
    block.hybridize()
    with pytest.raises(RuntimeError, match="shape and dtype of its states"):
        block(np.ones((2000, 1)))
    block = Run(lambda x: npx.foreach(lambda e, s: (e, [s, s]), x, x[0]))
    block.hybridize()
    with pytest.raises(MXNetError, match="nested"):
        block(x)


def test_another_length_compiles_nothing():
    block = Run(recurrent)
    block.hybridize()
    _, h, w = drawn(0, (1,), (2, 3), (3, 3))
    results(block, [*drawn(0, (4, 2, 3)), h, w])
    builds = build.cache_info().builds
    for n in (7, 1, 30):
        results(block, [*drawn(0, (n, 2, 3)), h, w])
    assert build.cache_info().builds == builds


def test_one_node_whatever_the_length():
    block = Run(recurrent)
    block.hybridize()
    xs = drawn(0, (3000, 2, 3), (2, 3), (3, 3))
    results(block, xs)
    told = block.explain(*xs, train=True)
    assert [s.name for s in told.forward.steps if s.kind == "loop"] == ["loop"]
    assert [s.name for s in told.backward.steps if s.kind == "loop"] == ["loop"]
    assert len(told.forward.steps) < 5 and "3000 times body" in str(told)


def test_the_kept_states_are_the_memory_of_a_loop():
    """Twice the work inside the body keeps no more for the backward pass."""
    sizes = []
    for depth in (1, 6):

        def step(e, s, depth=depth):
            for _ in range(depth):
                e = np.tanh(e + s)
            return [], e

        block = Run(lambda x, h, step=step: npx.foreach(step, x, h)[1])
        block.hybridize()
        xs = drawn(0, (50, 4), (4,))
        results(block, xs)
        sizes.append(block.explain(*xs, train=True).residual_bytes)
    assert sizes[0] == sizes[1] >= 50 * 4 * 8


# ---- while_loop --------------------------------------------------------------------------------------------


def powers(x, limit):
    """Multiplied by `x` until 100 is passed."""
    test = lambda i, s: (s * s).sum() < 100
    return npx.while_loop(test, lambda i, s: ([s * i, s], [i + 1, s * x]), [np.zeros((1,), dtype="float64"), x], 8)


@settings(max_examples=12)
@given(st.sampled_from([1.2, 1.5, 3.0, 20.0]), st.booleans())
def test_while_loop_agrees_with_eager(start, second):
    y = agree(lambda x: powers(x, 8), np.array([start, 1.1], dtype="float64"), second=second)
    if start == 20.0:
        assert not y[0].any() and y[0].shape == (8, 2)


def test_while_loop_stops_where_the_values_say():
    block = Run(lambda x: powers(x, 8))
    block.hybridize()
    counts = [int(block(np.array([start, 0.0], dtype="float64"))[1][0].item()) for start in (20.0, 9.0, 3.0, 1.5, 1.1)]
    assert counts == [0, 1, 2, 5, 8]


def test_while_loop_runs_no_step_too_many():
    """Each step that runs launches kernels."""
    block = Run(lambda x: powers(x, 8))
    block.hybridize()
    found = []
    for start in (20.0, 9.0, 1.1, 20.0, 9.0, 1.1):
        before = build.cache_info().launches
        block(np.array([start, 0.0], dtype="float64"))
        found.append(build.cache_info().launches - before)
    assert found[3] < found[4] < found[5] and (found[5] - found[3]) == 8 * (found[4] - found[3])


def test_while_loop_in_foreach():
    def step(e, s):
        _, (s, _) = npx.while_loop(lambda s, e: (s * s).sum() < 9, lambda s, e: ([], [s + e * e, e]), [s, e], 6)
        return s * e, s * 0.5

    agree(lambda x, h: npx.foreach(step, x, h), *drawn(4, (5, 2), (2,)))


def test_while_loop_with_a_single_variable():
    y = npx.while_loop(lambda i: i < 3, lambda i: (i * 2, i + 1), np.array([1.0]), 4)
    assert y[0].tolist() == [[2], [4], [0], [0]] and y[1].tolist() == [3]
    with pytest.raises(ValueError, match="max_iterations"):
        npx.while_loop(lambda i: i < 3, lambda i: (i, [i + 1]), [np.zeros((1,))])


# ---- cond --------------------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.booleans(), st.integers(0, 9), st.booleans())
def test_cond_agrees_with_eager(positive, seed, second):
    x, w, v = drawn(seed, (3,), (3,), (3,))
    x = abs(x) if positive else -abs(x)
    function = lambda x, w, v: npx.cond(x.sum() > 0, lambda: [x * w * w, x], lambda: [np.sin(x), x + v * v])
    got = agree(function, x, w, v, second=second)
    assert second or (got[-1].any(), got[-2].any()) == (not positive, positive)


def test_the_branch_not_taken_does_not_run():
    (x,) = drawn(0, (3,))

    def function(x, i):
        return npx.cond(x.sum() > 0, lambda: npx.pick(x.reshape(1, 3), i, mode="raise"), lambda: x[:1])

    block = Run(function)
    block.hybridize()
    bad = np.array([7], dtype="int64")
    assert block(-abs(x), bad).shape == (1,)
    with pytest.raises(IndexError):
        block(abs(x), bad)


def test_branches_of_other_shapes_are_refused():
    block = Run(lambda x: npx.cond(x.sum() > 0, lambda: x, lambda: x[:1]))
    block.hybridize()
    with pytest.raises(MXNetError, match="shapes"):
        block(np.ones(3))


def test_cond_in_foreach():
    def step(e, s):
        s = npx.cond((e * s).sum() > 0, lambda: s * e, lambda: s + e)
        return s, s

    agree(lambda x, h: npx.foreach(step, x, h), *drawn(5, (6, 2), (2,)), second=True)


# ---- random numbers, state, errors -------------------------------------------------------------------------


def test_each_step_has_random_numbers_of_its_own_and_those_of_eager():
    def step(e, s):
        return np.random.normal(size=(3,)) + e, s + np.random.uniform(size=(3,))

    block, found = Run(lambda x: (npx.foreach(step, x, x[0]), np.random.normal(size=(2,)))), []
    x = np.zeros((4, 3))
    for active in (False, True, True):
        block.hybridize(active)
        random.seed(3)
        np.random.normal(size=(2,))
        found.append([y.asnumpy() for y in flatten(block(x))[0]])
    for a, b, c in zip(*found, strict=True):
        numpy.testing.assert_allclose(b, a, rtol=1e-6)
        numpy.testing.assert_allclose(c, a, rtol=1e-6)
    assert len(numpy.unique(found[0][0])) == 12


def test_a_loop_over_constants_draws_anew_in_each_call():
    ones = np.ones((3, 2))
    block = Run(lambda x: x + npx.foreach(lambda e, s: (e * np.random.uniform(size=(2,)), s), ones, ones[0])[0])
    block.hybridize()
    x, found = np.zeros((3, 2)), []
    for active in (False, True):
        block.hybridize(active)
        random.seed(2)
        found.append([block(x).asnumpy(), block(x).asnumpy()])
    assert not (found[1][0] == found[1][1]).any()
    numpy.testing.assert_allclose(found[1], found[0], rtol=1e-6)


def test_dropout_in_the_body_is_the_same_on_the_way_back():
    def step(e, s):
        s = npx.dropout(s + e, p=0.5)
        return s, s

    block = Run(lambda x, h: npx.foreach(lambda r, h: npx.foreach(step, r, h), x, h))
    xs, found = drawn(0, (2, 3, 40), (40,)), []
    for active in (False, True):
        block.hybridize(active)
        random.seed(5)
        found.append(results(block, xs))
    for a, b in zip(*found, strict=True):
        numpy.testing.assert_allclose(b, a, rtol=1e-12)


def test_running_statistics_in_the_body():
    found = []
    for active in (False, True):
        norm = nn.BatchNorm(in_channels=3)
        norm.initialize()
        norm.cast("float64")
        step = lambda e, s, norm=norm: (norm(e) + norm.running_mean.data(), s)
        block = Run(lambda x, step=step: npx.foreach(step, x, x[0, 0])[0], norm=norm)
        block.hybridize(active)
        out = results(block, drawn(0, (4, 5, 3)))
        found.append([*out, norm.running_mean.data().asnumpy(), norm.running_var.data().asnumpy(),
                      norm.gamma.grad().asnumpy()])  # fmt: skip
    for a, b in zip(*found, strict=True):
        numpy.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-12)


def test_layers_in_the_body_get_their_gradients():
    found = []
    for active in (False, True):
        random.seed(0)
        dense = nn.Dense(2, in_units=2, activation="tanh")
        dense.initialize()
        step = lambda e, s, dense=dense: (s, dense(s + e))
        block = Run(lambda x, step=step: npx.foreach(step, x, x[0]), dense=dense)
        block.hybridize(active)
        out = results(block, [np.array(numpy.arange(8.0).reshape(2, 2, 2) / 8, dtype="float32")])
        found.append([*out, dense.weight.grad().asnumpy(), dense.bias.grad().asnumpy()])
    for a, b in zip(*found, strict=True):
        numpy.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)


def test_an_index_out_of_range_in_a_step_is_refused():
    x = np.ones((4, 3))
    pick = lambda e, s: (npx.pick(e.reshape(1, 3), s.reshape(1), mode="raise"), s + 1)
    block = Run(lambda x: npx.foreach(pick, x, np.zeros((1,)))[0])
    block.hybridize()
    assert block(x[:3]).shape == (3, 1)
    with pytest.raises(IndexError):
        block(x)


def test_an_index_out_of_range_in_a_condition():
    """It counts where eager would look, not behind the last step."""
    x = np.array([3.0, 2.0, 1.0])
    at = lambda i: npx.pick(x.reshape(1, 3), i, mode="raise")
    for limit, wrong in ((3, False), (4, True)):
        block = Run(lambda i, limit=limit: npx.while_loop(lambda i: at(i) > 0, lambda i: (i, [i + 1]), [i], limit)[0])
        for active in (False, True):
            block.hybridize(active)
            if wrong:
                with pytest.raises(IndexError):
                    block(np.zeros((1,)))
            else:
                assert block(np.zeros((1,))).ravel().tolist() == [0, 1, 2]


def test_two_calls_in_flight():
    block = Run(recurrent)
    block.hybridize()
    x, h, w = drawn(0, (4, 2, 3), (2, 3), (3, 3))
    for y in (x, h, w):
        y.attach_grad()
    alone = []
    for _ in range(2):
        with autograd.record():
            value = total(block(x, h, w))
        value.backward()
        alone.append(x.grad.asnumpy())
    with autograd.record():
        one, two = total(block(x, h, w)), total(block(x * 1, h, w))
    two.backward()
    one.backward()
    numpy.testing.assert_array_equal(x.grad.asnumpy(), alone[0])


def test_legacy_arrays_keep_one_axis():
    x = nd.array([1, 2, 3])

    def step(e, s):
        assert e.shape == (1,) and type(e) is nd.NDArray
        return e + s, s + e

    block = Run(lambda x: nd.contrib.foreach(step, x, nd.zeros((1,))))
    for active in (False, True):
        block.hybridize(active)
        y, s = block(x)
        assert type(y) is nd.NDArray and type(s) is nd.NDArray
        assert y.asnumpy().tolist() == [[1], [3], [6]] and s.asnumpy().tolist() == [6]


def test_files_hold_loops_step_by_step(tmp_path):
    def forward(x, h):
        y, s = npx.foreach(lambda e, s: (s * e, np.tanh(s + e)), x, h)
        z, _ = npx.while_loop(lambda s: (s * s).sum() < 5, lambda s: (s, [s * 2]), [s], 4)
        return npx.cond(s.sum() > 0, lambda: y.sum(axis=0), lambda: z.sum(axis=0))

    block = Run(forward)
    block.hybridize()
    xs = [np.array(x, dtype="float32") for x in (numpy.full((3, 2), 0.5), numpy.full(2, 0.1))]
    wanted = block(*xs).asnumpy()
    block.export(tmp_path / "net")
    read = SymbolBlock.imports(str(tmp_path / "net-symbol.json"), ["data0", "data1"], str(tmp_path / "net-0000.params"))
    numpy.testing.assert_allclose(read(*xs).asnumpy(), wanted, rtol=1e-6)
    numpy.testing.assert_allclose(read(xs[0], -xs[1] - 5).asnumpy(), block(xs[0], -xs[1] - 5).asnumpy(), rtol=1e-6)


class Net(HybridBlock):
    """A recurrent net with dropout, written with foreach."""

    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.Dense(3, in_units=3), nn.Dense(2, in_units=3)

    def forward(self, x):
        def step(e, h):
            h = npx.dropout(np.tanh(self.cell(e) + h), p=0.2)
            return h, h

        return self.out(npx.foreach(step, x.swapaxes(0, 1), np.zeros((x.shape[0], 3)))[1])


def test_training_is_the_same_eager_hybridized_and_as_one_step():
    data = np.array(numpy.random.default_rng(0).standard_normal((4, 5, 3)).astype("f4"))
    label, loss, found = np.array([0, 1, 1, 0]), SoftmaxCrossEntropyLoss(), []
    for how in ("eager", "hybridized", "one step"):
        random.seed(0)
        net = Net()
        net.initialize()
        net.hybridize(how == "hybridized")
        trainer = Trainer(net.collect_params(), "adam", {"learning_rate": 0.1})
        step = compile_step(net, loss, trainer)
        random.seed(3)
        for _ in range(4):
            if how == "one step":
                value = step(data, label)
                continue
            with autograd.record():
                value = loss(net(data), label)
            value.backward()
            trainer.step(4)
        found.append((value.asnumpy(), net.cell.weight.data().asnumpy()))
    for value, weight in found[1:]:
        numpy.testing.assert_allclose(value, found[0][0], rtol=1e-5)
        numpy.testing.assert_allclose(weight, found[0][1], rtol=1e-4, atol=1e-6)


def test_threads_share_a_loop():
    block = Run(recurrent)
    block.hybridize()
    xs = drawn(0, (6, 2, 3), (2, 3), (3, 3))
    wanted, wrong = block(*xs)[0].asnumpy(), []

    def work():
        for _ in range(100):
            if not numpy.array_equal(block(*xs)[0].asnumpy(), wanted):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_on_a_gpu_loops_are_taken_step_by_step(monkeypatch):
    if not num_gpus():
        monkeypatch.setenv("NUMBLOCKS_CUDA", "sim1")
        devices.forget()
    try:
        found = []
        for place in (cpu(0), gpu(0)):
            block = Run(lambda x: npx.foreach(lambda e, s: (np.tanh(e * s), s + e), x, x[0])[0])
            block.hybridize()
            x = np.array(numpy.linspace(-1, 1, 6).reshape(3, 2).astype("f4"), ctx=place)
            x.attach_grad()
            with autograd.record():
                y = block(x)
            y.backward()
            found.append((y.asnumpy(), x.grad.asnumpy()))
        for a, b in zip(*found, strict=True):
            numpy.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-6)
    finally:
        monkeypatch.undo()
        devices.forget()
