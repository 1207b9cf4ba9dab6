"""Layers as functions: fully connected, convolution, pooling, dropout, embedding."""

from __future__ import annotations

import functools
import math

from ..array import ndarray
from ..errors import MXNetError
from ..np.math import deliver
from ..op import current
from ..ops import conv as cv
from ..ops import elementwise as ew
from ..ops import index as ix
from ..ops import matmul as mm
from ..ops import move
from ..ops import pool as pl
from ..ops import random as rnd
from ..ops import reduce as red
from ..ops.dropout import dropped
from ..shortcut.arrays import indexed
from ..shortcut.replayed import fixed, settled


def fully_connected(data, weight, bias=None, num_hidden=None, no_bias=False, flatten=True, out=None) -> ndarray:
    """data @ weight.T + bias.

    Args:
        data: `(batch, ...)`, taken as `(batch, in)` when `flatten`, else `(..., in)`.
        weight: `(units, in)`.
        bias: `(units,)`.

    Returns:
        `(batch, units)`, or `(..., units)`.

    Raises:
        MXNetError: the width of `data` is not that of `weight`.
    """
    if out is not None:
        return deliver(fully_connected(data, weight, bias, num_hidden, no_bias, flatten), out)
    x, w = data, weight._data
    d = x._data
    if flatten and d.ndim != 2:
        if d.ndim < 2:
            raise MXNetError(
                f"fully_connected: data has shape {x.shape}. It needs a batch axis and a feature axis. Reshape it to"
                f" (1, {x.size}) for a batch of one."
            )
        x = move.reshape(x, shape=(x.shape[0], math.prod(x.shape[1:])))
        d = x._data
    if d.ndim == 0 or d.shape[-1] != w.shape[1]:
        raise MXNetError(
            f"fully_connected: data of shape {x.shape} has {x.shape[-1] if x.ndim else 0} features but weight"
            f" {weight.shape}"
            f" takes {weight.shape[1]}. The layer was built or initialized for another width. Feed data with"
            f" {weight.shape[1]} features, or build the layer anew."
        )
    if d.ndim == 2 and d.dtype is w.dtype and d.dtype.kind == "f":
        if bias is None or no_bias:
            return mm.unbiased.direct(x, weight)
        if bias._data.dtype is w.dtype:
            return mm.linear.direct(x, weight, bias)
    wt = move.transpose(weight, axes=(1, 0))
    if x.ndim > 2:
        rows = move.reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))
        y = mm.matmul(rows, wt)
        if bias is not None and not no_bias:
            y = y + bias
        return move.reshape(y, shape=x.shape[:-1] + (weight.shape[0],))
    y = mm.matmul(x, wt) if x.ndim == 2 else mm.inner_matmul(x, wt)
    return y if bias is None or no_bias else y + bias


def _tuple(value, n):
    return tuple(int(v) for v in value) if isinstance(value, (tuple, list)) else (int(value),) * n


def _channels_last(where, layout, n) -> bool:
    """Whether a layout has the channels behind the `n` spatial axes."""
    first, last = ("NCW", "NCHW", "NCDHW")[n - 1], ("NWC", "NHWC", "NDHWC")[n - 1]
    if layout not in (None, first, last):
        raise ValueError(
            f"{where}: layout {layout!r} is not supported for {n} spatial axes. Data are {first} or {last}."
            f" Transpose them."
        )
    return layout == last


def _channels_forth(x):
    return move.transpose(x, axes=(0, x.ndim - 1, *range(1, x.ndim - 1)))


def _channels_back(x):
    return move.transpose(x, axes=(0, *range(2, x.ndim), 1))


def convolution(data, weight, bias=None, kernel=None, stride=None, dilate=None, pad=None, num_filter=None, num_group=1,
                no_bias=False, layout=None, *, out=None, name=None, **ignored) -> ndarray:  # fmt: skip
    """Convolution (cross-correlation) over 1 to 3 spatial axes.

    Args:
        data: `(batch, in_channels, *spatial)`.
        weight: `(channels, in_channels / num_group, *kernel)`.
        bias: `(channels,)`.
        stride, dilate, pad: an int or one per spatial axis.
        layout: `'NCHW'`, or `'NHWC'` for channels behind the spatial axes, of data, weight and result; or such for
            another number of axes.

    Returns:
        `(batch, channels, *out)` with `out = (n + 2 pad - dilate (kernel - 1) - 1) // stride + 1`.
    """
    last, plain, biased = _convolutions(weight._data.ndim - 2, stride, dilate, pad, num_group, layout)
    if last:
        data, weight = _channels_forth(data), _channels_forth(weight)
    y = plain(data, weight) if bias is None or no_bias else biased(data, weight, bias)
    if last:
        y = _channels_back(y)
    return y if out is None else deliver(y, out)


@settled
def _convolutions(n, stride, dilate, pad, groups, layout):
    """Whether channels come last, and the convolution without and with a bias."""
    spec = {"stride": _tuple(stride or 1, n), "pad": _tuple(pad or 0, n), "dilate": _tuple(dilate or 1, n),
            "groups": int(groups)}  # fmt: skip
    return _channels_last("convolution", layout, n), fixed(cv.conv, spec), fixed(cv.conv_bias, spec)


def pooling(data, kernel=None, pool_type="max", global_pool=False, cudnn_off=False, pooling_convention="valid",
            stride=None, pad=None, p_value=None, count_include_pad=True, layout=None, *, out=None, name=None,
            **ignored):  # fmt: skip
    """Pooling over 1 to 3 spatial axes of `(batch, channels, *spatial)`.

    Args:
        pool_type: 'max', 'avg', 'sum' or 'lp'.
        p_value: 1, 2 or 3: the p of 'lp', which is (sum of |x|^p)^(1/p).
        global_pool: one window over everything.
        pooling_convention: 'valid' rounds the number of windows down, 'full' up.
        count_include_pad: whether averages count padding.
        layout: `'NCHW'`, or `'NHWC'` for channels behind the spatial axes; or such for another number of axes.
    """
    n = data._data.ndim - 2
    if n < 1:
        raise MXNetError(
            f"pooling: data has shape {data.shape}. Pooling needs batch, channel and 1 to 3 spatial axes. Reshape"
            f" the data."
        )
    if pool_type == "lp":
        last = _channels_last("pooling", layout, n)
        pool = functools.partial(_norm_pool, p=p_value, kernel=kernel, stride=stride, pad=pad, global_pool=global_pool,
                                 pooling_convention=pooling_convention)  # fmt: skip
    else:
        how = pool_type, global_pool, pooling_convention
        last, pool = _pools(n, kernel, *how, stride, pad, count_include_pad, layout)
    y = _channels_back(pool(_channels_forth(data))) if last else pool(data)
    return y if out is None else deliver(y, out)


@settled
def _pools(n, kernel, pool_type, global_pool, convention, stride, pad, count_include_pad, layout):
    """Whether channels come last, and the pool."""
    last = _channels_last("pooling", layout, n)
    if global_pool:
        spec = {"axis": tuple(range(2, n + 2)), "keepdims": True}
        if pool_type == "avg":
            return last, fixed(red.mean, spec)
        return last, functools.partial({"max": red.max_, "sum": red.sum_}[pool_type], **spec)
    spec = {
        "kernel": _tuple(kernel, n),
        "stride": _tuple(stride or 1, n),
        "pad": _tuple(pad or 0, n),
        "ceil": convention == "full",
    }
    if pool_type == "max":
        return last, fixed(pl.max_pool, spec)
    if pool_type in ("avg", "sum"):
        counted = "padded" if count_include_pad is None or count_include_pad else "inside"
        return last, fixed(pl.window_sum, {**spec, "divide": counted if pool_type == "avg" else "none"})
    raise ValueError(f"pooling: pool_type {pool_type!r} is unknown. Use 'max', 'avg', 'sum' or 'lp'.")


def _norm_pool(data, p, **windows) -> ndarray:
    """The p-norm of each window."""
    if p not in (1, 2, 3):
        raise MXNetError(f"pooling: p_value is {p}. It is the p of pool_type 'lp': 1, 2 or 3. Pass p_value.")
    size = ew.abs_(data)
    total = pooling(size if p == 1 else ew.power(size, float(p)), pool_type="sum", **windows)
    if p == 1:
        return total
    some = ew.greater(total, 0.0)  # the root has no slope at 0: such windows get no gradient
    return ew.where(some, ew.power(ew.where(some, total, 1.0), 1.0 / p), 0.0)


def dropout(data, p=0.5, mode="training", axes=(), out=None, **ignored) -> ndarray:
    """Each element kept with probability 1 - p and scaled by 1 / (1 - p) while training; otherwise unchanged.

    Args:
        axes: along these axes the mask is shared.
        mode: 'always' drops in prediction too.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p is {p}. It is the probability of dropping, in [0, 1). Choose another.")
    if out is not None:
        return deliver(dropout(data, p, mode, axes), out)
    if p == 0 or not (current.training or mode == "always"):
        return data
    shape = tuple([1 if k in tuple(axes) else n for k, n in enumerate(data.shape)]) if axes else data.shape
    u = rnd.draw(rnd.uniform01, shape, dtype_name(data._data.dtype), data._device if data._device.far else None)
    return dropped(data, u, 1.0 - p, 1.0 / (1.0 - p))


@settled
def dtype_name(dtype) -> str:
    """`dtype.name`, which takes a microsecond."""
    return dtype.name


def embedding(
    data, weight, input_dim=None, output_dim=None, dtype=None, sparse_grad=False, out=None
) -> ndarray:
    """Rows of `weight` `(input_dim, output_dim)` at the indices `data`: shape `data.shape + (output_dim,)`."""
    y = _rows(weight, data)
    return y if out is None else deliver(y, out)


_ROWS = {"axis": 0, "mode": "raise"}
_rows = indexed(
    ix.take, lambda w, i: w.take(i, 0), lambda w: _ROWS, lambda w, i: ix.take(w, i, **_ROWS), source=math.inf
)


def batch_flatten(data) -> ndarray:
    """`(batch, everything else)`."""
    return move.reshape(data, shape=(data.shape[0], math.prod(data.shape[1:])))


def deconvolution(data, weight, bias=None, kernel=None, stride=None, dilate=None, pad=None, adj=None, target_shape=None,
                  num_filter=None, num_group=1, no_bias=True, layout=None, **ignored) -> ndarray:  # fmt: skip
    """Transposed convolution over 1 to 3 spatial axes.

    Args:
        data: `(batch, in_channels, *spatial)`.
        weight: `(in_channels, channels / num_group, *kernel)`.
        bias: `(channels,)`.
        stride, dilate, pad: an int or one per spatial axis.
        adj: extra size at the end of each axis, below the stride.
        target_shape: the spatial sizes wanted; chooses `pad` and `adj`.

    Returns:
        `(batch, channels, *out)` with `out = (n - 1) stride - 2 pad + dilate (kernel - 1) + 1 + adj`.
    """
    n = weight.ndim - 2
    if _channels_last("deconvolution", layout, n):
        raise ValueError(f"deconvolution: layout {layout!r} is not supported. Channels come first. Transpose the data.")
    stride, dilate, pad, adj = _tuple(stride or 1, n), _tuple(dilate or 1, n), _tuple(pad or 0, n), _tuple(adj or 0, n)
    if target_shape is not None:
        wanted = _tuple(target_shape, n)
        full = [
            (m - 1) * s + d * (k - 1) + 1
            for m, s, d, k in zip(data.shape[2:], stride, dilate, weight.shape[2:], strict=True)
        ]
        surplus = [f - w for f, w in zip(full, wanted, strict=True)]
        adj = tuple(s % 2 for s in surplus)
        pad = tuple((s + 1) // 2 for s in surplus)
    y = cv.conv_transpose(data, weight, stride=stride, pad=pad, dilate=dilate, groups=int(num_group), adj=adj)
    return y if bias is None or no_bias else y + move.reshape(bias, shape=bias.shape + (1,) * n)


__all__ = ["batch_flatten", "convolution", "deconvolution", "dropout", "embedding", "fully_connected", "pooling"]
