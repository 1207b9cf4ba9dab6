"""Neural-network functions on `np` arrays: layers as functions, activations, normalization."""

from __future__ import annotations

import math

from ..array import ndarray
from ..errors import MXNetError
from ..np import sorting
from ..np.creation import arange
from ..np.math import function, tanh
from ..op import assign, current
from ..ops import conv as cv
from ..ops import elementwise as ew
from ..ops import index as ix
from ..ops import matmul as mm
from ..ops import move
from ..ops import pool as pl
from ..ops import random as rnd
from ..ops import reduce as red
from ..ops.kinds import normalize_axis

relu, sigmoid, gelu, silu, erf = map(function, (ew.relu, ew.sigmoid, ew.gelu, ew.silu, ew.erf))
softplus, softsign, log_sigmoid, hard_sigmoid = map(function, (ew.softplus, ew.softsign, ew.log_sigmoid, ew.hard_sigmoid))

_ACTIVATIONS = {
    "relu": relu, "sigmoid": sigmoid, "tanh": tanh, "softrelu": softplus, "softsign": softsign,
    "gelu": gelu, "silu": silu, "swish": silu, "log_sigmoid": log_sigmoid,
}  # fmt: skip


def activation(data: ndarray, act_type: str = "relu") -> ndarray:
    """An activation by name: relu, sigmoid, tanh, softrelu, softsign, gelu, silu or log_sigmoid."""
    act = _ACTIVATIONS.get(act_type)
    if act is None:
        raise ValueError(f"activation: {act_type!r} is unknown. The names are {', '.join(_ACTIVATIONS)}. Use one of them.")
    return act(data)


def leaky_relu(data: ndarray, gamma=None, act_type: str = "leaky", slope: float = 0.25) -> ndarray:
    """Leaky family: 'leaky' (slope), 'prelu' (slope from `gamma`), 'elu' (slope is alpha), 'selu', 'gelu'."""
    if act_type == "leaky":
        return ew.leaky_relu(data, slope)
    if act_type == "prelu":
        if gamma.ndim == 1 and gamma.size > 1 and data.ndim > 2:
            gamma = move.reshape(gamma, shape=gamma.shape + (1,) * (data.ndim - 2))
        return ew.leaky_relu(data, gamma)
    if act_type == "elu":
        return ew.elu(data, slope)
    if act_type == "selu":  # constants of Klambauer et al., Self-Normalizing Neural Networks, 2017
        return ew.elu(data, 1.6732632423543772) * 1.0507009873554805
    if act_type == "gelu":
        return ew.gelu(data)
    raise ValueError(f"leaky_relu: act_type {act_type!r} is unknown. Use 'leaky', 'prelu', 'elu', 'selu' or 'gelu'.")


def fully_connected(x, weight, bias=None, num_hidden=None, no_bias=False, flatten=True) -> ndarray:
    """x @ weight.T + bias.

    Args:
        x: `(batch, ...)`, taken as `(batch, in)` when `flatten`, else `(..., in)`.
        weight: `(units, in)`.
        bias: `(units,)`.

    Returns:
        `(batch, units)`, or `(..., units)`.

    Raises:
        MXNetError: the width of `x` is not that of `weight`.
    """
    if flatten and x.ndim != 2:
        if x.ndim < 2:
            raise MXNetError(
                f"fully_connected: data has shape {x.shape}. It needs a batch axis and a feature axis. Reshape it to"
                f" (1, {x.size}) for a batch of one."
            )
        x = move.reshape(x, shape=(x.shape[0], math.prod(x.shape[1:])))
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise MXNetError(
            f"fully_connected: data of shape {x.shape} has {x.shape[-1] if x.ndim else 0} features but weight {weight.shape}"
            f" takes {weight.shape[1]}. The layer was built or initialized for another width. Feed data with"
            f" {weight.shape[1]} features, or build the layer anew."
        )
    if bias is not None and not no_bias and x.ndim == 2 and x.dtype is weight.dtype is bias.dtype and x.dtype.kind == "f":
        return mm.linear(x, weight, bias)
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


def _channels_first(where, layout, n):
    expected = ("NCW", "NCHW", "NCDHW")[n - 1]
    if layout not in (None, expected):
        raise ValueError(f"{where}: layout {layout!r} is not supported for {n} spatial axes. Data are {expected}. Transpose them.")


def convolution(data, weight, bias=None, kernel=None, stride=None, dilate=None, pad=None, num_filter=None, num_group=1,
                no_bias=False, layout=None, **ignored) -> ndarray:  # fmt: skip
    """Convolution (cross-correlation) over 1 to 3 spatial axes.

    Args:
        data: `(batch, in_channels, *spatial)`.
        weight: `(channels, in_channels / num_group, *kernel)`.
        bias: `(channels,)`.
        stride, dilate, pad: an int or one per spatial axis.

    Returns:
        `(batch, channels, *out)` with `out = (n + 2 pad - dilate (kernel - 1) - 1) // stride + 1`.
    """
    n = weight.ndim - 2
    _channels_first("convolution", layout, n)
    y = cv.conv(data, weight, stride=_tuple(stride or 1, n), pad=_tuple(pad or 0, n), dilate=_tuple(dilate or 1, n),
                groups=int(num_group))  # fmt: skip
    return y if bias is None or no_bias else y + move.reshape(bias, shape=bias.shape + (1,) * n)


def pooling(data, kernel=None, stride=None, pad=None, pool_type="max", global_pool=False, pooling_convention="valid",
            count_include_pad=True, layout=None, **ignored) -> ndarray:  # fmt: skip
    """Pooling over 1 to 3 spatial axes of `(batch, channels, *spatial)`.

    Args:
        pool_type: 'max', 'avg' or 'sum'.
        global_pool: one window over everything.
        pooling_convention: 'valid' rounds the number of windows down, 'full' up.
        count_include_pad: whether averages count padding.
    """
    n = data.ndim - 2
    if n < 1:
        raise MXNetError(
            f"pooling: data has shape {data.shape}. Pooling needs batch, channel and 1 to 3 spatial axes. Reshape the data."
        )
    _channels_first("pooling", layout, n)
    if global_pool:
        axes = tuple(range(2, n + 2))
        reduce = {"max": red.max_, "avg": red.mean, "sum": red.sum_}[pool_type]
        return reduce(data, axis=axes, keepdims=True)
    kernel = _tuple(kernel, n)
    spec = {"kernel": kernel, "stride": _tuple(stride or 1, n), "pad": _tuple(pad or 0, n), "ceil": pooling_convention == "full"}
    if pool_type == "max":
        return pl.max_pool(data, **spec)
    if pool_type == "avg":
        return pl.avg_pool(data, count_include_pad=bool(count_include_pad), **spec)
    if pool_type == "sum":
        return pl.sum_pool(data, **spec)
    raise ValueError(f"pooling: pool_type {pool_type!r} is unknown. Use 'max', 'avg' or 'sum'.")


def softmax(data, axis=-1, length=None, temperature=None, use_length=False, dtype=None) -> ndarray:
    """exp(x / temperature), normalized along `axis`; with `length`, positions from length on get 0."""
    return _soft(red.softmax, data, axis, length, temperature, dtype, 0.0)


def log_softmax(data, axis=-1, length=None, temperature=None, use_length=False, dtype=None) -> ndarray:
    """The logarithm of `softmax`, without overflow."""
    return _soft(red.log_softmax, data, axis, length, temperature, dtype, -math.inf)


def _soft(op, data, axis, length, temperature, dtype, outside):
    if data.dtype.kind != "f" or dtype is not None:
        data = ew.astype(data, dtype or "float32")
    if temperature not in (None, 1, 1.0):
        data = data / temperature
    k = normalize_axis("softmax", axis, data.ndim)[0]
    if length is None:
        return op(data, axis=k)
    from_mask = position_mask(data, length, k)
    y = op(ew.where(from_mask, data, -math.inf), axis=k)
    return ew.where(from_mask, y, outside)


def position_mask(data, length, axis) -> ndarray:
    """Bool array like `data`: position along `axis` below `length`, whose shape is that of `data` without `axis`."""
    positions = arange(data.shape[axis], dtype="int64").reshape((-1,) + (1,) * (data.ndim - axis - 1))
    shape = data.shape[:axis] + (1,) + data.shape[axis + 1 :]
    if length.size == math.prod(shape):
        length = move.reshape(length, shape=shape)
    elif length.ndim:
        length = move.reshape(length, shape=length.shape + (1,) * (data.ndim - length.ndim))
    return ew.less(positions, length)


def dropout(data, p=0.5, axes=(), mode="training", **ignored) -> ndarray:
    """Each element kept with probability 1 - p and scaled by 1 / (1 - p) while training; otherwise unchanged.

    Args:
        axes: along these axes the mask is shared.
        mode: 'always' drops in prediction too.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p is {p}. It is the probability of dropping, in [0, 1). Choose another.")
    if p == 0 or not (current.training or mode == "always"):
        return data
    shape = tuple(1 if k in tuple(axes) else n for k, n in enumerate(data.shape))
    u = rnd.draw(rnd.uniform01, shape, data.dtype.name)
    return ew.where(u < 1.0 - p, data * (1.0 / (1.0 - p)), 0.0)


def batch_norm(x, gamma, beta, running_mean, running_var, eps=1e-5, momentum=0.9, fix_gamma=False, use_global_stats=False,
               output_mean_var=False, axis=1, **ignored) -> ndarray:  # fmt: skip
    """Batch normalization (Ioffe and Szegedy 2015) over all axes but `axis`.

    While training (and unless `use_global_stats`) the batch's mean and biased variance are used, and the running
    statistics move towards them: running = momentum * running + (1 - momentum) * batch.

    Args:
        x: `(batch, channels, ...)`.
        gamma, beta, running_mean, running_var: `(channels,)`.
    """
    k = normalize_axis("batch_norm", axis, x.ndim)[0]
    if x.shape[k] != gamma.shape[0]:
        raise MXNetError(
            f"batch_norm: data of shape {x.shape} has {x.shape[k]} channels on axis {k} but the layer has {gamma.shape[0]}."
            f" They must agree. Feed other data or build the layer anew."
        )
    others = tuple(j for j in range(x.ndim) if j != k)
    shape = gamma.shape + (1,) * (x.ndim - k - 1)
    if current.training and not use_global_stats:
        mean = red.mean(x, axis=others, keepdims=False)
        centred = x - move.reshape(mean, shape=shape)
        var = red.mean(ew.square(centred), axis=others, keepdims=False)
        assign(running_mean, _blend(running_mean, mean, momentum))
        assign(running_var, _blend(running_var, var, momentum))
    else:
        mean, var = running_mean.detach(), running_var.detach()
        centred = x - move.reshape(mean, shape=shape)
    scale = ew.rsqrt(var + eps)
    if not fix_gamma:
        scale = scale * gamma
    return centred * move.reshape(scale, shape=shape) + move.reshape(beta, shape=shape)


def _blend(running, batch, momentum):
    return running.detach() * momentum + batch.detach() * (1.0 - momentum)


def layer_norm(x, gamma, beta, axis=-1, eps=1e-5) -> ndarray:
    """Layer normalization (Ba et al. 2016) along `axis`; `gamma` and `beta` have its length."""
    k = normalize_axis("layer_norm", axis, x.ndim)[0]
    mean = red.mean(x, axis=(k,), keepdims=True)
    centred = x - mean
    var = red.mean(ew.square(centred), axis=(k,), keepdims=True)
    shape = gamma.shape + (1,) * (x.ndim - k - 1)
    return centred * ew.rsqrt(var + eps) * move.reshape(gamma, shape=shape) + move.reshape(beta, shape=shape)


def embedding(data, weight, input_dim=None, output_dim=None, dtype=None, sparse_grad=False) -> ndarray:
    """Rows of `weight` `(input_dim, output_dim)` at the indices `data`: shape `data.shape + (output_dim,)`."""
    return ix.take(weight, data, axis=0, mode="raise")


def one_hot(data, depth: int, on_value=1.0, off_value=0.0, dtype="float32") -> ndarray:
    """`on_value` at the index, `off_value` elsewhere: shape `data.shape + (depth,)`."""
    hit = ew.equal(move.expand_dims(ew.astype(data, "int64"), -1), arange(depth, dtype="int64"))
    if on_value == 1 and off_value == 0:
        return ew.astype(hit, dtype)
    return ew.astype(ew.where(hit, float(on_value), float(off_value)), dtype)


def pick(data, index, axis=-1, mode="clip", keepdims=False) -> ndarray:
    """One element of `data` along `axis` for each entry of `index`."""
    return ix.pick(data, index, axis=normalize_axis("pick", axis, data.ndim)[0], mode=mode, keepdims=bool(keepdims))


def batch_dot(a, b, transpose_a=False, transpose_b=False, forward_stype=None) -> ndarray:
    """Matrix product of each pair of matrices: `(batch, n, k) @ (batch, k, m)`."""
    return mm.matmul(mm.swap(a) if transpose_a else a, mm.swap(b) if transpose_b else b)


def sequence_mask(data, sequence_length=None, use_sequence_length=False, value=0.0, axis=0) -> ndarray:
    """`value` at positions along `axis` (0 or 1) from each sequence's length on; the batch is the other axis."""
    if sequence_length is None or not use_sequence_length:
        return data
    shape = [1] * data.ndim
    shape[axis] = data.shape[axis]
    positions = arange(data.shape[axis], dtype="int64").reshape(shape)
    lengths = [1] * data.ndim
    lengths[1 - axis] = sequence_length.size
    return ew.where(ew.less(positions, move.reshape(sequence_length, shape=tuple(lengths))), data, float(value))


def smooth_l1(data, scalar=1.0) -> ndarray:
    """0.5 (scalar x)^2 where |x| < 1 / scalar^2, else |x| - 0.5 / scalar^2."""
    s2 = float(scalar) ** 2
    size = ew.abs_(data)
    return ew.where(ew.less(size, 1.0 / s2), 0.5 * s2 * ew.square(data), size - 0.5 / s2)


def batch_flatten(data) -> ndarray:
    """`(batch, everything else)`."""
    return move.reshape(data, shape=(data.shape[0], math.prod(data.shape[1:])))


def topk(data, axis=-1, k=1, ret_typ="indices", is_ascend=False, dtype="float32"):
    """The `k` largest (smallest if `is_ascend`) along `axis`: 'indices' (as `dtype`), 'value', 'both' or 'mask'."""
    a = normalize_axis("topk", axis, data.ndim)[0]
    order = sorting.argsort(data.detach(), a, descending=not is_ascend)
    top = order[(slice(None),) * a + (slice(0, k),)]
    if ret_typ == "indices":
        return ew.astype(top, dtype)
    if ret_typ == "mask":
        hits = one_hot(top, data.shape[a], dtype=data.dtype.name)
        return move.transpose(red.sum_(hits, axis=(a,), keepdims=False), axes=_last_to(a, data.ndim))
    values = sorting.take_along_axis(data, top, a)
    if ret_typ == "value":
        return values
    if ret_typ == "both":
        return [values, ew.astype(top, dtype)]
    raise ValueError(f"topk: ret_typ {ret_typ!r} is unknown. Use 'indices', 'value', 'both' or 'mask'.")


def _last_to(axis, n):
    order = list(range(n - 1))
    order.insert(axis, n - 1)
    return tuple(order)
