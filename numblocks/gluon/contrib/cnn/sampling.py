"""Convolution over windows whose elements are read between pixels."""

from __future__ import annotations

import numpy

from .... import np


def deformed(
    x, offset, weight, bias=None, mask=None, *, stride, dilate, pad, groups: int, offset_groups: int, padded: bool
):  # fmt: skip
    """A convolution that reads element k of the window at (row, column) + offset, bilinearly.

    Args:
        x: `(batch, channels, height, width)`.
        offset: `(batch, 2 * offset_groups * K, out_height, out_width)`, K the elements of a window; for each group and
            element the offsets of row and column.
        weight: `(filters, channels / groups, *kernel)`; bias: `(filters,)` or None.
        mask: `(batch, offset_groups * K, out_height, out_width)`, factors of the elements, or None.
        padded: the image goes over into zeros within a pixel of its border; else it ends at the first pixel and goes on
            for a pixel behind the last one, as in the paper's own code.

    Returns:
        `(batch, filters, out_height, out_width)`.
    """
    batch, channels, height, width = x.shape
    filters, kernel, (tall, wide) = weight.shape[0], weight.shape[2:], offset.shape[2:]
    elements, places = kernel[0] * kernel[1], tall * wide
    size = (batch, offset_groups, 1, elements * places)
    at = offset.reshape((batch, offset_groups, elements, 2, tall, wide))
    rows, columns = _grid((tall, wide), kernel, stride, dilate, pad)
    y = at[:, :, :, 0] + np.array(rows, dtype=x.dtype, ctx=x.ctx)
    z = at[:, :, :, 1] + np.array(columns, dtype=x.dtype, ctx=x.ctx)
    pixels = x.reshape((batch, offset_groups, channels // offset_groups, height * width))
    total = 0
    for row, share_of_row in _corners(y, height, padded):
        for column, share_of_column in _corners(z, width, padded):
            share = share_of_row * share_of_column
            if mask is not None:
                share = share * mask.reshape(share.shape)
            place = (row * width + column).reshape(size)
            total = total + np.take_along_axis(pixels, place, axis=3) * share.reshape(size)
    read = total.reshape((batch, groups, channels // groups * elements, places))
    matrix = weight.reshape((1, groups, filters // groups, channels // groups * elements))
    out = np.matmul(matrix, read).reshape((batch, filters, tall, wide))
    return out if bias is None else out + bias.reshape((1, filters, 1, 1))


def _grid(out, kernel, stride, dilate, pad):
    """Row `(K, out_height, 1)` and column `(K, 1, out_width)` of each element of each window."""
    first = [numpy.arange(n) * s - p for n, s, p in zip(out, stride, pad, strict=True)]
    within = numpy.meshgrid(*(numpy.arange(k) * d for k, d in zip(kernel, dilate, strict=True)), indexing="ij")
    down, across = (each.reshape(-1, 1, 1) for each in within)
    return down + first[0][:, None], across + first[1][None, :]


def _corners(at, size: int, padded: bool):
    """The two pixels next to a place along an axis: their numbers, within the image, and shares."""
    low = np.floor(at)
    part = at - low
    inside = (at >= 0) * (at < size)
    for whole, share in ((low, 1 - part), (low + 1, part)):
        seen = (whole >= 0) * (whole < size) if padded else inside
        yield np.clip(whole, 0, size - 1).astype("int32"), share * seen.astype(at.dtype)
