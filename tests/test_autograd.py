"""`autograd`: scopes, variables, heads, higher orders, functions of one's own."""

import math

import numpy
import pytest

from numblocks import autograd, np
from numblocks.errors import MXNetError


def variable(*values):
    """A float64 array with a gradient."""
    x = np.array(values, dtype="float64")
    x.attach_grad()
    return x


@pytest.mark.parametrize("scope, recording, training", [
    (autograd.record, True, True), (lambda: autograd.record(False), True, False), (autograd.pause, False, False),
    (lambda: autograd.pause(True), False, True), (autograd.train_mode, False, True), (autograd.predict_mode, False,
        False),
])  # fmt: skip
def test_scopes(scope, recording, training):
    with scope():
        assert (autograd.is_recording(), autograd.is_training()) == (recording, training)
        with autograd.pause():
            assert not autograd.is_recording()
        assert (autograd.is_recording(), autograd.is_training()) == (recording, training)
    assert (autograd.is_recording(), autograd.is_training()) == (False, False)


def test_switches_return_what_was_in_force():
    assert autograd.set_recording(True) is False and autograd.set_recording(False) is True
    assert autograd.set_training(True) is False and autograd.set_training(False) is True


def test_mark_variables():
    x, g = np.array([1.0, 2.0]), np.zeros(2)
    autograd.mark_variables(x, g)
    with autograd.record():
        y = (x * x).sum()
    y.backward()
    assert g.tolist() == [2.0, 4.0] and x.grad is g
    a, b = np.array([1.0]), np.array([2.0])
    ga, gb = np.ones(1), np.ones(1)
    autograd.mark_variables([a, b], [ga, gb], ["add", "null"])
    with autograd.record():
        z = a * 3 + b
    z.backward()
    assert ga.item() == 4.0 and gb.item() == 1.0


def test_several_heads_and_head_gradients():
    x = variable(1.0, 2.0)
    with autograd.record():
        y, z = x * 2, x * x
    autograd.backward([y, z], [np.array([1.0, 10.0]), None])
    assert x.grad.tolist() == [2 + 2, 20 + 4]


def test_grad_leaves_buffers_alone_and_reaches_intermediate_arrays():
    x = variable(1.0, 2.0)
    with autograd.record():
        h = x * x
        y = (h * h).sum()
        gx, gh = autograd.grad(y, [x, h], retain_graph=True)
    assert gh.tolist() == [2.0, 8.0] and gx.tolist() == [4.0, 32.0] and x.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("function, derivative", [
    (lambda x: np.sin(x), lambda x, n: math.sin(x + n * math.pi / 2)),
    (lambda x: np.exp(2 * x), lambda x, n: 2**n * math.exp(2 * x)),
    (lambda x: np.log(x), lambda x, n: (-1) ** (n - 1) * math.factorial(n - 1) / x**n),
    (lambda x: x**6, lambda x, n: math.perm(6, n) * x ** (6 - n)),
    (lambda x: 1 / x, lambda x, n: (-1) ** n * math.factorial(n) / x ** (n + 1)),
])  # fmt: skip
def test_higher_orders(order, function, derivative):
    x = variable(0.7)
    with autograd.record():
        y = function(x)
        for _ in range(order):
            y = autograd.grad(y, x, create_graph=True)[0]
    assert abs(y.item() - derivative(0.7, order)) < 1e-9 * abs(derivative(0.7, order)) + 1e-9


def test_hessian_of_a_determinant():
    """The second derivative of log|det| is -inv.T (x) inv: checked in one direction."""
    a = numpy.random.default_rng(0).standard_normal((3, 3)) + 3 * numpy.eye(3)
    x, v = np.array(a), numpy.random.default_rng(1).standard_normal((3, 3))
    x.attach_grad()
    with autograd.record():
        g = autograd.grad(np.linalg.slogdet(x)[1], x, create_graph=True)[0]
        inner = (g * np.array(v)).sum()
    inner.backward()
    inverse = numpy.linalg.inv(a)
    assert numpy.allclose(x.grad.asnumpy(), -(inverse @ v @ inverse).T)


class Scaled(autograd.Function):
    """x * y, with a gradient that is ten times too large on purpose."""

    def forward(self, x, y):
        self.save_for_backward(x, y)
        return x * y

    def backward(self, g):
        x, y = self.saved_tensors
        return g * y * 10, g * x * 10


class SumAndDifference(autograd.Function):
    """Two answers."""

    def forward(self, x, y):
        return x + y, x - y

    def backward(self, gs, gd):
        return gs + gd, gs - gd


def test_function_uses_its_own_gradient():
    x, y = variable(2.0), variable(5.0)
    with autograd.record():
        z = Scaled()(x, y) * 2
    z.backward()
    assert x.grad.item() == 100.0 and y.grad.item() == 40.0


def test_function_with_several_answers():
    x, y = variable(2.0), variable(5.0)
    with autograd.record():
        s, d = SumAndDifference()(x, y)
        z = s * 3 + d
    z.backward()
    assert x.grad.item() == 4.0 and y.grad.item() == 2.0
    with autograd.record():
        s, _ = SumAndDifference()(x, y)
    s.backward()
    assert y.grad.item() == 1.0


def test_errors():
    x = variable(1.0)
    y = x * 2
    with pytest.raises(MXNetError, match="record"):
        y.backward()
    with autograd.record():
        z = x * 2
    z.backward()
    with pytest.raises(MXNetError, match="retain_graph"):
        z.backward()
    with pytest.raises(ValueError, match="attach_grad"):
        autograd.grad(z, np.ones(1))
    with pytest.raises(KeyError, match="grad_req"):
        x.attach_grad("twice")
    with autograd.record():
        z = x * 2
    with pytest.raises(ValueError, match="shape"):
        z.backward(np.ones(3))


def test_grad_req_add_adds_over_calls():
    x = np.array([1.0, 2.0])
    x.attach_grad("add")
    for _ in range(3):
        with autograd.record():
            y = (x * x).sum()
        y.backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_detach_stops_the_gradient():
    x = variable(3.0)
    with autograd.record():
        y = x * (x * x).detach()
    y.backward()
    assert x.grad.item() == 9.0
