"""Vectorizable exp, log, tanh, erf ... for float32 and float64: no branch, no call, no fast-math flag.

Each function is a lane function (`lanes.py`): a range reduction, a polynomial (weighted minimax fits of our
own), a reconstruction, and selects for what the polynomial cannot do. All are right at NaN, infinities,
overflow, zeros of either sign, and denormal arguments and results; exceptions are stated below.

Largest error in ulp over dense sweeps of all magnitudes (`tests/kernels/test_mathlib.py` holds the bounds),
with fused multiply-add in the processor:

    function   float32  float64        function   float32  float64
    exp          0.97     0.98         tanh         2.35     2.51
    exp2         0.99     1.05         sinh         2.73     2.71
    expm1        1.40     1.80         cosh         2.73     2.71
    log          0.83     0.86         erf          1.15     0.87
    log1p        0.92     0.89         sin          0.50     libm
    log2         0.96     1.08         cos          0.51     libm
    log10        0.97     0.92         pow          0.51     libm

sin and cos of float32 beyond 2**50 in size are NaN (floats lie 2**27 apart there). What says libm, and
everything else in `math`, goes to the C library: correct, one lane at a time.
"""
from __future__ import annotations

import ast
import functools
import inspect

from . import math32, math64


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
    ['em1_f32', 'tanh_f32']
    """
    text, needs, _ = _sources()[name]
    texts: dict[str, str] = {}
    for need in needs:
        texts |= closure(need)
    return texts | {name: text}


@functools.cache
def _sources() -> dict[str, tuple[str, tuple[str, ...], int]]:
    """Name -> (text, names of functions here that it calls, number of arguments)."""
    found = {}
    for module in (math32, math64):
        found |= _read(inspect.getsource(module))
    return found


def _read(text):
    tree = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    lines = text.splitlines(True)
    own = {n.name for n in tree}
    found = {}
    for n in tree:
        called = {m.id for m in ast.walk(n) if isinstance(m, ast.Name)} & own - {n.name}
        first = n.decorator_list[0].lineno - 1
        found[n.name] = ("".join(lines[first : n.end_lineno]), tuple(sorted(called)), len(n.args.args))
    return found
