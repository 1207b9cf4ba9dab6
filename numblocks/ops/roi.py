"""Regions of interest: which elements pooling takes, and sampling by bilinear interpolation."""

from __future__ import annotations

import math

import numpy

from .. import dtype as dt
from ..array import Aval
from ..errors import MXNetError
from .kinds import primitive


def _check(where, data, rois):
    if len(data.shape) != 4 or len(rois.shape) != 2 or rois.shape[1] != 5:
        raise MXNetError(
            f"{where}: data of shape {tuple(data.shape)} and regions of shape {tuple(rois.shape)}. Data are (batch,"
            f" channels,"
            f" height, width), regions (count, 5): number in the batch, x1, y1, x2, y2. Reshape them."
        )


def _image(where, rois, r, batch) -> int:
    b = int(rois[r, 0])
    if not 0 <= b < batch:
        raise IndexError(f"{where}: region {r} belongs to image {b} of a batch of {batch}. Images count from 0.")
    return b


def rounded(v: float) -> int:
    """The nearest integer, halves away from 0."""
    return int(math.copysign(math.floor(abs(v) + 0.5), v))


def _infer_places(data, rois, *, size, scale):
    _check("roi_pooling", data, rois)
    return Aval((rois.shape[0], data.shape[1], *size), numpy.dtype("int64"))


@primitive(kind="gather", nin=2, infer=_infer_places,
           examples=((((2, 3, 8, 9), (4, 5)), {"size": (2, 3), "scale": 0.5}),))  # fmt: skip
def roi_places(data, rois, *, size, scale, out=None):
    """Flat position in `data` of the maximum in each bin of each region (Girshick, Fast R-CNN, 2015); -1 for none.

    Args:
        data: `(batch, channels, height, width)`.
        rois: `(count, 5)`: number in the batch, x1, y1, x2, y2, ends included.
        size: bins along height and width.
        scale: from the regions' coordinates to those of `data`.

    Returns:
        int64 `(count, channels, *size)`.
    """
    batch, channels, height, width = data.shape
    found = numpy.full((rois.shape[0], channels, *size), -1, numpy.int64) if out is None else out
    found[...] = -1
    for r in range(rois.shape[0]):
        b = _image("roi_pooling", rois, r, batch)
        x1, y1, x2, y2 = (rounded(float(v) * scale) for v in rois[r, 1:])
        spans = []
        for low, high, bins, n in ((y1, y2, size[0], height), (x1, x2, size[1], width)):
            step = max(high - low + 1, 1) / bins
            spans.append([(min(max(math.floor(k * step) + low, 0), n), min(max(math.ceil((k + 1) * step) + low, 0), n))
                          for k in range(bins)])  # fmt: skip
        for i, (top, bottom) in enumerate(spans[0]):
            for j, (left, right) in enumerate(spans[1]):
                if bottom > top and right > left:
                    best = data[b, :, top:bottom, left:right].reshape(channels, -1).argmax(1)
                    rows, columns = numpy.divmod(best, right - left)
                    found[r, :, i, j] = (
                        ((b * channels + numpy.arange(channels)) * height + top + rows) * width + left + columns
                    )
    return found


def _samples(low: float, length: float, bins: int, ratio: int, n: int, dtype) -> numpy.ndarray:
    """`(bins, n)` weights: the mean of `ratio` samples in each bin, each interpolated between two of `n` elements."""
    count = ratio if ratio > 0 else max(math.ceil(length / bins), 1)
    places = low + (numpy.arange(bins * count) + 0.5) * (length / (bins * count))
    inside = (places >= -1.0) & (places <= n)
    places = places.clip(0, n - 1)
    left = numpy.minimum(places.astype(numpy.int64), n - 1)
    right, part = numpy.minimum(left + 1, n - 1), places - left
    weights, rows = numpy.zeros((bins, n), dtype), numpy.arange(bins * count) // count
    numpy.add.at(weights, (rows, left), (1.0 - part) * inside / count)
    numpy.add.at(weights, (rows, right), part * inside / count)
    return weights


def _weights(where, shape, rois, r, size, scale, ratio, aligned, dtype):
    """Image number and the two matrices of region `r`: `y = rows @ data[b] @ columns.T`."""
    shift = 0.5 if aligned else 0.0
    x1, y1, x2, y2 = (float(v) * scale - shift for v in rois[r, 1:])
    height, width = (y2 - y1, x2 - x1) if aligned else (max(y2 - y1, 1.0), max(x2 - x1, 1.0))
    rows = _samples(y1, height, size[0], ratio, shape[2], dtype)
    return _image(where, rois, r, shape[0]), rows, _samples(x1, width, size[1], ratio, shape[3], dtype)


def _infer_align(data, rois, *, size, scale, ratio, aligned):
    _check("roi_align", data, rois)
    return Aval((rois.shape[0], data.shape[1], *size), dt.as_float(data.dtype))


@primitive(
    kind="gather", nin=2, infer=_infer_align,
    vjp=(lambda g, y, data, rois, **spec: roi_align_grad(g, rois, shape=tuple(data.shape), **spec), None),
    examples=((((2, 2, 8, 9), (3, 5)), {"size": (2, 3), "scale": 0.5, "ratio": 2, "aligned": False}),
              (((2, 1, 5, 5), (2, 5)), {"size": (2, 2), "scale": 1.0, "ratio": -1, "aligned": True})),
)  # fmt: skip
def roi_align(data, rois, *, size, scale, ratio, aligned, out=None):
    """Bilinear samples of each region, averaged in bins (He et al., Mask R-CNN, 2017): `(count, channels, *size)`.

    Args:
        data: `(batch, channels, height, width)`.
        rois: `(count, 5)`: number in the batch, x1, y1, x2, y2; no gradient.
        ratio: samples along each side of a bin; -1 for as many as the bin is long.
        aligned: half a pixel to the left and up, as later versions have it.
    """
    computed = max(dt.as_float(data.dtype), dt.float32, key=lambda d: d.itemsize)
    y = numpy.empty((rois.shape[0], data.shape[1], *size), dt.as_float(data.dtype)) if out is None else out
    for r in range(rois.shape[0]):
        b, rows, columns = _weights("roi_align", data.shape, rois, r, size, scale, ratio, aligned, computed)
        y[r] = rows @ data[b].astype(computed, copy=False) @ columns.T
    return y


@primitive(
    kind="gather", nin=2, infer=lambda g, rois, *, shape, **spec: Aval(tuple(shape), g.dtype),
    vjp=(lambda h, y, g, rois, *, shape, **spec: roi_align(h, rois, **spec), None),
    examples=((((3, 2, 2, 3), (3, 5)), {"shape": (2, 2, 8, 9), "size": (2, 3), "scale": 0.5, "ratio": 2,
    "aligned": False}),),
)  # fmt: skip
def roi_align_grad(g, rois, *, shape, size, scale, ratio, aligned, out=None):
    """The transpose of `roi_align` in its data."""
    computed = max(dt.as_float(g.dtype), dt.float32, key=lambda d: d.itemsize)
    y = numpy.zeros(shape, computed)
    for r in range(rois.shape[0]):
        b, rows, columns = _weights("roi_align", shape, rois, r, size, scale, ratio, aligned, computed)
        y[b] += rows.T @ g[r].astype(computed, copy=False) @ columns
    if out is None:
        return y.astype(g.dtype, copy=False)
    out[...] = y
    return out
