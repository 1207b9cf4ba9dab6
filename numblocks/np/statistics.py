"""Order statistics, spreads, histograms and what they give when NaN is left out."""

from __future__ import annotations

import math

import numpy

from ..array import ndarray
from ..ops import elementwise as ew
from ..ops import move
from ..ops import sorting as order_ops
from ..ops.kinds import normalize_axis
from ..ops.matmul import matmul, swap
from .creation import array
from .host import on_host, values
from .math import deliver
from .reductions import _as_array, average, max, mean, min, sum
from .shape import concatenate

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _lines(a, axis):
    """`a` with the axes in `axis` as one, last; and the shape the answer has with keepdims."""
    axes = normalize_axis("axis", axis, a.ndim)
    rest = [k for k in range(a.ndim) if k not in axes]
    kept = tuple(1 if k in axes else n for k, n in enumerate(a.shape))
    flat = move.transpose(a, axes=(*rest, *axes))
    return move.reshape(flat, shape=tuple(a.shape[k] for k in rest) + (math.prod(a.shape[k] for k in axes),)), kept


def quantile(
    a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, interpolation=None
) -> ndarray:
    """The value below which the part `q` of the elements lies; differentiable in `a`.

    Args:
        q: a number or an array of numbers in [0, 1]; its axes come first in the answer.
        method: between two elements: 'linear', 'lower', 'higher', 'midpoint' or 'nearest'.

    >>> quantile(array([1., 2., 4.]), 0.75)
    array(3.)
    """
    a, method = _as_array(a), interpolation or method
    if method not in _METHODS:
        raise ValueError(
            f"quantile: method {method!r} is unknown. It says what lies between two elements. Use one of {_METHODS}."
        )
    q = numpy.asarray(values(q, "quantile"), numpy.float64)
    if ((q < 0) | (q > 1)).any():
        raise ValueError(
            f"quantile: q {q.tolist()} is not in [0, 1]. It is a part of the whole. For percent use percentile."
        )
    a = a if a.dtype.kind == "f" else ew.astype(a, "float32")
    lines, kept = _lines(a, axis)
    n = lines.shape[-1]
    if n == 0:
        raise ValueError(
            f"quantile: an array of shape {a.shape} has no elements along axis {axis}. Check that it is not empty."
        )
    ordered = order_ops.sort(lines, axis=lines.ndim - 1, descending=False)
    found = [_at(ordered, p * (n - 1), method) for p in q.ravel()]
    invalid = ew.isnan(ordered[..., -1])  # NaN sorts last
    shape = kept if keepdims else lines.shape[:-1]
    found = [move.reshape(ew.where(invalid, math.nan, y), shape=shape) for y in found]
    if q.ndim == 0:
        return deliver(found[0], out)
    y = concatenate([move.expand_dims(y, 0) for y in found])
    return deliver(move.reshape(y, shape=q.shape + shape), out)


def _at(ordered, position: float, method: str):
    low, high = math.floor(position), math.ceil(position)
    share = position - low
    if method == "nearest":
        low = high = int(numpy.rint(position))
    low, high = {"lower": (low, low), "higher": (high, high)}.get(method, (low, high))
    share = 0.5 if method == "midpoint" and low != high else share
    a, b = ordered[..., low], ordered[..., high]
    return a if low == high else a + (b - a) * share


def percentile(
    a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, interpolation=None
) -> ndarray:
    """`quantile` with `q` in percent."""
    q = numpy.asarray(values(q, "percentile"), numpy.float64) / 100
    return quantile(a, q, axis, out, overwrite_input, method, keepdims, interpolation)


def median(a, axis=None, out=None, overwrite_input=False, keepdims=False) -> ndarray:
    """The middle value, or the mean of the two in the middle."""
    return quantile(a, 0.5, axis, out, overwrite_input, "linear", keepdims)


def ptp(a, axis=None, out=None, keepdims=False) -> ndarray:
    """The largest value less the smallest."""
    return deliver(max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims), out)


def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None) -> ndarray:
    """The covariance matrix of variables in rows (columns if not `rowvar`), observations in columns; differentiable."""
    x = _rows(m, rowvar)
    if y is not None:
        x = concatenate([x, _rows(y, rowvar)], 0)
    x = x if dtype is None else ew.astype(x, dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = None
    for weights in (fweights, aweights):
        if weights is not None:
            w = _as_array(weights) if w is None else w * _as_array(weights)
    if w is None:
        mu, less = mean(x, 1, keepdims=True), float(x.shape[1] - ddof)
        weighted = centred = x - mu
    else:
        w = w if w.dtype.kind == "f" else ew.astype(w, "float32")
        total = sum(w)
        centred = x - move.expand_dims(average(x, 1, w), 1)
        weighted = centred * w
        less = total - (ddof if aweights is None else sum(w * _as_array(aweights)) * ddof / total)
    y = matmul(weighted, swap(centred))
    y = y * math.nan if isinstance(less, float) and less <= 0 else y / less
    return move.reshape(y, shape=()) if y.size == 1 else y


def _rows(m, rowvar):
    m = _as_array(m)
    m = m if m.dtype.kind == "f" else ew.astype(m, "float32")
    if m.ndim < 2:
        return move.reshape(m, shape=(1, m.size))
    return m if rowvar or m.shape[0] == 1 else m.T


def corrcoef(x, y=None, rowvar=True, bias=None, ddof=None, *, dtype=None) -> ndarray:
    """The matrix of correlation coefficients; `bias` and `ddof` change nothing, as in NumPy."""
    c = cov(x, y, rowvar, dtype=dtype)
    c = move.reshape(c, shape=(1, 1)) if c.ndim == 0 else c
    d = ew.sqrt(c[array(numpy.arange(c.shape[0])), array(numpy.arange(c.shape[0]))])
    return (c / move.expand_dims(d, 1) / d).clip(-1.0, 1.0)


def histogram(a, bins=10, range=None, density=None, weights=None, normed=None):
    """Counts (int64) in `bins` equal bins, or between given edges, and the edges."""
    return on_host("histogram", numpy.histogram, _as_array(a), bins, range, density or normed, weights)


def histogram_bin_edges(a, bins=10, range=None, weights=None) -> ndarray:
    """The edges `histogram` would use."""
    return on_host("histogram_bin_edges", numpy.histogram_bin_edges, _as_array(a), bins, range, weights)


def histogram2d(x, y, bins=10, range=None, density=None, weights=None, normed=None):
    """Counts in the cells of a grid, and the edges along both axes."""
    density = density or normed
    return on_host("histogram2d", numpy.histogram2d, _as_array(x), _as_array(y), bins, range, density, weights)


def histogramdd(sample, bins=10, range=None, density=None, weights=None, normed=None):
    """Counts in the cells of a grid of any dimension, and a list of the edges."""
    return on_host("histogramdd", numpy.histogramdd, sample, bins, range, density or normed, weights)


__all__ = [
    "corrcoef", "cov", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd", "median", "percentile", "ptp",
    "quantile",
]  # fmt: skip
