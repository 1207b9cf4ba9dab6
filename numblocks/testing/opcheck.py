"""What `check_op` asks of one call of an op."""

from __future__ import annotations

import contextlib

import hypothesis
import numpy

from .. import autograd, eager
from ..array import Aval, place, wrap
from ..device import cpu
from ..errors import MXNetError
from ..graph.compiled import Compiled
from ..op import Op, bind
from .gradients import check_gradients
from .noise import long_way
from .strategies import distance_to_kink

TOLERANCE = {"float16": 1e-2, "float32": 5e-6, "float64": 1e-12}  # against the reference, of the largest magnitude
KEYED = ("window", "composite", "reduce")  # kinds whose calls are remembered by their keywords
APART = {"float16": 4e-3, "float32": 2e-6, "float64": 2e-14}  # eager against hybridized


@contextlib.contextmanager
def kernels_always():
    """Eager elementwise ops take the generated kernel whatever the size."""
    with long_way():
        before, eager.small_for = eager.small_for, lambda op: -1
        try:
            yield
        finally:
            eager.small_for = before


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
            wanted = self.wanted(args, spec)
            self.as_reference(y._data, wanted, args)
            self.as_reference(self.long(args, spec)._data, wanted, args)

    def long(self, args, spec):
        """The op by `bind`, whatever shorter way a call of it takes."""
        with long_way():
            return bind(self.op, tuple(wrap(x, cpu(0)) for x in args), spec)

    def remembered(self, case) -> None:
        """Repeated, in the other dtype, or with a keyword of another call, a call gives what the long way gives."""
        (args, spec), (_, other) = case
        others = [other, *({**spec, k: v} for k, v in self.varied(spec, other) if k in spec)]
        for keywords in (spec, *(s for s in others if self.takes(args, spec, s)), spec):
            for dtype in ("float32", "float64", "float32"):
                cast = [x.astype(dtype) if x.dtype.kind == "f" else x for x in args]
                wanted = self.long(cast, keywords)
                for turn in range(3):
                    found = self.call(cast, keywords)
                    pairs = [(found, wanted)] if self.op.nout == 1 else zip(found, wanted, strict=True)
                    for a, b in pairs:
                        what = f"{self.op.name}, call {turn + 1} with {keywords}"
                        assert a.dtype == b.dtype, f"{what}: {a.dtype} instead of {b.dtype}"
                        close(a._data, b._data, TOLERANCE.get(b.dtype.name, 0.0), what)

    @staticmethod
    def varied(spec, other):
        """Keywords with another value: the other call's, and one more of what is counted."""
        yield from other.items()
        for k, v in spec.items():
            if type(v) is int or type(v) is tuple and v and all(type(n) is int for n in v):
                yield k, v + 1 if type(v) is int else tuple(n + 1 for n in v)

    def takes(self, args, spec, other) -> bool:
        """Whether another call's keywords are worth trying, and fit these arguments."""
        if self.op.kind not in KEYED or spec == other or spec.keys() != other.keys():
            return False
        if self.op.name.endswith(("_grad", "_data", "_weight", "_gather", "2im")):
            return False  # the shape of a cotangent says what the keywords were
        try:
            self.long(args, other)
        except (MXNetError, ValueError, IndexError, TypeError):
            return False
        return True

    def kernel(self, case) -> None:
        """The same from the generated kernel."""
        args, spec = case
        with kernels_always():
            self.as_reference(self.call(args, spec)._data, self.wanted(args, spec), args)

    def wanted(self, args, spec) -> numpy.ndarray:
        """The reference's answer."""
        wide = [x.astype("f8") if x.dtype.kind == "f" else x for x in args]
        with numpy.errstate(all="ignore"):
            return numpy.asarray(self.reference(*wide, **spec))

    def as_reference(self, y, wanted, args) -> None:
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
