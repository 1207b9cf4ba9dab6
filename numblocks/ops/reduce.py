"""Reductions over axes, and broadcasting, their dual.

`axis` is a tuple of non-negative ints; the functions of `numblocks.np` normalize it.
"""

from __future__ import annotations

import functools
import math

import numpy

from ..array import Aval
from ..errors import MXNetError
from ..kernels import rows
from ..op import current
from ..shortcut import small
from . import scan
from .elementwise import astype, divide, equal, exp, log, multiply, square, subtract, where
from .elementwise import sqrt as _sqrt
from .kinds import at_large, composite, movement, normalize_axis, primitive, reduced_shape, reduction
from .move import reshape, transpose


def sum_to(g, shape):
    """The gradient of broadcasting: `g` summed over the axes along which `shape` was repeated."""
    if g.shape == tuple(shape):
        return g
    new = g.ndim - len(shape)
    axis = tuple(range(new)) + tuple(k + new for k, n in enumerate(shape) if n == 1 and g.shape[k + new] != 1)
    if axis:
        g = sum_(g, axis=axis, keepdims=False)
    return g if g.shape == tuple(shape) else reshape(g, shape=tuple(shape))


@functools.lru_cache(maxsize=1024)
def _steps(shape, strides, wanted):
    """Strides in bytes that repeat an array along new axes and axes of length 1."""
    lead = len(wanted) - len(shape)
    if lead < 0 or any(a != b and a != 1 for a, b in zip(shape, wanted[lead:], strict=True)):
        raise ValueError
    return (0,) * lead + tuple(s if a == b else 0 for s, a, b in zip(strides, shape, wanted[lead:], strict=True))


@movement(vjp=lambda g, y, x, *, shape: sum_to(g, x.shape))
def broadcast_to(x, *, shape):
    """Repeated along new axes and axes of length 1."""
    try:  # numpy.broadcast_to takes six times as long
        y = numpy.ndarray(shape, x.dtype, x, 0, _steps(x.shape, x.strides, shape))
        y.setflags(False)
        return y
    except (TypeError, ValueError, BufferError):
        pass  # not C-contiguous, or the shapes do not fit
    try:
        return numpy.broadcast_to(x, shape)
    except ValueError:
        raise MXNetError(
            f"broadcast_to: an array of shape {x.shape} cannot be broadcast to {tuple(shape)}. Axes must be equal or 1,"
            f" counted from the right. Reshape it first."
        ) from None


def spread(g, x, axis, keepdims):
    """`g` of a reduction back over the shape of `x`."""
    if not keepdims:
        g = reshape(g, shape=reduced_shape(x.shape, axis, True))
    return broadcast_to(g, shape=x.shape)


def _share_of_extremum(g, y, x, *, axis, keepdims):
    """Equal parts of `g` to every element that attains the extremum."""
    hit = equal(x, spread(y, x, axis, keepdims))
    count = sum_(astype(hit, x.dtype), axis=axis, keepdims=True)
    if not keepdims:
        g = reshape(g, shape=count.shape)
    return where(hit, broadcast_to(divide(g, count), shape=x.shape), 0.0)


def _unique_margin(x):
    """Distance between the largest two values: 0 at a tie, where max has no derivative."""
    flat = numpy.sort(numpy.ravel(x))
    return numpy.diff(flat) if flat.size > 1 else numpy.ones(1)


@reduction(vjp=lambda g, y, x, *, axis, keepdims: spread(g, x, axis, keepdims), how="sum")
def sum_(x, *, axis, keepdims, out=None):
    """Sum; bool and small integers are summed as int64."""
    return numpy.add.reduce(
        x, axis=axis, keepdims=keepdims, out=out, dtype=None if x.dtype.kind == "f" else numpy.int64
    )


sum_.direct = small.reduction(sum_, numpy.add)


@reduction(vjp=_share_of_extremum, how="max", kinks=_unique_margin)
def max_(x, *, axis, keepdims, out=None):
    """Largest value; NaN if there is one."""
    _refuse_empty("max", x, axis)
    return numpy.maximum.reduce(x, axis=axis, keepdims=keepdims, out=out)


max_.direct = small.reduction(max_, numpy.maximum)


@reduction(vjp=_share_of_extremum, how="min", kinks=_unique_margin)
def min_(x, *, axis, keepdims, out=None):
    """Smallest value; NaN if there is one."""
    _refuse_empty("min", x, axis)
    return numpy.minimum.reduce(x, axis=axis, keepdims=keepdims, out=out)


min_.direct = small.reduction(min_, numpy.minimum)


def _prod_vjp(g, y, x, *, axis, keepdims):
    """`g` times the product of the others: of those before and those behind, so that a 0 divides nothing."""
    order = tuple(k for k in range(x.ndim) if k not in axis) + tuple(axis)
    moved = transpose(x, axes=order)
    lead = moved.ndim - len(axis)
    rows = reshape(moved, shape=moved.shape[:lead] + (math.prod(moved.shape[lead:]),))
    before = scan.later(scan.cumprod(rows, axis=lead), lead, 1.0)
    behind = scan.flip(scan.later(scan.cumprod(scan.flip(rows, lead), axis=lead), lead, 1.0), lead)
    others = reshape(multiply(before, behind), shape=moved.shape)
    others = transpose(others, axes=tuple(order.index(k) for k in range(x.ndim)))
    return multiply(spread(g, x, axis, keepdims), others)


@reduction(vjp=_prod_vjp, how="prod")
def prod(x, *, axis, keepdims, out=None):
    """Product; bool and small integers are multiplied as int64. Differentiable where elements are 0, too."""
    return numpy.multiply.reduce(
        x, axis=axis, keepdims=keepdims, out=out, dtype=None if x.dtype.kind == "f" else numpy.int64
    )


prod.direct = small.reduction(prod, numpy.multiply)


def _refuse_empty(where_, x, axis):
    if any(x.shape[k] == 0 for k in axis):
        raise ValueError(
            f"{where_}: an array of shape {x.shape} has no elements along axis {axis}. The extremum of nothing is not"
            f" defined. Check that the array is not empty first."
        )


def _infer_arg(x, *, axis, keepdims):
    shape = reduced_shape(x.shape, range(x.ndim) if axis is None else (axis,), keepdims)
    return Aval(shape, numpy.dtype("int64"))


@primitive(kind="reduce", infer=_infer_arg)
def argmax(x, *, axis, keepdims, out=None):
    """Index (int64) of the first largest value along `axis` (an int, or None: of the flat array)."""
    return _fill(out, numpy.argmax(x, axis=axis, keepdims=keepdims))


@primitive(kind="reduce", infer=_infer_arg)
def argmin(x, *, axis, keepdims, out=None):
    """Index (int64) of the first smallest value along `axis` (an int, or None: of the flat array)."""
    return _fill(out, numpy.argmin(x, axis=axis, keepdims=keepdims))


def _fill(out, y):
    if out is None:
        return y
    out[...] = y
    return out


# --- composed --------------------------------------------------------------------------------------------------------


def _share(shape, axis) -> float:
    """What one element counts in a mean over `axis`."""
    n = math.prod(shape if len(axis) == len(shape) else [shape[k] for k in axis])
    return 1.0 / n if n else math.nan


@composite(
    vjp=lambda g, y, x, *, axis, keepdims: spread(g * _share(x.shape, axis), x, axis, keepdims),
    loop=rows.mean,
    examples=((((3, 4),), {"axis": (0, 1), "keepdims": False}), (((3, 4, 2),), {"axis": (1,), "keepdims": True})),
)
def mean(x, *, axis, keepdims):
    """Arithmetic mean; float32 for integers."""
    if x._data.dtype.kind != "f":
        x = astype(x, "float32")
    return sum_(x, axis=axis, keepdims=keepdims) * _share(x._data.shape, axis)


mean.result = "float"  # of integers, too


def _var_vjp(g, y, x, *, axis, keepdims, ddof):
    """2 (x - mean) / (n - ddof) times `g`: what passes through the mean adds up to 0."""
    n = math.prod([x.shape[k] for k in axis])
    centred = subtract(x, mean(x, axis=axis, keepdims=True))
    return spread(g * (2.0 / (n - ddof) if n > ddof else math.nan), x, axis, keepdims) * centred


@composite(
    name="var",
    vjp=_var_vjp,
    loop=rows.variance,
    examples=(
        (((3, 4),), {"axis": (0, 1), "keepdims": False, "ddof": 0}),
        (((3, 4, 2),), {"axis": (1,), "keepdims": True, "ddof": 1}),
    ),
)
def variance(x, *, axis, keepdims, ddof):
    """Variance over `axis` with `n - ddof` in the denominator; float32 for integers."""
    n = math.prod([x.shape[k] for k in axis])
    centred = subtract(x, mean(x, axis=axis, keepdims=True))
    return sum_(square(centred), axis=axis, keepdims=keepdims) * (1.0 / (n - ddof) if n > ddof else math.nan)


variance.result = "float"  # of integers, too


def var(x, *, axis, keepdims, ddof=0):
    """`variance` with `n` in the denominator unless told otherwise."""
    return variance.direct(x, axis=axis, keepdims=keepdims, ddof=ddof)


def std(x, *, axis, keepdims, ddof=0):
    """Square root of the variance."""
    return _sqrt(var(x, axis=axis, keepdims=keepdims, ddof=ddof))


def _softmax_vjp(g, y, x, *, axis):
    d = at_large(rows.softmax_back, g, y, axis=axis) if current.record is None else None
    return d if d is not None else y * (g - sum_(g * y, axis=(axis,), keepdims=True))


def _log_softmax_vjp(g, y, x, *, axis):
    d = at_large(rows.log_softmax_back, g, y, axis=axis) if current.record is None else None
    return d if d is not None else g - exp(y) * sum_(g, axis=(axis,), keepdims=True)


@composite(vjp=_softmax_vjp, loop=rows.softmax)
def softmax(x, *, axis):
    """exp(x - max) / sum(exp(x - max)) along `axis`, an int >= 0."""
    e = exp(x - max_(x, axis=(axis,), keepdims=True))
    return e / sum_(e, axis=(axis,), keepdims=True)


@composite(vjp=_log_softmax_vjp, loop=rows.log_softmax)
def log_softmax(x, *, axis):
    """x - max - log(sum(exp(x - max))) along `axis`, an int >= 0."""
    z = x - max_(x, axis=(axis,), keepdims=True)
    return z - log(sum_(exp(z), axis=(axis,), keepdims=True))


def logsumexp(x, *, axis, keepdims):
    """log(sum(exp(x))) without overflow."""
    m = max_(x, axis=axis, keepdims=True)
    y = log(sum_(exp(x - m), axis=axis, keepdims=True)) + m
    return y if keepdims else reshape(y, shape=reduced_shape(x.shape, axis, False))


def norm(x, *, axis, keepdims, ord=2):
    """Vector norm of order 1, 2 or inf over `axis`."""
    from_abs = x if ord == 2 else where(x >= 0, x, -x)
    if ord == 2:
        return _sqrt(sum_(square(x), axis=axis, keepdims=keepdims))
    if ord == 1:
        return sum_(from_abs, axis=axis, keepdims=keepdims)
    if ord == math.inf:
        return max_(from_abs, axis=axis, keepdims=keepdims)
    raise ValueError(f"norm: order {ord!r} is not supported. Vector norms here are 1, 2 and inf. Use one of them.")


__all__ = [
    "argmax", "argmin", "broadcast_to", "log_softmax", "logsumexp", "max_", "mean", "min_", "norm", "normalize_axis",
    "prod",
    "reduced_shape", "softmax", "spread", "std", "sum_", "sum_to", "var",
]  # fmt: skip
