"""Gluon's public module of this name: batches over devices, clipped gradients, checked downloads."""

from __future__ import annotations

import math

import numpy

from .. import np
from ..array import ndarray
from ..device import Device
from ..errors import warn
from .download import check_sha1 as check_sha1
from .download import download as download
from .download import replace_file as replace_file
from .hooks import HookHandle as HookHandle


def split_data(data: ndarray, num_slice: int, batch_axis: int = 0, even_split: bool = True) -> list[ndarray]:
    """Split an array along the batch into `num_slice` parts; without `even_split` the first may be longer by one.

    >>> [part.shape for part in split_data(np.ones((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    size = data.shape[batch_axis]
    if even_split and size % num_slice:
        raise ValueError(
            f"split_data: data of shape {data.shape} was to be split evenly into {num_slice} along axis"
            f" {batch_axis}. {size} is no multiple of {num_slice}. Use another"
            f" batch size, or even_split=False."
        )
    if size < num_slice:
        raise ValueError(
            f"split_data: data of shape {data.shape} was to be split into {num_slice} along axis"
            f" {batch_axis}. A slice needs at least one example. Use fewer slices or a larger batch."
        )
    step, longer = divmod(size, num_slice)
    ends = [step * i + min(i, longer) for i in range(num_slice + 1)]
    before = (slice(None),) * batch_axis
    return [data[(*before, slice(a, b))] for a, b in zip(ends, ends[1:], strict=False)]


def split_and_load(data, ctx_list, batch_axis: int = 0, even_split: bool = True) -> list[ndarray]:
    """Split an array along the batch, one part for each device, and put each part there.

    Args:
        data: array, NumPy array or nested lists, the batch on `batch_axis`.
        ctx_list: devices.

    >>> from numblocks import cpu
    >>> [part.ctx for part in split_and_load(np.ones((4, 2)), [cpu(0), cpu(1)])]
    [cpu(0), cpu(1)]
    """
    devices = [ctx_list] if isinstance(ctx_list, Device) else list(ctx_list)
    if not isinstance(data, ndarray):
        data = np.array(data, ctx=devices[0])
    if len(devices) == 1:
        return [data.as_in_ctx(devices[0])]
    parts = split_data(data, len(devices), batch_axis, even_split)
    return [part.as_in_ctx(device) for part, device in zip(parts, devices, strict=True)]


def _squares(a: ndarray) -> float:
    """The sum of squares, on the CPU in float64."""
    return float((a * a).sum()) if a.ctx.far else float(numpy.square(a._data, dtype="float64").sum())


def clip_global_norm(arrays: list[ndarray], max_norm: float, check_isfinite: bool = True):
    """Scale arrays in place so that their common 2-norm is at most `max_norm`; returns the norm they had.

    Args:
        arrays: typically the gradients of all parameters.
        check_isfinite: warn if the norm is not finite, and return a float; else an array.

    >>> a = np.array([3., 4.])
    >>> clip_global_norm([a], 1.0)
    5.0
    >>> a
    array([0.6, 0.8])
    """
    if not arrays:
        raise ValueError(
            "clip_global_norm: got no arrays. There is nothing to clip. Pass the list of gradients."
        )
    norm = math.sqrt(sum(map(_squares, arrays)))
    if check_isfinite and not math.isfinite(norm):
        warn(f"clip_global_norm: the norm is {norm}. The arrays hold NaN or infinity.")
    scale = max_norm / (norm + 1e-8)
    if scale < 1.0:
        for a in arrays:
            numpy.multiply(a._data, scale, out=a._data, casting="unsafe")
    return norm if check_isfinite else np.array([norm], ctx=arrays[0].ctx)
