"""What `check_op` asks of one call of an op."""

from __future__ import annotations

import contextlib

import hypothesis
import numpy

from .. import autograd, eager
from ..array import Aval, place, wrap
from ..device import cpu
from ..graph.compiled import Compiled
from ..op import Op
from .gradients import check_gradients
from .noise import long_way
from .strategies import distance_to_kink

TOLERANCE = {"float16": 1e-2, "float32": 5e-6, "float64": 1e-12}  # against the reference, of the largest magnitude
APART = {"float16": 4e-3, "float32": 2e-6, "float64": 2e-14}  # eager against hybridized


@contextlib.contextmanager
def kernels_always():
    """Eager elementwise ops take the generated kernel whatever the size."""
    with long_way():
        before, eager.SMALL = eager.SMALL, -1
        try:
            yield
        finally:
            eager.SMALL = before


def close(found, wanted, tolerance: float, what: str) -> None:
    """Equal shapes, and values up to `tolerance` times the largest magnitude (at least 1)."""
    assert found.shape == wanted.shape, f"{what}: shape {found.shape} instead of {wanted.shape}"
    a, b = numpy.asarray(found, "f8"), numpy.asarray(wanted, "f8")
    scale = max(1.0, numpy.abs(b[numpy.isfinite(b)]).max(initial=0.0))
    good = numpy.isclose(a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
    if not good.all():
        at = tuple(map(int, numpy.argwhere(~good)[0]))
        raise AssertionError(
            f"{what}: {a[at]!r} at {list(at)} instead of {b[at]!r} (tolerance {tolerance:g} of {scale:.3g})"
        )


class OpCheck:
    """The parts of `check_op` for one op."""

    def __init__(self, op: Op, reference, order: int, tolerance: float):
        self.op, self.reference, self.order, self.tolerance = op, reference, order, tolerance

    def call(self, args, spec):
        return self.op(*[wrap(x, cpu(0)) for x in args], **spec)

    def forward(self, case) -> None:
        """The answer is the reference's, of the promised shape and dtype; inputs stay."""
        args, spec = case
        before = [x.copy() for x in args]
        y = self.call(args, spec)
        for x, old in zip(args, before, strict=True):
            assert numpy.array_equal(x, old, equal_nan=x.dtype.kind == "f"), f"{self.op.name} changed its input {old}"
        if self.op.infer is not None and self.op.nout == 1:
            promised = self.op.infer(*[Aval(x.shape, x.dtype) for x in args], **spec)
            assert (promised.shape, promised.dtype) == (y.shape, y.dtype), (
                f"{self.op.name}: infer says {promised}, the answer is {y.dtype}{y.shape}"
            )
        if self.op.nout == 1:
            self.as_reference(y._data, args, spec)

    def kernel(self, case) -> None:
        """The same from the generated kernel."""
        args, spec = case
        with kernels_always():
            self.as_reference(self.call(args, spec)._data, args, spec)

    def as_reference(self, y, args, spec) -> None:
        wide = [x.astype("f8") if x.dtype.kind == "f" else x for x in args]
        with numpy.errstate(all="ignore"):
            wanted = numpy.asarray(self.reference(*wide, **spec))
        narrow = min(
            (x.dtype for x in args if x.dtype.kind == "f"), key=lambda d: d.itemsize, default=numpy.dtype("f8")
        )
        if y.dtype.kind == "f":
            close(y, wanted, max(TOLERANCE[y.dtype.name], TOLERANCE[narrow.name], self.tolerance), self.op.name)
        else:
            close(y, wanted.astype(y.dtype) if wanted.size or wanted.shape == y.shape else wanted, 0.0, self.op.name)

    def gradients(self, case) -> None:
        """VJPs against differences, where the op has a derivative."""
        args, spec = case
        if spec.get("dtype", "float64") != "float64" or distance_to_kink(self.op, args) < 1e-5:
            hypothesis.reject()
        moving = [k for k, x in enumerate(args) if x.dtype == "f8" and self.op.differentiable(k)]

        op = self.op  # the script of a failure names what the function closes over

        def call(*xs):
            whole = [wrap(x, cpu(0)) for x in args]
            for k, x in zip(moving, xs, strict=True):
                whole[k] = x
            return op(*whole, **spec)

        check_gradients(call, *[args[k] for k in moving], order=self.order)

    def hybridized(self, case) -> None:
        """Compiled, first traced and then replayed, the op gives the same answer and gradients."""
        args, spec = case
        compiled = Compiled(lambda *xs: self.op(*xs, **spec), self.op.name)
        wanted = self.recorded(lambda *xs: self.op(*xs, **spec), args)
        for turn in ("traced", "replayed"):
            found = self.recorded(compiled, args)
            for k, (a, b) in enumerate(zip(found, wanted, strict=True)):
                n = len(wanted) - len(args)
                what = f"{self.op.name} {turn}: " + (f"answer {k}" if k < n else f"the gradient of argument {k - n}")
                if b is None:
                    continue
                assert a is not None and a.dtype == b.dtype, (
                    f"{what} is {getattr(a, 'dtype', None)} instead of {b.dtype}"
                )
                close(a, b, APART.get(b.dtype.name, 0.0), what)

    def elsewhere(self, device, case) -> None:
        """On another device the op gives the answer and gradients of the CPU."""
        args, spec = case
        function = lambda *xs: self.op(*xs, **spec)
        for a, b in zip(self.recorded(function, args, device), self.recorded(function, args), strict=True):
            assert (a is None) == (b is None), f"{self.op.name} on {device}: a gradient is missing, or one too many"
            if a is not None:
                assert a.dtype == b.dtype, f"{self.op.name} on {device} is {a.dtype} instead of {b.dtype}"
                close(a, b, TOLERANCE.get(b.dtype.name, 0.0), f"{self.op.name} on {device}")

    def recorded(self, function, args, device=None) -> list:
        """Answers, gradients of a call, None where there is none."""
        device = device or cpu(0)
        xs = [place(x, device) for x in args]
        for k, x in enumerate(xs):
            if x.dtype.kind == "f" and self.op.differentiable(k):
                x.attach_grad()
        with autograd.record():
            ys = function(*xs)
        ys = list(ys) if isinstance(ys, (tuple, list)) else [ys]
        heads = [y for y in ys if y._node is not None and y.dtype.kind == "f"]
        rng = numpy.random.default_rng(3)
        if heads:
            weights = [place(numpy.asarray(rng.standard_normal(y.shape), y.dtype), device) for y in heads]
            autograd.backward(heads, weights)
        return [*(y.asnumpy() for y in ys), *(None if x.grad is None else x.grad.asnumpy() for x in xs)]
