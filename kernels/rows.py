"""Reductions and normalizations of NumPy arrays: each one kernel over rows or columns.

Functions return None where no loop nest fits or the array is not worth a kernel; the caller has another way.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from . import loops, reuse
from .program import Operand, Program, Reduce, Store

REDUCED = 1 << 19  # the same for a reduction alone, which NumPy does well
_FLOATS = (np.dtype("float32"), np.dtype("float64"))


def minus(a, b): return a - b  # noqa: E704


def times(a, b): return a * b  # noqa: E704


def inverse(a): return 1.0 / a  # noqa: E704


def logarithm(a): return math.log(a)  # noqa: E704


def exponential(a, b): return math.exp(a - b)  # noqa: E704


def minus_both(a, b, c): return a - b - c  # noqa: E704


def share(g, y, s): return y * (g - s)  # noqa: E704


def less_share(g, y, s): return g - math.exp(y) * s  # noqa: E704


def inverse_deviation(total, part, eps): return 1.0 / math.sqrt(total * part + eps)  # noqa: E704


def scaled(c, r, gamma, beta): return c * r * gamma + beta  # noqa: E704


class _Rows(loops.Body):
    """Statements with reductions."""

    def total(self, how: str, arg: str, dtype: str) -> str:
        name = f"t{len(self.statements)}"
        self.statements.append(Reduce(name, how, arg, dtype))
        return name


def _reduce(how, body, dtype):
    return body.total(how, "x", dtype)


def _softmax(body, dtype):
    top = body.total("max", "x", dtype)
    e = body.line(exponential, ("x", top), dtype)
    return body.line(times, (e, body.line(inverse, (body.total("sum", e, dtype),), dtype)), dtype)


def _log_softmax(body, dtype):
    top = body.total("max", "x", dtype)
    total = body.total("sum", body.line(exponential, ("x", top), dtype), dtype)
    return body.line(minus_both, ("x", top, body.line(logarithm, (total,), dtype)), dtype)


def _softmax_back(body, dtype):
    total = body.total("sum", body.line(times, ("g", "x"), dtype), dtype)
    return body.line(share, ("g", "x", total), dtype)


def _log_softmax_back(body, dtype):
    return body.line(less_share, ("g", "x", body.total("sum", "g", dtype)), dtype)


def _layer_norm(body, dtype):
    mean = body.line(times, (body.total("sum", "x", dtype), "part"), dtype)
    centred = body.line(minus, ("x", mean), dtype)
    total = body.total("sum", body.line(times, (centred, centred), dtype), dtype)
    r = body.line(inverse_deviation, (total, "part", "eps"), dtype)
    return body.line(scaled, (centred, r, "gamma", "beta"), dtype)


def _variance(body, dtype):
    mean = body.line(times, (body.total("sum", "x", dtype), "part"), dtype)
    centred = body.line(minus, ("x", mean), dtype)
    return body.line(times, (body.total("sum", body.line(times, (centred, centred), dtype), dtype), "share"), dtype)


@functools.cache
def _program(build, axes, reads, layouts, scalars, dtype: str) -> tuple:
    body = _Rows()
    value = build(body, dtype)
    operands = [Operand(name, dtype, layout) for name, layout in zip((*reads, "y"), layouts, strict=True)]
    names = tuple((name, dtype) for name in scalars)
    program = Program(axes, tuple(operands[:-1]), (operands[-1],), names, (*body.statements, Store("y", value)))
    return program, loops.program_kernel(program)


def _run(build, reads: dict, out, axes: tuple[int, ...], scalars: dict):
    """Fill `out` (with 0 strides along `axes` where it is reduced), or None."""
    arrays = [*reads.values(), out]
    key = (build, axes, out.dtype.num, *[word for x in arrays for word in (x.shape, x.strides)])

    def make():
        shape = next(iter(reads.values())).shape
        steps = [loops.aligned_strides(x, shape) for x in arrays]
        letters, sizes, steps = loops.nest(shape, steps, axes)
        if not loops.fits(letters):
            return None
        layouts = tuple(loops.layout(s) for s in steps)
        program, kernel = _program(build, letters, tuple(reads), layouts, tuple(scalars), out.dtype.name)
        return loops.Prepared(program, kernel, sizes, steps)

    found = loops.remembered(key, make)
    if found is None:
        return None
    found.run(arrays, tuple(scalars.values()))
    return out


def _fit(x, *others) -> bool:
    return x.size > 0 and x.dtype in _FLOATS and all(o.dtype == x.dtype for o in others)


_HOW = {how: functools.partial(_reduce, how) for how in ("sum", "prod", "max", "min")}
PARTS = 16  # of an array that is reduced as a whole
SHARED = 1 << 12  # elements from which an array should have so many rows: threads share them


def reduce(x: np.ndarray, how: str, axis: tuple[int, ...], keepdims: bool) -> np.ndarray | None:
    """`x` reduced over `axis` by 'sum', 'prod', 'max' or 'min'.

    >>> reduce(np.ones((1000, 1000)), "sum", (1,), False)[:2]
    array([1000., 1000.])
    """
    if x.size < REDUCED or not axis or how not in _HOW or not _fit(x):
        return None
    kept = tuple(1 if k in axis else n for k, n in enumerate(x.shape))
    rows = math.prod(kept)
    if rows < PARTS:  # too few to share among threads
        if rows > 1 or not x.flags.c_contiguous or x.size % PARTS:
            return None
        parts = _over(x.reshape(PARTS, -1), how, (1,), (PARTS, 1))
        return getattr(np, how)(parts).reshape(kept if keepdims else ())
    y = _over(x, how, axis, kept)
    return y if keepdims or y is None else y.reshape([n for k, n in enumerate(kept) if k not in axis])


def _over(x, how, axis, kept):
    y = reuse.empty(kept, x.dtype)
    return None if _run(_HOW[how], {"x": x}, np.broadcast_to(y, x.shape), axis, {}) is None else y


def variance(x: np.ndarray, *, axis: tuple[int, ...], keepdims: bool, ddof: int) -> np.ndarray | None:
    """Sum of squared distances from the mean over `axis`, divided by their number less `ddof`."""
    kept = tuple(1 if k in axis else n for k, n in enumerate(x.shape))
    n = x.size // max(math.prod(kept), 1)
    if not _fit(x) or math.prod(kept) < PARTS and x.size >= SHARED or n <= ddof:
        return None
    y = reuse.empty(kept, x.dtype)
    scalars = {"part": 1.0 / n, "share": 1.0 / (n - ddof)}
    if _run(_variance, {"x": x}, np.broadcast_to(y, x.shape), tuple(axis), scalars) is None:
        return None
    return y if keepdims else y.reshape([n for k, n in enumerate(kept) if k not in axis])


def softmax(x: np.ndarray, *, axis: int) -> np.ndarray | None:
    """exp(x - max) / sum(exp(x - max)) along `axis`."""
    return _run(_softmax, {"x": x}, reuse.empty(x.shape, x.dtype), (axis,), {}) if _fit(x) else None


def log_softmax(x: np.ndarray, *, axis: int) -> np.ndarray | None:
    """x - max - log(sum(exp(x - max))) along `axis`."""
    return _run(_log_softmax, {"x": x}, reuse.empty(x.shape, x.dtype), (axis,), {}) if _fit(x) else None


def softmax_back(g: np.ndarray, y: np.ndarray, *, axis: int) -> np.ndarray | None:
    """The cotangent of `x` from that of `y = softmax(x)`."""
    return _run(_softmax_back, {"g": g, "x": y}, reuse.empty(y.shape, y.dtype), (axis,), {}) if _fit(y, g) else None


def log_softmax_back(g: np.ndarray, y: np.ndarray, *, axis: int) -> np.ndarray | None:
    """The cotangent of `x` from that of `y = log_softmax(x)`."""
    return _run(_log_softmax_back, {"g": g, "x": y}, reuse.empty(y.shape, y.dtype), (axis,), {}) if _fit(y, g) else None


def layer_norm(x, gamma, beta, *, axis: int, eps: float) -> np.ndarray | None:
    """(x - mean) / sqrt(variance + eps) * gamma + beta along `axis`; `gamma` and `beta` have its length."""
    if not _fit(x, gamma, beta) or gamma.shape != x.shape[axis : axis + 1] or beta.shape != gamma.shape:
        return None
    tail = (1,) * (x.ndim - axis - 1)
    reads = {"x": x, "gamma": gamma.reshape(-1, *tail), "beta": beta.reshape(-1, *tail)}
    return _run(_layer_norm, reads, reuse.empty(x.shape, x.dtype), (axis,), {"part": 1.0 / x.shape[axis], "eps": eps})
