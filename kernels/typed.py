"""Scalar functions rendered as typed text for generated kernels.

    def gelu(x): return 0.5 * x * (1.0 + math.erf(x * 0.7071067811865476))

    @lane(float32)
    def gelu_f32(x):
        return (float32(0.5) * x) * (float32(1) + erf_f32((x * float32(0.7071067811865476))))

Literals take the dtype, `math` names become `mathlib` or lane functions, conditional expressions become
selects (no branch, so LLVM vectorizes). A name outside arithmetic, `math`, min, max, abs, round and other
scalars is refused.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable

from . import mathlib, rendering
from .rendering import RESERVED, SUFFIX, Typed
from .scalars import Scalar, conditions, read

__all__ = ["RESERVED", "SUFFIX", "Scalar", "Typed", "closure", "conditions", "render", "scalar", "typed"]


def scalar(pyfunc: Callable | Scalar) -> Scalar:
    """The scalar function `pyfunc`, read from its source.

    Args:
        pyfunc: `def f(x, ...): return <expression>`, possibly with assignments and early returns
            (`if c: return a`) before; or a Scalar, returned as it is.

    Raises:
        TypeError: the source cannot be read, or it is more than straight-line arithmetic.

    Example:
        >>> def axpy(a, x, y): return a * x + y
        >>> scalar(axpy).source
        'def axpy(a, x, y):\\n    return a * x + y'
    """
    if isinstance(pyfunc, Scalar):
        return pyfunc
    if not isinstance(pyfunc, types.FunctionType):
        raise TypeError(
            f"scalar: {pyfunc!r} is not a plain Python function. Kernels are made from source text. Write it"
            " as `def f(x): return ...`"
        )
    return _checked(pyfunc)


def render(fn: Scalar, dtype: str) -> str:
    """Text of the typed lane function of `fn` for operands of `dtype`.

    Raises:
        TypeError: the source names something outside the language of scalars, or is not defined for `dtype`.

    Example:
        >>> def half(x): return 0.5 * x
        >>> print(render(scalar(half), "float32"))
        @lane(float32)
        def half_f32(x):
            return float32(0.5) * x
        <BLANKLINE>
    """
    return typed(fn, dtype).text


def closure(fn: Scalar, dtype: str) -> dict[str, str]:
    """Texts of `fn` for `dtype` and of all functions below it, callees first, by function name."""
    texts: dict[str, str] = {}
    for used in fn.uses:
        texts |= closure(used, dtype)
    found = typed(fn, dtype)
    for name in found.needs:
        if name not in texts:
            texts |= mathlib.closure(name)
    return texts | {found.name: found.text}


@functools.cache
def typed(fn: Scalar, dtype: str) -> Typed:
    """`render` with what an emitter needs to know besides the text."""
    return rendering.Renderer(fn, dtype, typed).function()


@functools.cache
def _checked(pyfunc) -> Scalar:
    """Refuse now what neither floats nor integers will allow."""
    fn = read(pyfunc)
    try:
        typed(fn, "float32")
    except TypeError as error:
        try:
            typed(fn, "int64")
        except TypeError:
            raise error from None  # what floats lack says more than what integers lack
    return fn
