"""The tape: scopes, gradient requests, head gradients, retained graphs, higher orders, Function, errors."""

import gc
import math
import threading
import weakref

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import evaluate, programs

from numblocks import autograd, nd, np, npx
from numblocks.errors import MXNetError


def rand(*shape, dtype="float64", seed=0):
    return np.array(numpy.random.default_rng(seed).normal(size=shape).astype(dtype))


def variable(*shape, req="write", **kwargs):
    x = rand(*shape, **kwargs)
    x.attach_grad(req)
    return x


# ---- scopes ------------------------------------------------------------------------------------------------


def state():
    return autograd.is_recording(), autograd.is_training()


def test_scopes_nest():
    assert state() == (False, False)
    with autograd.record():
        assert state() == (True, True)
        with autograd.predict_mode():
            assert state() == (True, False)
            with autograd.pause(train_mode=True):
                assert state() == (False, True)
            with autograd.pause():
                assert state() == (False, False)
            assert state() == (True, False)
        with autograd.record(train_mode=False):
            assert state() == (True, False)
        assert state() == (True, True)
    with autograd.train_mode():
        assert state() == (False, True)
    assert state() == (False, False)


def test_scopes_close_on_errors():
    with pytest.raises(ZeroDivisionError), autograd.record():
        1 / 0  # noqa: B018
    assert state() == (False, False)


def test_one_scope_object_serves_twice():
    scope = autograd.record()
    with scope, scope:
        assert state() == (True, True)
    assert state() == (False, False)


def test_setters_return_what_was():
    assert autograd.set_recording(True) is False and autograd.set_recording(False) is True
    assert autograd.set_training(True) is False and autograd.set_training(False) is True


def test_scopes_belong_to_their_thread():
    seen = []
    with autograd.record():
        thread = threading.Thread(target=lambda: seen.append(state()))
        thread.start()
        thread.join()
    assert seen == [(False, False)]


# ---- what is recorded --------------------------------------------------------------------------------------


def test_a_chain():
    x = variable(3, 4)
    with autograd.record():
        y = (np.tanh(x) * x + np.exp(-x)).mean()
    y.backward()
    v = x.asnumpy()
    wanted = (v / numpy.cosh(v) ** 2 + numpy.tanh(v) - numpy.exp(-v)) / 12
    assert numpy.allclose(x.grad.asnumpy(), wanted)


def test_outside_record_nothing_is_on_the_tape():
    x = variable(3)
    y = x * 2
    with pytest.raises(MXNetError, match="record"):
        y.backward()
    with autograd.record():
        with autograd.pause():
            y = x * 2
        z = y * x
    z.backward()
    assert numpy.allclose(x.grad.asnumpy(), 2 * x.asnumpy())


def test_detach_and_copies():
    x = variable(3)
    with autograd.record():
        y = x.detach() * x + x.copy() + x.astype("float32").astype("float64") * 0
    y.backward()
    assert numpy.allclose(x.grad.asnumpy(), x.asnumpy() + 1, atol=1e-6)


def test_broadcasting_sums_back():
    a, b, c = variable(3, 1), variable(4), variable()
    with autograd.record():
        y = a * b + c
    y.backward()
    assert numpy.allclose(a.grad.asnumpy(), numpy.full((3, 1), b.asnumpy().sum()))
    assert (
        numpy.allclose(b.grad.asnumpy(), numpy.full(4, a.asnumpy().sum()))
        and c.grad.item() == 12
        and c.grad.shape == ()
    )


def test_gradients_have_the_dtype_of_their_variable():
    x, w = variable(3, dtype="float32"), variable(3, dtype="float64")
    with autograd.record():
        y = (x * w).sum()
    y.backward()
    assert x.grad.dtype == "float32" and w.grad.dtype == "float64"


@pytest.mark.parametrize("req", ["write", "add"])
def test_requests(req):
    x = variable(3, req=req)
    for _ in range(3):
        with autograd.record():
            y = x * x * 2
        y.backward()
    times = 3 if req == "add" else 1
    assert numpy.allclose(x.grad.asnumpy(), times * 4 * x.asnumpy())


def test_null_and_unknown_requests():
    x = rand(3)
    x.attach_grad("null")
    assert x.grad is None
    with pytest.raises(KeyError, match="grad_req"):
        x.attach_grad("rewrite")


def test_used_twice_in_one_graph():
    x = variable(3)
    with autograd.record():
        y = x * x + x
        z = y * y + x
    z.backward()
    v = x.asnumpy()
    assert numpy.allclose(x.grad.asnumpy(), 2 * (v * v + v) * (2 * v + 1) + 1)


def test_attach_grad_again_starts_afresh():
    x = variable(3)
    with autograd.record():
        y = x * 2
    y.backward()
    x.attach_grad()
    assert (x.grad.asnumpy() == 0).all()
    x.drop_grad()
    assert x.grad is None


def test_attach_grad_cuts_what_came_before():
    x = variable(3)
    with autograd.record():
        y = x * 2
        y.attach_grad()
        z = y * y
    z.backward()
    assert numpy.allclose(y.grad.asnumpy(), 2 * y.asnumpy()) and (x.grad.asnumpy() == 0).all()


def test_mark_variables():
    x, g = rand(3), np.zeros((3,), dtype="float64")
    autograd.mark_variables(x, g)
    with autograd.record():
        y = x * 3
    y.backward()
    assert (g.asnumpy() == 3).all() and x.grad is g


# ---- backward ----------------------------------------------------------------------------------------------


def test_head_gradients():
    x = variable(3)
    with autograd.record():
        y = x * 2
        z = x * x
    autograd.backward([y, z], [np.array([1.0, 2.0, 3.0]), None])
    assert numpy.allclose(x.grad.asnumpy(), 2 * numpy.array([1, 2, 3]) + 2 * x.asnumpy())


def test_wrong_heads():
    x = variable(3)
    with autograd.record():
        y = x * 2
    with pytest.raises(ValueError, match="head gradient has shape"):
        y.backward(np.ones((2,)))
    with pytest.raises(ValueError, match="2 head gradients"):
        autograd.backward([y], [np.ones(3), np.ones(3)])


def test_a_head_that_is_a_variable():
    x = variable(3)
    x.backward(np.array([1.0, 2.0, 3.0]))
    assert x.grad.tolist() == [1, 2, 3]


def test_retain_graph():
    x = variable(3)
    with autograd.record():
        y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert numpy.allclose(x.grad.asnumpy(), 2 * x.asnumpy())
    with pytest.raises(MXNetError, match="retain_graph=True"):
        y.backward()


def test_a_freed_part_below_another_graph():
    x = variable(3)
    with autograd.record():
        y = x * x
    y.backward()
    with autograd.record():
        z = y * 2
    with pytest.raises(MXNetError, match="freed"):
        z.backward()


def test_the_tape_goes_with_the_last_array():
    x = variable(3)
    with autograd.record():
        y = x * 2
        z = y * y
    gone = weakref.ref(y)
    del y
    gc.disable()
    try:
        z.backward()
        del z
        assert gone() is None  # by counting references: there are no cycles
    finally:
        gc.enable()


def test_a_deep_chain():
    x = variable(2)
    with autograd.record():
        y = x
        for _ in range(5000):
            y = y + 1e-3
    y.backward()
    assert (x.grad.asnumpy() == 1).all()
    del y  # thousands of steps are freed without recursion


def test_in_place_is_refused_on_the_tape():
    x = variable(3)
    with autograd.record():
        y = x * 2
        for change in (
            lambda: x.__setitem__(0, 1),
            lambda: x.__iadd__(1),
            lambda: y.__imul__(2),
            lambda: np.zeros(3).__setitem__(0, y[0]),
        ):
            with pytest.raises(MXNetError, match="in place"):
                change()
    x[0] = 5
    x += 1
    assert x[0].item() == 6


@pytest.mark.parametrize("cls", [np, nd])
def test_results_keep_their_class(cls):
    x = cls.ones((2,))
    x.attach_grad()
    with autograd.record():
        y = x * 2
    y.backward()
    assert type(x.grad) is type(x)


@given(programs(longest=8))
def test_random_programs_against_differences(drawn):
    program, outputs, inputs = drawn
    if any(name in ("cast", "detach") for _, name, _, _ in program):
        return
    rng = numpy.random.default_rng(0)
    directions = [numpy.asarray(rng.standard_normal(x.shape)) for x in inputs]

    def value(h):
        ys = evaluate(
            program, outputs, [np.array(x + h * v, dtype="float64") for x, v in zip(inputs, directions, strict=True)]
        )
        return sum((np.sin(y) * 1.0).sum().item() for y in ys)

    xs = [np.array(x, dtype="float64") for x in inputs]
    for x in xs:
        x.attach_grad()
    with autograd.record():
        ys = evaluate(program, outputs, xs)
        total = sum(np.sin(y).sum() for y in ys)
    total.backward()
    exact = sum((x.grad.asnumpy() * v).sum() for x, v in zip(xs, directions, strict=True))
    numeric, again = ((value(h) - value(-h)) / (2 * h) for h in (1e-6, 2e-6))
    scale = max(1.0, abs(exact), abs(value(0.0)))
    if abs(numeric - again) < 1e-6 * scale:  # else a kink lies between
        assert abs(numeric - exact) < 1e-5 * scale


# ---- grad and higher orders --------------------------------------------------------------------------------


def test_grad_leaves_buffers_alone():
    x, w = variable(3), variable(3)
    with autograd.record():
        y = x * x * w
    gx, gw = autograd.grad(y, [x, w])
    assert numpy.allclose(gx.asnumpy(), (2 * x * w).asnumpy()) and numpy.allclose(gw.asnumpy(), (x * x).asnumpy())
    assert (x.grad.asnumpy() == 0).all()


def test_grad_by_what_does_not_matter_is_zero():
    x, w = variable(3), variable(2)
    with autograd.record():
        y = x * 2
    assert autograd.grad(y, w, retain_graph=True).tolist() == [0, 0]
    with pytest.raises(ValueError, match="not on the tape"):
        autograd.grad(y, rand(3))


@pytest.mark.parametrize("order", [2, 3, 4])
def test_orders(order):
    x = variable(3)
    with autograd.record():
        y = np.sin(x)
        for _ in range(order - 1):
            y = autograd.grad(y, x, create_graph=True)
    y.backward()
    wanted = [numpy.sin, numpy.cos, lambda v: -numpy.sin(v), lambda v: -numpy.cos(v)][order % 4]
    assert numpy.allclose(x.grad.asnumpy(), wanted(x.asnumpy()))


@given(st.integers(0, 1000))
def test_hessian_of_a_quadratic_form(seed):
    a = rand(3, 3, seed=seed)
    x = variable(3, seed=seed + 1)
    rows = []
    for k in range(3):
        with autograd.record():
            y = np.dot(x, np.dot(a, x))
            g = autograd.grad(y, x, create_graph=True)[k]
        g.backward()
        rows.append(x.grad.asnumpy())
    assert numpy.allclose(rows, a.asnumpy() + a.asnumpy().T)


def test_gradient_penalty():
    w, x = variable(3, 2), variable(4, 3)
    with autograd.record():
        y = np.tanh(np.dot(x, w)).sum()
        g = autograd.grad(y, x, create_graph=True)
        loss = (g * g).sum()
    loss.backward()
    f = lambda wv: (((1 - numpy.tanh(x.asnumpy() @ wv) ** 2) @ wv.T) ** 2).sum()
    h, wanted = 1e-6, numpy.zeros((3, 2))
    for i in numpy.ndindex(3, 2):
        e = numpy.zeros((3, 2))
        e[i] = h
        wanted[i] = (f(w.asnumpy() + e) - f(w.asnumpy() - e)) / (2 * h)
    assert numpy.allclose(w.grad.asnumpy(), wanted, atol=1e-6)


# ---- Function ----------------------------------------------------------------------------------------------


class Sigmoid(autograd.Function):
    def forward(self, x):
        assert not autograd.is_recording()
        y = 1 / (1 + np.exp(-x))
        self.save_for_backward(y)
        return y

    def backward(self, dy):
        (y,) = self.saved_tensors
        return dy * y * (1 - y)


class SumAndDifference(autograd.Function):
    def forward(self, a, b):
        return a + b, a - b

    def backward(self, ds, dd):
        return ds + dd, ds - dd


def test_function():
    x = variable(3)
    with autograd.record():
        y = Sigmoid()(x) * 2
    y.backward()
    s = 1 / (1 + numpy.exp(-x.asnumpy()))
    assert numpy.allclose(x.grad.asnumpy(), 2 * s * (1 - s))


def test_function_with_several_results():
    a, b = variable(3), variable(3, seed=1)
    with autograd.record():
        total, difference = SumAndDifference()(a, b)
        y = total * difference  # a^2 - b^2
    y.backward()
    assert numpy.allclose(a.grad.asnumpy(), 2 * a.asnumpy()) and numpy.allclose(b.grad.asnumpy(), -2 * b.asnumpy())
    with autograd.record():
        total, _ = SumAndDifference()(a, b)  # one result is not used
    total.backward()
    assert (a.grad.asnumpy() == 1).all() and (b.grad.asnumpy() == 1).all()


def test_function_with_too_few_gradients():
    class Wrong(SumAndDifference):
        def backward(self, ds, dd):
            return ds

    a = variable(3)
    with autograd.record():
        y, _ = Wrong()(a, a)
    with pytest.raises(ValueError, match="returned 1 gradients for 2 inputs"):
        y.backward()


def test_function_that_returns_its_input():
    class Same(autograd.Function):
        def forward(self, x):
            return x

        def backward(self, dy):
            return dy * 5

    x = variable(3)
    with autograd.record():
        y = Same()(x)
    y.backward()
    assert (x.grad.asnumpy() == 5).all() and x.grad is not None


def test_dropout_and_its_gradient_use_one_mask():
    x = variable(200)
    with autograd.record():
        y = npx.dropout(x * 1, 0.5)
    y.backward()
    kept = y.asnumpy() != 0
    assert ((x.grad.asnumpy() != 0) == kept).all() and math.isclose(x.grad.asnumpy().max(), 2)
