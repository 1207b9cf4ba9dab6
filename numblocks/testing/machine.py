"""Autograd against a naive reference, in random order: record, pause, views, writes in place, backward, grad_req.

The reference is forward mode: beside each value stands its dense Jacobian by every variable, a matrix updated by the
chain rule as the value is computed. It shares nothing with a tape: no order, no accumulation, no residuals.
"""

from __future__ import annotations

import numpy
from hypothesis import Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from .. import autograd
from ..array import ndarray
from ..errors import MXNetError
from ..np import array
from .drawn import RELAXED


class Cube(autograd.Function):
    """0.1 x^3 with a gradient of its own: what `autograd.Function` records is checked, too."""

    def forward(self, x):
        """Keeps its input."""
        self.save_for_backward(x)
        return 0.1 * x * x * x

    def backward(self, dy):
        """0.3 x^2 dy."""
        (x,) = self.saved_tensors
        return 0.3 * dy * x * x


UNARY = {  # name: (on ndarrays, values, derivative)
    "tanh": (lambda x: x.tanh(), numpy.tanh, lambda x: 1 - numpy.tanh(x) ** 2),
    "exp": (lambda x: (x * 0.1).exp(), lambda x: numpy.exp(0.1 * x), lambda x: 0.1 * numpy.exp(0.1 * x)),
    "square": (lambda x: x * x * 0.1, lambda x: 0.1 * x * x, lambda x: 0.2 * x),
    "Function": (lambda x: Cube()(x), lambda x: 0.1 * x**3, lambda x: 0.3 * x**2),
    "negative": (lambda x: -x, lambda x: -x, lambda x: -numpy.ones_like(x)),
}
BINARY = {  # name: (on ndarrays, values, derivative by each)
    "add": (lambda a, b: a + b, lambda a, b: a + b, lambda a, b: (1.0, 1.0)),
    "subtract": (lambda a, b: a - b, lambda a, b: a - b, lambda a, b: (1.0, -1.0)),
    "multiply": (lambda a, b: a * b * 0.5, lambda a, b: a * b * 0.5, lambda a, b: (b * 0.5, a * 0.5)),
}


class Value:
    """An ndarray and what it should be.

    Attributes:
        x: the ndarray.
        value: a copy of its values.
        slopes: variable -> Jacobian `(size, size of the variable)`; empty off the tape.
        seen: variable -> how often it had been changed when this was computed.
    """

    def __init__(self, x: ndarray, value: numpy.ndarray, slopes: dict, operands=()):
        self.x, self.value, self.slopes = x, numpy.array(value), slopes
        self.seen = {v: n for operand in operands for v, n in operand.seen.items()}

    def fresh(self) -> Value:
        """Itself, or when outdated a variable it came from."""
        return next(iter(self.seen)) if self.outdated else self

    @property
    def outdated(self) -> bool:
        """Whether a variable it was computed from, and may share memory with, was changed since."""
        return any(v.changes != n for v, n in self.seen.items())

    def __repr__(self) -> str:
        return f"<{self.value.shape}>"


class Variable(Value):
    """A variable: `req` and the gradient that should have been collected."""

    def __init__(self, x: ndarray, req: str):
        super().__init__(x, x.asnumpy(), {})
        self.req, self.grad, self.changes = req, numpy.zeros(x.shape), 0
        self.seen = {self: 0}
        if req != "null":
            self.slopes = {self: numpy.eye(x.size)}


class AutogradMachine(RuleBasedStateMachine):
    """Random programs on the tape; run it with `AutogradMachine.TestCase` or `check_autograd()`."""

    variables = Bundle("variables")
    values = Bundle("values")

    def __init__(self):
        super().__init__()
        self.alive: list[Variable] = []

    @initialize(target=variables, seed=st.integers(0, 99), req=st.sampled_from(["write", "add"]))
    def first(self, seed, req):
        """There is always a variable."""
        return self.variable(seed, (2, 3), req)

    @rule(
        target=variables,
        seed=st.integers(0, 99),
        shape=st.sampled_from([(2, 3), (3,), (1, 3), (2, 1), ()]),
        req=st.sampled_from(["write", "add", "null"]),
    )
    def variable(self, seed, shape, req):
        """A new variable."""
        x = array(numpy.random.default_rng(seed).uniform(-1, 1, shape), dtype="float64")
        x.attach_grad(req)
        found = Variable(x, req)
        self.alive.append(found)
        return found

    def made(self, operands, compute, value, slopes) -> Value:
        """Record and keep what came out."""
        with autograd.record():
            x = compute()
        return Value(x, value, slopes, operands)

    @rule(target=values, x=st.one_of(variables, values), name=st.sampled_from(sorted(UNARY)), paused=st.booleans())
    def unary(self, x, name, paused):
        """One elementwise operation, recorded or in a pause inside record()."""
        op, value, slope = UNARY[name]
        x = x.fresh()
        if paused:
            with autograd.record(), autograd.pause():
                y = op(x.x)
            return Value(y, value(x.value), {}, [x])
        d = slope(x.value).reshape(-1, 1)
        return self.made([x], lambda: op(x.x), value(x.value), {v: d * j for v, j in x.slopes.items()})

    @rule(
        target=values,
        a=st.one_of(variables, values),
        b=st.one_of(variables, values),
        name=st.sampled_from(sorted(BINARY)),
    )
    def binary(self, a, b, name):
        """Two operands, which may be the same, broadcast; fan-out and fan-in."""
        op, value, slopes = BINARY[name]
        a, b = a.fresh(), b.fresh()
        try:
            shape = numpy.broadcast_shapes(a.value.shape, b.value.shape)
        except ValueError:
            return multiple()
        da, db = (numpy.broadcast_to(d, shape).reshape(-1, 1) for d in slopes(a.value, b.value))
        total: dict = {}
        for operand, d in ((a, da), (b, db)):
            rows = numpy.broadcast_to(numpy.arange(operand.value.size).reshape(operand.value.shape), shape).ravel()
            for v, j in operand.slopes.items():
                total[v] = total.get(v, 0) + d * j[rows]
        return self.made([a, b], lambda: op(a.x, b.x), value(a.value, b.value), total)

    @rule(
        target=values,
        x=st.one_of(variables, values),
        how=st.sampled_from(["transpose", "row", "reverse", "flat", "sum"]),
    )
    def moved(self, x, how):
        """A view, a reshape or a sum."""
        x = x.fresh()
        places = numpy.arange(x.value.size).reshape(x.value.shape)
        if how == "sum":
            return self.made(
                [x], lambda: x.x.sum(), x.value.sum(), {v: j.sum(0, keepdims=True) for v, j in x.slopes.items()}
            )
        if how == "row" and not places.ndim:
            return multiple()
        move = {"transpose": lambda z: z.T, "row": lambda z: z[-1],
        "reverse": lambda z: z[::-1] if z.ndim else z.reshape(1),
                "flat": lambda z: z.reshape(-1)}[how]  # fmt: skip
        rows = move(places).ravel()
        return self.made([x], lambda: move(x.x), move(x.value), {v: j[rows] for v, j in x.slopes.items()})

    @rule(target=values, x=values)
    def detached(self, x):
        """Off the tape."""
        return multiple() if x.outdated else Value(x.x.detach(), x.value, {}, [x])

    @rule(x=st.one_of(variables, values), by=st.sampled_from([2.0, -1.0]))
    def refused_in_place(self, x, by):
        """Writing into what is on the tape is refused while recording, and changes nothing."""
        if x.outdated or x.x._node is None:
            return
        assert numpy.allclose(x.x.asnumpy(), x.value, atol=1e-12), f"the value is\n{x.x}\ninstead of\n{x.value}"
        before = x.x.asnumpy()
        try:
            with autograd.record():
                x.x[...] = by
        except MXNetError:
            assert numpy.array_equal(x.x.asnumpy(), before), "a refused write changed the array"
        else:
            raise AssertionError("a write in place into a recorded array was not refused")

    @rule(variable=variables, seed=st.integers(0, 99), req=st.sampled_from([None, None, "write", "add"]))
    def change(self, variable, seed, req):
        """New values between graphs, as an optimizer writes them, or attach_grad() once more: gradient 0."""
        if req is None:
            fresh = numpy.random.default_rng(seed).uniform(-1, 1, variable.value.shape)
            variable.x[...] = array(fresh, dtype="float64")
            variable.value = fresh.copy()
        else:
            variable.x.attach_grad(req)
            variable.req, variable.grad = req, numpy.zeros(variable.value.shape)
            variable.slopes = {variable: numpy.eye(variable.value.size)}
        variable.changes += 1  # what was computed before is not used again
        variable.seen = {variable: variable.changes}

    @rule(
        target=values,
        variable=variables,
        names=st.lists(st.sampled_from(sorted(UNARY)), min_size=1, max_size=2),
        other=st.one_of(variables, values),
        keep=st.booleans(),
        seed=st.integers(0, 99),
    )
    def round_trip(self, variable, names, other, keep, seed):
        """Forward through a few operations and back."""
        x = variable
        for name in names:
            x = self.unary(x, name, False)
        y = self.binary(x, other, "multiply")
        head = y if isinstance(y, Value) else x
        self.backward(head, False, keep, seed)
        return head

    @rule(head=consumes(values), retain=st.booleans(), keep=st.booleans(), seed=st.integers(0, 99))
    def backward(self, head, retain, keep, seed):
        """Walk back from one value; with retain, twice; with keep, others may walk through the same graph later."""
        w = numpy.random.default_rng(seed).uniform(-1, 1, head.value.shape)
        if head.outdated:
            return
        turns = 2 if retain else 1
        for turn in range(turns):
            if head.x._node is None:
                assert not head.slopes, (
                    f"a value computed from a variable is not on the tape: {sorted(map(repr, head.slopes))}"
                )
                return
            try:
                head.x.backward(array(w, dtype="float64"), retain_graph=keep or turn < turns - 1)
            except MXNetError:
                return self.resynchronize()  # a part of its graph was freed by an earlier walk
            for v, j in head.slopes.items():
                g = (w.reshape(1, -1) @ j).reshape(v.value.shape)
                v.grad = v.grad + g if v.req == "add" else g
            self.compare()

    @rule(head=values, variable=variables, seed=st.integers(0, 99))
    def grad(self, head, variable, seed):
        """autograd.grad leaves every .grad alone."""
        if head.outdated or variable not in head.slopes or head.x._node is None:
            return
        w = numpy.random.default_rng(seed).uniform(-1, 1, head.value.shape)
        try:
            g = autograd.grad(head.x, variable.x, array(w, dtype="float64"), retain_graph=True)[0]
        except MXNetError:
            return
        wanted = (w.reshape(1, -1) @ head.slopes[variable]).reshape(variable.value.shape)
        assert numpy.allclose(g.asnumpy(), wanted, atol=1e-9), f"autograd.grad gives\n{g}\ninstead of\n{wanted}"
        self.compare()

    def resynchronize(self) -> None:
        """After a refused walk some gradients may have been written: read them."""
        for v in self.alive:
            if v.req != "null":
                v.grad = v.x.grad.asnumpy()

    def compare(self) -> None:
        """Every gradient buffer holds what it should."""
        for k, v in enumerate(self.alive):
            if v.req == "null":
                assert v.x.grad is None
                continue
            found = v.x.grad.asnumpy()
            assert numpy.allclose(found, v.grad, atol=1e-9), (
                f"variable {k} ({v.req}) has gradient\n{found}\ninstead of\n{v.grad}"
            )


def check_autograd(max_examples: int = 150, steps: int = 25, seed: int | None = None) -> None:
    """Run random programs on the tape against the naive reference.

    Raises:
        AssertionError: of the shortest program that fails, which is printed.

    >>> check_autograd(max_examples=5, steps=5)
    """
    machine = AutogradMachine if seed is None else seeded(seed)(type("AutogradMachine", (AutogradMachine,), {}))
    run_state_machine_as_test(machine, settings=settings(
        max_examples=max_examples, stateful_step_count=steps, derandomize=seed is None, database=None, deadline=None,
        suppress_health_check=RELAXED, phases=(Phase.generate, Phase.shrink), print_blob=False,
        report_multiple_bugs=False,
    ))  # fmt: skip
