"""`check_op`: everything that can be asked of an op whose record says how it is called."""

from __future__ import annotations

import contextlib
import functools

import hypothesis
import numpy
from hypothesis import strategies as st

from .. import autograd, eager
from ..array import Aval, place, wrap
from ..device import cpu
from ..graph.compiled import Compiled
from ..kernels.scalars import Scalar
from ..kernels.typed import scalar as read_scalar
from ..op import REGISTRY, Op
from .calls import Call, calls
from .drawn import drawn
from .gradients import check_gradients
from .noise import long_way
from .strategies import distance_to_kink, layouts

TOLERANCE = {"float16": 1e-2, "float32": 5e-6, "float64": 1e-12}  # against the reference, of the largest magnitude
PARTS = ("forward", "kernel", "gradients", "hybridized", "devices")
APART = {"float16": 4e-3, "float32": 2e-6, "float64": 2e-14}  # eager against hybridized


def check_op(
    op: Op | str,
    *,
    reference=None,
    tolerance: float = 0.0,
    cases=None,
    order: int = 2,
    max_examples: int = 100,
    seed: int | None = None,
    devices=(),
    parts=PARTS,
) -> int:
    """Draw calls of `op` and check the answer, its shape rule, kernel, gradients and compiled form.

    | part | what is compared |
    |---|---|
    | forward | the answer, for float32 and float64 in any memory layout, with the reference; inputs stay |
    | kernel | the generated kernel of an elementwise op with its definition |
    | gradients | VJPs with differences, up to `order` |
    | hybridized | answer and gradients of the compiled op with the eager ones |
    | devices | answer and gradients on each of `devices` with those on the CPU |

    Args:
        op: an op, a function made by `numblocks.custom`, or a registered name.
        reference: `(*numpy_arrays, **keywords)`; by default an elementwise op's own definition, in Python floats.
        tolerance: the least one for comparing answers with the reference, of the largest magnitude.
        cases: strategy of `(args, spec)`, float64 arguments; by default from the op's record.
        order: highest order of derivative.
        max_examples: drawn for each part.
        seed: of the draws; None draws the same each time.
        devices: further devices the op should run on, such as `[gpu(0)]`.
        parts: which of the parts above.

    Returns:
        How many calls were checked.

    Raises:
        AssertionError: of the smallest call that fails, which is in its notes.

    >>> check_op("tanh", max_examples=5) > 5
    True
    """
    if unknown := set(parts) - set(PARTS):
        raise ValueError(f"check_op: parts {sorted(unknown)} are unknown. The parts are {', '.join(PARTS)}.")
    op = REGISTRY[op] if isinstance(op, str) else getattr(op, "op", op)
    cases = calls(op) if cases is None else cases
    reference = definition(op) if reference is None else reference
    check = OpCheck(op, reference, order, tolerance)
    count = 0
    if "forward" in parts and reference is not None:
        count += drawn(check.forward, arranged(op, cases), max_examples, seed)
    if "kernel" in parts and reference is not None and op.kind == "elementwise" and op.scalar is not None:
        count += drawn(check.kernel, arranged(op, cases), max(max_examples // 4, 3), seed)
    if "gradients" in parts and op.vjp is not None:
        count += drawn(check.gradients, cases, max_examples, seed)
    for device in devices if "devices" in parts else ():
        count += drawn(functools.partial(check.elsewhere, device), arranged(op, cases), max(max_examples // 4, 3), seed)
    if "hybridized" in parts:
        count += drawn(check.hybridized, arranged(op, cases), max(max_examples // 6, 3), seed)
    return count


def definition(op: Op):
    """An elementwise op's scalar function over arrays, element by element in Python floats."""
    if op.kind != "elementwise" or op.scalar is None:
        return None
    function = read_scalar(op.scalar)
    if not isinstance(function, Scalar):
        return None

    def reference(*xs):
        xs = numpy.broadcast_arrays(*xs)
        values = [function(*(x[at].item() for x in xs)) for at in numpy.ndindex(xs[0].shape)]
        return numpy.array(values, dtype=None if values else numpy.float64).reshape(xs[0].shape)

    return reference


REPEATABLE = ("elementwise", "reduce", "move", "contraction", "window")  # where equal elements mean nothing special


@st.composite
def arranged(draw, op, cases):
    """A call in float32 or float64 (int64 for ops of integers), its arrays in any memory layout."""
    args, spec = draw(cases)
    dtype = draw(st.sampled_from(["float32", "float64"])) if takes_floats(op) else "int64"
    cast = lambda x: numpy.asarray(numpy.ceil(numpy.abs(x)) if dtype == "int64" else x, dtype) if x.dtype == "f8" else x
    return Call([draw(layouts(cast(x), repeated=op.kind in REPEATABLE)) for x in args], spec)


def takes_floats(op: Op) -> bool:
    """Whether an elementwise op is defined for floats; other ops are."""
    if op.kind != "elementwise" or op.result == "cast":
        return True
    try:
        op(*[wrap(numpy.ones(()), cpu(0))] * op.nin)
    except TypeError:
        return False
    return True


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
