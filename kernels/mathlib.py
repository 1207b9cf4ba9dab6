"""Vectorizable exp, log, tanh, atan2 ... for float32 and float64: no branch, no call, no fast-math flag.

Each function is a lane function (`lanes.py`): a range reduction, a polynomial (weighted minimax fits of our
own), a reconstruction, and selects for what the polynomial cannot do. All are right at NaN, infinities,
overflow, zeros of either sign, and denormal arguments and results; exceptions are stated below.

Largest error in ulp over dense sweeps of all magnitudes (`tests/kernels/test_mathlib.py` holds the bounds),
with fused multiply-add in the processor:

    function   float32  float64        function   float32  float64
    exp          1.06     0.98         sin          0.51     0.78
    exp2         1.05     1.05         cos          0.51     0.78
    expm1        1.44     1.80         tan          1.49     1.24
    log          0.83     0.86         asin         1.16     1.10
    log1p        0.92     0.89         acos         1.14     1.11
    log2         0.96     1.08         atan         1.33     1.57
    log10        0.97     0.92         atan2        1.52     1.60
    tanh         2.43     2.51         asinh        1.74     1.73
    sinh         2.80     2.71         acosh        1.51     1.49
    cosh         2.85     2.71         atanh        1.32     1.31
    erf          1.21     0.87         cbrt         0.51     0.51
    erfc         0.56     1.78         hypot        1.01     1.02
    pow          0.51     libm         fmod         exact    libm

and, for float32 alone, logistic_divisor(x) = 1 + exp(-x): 1.70, log1pexp(x) = log(1 + exp(x)) for x <= 0: 1.60.

sin, cos and tan beyond 2**50 in size are NaN (float32 numbers lie 2**27 apart there, float64 ones 1/4); without
fused multiply-add their error grows with the angle, by |x| 2**-53, and others lose up to 1 ulp more. What says
libm, and everything else in `math`, goes to the C library: correct, one lane at a time. A remainder of float64
numbers stays there because its quotient has up to 2098 bits: the steps of `fmod_f32`, ten for 277 bits, would be 84
of twice the size for every element, and cost more than the call.
"""
from __future__ import annotations

import ast
import functools
import inspect

from . import hyperbolic32, hyperbolic64, math32, math64, trig32, trig64


def names() -> tuple[str, ...]:
    """Names of all functions here that kernels may call.

    >>> "tanh_f32" in names()
    True
    """
    return tuple(_sources())


def has(name: str) -> bool:
    """Whether there is a function `name`, such as `exp_f64`."""
    return name in _sources()


def arity(name: str) -> int:
    """Number of arguments of a function here.

    >>> arity("pow_f32")
    2
    """
    return _sources()[name][2]


def closure(name: str) -> dict[str, str]:
    """Texts of `name` and of the functions below it, callees first.

    >>> list(closure("tanh_f32"))
    ['em1_short_f32', 'tanh_f32']
    """
    text, needs, _ = _sources()[name]
    texts: dict[str, str] = {}
    for need in needs:
        texts |= closure(need)
    return texts | {name: text}


@functools.cache
def _sources() -> dict[str, tuple[str, tuple[str, ...], int]]:
    """Name -> (text, names of functions here that it calls, number of arguments)."""
    texts = [inspect.getsource(m) for m in (math32, hyperbolic32, trig32, math64, hyperbolic64, trig64)]
    trees = [[n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)] for text in texts]
    own = {n.name for tree in trees for n in tree}
    found = {}
    for text, tree in zip(texts, trees, strict=True):
        lines = text.splitlines(True)
        for n in tree:
            called = {m.id for m in ast.walk(n) if isinstance(m, ast.Name)} & own - {n.name}
            first = n.decorator_list[0].lineno - 1
            found[n.name] = ("".join(lines[first : n.end_lineno]), tuple(sorted(called)), len(n.args.args))
    return found
