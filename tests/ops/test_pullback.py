"""The VJPs of elementwise ops as one kernel each: the same values, to the last bit, where nothing is recorded."""

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, np, npx, tape
from numblocks.kernels import loops
from numblocks.op import REGISTRY
from numblocks.ops import pullback

quick = settings(deadline=None, max_examples=10)
NAMES = sorted(op.name for op in REGISTRY.values() if op.kind == "elementwise" and op.vjp and op.scalar)


@pytest.fixture
def always(monkeypatch):
    """However small the array."""
    monkeypatch.setattr(tape, "LARGE", 0)


def gradients(op, operands, g, **walk):
    """The gradients of the arrays among `operands`, from buffers filled with 7 before."""
    xs = [np.array(x, dtype=x.dtype) if isinstance(x, numpy.ndarray) else x for x in operands]
    learning = [x for x in xs if hasattr(x, "attach_grad") and x.dtype.kind == "f"]
    for x in learning:
        x.attach_grad(**walk)
        x.grad[...] = 7
    with autograd.record():
        y = op(*xs)
    if g is None or y.shape != g.shape:
        g = numpy.cos(numpy.arange(y.size)).reshape(y.shape).astype(y.dtype)
    y.backward(np.array(g, dtype=g.dtype))
    return [x.grad.asnumpy().copy() for x in learning]


def drawn(data, op):
    """Operands within the op's domain: of one shape, broadcast, turned round, or numbers behind the first."""
    shape = data.draw(st.sampled_from([(7,), (4, 5), (3, 1, 6), (2, 3, 4), (0, 3)]))
    dtype = data.draw(st.sampled_from(["float32", "float64"]))
    rng = numpy.random.default_rng(data.draw(st.integers(0, 99)))
    domain = op.domain if isinstance(op.domain[0], tuple) else (op.domain,) * op.nin
    operands = []
    for k, (low, high) in enumerate(domain):
        form = data.draw(st.sampled_from(["whole", "whole", "row", "turned", "number"]))
        if form == "number" and k:
            operands.append(float(rng.uniform(low, high)))
            continue
        size = shape[-1:] if form == "row" and k else shape
        x = rng.uniform(low, high, size[::-1] if form == "turned" else size).astype(dtype)
        x = x.T if form == "turned" else x
        operands.append(x > 0.5 * (low + high) if op.name == "where" and not k else x)
    return operands


@pytest.mark.parametrize("name", NAMES)
@quick
@given(data=st.data())
def test_values_are_those_of_the_ops(name, data):
    op = REGISTRY[name]
    args = [np.array(x, dtype=x.dtype) if isinstance(x, numpy.ndarray) else x for x in drawn(data, op)]
    y = op(*args)
    g = np.array(numpy.cos(numpy.arange(y.size)).reshape(y.shape).astype(y.dtype), dtype=y.dtype)
    for k, vjp in enumerate(op.vjp):
        if vjp is None:
            continue
        at_once = pullback.fused(op, k, vjp, g, y, args)
        if at_once is None:
            continue
        with pytest.MonkeyPatch.context() as patch:  # large arrays meet the ops' own kernels, not NumPy's loops
            patch.setattr("numblocks.eager.small_for", lambda op: 0)
            patch.setattr("numblocks.shortcut.concrete.CONCRETE", None)
            one_by_one = vjp(g, y, *args)
        assert type(at_once) is type(one_by_one) and at_once.dtype == one_by_one.dtype
        assert at_once.shape == one_by_one.shape
        assert at_once.asnumpy().tobytes() == one_by_one.asnumpy().tobytes()


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "gelu", "silu", "square", "sin", "softplus", "hypot"])
def test_activations_are_done_at_once(name):
    op = REGISTRY[name]
    args = [np.array([[0.5, 1.5]])] * op.nin
    y = op(*args)
    assert all(pullback.fused(op, k, vjp, y, y, args) is not None for k, vjp in enumerate(op.vjp))


def launches(function):
    """How many VJPs `function()` prepares as one kernel."""
    loops._prepared.clear()
    function()
    return sum(isinstance(x, pullback._Fused) for x in loops._prepared.values())


def test_one_kernel_for_a_chain_and_none_for_a_single_op(always):
    x = numpy.linspace(-2, 2, 50).astype("f4")
    assert launches(lambda: gradients(REGISTRY["sigmoid"], [x], None)) == 1
    assert launches(lambda: gradients(REGISTRY["gelu"], [x], None)) == 1
    assert launches(lambda: gradients(REGISTRY["multiply"], [x, x], None)) == 0
    assert launches(lambda: gradients(REGISTRY["tanh"], [x.astype("f2")], None)) == 0  # float16 is storage


def test_small_arrays_are_left_to_numpy():
    assert launches(lambda: gradients(REGISTRY["sigmoid"], [numpy.ones(100, "f4")], None)) == 0
    assert launches(lambda: gradients(REGISTRY["sigmoid"], [numpy.ones(pullback.LARGE, "f4")], None)) == 1


def test_numbers_in_operands_are_no_part_of_the_kernel_but_of_the_answer(always):
    x, g = numpy.array([-1.0, 2.0], "f4"), numpy.ones(2, "f4")
    op = REGISTRY["elu"]
    for alpha in (0.5, 0.25, 3, -0.0, 0.0):
        (grad,) = gradients(op, [x, alpha], g)
        assert numpy.allclose(grad, [alpha * math.exp(-1.0), 1.0])


@pytest.mark.parametrize("order", [2, 3])
def test_a_walk_that_is_recorded_is_done_by_ops(always, order):
    """Derivatives of sigmoid by its own values."""
    x = np.array(numpy.linspace(-2, 2, 9), dtype="float64")
    x.attach_grad()

    def walk():
        with autograd.record():
            y = npx.sigmoid(x)
            for _ in range(order - 1):
                (y,) = autograd.grad(y, x, create_graph=True)
        y.backward()

    assert launches(walk) >= 1  # the last walk is not recorded
    s = npx.sigmoid(x).asnumpy()
    want = s * (1 - s) * (1 - 2 * s) if order == 2 else s * (1 - s) * (1 - 6 * s + 6 * s * s)
    assert numpy.allclose(x.grad.asnumpy(), want)


def test_added_kept_and_walked_twice(always):
    x = np.array([0.5, -1.0], dtype="float64")
    x.attach_grad("add")
    with autograd.record():
        y = np.tanh(x)
    y.backward(retain_graph=True)
    y.backward()
    assert numpy.allclose(x.grad.asnumpy(), 2 * (1 - numpy.tanh([0.5, -1.0]) ** 2))


def test_a_vjp_that_looks_at_values_is_left_alone(always):
    """It cannot be traced, so it is called with the arrays themselves."""
    from numblocks.ops.kinds import elementwise

    @elementwise(vjp=lambda g, y, x: g * 2.0 * x if float(g.sum()) > 0 else g * 0.0 * x, name="looks_at_values")
    def looks(x):
        return x * x

    try:
        x = numpy.array([1.0, 2.0], "f4")
        assert gradients(looks, [x], numpy.ones(2, "f4"))[0].tolist() == [2.0, 4.0]
        assert gradients(looks, [x], -numpy.ones(2, "f4"))[0].tolist() == [0.0, 0.0]
    finally:
        del REGISTRY["looks_at_values"]
