"""`check_op`: everything that can be asked of an op whose record says how it is called."""

from __future__ import annotations

import functools

import numpy
from hypothesis import strategies as st

from ..array import wrap
from ..device import cpu
from ..kernels.scalars import Scalar
from ..kernels.typed import scalar as read_scalar
from ..op import REGISTRY, Op
from .calls import Call, calls
from .drawn import drawn
from .opcheck import OpCheck
from .strategies import layouts

PARTS = ("forward", "kernel", "remembered", "gradients", "hybridized", "devices")


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
    | remembered | a call that is repeated, in the other dtype, with other keywords, with the same by `bind` |
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
    if "remembered" in parts and takes_floats(op):
        count += drawn(check.remembered, st.tuples(cases, cases), max(max_examples // 4, 3), seed)
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
