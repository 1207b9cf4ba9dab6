"""Ops of one's own: from scalar functions, with derived derivatives, and from loops."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numblocks import autograd, custom, gluon, np
from numblocks.custom.derive import derivative
from numblocks.kernels.typed import scalar as read
from numblocks.op import REGISTRY
from numblocks.testing import GradientError, check_gradients, check_hybrid, check_op, drawn
from numblocks.testing.numeric import differentiate


def damped(u, v):
    return math.exp(-u * u) * math.sin(v)


@custom.scalar
def mish(x):
    """x tanh(softplus(x)) (Misra 2019)."""
    return x * math.tanh(math.log1p(math.exp(x)))


@custom.scalar
def soft_threshold(x, t):
    if x > t:
        return x - t
    s = x + t
    return s if x < -t else 0.0 * x


@custom.scalar(domain=((0.2, 3.0), (-2.0, 2.0)))
def everything(x, y):
    a = x**3 - y
    a += max(x, y, 0.5) * abs(y)
    b = math.hypot(a, 1.0) + damped(x, y)
    return b / (1.0 + x * x) + math.atan2(y, x) + math.pow(x, y) - math.sqrt(x) * math.log(x) + min(x, 2.0)


@pytest.mark.parametrize("op", [mish, soft_threshold, everything])
def test_derived(op):
    check_op(op, max_examples=25)


SINGLE = sorted(custom.derive.ONE)
DOMAIN = {"acosh": (1.2, 3.0), "asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "atanh": (-0.9, 0.9), "log1p": (-0.9, 2.0)}


@pytest.mark.parametrize("name", SINGLE)
def test_derivative_of_each_function(name):
    scope = {"math": math}
    source = f"def f(x): return math.{name}(0.9 * x) + 0.5 * math.{name}(x)"
    fn = type(read(damped))("f", source, 1)
    exec(source, scope)
    low, high = DOMAIN.get(name, (0.3, 1.2))

    def check(x):
        found = numeric_derivative(scope["f"], x)
        assert abs(derivative(fn, 0)(x) - found.value) <= 8 * found.error + 1e-12

    drawn(check, st.floats(low, high), 20)


def numeric_derivative(function, x):
    return differentiate(lambda h: numpy.array([function(x + h)]), numpy.ones(1))


def test_a_vjp_of_ones_own_is_checked():
    @custom.scalar(vjp=lambda g, y, x: g * 2.0 * x)
    def squared(x):
        return x * x

    check_op(squared, max_examples=10)

    @custom.scalar(vjp=lambda g, y, x: g * x)
    def slipped(x):
        return x * x

    with pytest.raises(GradientError):
        check_op(slipped, max_examples=10)


def test_what_cannot_be_derived_is_refused_at_once():
    with pytest.raises(custom.NotDerivable, match="gamma"):

        @custom.scalar
        def stirling(x):
            return math.gamma(x)


class Net(gluon.HybridBlock):
    def forward(self, x):
        return (mish(2 * x) * 0.5 + mish(x)).sum(axis=-1)


def test_it_fuses():
    net, x = Net(), np.array(numpy.random.default_rng(0).normal(size=(3, 4)))
    check_hybrid(net, x)
    net.hybridize()
    net(x)
    (entry,) = net._traced.compiled.entries.values()
    assert len(entry.plan.first.steps) == 1, "one loop for all of it"


def test_it_can_be_declared_again():
    for factor in (1.0, 2.0):
        scope = {}

        if factor == 1.0:

            @custom.scalar
            def again(x):
                return x * 1.0
        else:

            @custom.scalar
            def again(x):
                return x * 2.0

        scope["again"] = again
        assert again(np.array([3.0])).item() == 3.0 * factor
    assert REGISTRY["custom.again"] is again


def back(dx, g, x):
    dx[-1] = g[-1]
    for i in range(len(g) - 2, -1, -1):
        dx[i] = g[i] + 0.5 * dx[i + 1]


def decay_loop(y, x):
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = x[i] + 0.5 * y[i - 1]


@pytest.mark.parametrize("jit", [False, True])
def test_loop(jit):
    op = custom.loop(vjp=back, jit=jit, examples=((((5,),), {}), (((1,),), {})))(decay_loop)
    check_op(op, order=1, max_examples=10)
    check_gradients(lambda x: op(np.tanh(x)).sum(), np.array([0.1, 0.2, 0.4]))


def test_loop_with_two_operands_and_a_shape():
    def by_a(da, g, a, b):
        for i in range(len(a)):
            da[i] = (g[i] * b).sum()

    def by_b(db, g, a, b):
        db[:] = 0
        for i in range(len(a)):
            db += g[i] * a[i]

    @custom.loop(shape=lambda a, b: a + b, vjp=(by_a, by_b), examples=((((3,), (2,)), {}),))
    def outer(y, a, b):
        for i in range(len(a)):
            for j in range(len(b)):
                y[i, j] = a[i] * b[j]

    check_op(outer, order=1, max_examples=5, reference=numpy.outer)


@given(st.integers(0, 2**31))
def test_vectorized_is_the_definition(seed):
    x = numpy.random.default_rng(seed).uniform(0.3, 3.0, (4, 3))
    y = numpy.random.default_rng(seed + 1).uniform(-2.0, 2.0, 3)
    wanted = [[everything.scalar(a, b) for a, b in zip(row, y, strict=True)] for row in x]
    numpy.testing.assert_allclose(everything.numpy(x, y), wanted, rtol=1e-12)


def test_recorded_once():
    x = np.array([0.5])
    x.attach_grad()
    with autograd.record():
        y = mish(x)
    y.backward()
    assert x.grad.item() == pytest.approx(numeric_derivative(lambda v: mish.scalar(v), 0.5).value, rel=1e-6)
