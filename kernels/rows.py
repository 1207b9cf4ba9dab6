"""Reductions and normalizations of NumPy arrays: each one kernel over rows or columns.

Functions return None where no loop nest fits or the array is not worth a kernel; the caller has another way.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from . import loops, reuse
from .program import Operand, Program, Reduce, Store
from .softmax import rows as staged

REDUCED = 1 << 13  # elements from which a reduction alone is worth a kernel: NumPy does it well
AWAY = 4  # times as many for one that is not along the last axis, or of all axes, which NumPy does better
EXTREME = 64  # times as many for the extremum of a whole array, which NumPy does best
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


def _mean(body, dtype):
    return body.line(times, (body.total("sum", "x", dtype), "part"), dtype)


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


def _prepare(build, reads: dict, out, axes: tuple[int, ...], scalars: tuple):
    """The launch over `reads` and `out` (with 0 strides along `axes` where it is reduced), or None."""
    shape = next(iter(reads.values())).shape
    arrays = [*reads.values(), out]
    steps = [loops.aligned_strides(x, shape) for x in arrays]
    axes = tuple(k for k in axes if shape[k] > 1) or axes[:1]  # along one of length 1 the answer seems to vary
    letters, sizes, steps = loops.nest(shape, steps, axes)
    if not loops.fits(letters):
        return None
    layouts = tuple(loops.layout(s) for s in steps)
    program, kernel = _program(build, letters, tuple(reads), layouts, scalars, out.dtype.name)
    return loops.Prepared(program, kernel, sizes, steps)


def _run(build, reads: dict, axis: int, scalars: dict):
    """What `build` makes of `reads` along `axis`, in the shape of the first, or None."""
    arrays = tuple(reads.values())
    first = arrays[0]
    key = (build, axis, first.dtype, *[word for x in arrays for word in (x.shape, x.strides)])
    out = reuse.empty(first.shape, first.dtype)
    found = loops.remembered(key, lambda: _prepare(build, reads, out, (axis,), tuple(scalars)))
    if found is None:
        return None
    found.run((*arrays, out), tuple(scalars.values()))
    return out


def _fit(x, *others) -> bool:
    return x.size > 0 and x.dtype in _FLOATS and all(o.dtype == x.dtype for o in others)


_HOW = {how: functools.partial(_reduce, how) for how in ("sum", "prod", "max", "min")}


def prepared(how: str, x, y, axes: tuple[int, ...]):
    """The launch that reduces arrays like `x` into ones like `y`, which repeats along `axes`; None: no loop fits."""
    return _prepare(_HOW[how], {"x": x}, y, axes, ())


PARTS = 16  # of an array that is reduced as a whole
SMALL = 1 << 18  # elements up to which softmax stages its rows
SHARED = 1 << 12  # elements from which an array should have so many rows: threads share them


def reduce(x: np.ndarray, how: str, axis: tuple[int, ...], keepdims: bool) -> np.ndarray | None:
    """`x` reduced over `axis` by 'sum', 'prod', 'max' or 'min'.

    >>> reduce(np.ones((1000, 1000)), "sum", (1,), False)[:2]
    array([1000., 1000.])
    """
    if x.size < REDUCED:
        return None
    plan = loops.remembered((how, x.shape, x.strides, x.dtype, axis, keepdims), lambda: _plan(x, how, axis, keepdims))
    return None if plan is None else plan(x)


def _plan(x, how, axis, keepdims):
    """The function that reduces arrays like `x`, or None."""
    if not axis or how not in _HOW or not _fit(x):
        return None
    kept = tuple(1 if k in axis else n for k, n in enumerate(x.shape))
    shape = kept if keepdims else tuple(n for k, n in enumerate(kept) if k not in axis)
    whole = math.prod(kept) == 1
    times = EXTREME if whole and how in ("max", "min") else AWAY if whole or x.ndim - 1 not in axis else 1
    if x.size < REDUCED * times and how != "prod":
        return None
    if not whole:
        return _over(x, how, axis, kept, shape)
    parts = next(k for k in range(PARTS, 0, -1) if x.size % k == 0)
    if not x.flags.c_contiguous:
        return None
    first = _over(x.reshape(parts, -1), how, (1,), (parts, 1), (parts,))
    second = _over(np.empty(parts, x.dtype), how, (0,), (1,), shape)
    return lambda x: second(first(x))  # the launches see addresses alone


def _over(x, how, axis, kept, shape):
    dtype, y = x.dtype, np.broadcast_to(np.empty(kept, x.dtype), x.shape)
    launch = prepared(how, x, y, axis)
    if launch is None:
        return None
    run, empty = launch.run, reuse.maker(shape, dtype)

    def reduced(x):
        y = empty()
        run((x, y))
        return y

    return reduced


def mean(x: np.ndarray, *, axis: tuple[int, ...], keepdims: bool) -> np.ndarray | None:
    """Arithmetic mean over `axis`."""
    if x.size < REDUCED:
        key = (mean, x.shape, x.strides, x.dtype, axis, keepdims)
        plan = loops.remembered(key, lambda: _plan_mean(x, axis, keepdims))
        return None if plan is None else plan(x)
    y = reduce(x, "sum", axis, keepdims)
    return None if y is None else np.multiply(y, y.size / x.size, out=y)


def _plan_mean(x, axis, keepdims):
    """The function that means few elements that lie together, or None."""
    if not _fit(x) or not axis or not x.flags.c_contiguous:
        return None
    kept = tuple(1 if k in axis else n for k, n in enumerate(x.shape))
    return _launched(_mean, x, axis, keepdims, ("part",), (math.prod(kept) / x.size,))


def variance(x: np.ndarray, *, axis: tuple[int, ...], keepdims: bool, ddof: int) -> np.ndarray | None:
    """Sum of squared distances from the mean over `axis`, divided by their number less `ddof`."""
    if not _fit(x):
        return None
    plan = loops.remembered(
        (ddof, x.shape, x.strides, x.dtype, axis, keepdims), lambda: _plan_variance(x, axis, keepdims, ddof)
    )
    return None if plan is None else plan(x)


def _plan_variance(x, axis, keepdims, ddof):
    kept = tuple(1 if k in axis else n for k, n in enumerate(x.shape))
    n = x.size // max(math.prod(kept), 1)
    if math.prod(kept) < PARTS and x.size >= SHARED or n <= ddof:
        return None
    return _launched(_variance, x, axis, keepdims, ("part", "share"), (1.0 / n, 1.0 / (n - ddof)))


def _launched(build, x, axis, keepdims, names, values):
    """The function that reduces arrays like `x` by what `build` writes, with these numbers; or None."""
    kept = tuple(1 if k in axis else n for k, n in enumerate(x.shape))
    y = np.broadcast_to(np.empty(kept, x.dtype), x.shape)
    launch = _prepare(build, {"x": x}, y, axis, names)
    if launch is None:
        return None
    shape = kept if keepdims else tuple(n for k, n in enumerate(kept) if k not in axis)
    run, empty = launch.run, reuse.maker(shape, x.dtype)

    def computed(x):
        y = empty()
        run((x, y), values)
        return y

    return computed


def _staged(x, axis: int, logarithm: bool) -> np.ndarray | None:
    """The same bits by another kernel, for rows of few elements."""
    if axis != x.ndim - 1 or x.size > SMALL or not x.flags.c_contiguous:
        return None
    y = reuse.empty(x.shape, x.dtype)
    return y if staged(x, y, logarithm) else None


def softmax(x: np.ndarray, *, axis: int) -> np.ndarray | None:
    """exp(x - max) / sum(exp(x - max)) along `axis`."""
    if not _fit(x):
        return None
    y = _staged(x, axis, False)
    return _run(_softmax, {"x": x}, axis, {}) if y is None else y


def log_softmax(x: np.ndarray, *, axis: int) -> np.ndarray | None:
    """x - max - log(sum(exp(x - max))) along `axis`."""
    if not _fit(x):
        return None
    y = _staged(x, axis, True)
    return _run(_log_softmax, {"x": x}, axis, {}) if y is None else y


def softmax_back(g: np.ndarray, y: np.ndarray, *, axis: int) -> np.ndarray | None:
    """The cotangent of `x` from that of `y = softmax(x)`."""
    return _run(_softmax_back, {"g": g, "x": y}, axis, {}) if _fit(y, g) else None


def log_softmax_back(g: np.ndarray, y: np.ndarray, *, axis: int) -> np.ndarray | None:
    """The cotangent of `x` from that of `y = log_softmax(x)`."""
    return _run(_log_softmax_back, {"g": g, "x": y}, axis, {}) if _fit(y, g) else None


def layer_norm(x, gamma, beta, *, axis: int, eps: float) -> np.ndarray | None:
    """(x - mean) / sqrt(variance + eps) * gamma + beta along `axis`; `gamma` and `beta` have its length."""
    if not _fit(x, gamma, beta) or gamma.shape != x.shape[axis : axis + 1] or beta.shape != gamma.shape:
        return None
    tail = (1,) * (x.ndim - axis - 1)
    reads = {"x": x, "gamma": gamma.reshape(-1, *tail), "beta": beta.reshape(-1, *tail)}
    return _run(_layer_norm, reads, axis, {"part": 1.0 / x.shape[axis], "eps": eps})
