"""Operators of detectors that read images between pixels or in bins that move, all from gathers and sums.

Deformable convolution: Dai et al. 2017, with masks Zhu et al. 2018; position-sensitive pooling: Dai et al., R-FCN,
2016; rotated regions: Ma et al. 2018. Everything has gradients by data and by offsets, none by regions.
"""

from __future__ import annotations

import math

import numpy

from ..array import ndarray, wrap
from ..errors import MXNetError
from ..np.host import values
from ..npx.layers import _tuple
from ..ops import advanced as ad
from ..ops import elementwise as ew
from ..ops import matmul as mm
from ..ops import move
from ..ops import reduce as red
from .array import NDArray


def _constant(x, like) -> ndarray:
    return wrap(numpy.asarray(x), like.ctx)


def _whole(x) -> ndarray:
    return ew.astype(x.detach(), "int64")


def sampled(pixels, lead, y, x, clamp: bool) -> ndarray:
    """Bilinear samples: `(*places, channels)`.

    Args:
        pixels: `(*lead sizes, height, width, channels)`.
        lead: int64 arrays that broadcast with the places, one for each leading axis.
        y, x: the places, in pixels.
        clamp: places are moved into the image; else what lies outside the image counts as 0.
    """
    height, width = pixels.shape[-3:-1]
    if clamp:
        y, x = ew.clip(y, 0.0, height - 1.0), ew.clip(x, 0.0, width - 1.0)
    key, total = tuple(("a", k) for k in range(len(lead) + 2)), None
    for dy in (0, 1):
        for dx in (0, 1):
            py, px = ew.floor(y.detach()) + dy, ew.floor(x.detach()) + dx
            weight = (1.0 - ew.abs_(y - py)) * (1.0 - ew.abs_(x - px)) * _inside(py, height) * _inside(px, width)
            at = [_whole(ew.clip(p, 0.0, size - 1.0)) for p, size in ((py, height), (px, width))]
            part = ad.gather(pixels, *lead, *at, key=key) * move.expand_dims(weight, weight.ndim)
            total = part if total is None else total + part
    return total


def _inside(p, size: int, low: float = 0.0, high: float = 0.0) -> ndarray:
    """1 where `low <= p <= size - 1 + high`, else 0; no gradient."""
    p = p.detach()
    return ew.where(ew.logical_and(ew.greater_equal(p, low), ew.less_equal(p, size - 1.0 + high)), 1.0, 0.0)


def _columns(data, offset, mask, kernel, stride, dilate, pad, groups: int, clamp: bool):
    """`(batch, channels * taps, positions)` read at moved places, and the output's height and width."""
    n, channels, height, width = data.shape
    kh, kw = kernel
    out = [(size + 2 * p - d * (k - 1) - 1) // s + 1
           for size, k, s, d, p in zip((height, width), kernel, stride, dilate, pad, strict=True)]  # fmt: skip
    if offset.shape != (n, 2 * groups * kh * kw, *out):
        raise MXNetError(
            f"DeformableConvolution: offsets of shape {offset.shape} for data {data.shape}, kernel {kernel}. There are"
            f" two for each tap, group and place of the answer: {(n, 2 * groups * kh * kw, *out)}. Check the"
            f" convolution that makes them."
        )
    offset = move.reshape(offset, shape=(n, groups, kh * kw, 2, *out))
    base = [_constant(
        numpy.repeat(numpy.arange(kh) * dilate[0], kw)[:, None, None]
        + (numpy.arange(out[0]) * stride[0] - pad[0])[None, :, None], data),
        _constant(numpy.tile(numpy.arange(kw) * dilate[1], kh)[:, None, None]
                  + (numpy.arange(out[1]) * stride[1] - pad[1])[None, None, :], data)]  # fmt: skip
    part = lambda k: move.slice_(offset, key=(*(("s", None, None, None),) * 3, k))
    y, x = (part(k) + ew.astype(base[k], offset.dtype.name) for k in (0, 1))
    pixels = move.transpose(move.reshape(data, shape=(n, groups, channels // groups, height, width)),
                            axes=(0, 1, 3, 4, 2))  # fmt: skip
    lead = (_constant(numpy.arange(n).reshape(-1, 1, 1, 1, 1), data),
            _constant(numpy.arange(groups).reshape(-1, 1, 1, 1), data))  # fmt: skip
    found = sampled(pixels, lead, y, x, clamp)
    if clamp:
        seen = _inside(y, height, high=1.0 - 1e-6) * _inside(x, width, high=1.0 - 1e-6)
        found = found * move.expand_dims(seen, seen.ndim)
    if mask is not None:
        found = found * move.reshape(mask, shape=(n, groups, kh * kw, *out, 1))
    found = move.transpose(ew.astype(found, data.dtype.name), axes=(0, 1, 5, 2, 3, 4))  # places may be wider floats
    return move.reshape(found, shape=(n, channels * kh * kw, out[0] * out[1])), out


def _convolve(data, offset, mask, weight, bias, kernel, stride, dilate, pad, num_group, num_deformable_group, clamp):
    geometry = [_tuple(kernel, 2), *(_tuple(v or 1, 2) for v in (stride, dilate)), _tuple(pad or 0, 2)]
    columns, out = _columns(data, offset, mask, *geometry, num_deformable_group, clamp)
    n, g = data.shape[0], num_group
    columns = move.reshape(columns, shape=(n, g, columns.shape[1] // g, columns.shape[2]))
    y = mm.matmul(move.reshape(weight, shape=(g, weight.shape[0] // g, math.prod(weight.shape[1:]))), columns)
    y = move.reshape(y, shape=(n, weight.shape[0], *out))
    return y if bias is None else y + move.reshape(bias, shape=(1, bias.shape[0], 1, 1))


def DeformableConvolution(data, offset, weight, bias=None, kernel=None, stride=(), dilate=(), pad=(), num_filter=None,
                          num_group=1, num_deformable_group=1, no_bias=False, **ignored) -> NDArray:  # fmt: skip
    """A convolution that reads each tap at a place moved by `offset`.

    Args:
        data: `(batch, channels, height, width)`.
        offset: `(batch, groups * taps * 2, out height, out width)`: for each tap rows, then columns, in pixels.
        weight: `(filters, channels / num_group, *kernel)`; bias: `(filters,)`.
        num_deformable_group: groups of channels that share offsets.
    """
    return _convolve(data, offset, None, weight, None if no_bias else bias, kernel, stride, dilate, pad, num_group,
                     num_deformable_group, True)  # fmt: skip


def ModulatedDeformableConvolution(data, offset, mask, weight, bias=None, kernel=None, stride=(), dilate=(), pad=(),
                                   num_filter=None, num_group=1, num_deformable_group=1, no_bias=False,
                                   **ignored) -> NDArray:  # fmt: skip
    """`DeformableConvolution` whose taps are also weighted by `mask: (batch, groups * taps, out height, out width)`."""
    return _convolve(data, offset, mask, weight, None if no_bias else bias, kernel, stride, dilate, pad, num_group,
                     num_deformable_group, False)  # fmt: skip


def _column(rois, k: int) -> ndarray:
    return move.slice_(rois, key=(("s", None, None, None), k)).detach()


def _rounded(x) -> ndarray:
    """The nearest whole number, halves away from 0."""
    return ew.sign(x) * ew.floor(ew.abs_(x) + 0.5)


def _bins(count: int, group: int) -> numpy.ndarray:
    """Which of `group` parts each of `count` bins lies in."""
    return (numpy.arange(count) * group // count).clip(0, group - 1)


def PSROIPooling(data, rois, spatial_scale, output_dim, pooled_size, group_size=0) -> NDArray:
    """Means over the bins of regions, each bin from channels of its own: `(regions, output_dim, size, size)`.

    Args:
        data: `(batch, output_dim * group_size^2, height, width)`.
        rois: `(regions, 5)`: number in the batch, x1, y1, x2, y2, in pixels of the picture.
        group_size: parts along each side that have channels of their own (0: `pooled_size`).
    """
    p, g = int(pooled_size), int(group_size) or int(pooled_size)
    images = ad.gather(data, _whole(_column(rois, 0)), key=(("a", 0),))
    weights = []
    for first, last, size in ((2, 4, data.shape[2]), (1, 3, data.shape[3])):
        low = _rounded(_column(rois, first)) * spatial_scale
        length = ew.maximum((_rounded(_column(rois, last)) + 1.0) * spatial_scale - low, 0.1)
        steps = _constant(numpy.arange(p, dtype="f4"), data)
        low, length = (move.expand_dims(v, 1) for v in (low, length / p))
        start = ew.clip(ew.floor(steps * length + low), 0.0, float(size))
        stop = ew.clip(ew.ceil((steps + 1.0) * length + low), 0.0, float(size))
        start, stop = (move.expand_dims(v, 2) for v in (start, stop))
        at = _constant(numpy.arange(size, dtype="f4"), data)
        hit = ew.where(ew.logical_and(ew.greater_equal(at, start), ew.less(at, stop)), 1.0, 0.0)
        weights.append(move.expand_dims(hit / ew.maximum(stop - start, 1.0), 1))
    y = mm.matmul(weights[0], mm.matmul(images, mm.swap(weights[1])))
    y = move.reshape(y, shape=(rois.shape[0], output_dim, g * g, p * p))
    part = _bins(p, g)
    channel = _constant((part[:, None] * g + part).reshape(-1), data)
    found = ad.gather(y, channel, _constant(numpy.arange(p * p), data),
                      key=(("s", None, None, None), ("s", None, None, None), ("a", 0), ("a", 1)))  # fmt: skip
    return move.reshape(found, shape=(rois.shape[0], output_dim, p, p))


def DeformablePSROIPooling(data, rois, trans=None, spatial_scale=None, output_dim=None, group_size=None,
                           pooled_size=None, part_size=0, sample_per_part=1, trans_std=0.0,
                           no_trans=False) -> NDArray:  # fmt: skip
    """Position-sensitive pooling of samples in bins that `trans` moves: `(regions, output_dim, size, size)`.

    Args:
        trans: `(regions, 2 * classes, part_size, part_size)`: how far, in sizes of the region times `trans_std`,
            columns first.
        sample_per_part: samples along each side of a bin.
    """
    p, g, s, count = int(pooled_size), int(group_size), int(sample_per_part), rois.shape[0]
    parts, (height, width) = int(part_size) or p, data.shape[2:]
    classes = 1 if no_trans or trans is None else trans.shape[1] // 2
    at = []
    for first, last, which in ((2, 4, 1), (1, 3, 0)):
        low = _rounded(_column(rois, first)) * spatial_scale - 0.5
        length = ew.maximum((_rounded(_column(rois, last)) + 1.0) * spatial_scale - 0.5 - low, 0.1)
        low, length = (move.reshape(v, shape=(count, 1, 1, 1, 1)) for v in (low, length))
        sample = numpy.arange(s * s) // s if which else numpy.arange(s * s) % s
        steps = (numpy.arange(p)[:, None] + sample / s) / p
        steps = steps.reshape((p, 1, s * s) if which else (1, p, s * s)).astype("f4")
        place = low + _constant(steps, data) * length
        if classes > 1 or trans is not None and not no_trans:
            cell = _constant(_bins(p, parts), data)
            moves = move.reshape(trans, shape=(count, classes, 2, parts, parts))
            moves = move.slice_(moves, key=(("s", None, None, None),) * 2 + (which,))
            moves = ad.gather(moves, move.expand_dims(cell, 1), cell,
                              key=(("s", None, None, None),) * 2 + (("a", 0), ("a", 1)))  # fmt: skip
            place = place + move.reshape(moves, shape=(count, classes, p, p, 1)) * trans_std * length
        at.append(place)
    full = (count, classes, p, p, s * s)
    y, x = (red.broadcast_to(v, shape=full) for v in at)
    seen = _inside(y, height, -0.5, 0.5) * _inside(x, width, -0.5, 0.5)
    each, part = output_dim // classes, _bins(p, g)
    pixels = move.reshape(data, shape=(data.shape[0], classes, each, g * g, height, width))
    pixels = move.transpose(pixels, axes=(0, 1, 3, 4, 5, 2))
    cell = (part[:, None] * g + part).reshape(1, 1, p, p, 1)
    lead = (move.reshape(_whole(_column(rois, 0)), shape=(count, 1, 1, 1, 1)),
            _constant(numpy.arange(classes).reshape(1, classes, 1, 1, 1), data), _constant(cell, data))  # fmt: skip
    found = sampled(pixels, lead, y, x, True) * move.expand_dims(seen, 5)
    number = red.sum_(seen, axis=(4,), keepdims=False)
    mean = red.sum_(found, axis=(4,), keepdims=False) / move.expand_dims(ew.maximum(number, 1.0), 4)
    return move.reshape(move.transpose(mean, axes=(0, 1, 4, 2, 3)), shape=(count, output_dim, p, p))


def RROIAlign(data, rois, pooled_size, spatial_scale, sampling_ratio=-1) -> NDArray:
    """Bilinear samples of rotated regions, averaged in bins: `(regions, channels, *pooled_size)`.

    Args:
        rois: `(regions, 6)`: number in the batch, x and y of the centre, width, height, degrees.
        sampling_ratio: samples along each side of a bin; up to 0 as many as a bin is long, by the values of `rois`.
    """
    size, count = _tuple(pooled_size, 2), rois.shape[0]
    sides = [ew.maximum(_column(rois, k) * spatial_scale, 1.0) for k in (4, 3)]
    if sampling_ratio <= 0:
        found = values(rois, "RROIAlign")
        parts = []
        for r in range(count):
            long = [max(found[r, k] * spatial_scale, 1.0) for k in (4, 3)]
            ratio = [max(math.ceil(side / n), 1) for side, n in zip(long, size, strict=True)]
            parts.append(_rotated(data, rois[r : r + 1], size, spatial_scale, ratio, [v[r : r + 1] for v in sides]))
        return move.concat(*parts, axis=0)
    return _rotated(data, rois, size, spatial_scale, (sampling_ratio,) * 2, sides)


def _rotated(data, rois, size, scale: float, ratio, sides) -> ndarray:
    count, (height, width) = rois.shape[0], data.shape[2:]
    along = []
    for k, (bins, samples, side) in enumerate(zip(size, ratio, sides, strict=True)):
        place = ((numpy.arange(bins * samples) + 0.5) / (bins * samples) - 0.5).astype("f4")
        place = _constant(place.reshape((1, -1, 1) if k == 0 else (1, 1, -1)), data)
        along.append(place * move.reshape(side, shape=(count, 1, 1)))
    angle = move.reshape(_column(rois, 5), shape=(count, 1, 1)) * (math.pi / 180)
    sin, cos = ew.sin(angle), ew.cos(angle)
    x = along[1] * cos + along[0] * sin + move.reshape(_column(rois, 1), shape=(count, 1, 1)) * scale
    y = along[0] * cos - along[1] * sin + move.reshape(_column(rois, 2), shape=(count, 1, 1)) * scale
    seen = _inside(y, height, -1.0, 1.0) * _inside(x, width, -1.0, 1.0)
    pixels = move.transpose(data, axes=(0, 2, 3, 1))
    image = move.reshape(_whole(_column(rois, 0)), shape=(count, 1, 1))
    found = sampled(pixels, (image,), y, x, True) * move.expand_dims(seen, 3)
    found = move.reshape(found, shape=(count, size[0], ratio[0], size[1], ratio[1], data.shape[1]))
    return move.transpose(red.mean(found, axis=(2, 4), keepdims=False), axes=(0, 3, 1, 2))


__all__ = [
    "DeformableConvolution", "DeformablePSROIPooling", "ModulatedDeformableConvolution", "PSROIPooling", "RROIAlign",
]  # fmt: skip
