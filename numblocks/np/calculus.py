"""Differences, sums and interpolation along an axis; all differentiable."""

from __future__ import annotations

import builtins

import numpy

from ..array import ndarray
from ..ops import elementwise as ew
from ..ops import move, scan
from ..ops import sorting as order_ops
from ..ops.kinds import normalize_axis
from .creation import array
from .math import deliver
from .reductions import _as_array, sum
from .shape import broadcast_to, concatenate, ravel


def _part(a, axis, start, stop):
    key = (builtins.slice(None),) * axis + (builtins.slice(start, stop),)
    return move.slice_(a, key=move.freeze_key(key))


def diff(a, n=1, axis=-1, prepend=None, append=None) -> ndarray:
    """Each element less the one before, `n` times over.

    >>> diff(array([1., 4., 9.]))
    array([3., 5.])
    """
    a = _as_array(a)
    if a.ndim == 0:
        raise ValueError("diff: the array is 0-d. Differences need an axis. Pass a vector.")
    k = normalize_axis("diff", axis, a.ndim)[0]
    ends = []
    for end in (prepend, append):
        if end is not None:
            end = _as_array(end)
            end = broadcast_to(end, a.shape[:k] + (1,) + a.shape[k + 1 :]) if end.ndim == 0 else end
        ends.append(end)
    if prepend is not None or append is not None:
        a = concatenate([x for x in (ends[0], a, ends[1]) if x is not None], k)
    for _ in range(n):
        later, earlier = _part(a, k, 1, None), _part(a, k, None, -1)
        a = ew.not_equal(later, earlier) if a.dtype.kind == "b" else later - earlier
    return a


def ediff1d(ary, to_end=None, to_begin=None) -> ndarray:
    """Differences of the flat array, with values before and behind."""
    a = ravel(_as_array(ary))
    d = _part(a, 0, 1, None) - _part(a, 0, None, -1)
    ends = [None if x is None else ew.astype(ravel(_as_array(x)), d.dtype) for x in (to_begin, to_end)]
    parts = [x for x in (ends[0], d, ends[1]) if x is not None]
    return concatenate(parts) if len(parts) > 1 else d


def cumprod(a, axis=None, dtype=None, out=None) -> ndarray:
    """Running product along `axis`, or over the flat array."""
    a = _as_array(a)
    if dtype is not None:
        a = ew.astype(a, dtype)
    if axis is None:
        a, axis = ravel(a), 0
    return deliver(scan.cumprod(a, axis=normalize_axis("cumprod", axis, a.ndim)[0]), out)


def _steps(x, axis, ndim):
    """Spacings along `axis` from a number or from coordinates."""
    if isinstance(x, (int, float)):
        return float(x)
    x = _as_array(x)
    if x.ndim == 0:
        return x
    d = diff(x)
    return d.reshape((-1,) + (1,) * (ndim - axis - 1)) if x.ndim == 1 else d


def trapezoid(y, x=None, dx=1.0, axis=-1) -> ndarray:
    """The integral by the trapezoidal rule over coordinates `x` or steps `dx`."""
    y = _as_array(y)
    k = normalize_axis("trapezoid", axis, y.ndim)[0]
    d = dx if x is None else _steps(x, k, y.ndim)
    return sum((_part(y, k, 1, None) + _part(y, k, None, -1)) * d * 0.5, axis=k)


trapz = trapezoid


def gradient(f, *varargs, axis=None, edge_order=1):
    """Differences in the middle, one-sided at the ends; a list when there are several axes.

    Args:
        varargs: the spacing: one number, or for each axis a number or coordinates.
    """
    f = _as_array(f)
    axes = normalize_axis("gradient", axis, f.ndim)
    spacings = [1.0] * len(axes) if not varargs else list(varargs) * (len(axes) if len(varargs) == 1 else 1)
    if len(spacings) != len(axes):
        raise ValueError(f"gradient: {len(varargs)} spacings for {len(axes)} axes. Each axis needs one. Pass as many.")
    found = [_gradient(f, spacing, k, edge_order) for spacing, k in zip(spacings, axes, strict=True)]
    return found[0] if len(found) == 1 else found


def _gradient(f, spacing, k, edge_order):
    n = f.shape[k]
    if n < edge_order + 1:
        raise ValueError(f"gradient: axis {k} of shape {f.shape} is too short. It needs {edge_order + 1} elements.")
    d = _steps(spacing, k, f.ndim)
    even = isinstance(d, float) or d.ndim == 0
    h = d if even else broadcast_to(d, (n - 1,) + (1,) * (f.ndim - k - 1))
    step = (lambda start, stop: h) if even else (lambda start, stop: _part(h, 0, start, stop))
    slope = (_part(f, k, 1, None) - _part(f, k, None, -1)) / h
    if n == 2:
        return concatenate([slope, slope], k)
    left, right = step(None, -1), step(1, None)
    a, b = _part(slope, k, None, -1), _part(slope, k, 1, None)
    middle = (a * right + b * left) / (left + right)
    first, last = _part(slope, k, None, 1), _part(slope, k, n - 2, None)
    if edge_order == 2:
        h0, h1, h2, h3 = step(None, 1), step(1, 2), step(-2, -1), step(-1, None)
        first = first + (first - _part(slope, k, 1, 2)) * h0 / (h0 + h1)
        last = last + (last - _part(slope, k, n - 3, n - 2)) * h3 / (h2 + h3)
    return concatenate([first, middle, last], k)


def interp(x, xp, fp, left=None, right=None, period=None) -> ndarray:
    """Piecewise linear interpolation of the points (`xp`, `fp`), `xp` ascending; differentiable in `x` and `fp`."""
    x, xp, fp = _as_array(x), _as_array(xp), _as_array(fp)
    if period is not None:
        x, xp = ew.mod(x, float(period)), ew.mod(xp, float(period))
        order = order_ops.argsort(xp, axis=0, descending=False)
        xp, fp = xp[order], fp[order]
        xp = concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = concatenate([fp[-1:], fp, fp[:1]])
    n = xp.shape[0]
    below = order_ops.searchsorted(xp, x, side="right") - 1
    k = below.clip(0, builtins.max(n - 2, 0))
    x0, y0 = xp[k], fp[k]
    upper = (k + 1).clip(0, n - 1)
    width = xp[upper] - x0
    y = y0 + (fp[upper] - y0) * ((x - x0) / ew.where(ew.equal(width, 0), 1.0, width))
    y = ew.where(x < xp[0], fp[0] if left is None or period is not None else float(left), y)
    return ew.where(x > xp[-1], fp[-1] if right is None or period is not None else float(right), y)


def convolve(a, v, mode="full") -> ndarray:
    """The convolution of two vectors: 'full', 'same' or 'valid'."""
    a, v = _as_array(a), _as_array(v)
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    n, m = a.shape[0], v.shape[0]
    ends = {"full": (m - 1, m - 1), "same": (m // 2, m - 1 - m // 2), "valid": (0, 0)}.get(mode)
    if ends is None:
        raise ValueError(f"convolve: mode {mode!r} is unknown. It says how ends count. Use 'full', 'same' or 'valid'.")
    front, back = ends
    padded = move.pad(a, widths=((front, back),), value=0.0)
    rows = numpy.arange(n + front + back - m + 1)[:, None] + numpy.arange(m)
    return padded[array(rows)].dot(v[::-1])


def correlate(a, v, mode="valid") -> ndarray:
    """The cross-correlation of two vectors."""
    a, v = _as_array(a), _as_array(v)
    return convolve(a, v[::-1], mode)


def unwrap(p, discont=None, axis=-1, period=2 * numpy.pi) -> ndarray:
    """Angles with jumps of more than half a `period` (or `discont`) taken out."""
    p = _as_array(p)
    k = normalize_axis("unwrap", axis, p.ndim)[0]
    half = period / 2
    d = diff(p, axis=k)
    near = ew.mod(d + half, period) - half
    near = ew.where(ew.logical_and(ew.equal(near, -half), d > 0), half, near)
    jump = ew.where(ew.abs_(d) < builtins.max(half, discont or 0.0), 0.0, near - d)
    return concatenate([_part(p, k, None, 1), _part(p, k, 1, None) + scan.cumsum(jump, axis=k)], k)


__all__ = [
    "convolve", "correlate", "cumprod", "diff", "ediff1d", "gradient", "interp", "trapezoid", "trapz", "unwrap",
]  # fmt: skip
