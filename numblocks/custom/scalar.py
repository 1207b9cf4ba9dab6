"""`scalar`: an elementwise op from a plain Python function of numbers."""

from __future__ import annotations

from .. import eager
from ..kernels import typed
from ..kernels.scalars import Scalar
from ..op import REGISTRY, Op
from ..ops.elementwise import multiply
from ..ops.kinds import infer_elementwise
from .derive import derivative
from .vectorized import vectorized


def scalar(function=None, *, vjp=None, domain=(-3.0, 3.0), kinks=None):
    """Make an elementwise op of a function of numbers: arithmetic, comparisons, `a if c else b`, `math`, min, max, abs.

    Args:
        function: `def f(x, ...): return ...`, with assignments and early returns if it needs them.
        vjp: `(g, y, *xs) -> cotangent` in ops of numblocks, or a tuple with one for each argument (None: not
            differentiable). None derives it from the function's source.
        domain: `(low, high)`, or one pair for each argument, where checks draw values.
        kinks: `(*arrays) -> distances` to points without a derivative, for checks; they find most by themselves.

    Returns:
        The op: call it on ndarrays, which broadcast. Integers become float32.

    Raises:
        TypeError: the source cannot be read, or holds something else.
        NotDerivable: no VJP is given and the derivative of something in the function is not known.

    >>> @scalar
    ... def logcosh(x):
    ...     a = abs(x)
    ...     return a + math.log1p(math.exp(-2.0 * a)) - math.log(2.0)
    >>> @scalar(vjp=lambda g, y, x: g * 2.0 * x)
    ... def squared(x): return x * x
    """
    if function is None:
        return lambda f: scalar(f, vjp=vjp, domain=domain, kinks=kinks)
    fn = typed.scalar(function)
    op = declare(fn, domain, kinks)
    op.help = function.__doc__ or fn.source
    if vjp is None:
        for k in range(fn.nargs):
            derivative(fn, k)  # refuse now what has no derivative
        op.vjp = tuple(chain(fn, k, domain, kinks) for k in range(fn.nargs))
    else:
        op.vjp = vjp if isinstance(vjp, tuple) else (vjp,) * fn.nargs
    return op


def declare(fn: Scalar, domain, kinks) -> Op:
    """The op of a scalar, registered as `custom.name`; one of that name that was custom, too, is replaced."""
    name = f"custom.{fn.name}"
    REGISTRY.pop(name, None)
    op = Op(name, "elementwise", eager.elementwise, scalar=fn, numpy=vectorized(fn), result="float", domain=domain,
            kinks=kinks, nin=fn.nargs)  # fmt: skip
    op.infer = lambda *xs: infer_elementwise(op, xs)
    return op


def chain(fn: Scalar, index: int, domain, kinks):
    """The VJP in one argument: `g` times the derivative, an op that is made when first needed."""
    made: list[Op] = []

    def vjp(g, y, *xs):
        if not made:
            slope = derivative(fn, index)
            op = declare(slope, domain, kinks)
            op.vjp = tuple(chain(slope, k, domain, kinks) for k in range(fn.nargs))
            made.append(op)
        return multiply(g, made[0](*xs))

    return vjp
