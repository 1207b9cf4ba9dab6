"""Normalization: batch, layer, group, instance, L2, local response."""

from __future__ import annotations

import numpy

from ..array import ndarray
from ..errors import MXNetError
from ..np.math import deliver
from ..op import assign, current
from ..ops import channels, move
from ..ops import elementwise as ew
from ..ops import reduce as red
from ..ops.kinds import normalize_axis
from ..ops.normalize import layer_norm as _layer_norm
from ..shortcut.replayed import fixed, settled


def batch_norm(data, gamma, beta, moving_mean, moving_var, eps=1e-3, momentum=0.9, fix_gamma=True,
               use_global_stats=False, output_mean_var=False, axis=1, out=None, **ignored):  # fmt: skip
    """Batch normalization (Ioffe and Szegedy 2015) over all axes but `axis`.

    While training (and unless `use_global_stats`) the batch's mean and biased variance are used, and the running
    statistics move towards them: running = momentum * running + (1 - momentum) * batch.

    Args:
        data: `(batch, channels, ...)`.
        gamma, beta, moving_mean, moving_var: `(channels,)`.
        fix_gamma: take `gamma` for 1, MXNet's default.
        output_mean_var: return a list of the answer, the mean used and 1 / sqrt(variance + eps).
    """
    x = data
    k = _axis("batch_norm", axis, x._data.ndim)
    if x.shape[k] != gamma.shape[0]:
        raise MXNetError(
            f"batch_norm: data of shape {x.shape} has {x.shape[k]} channels on axis {k} but the layer has"
            f" {gamma.shape[0]}."
            f" They must agree. Feed other data or build the layer anew."
        )
    own = current.training and not use_global_stats
    if not output_mean_var:
        y = _at_once(x, gamma, beta, moving_mean, moving_var, k, eps, momentum, fix_gamma, own)
        if y is not None:
            return y if out is None else deliver(y, out)
    others = tuple(j for j in range(x.ndim) if j != k)
    shape = gamma.shape + (1,) * (x.ndim - k - 1)
    if own:
        mean = red.mean(x, axis=others, keepdims=False)
        centred = x - move.reshape(mean, shape=shape)
        var = red.mean(ew.square(centred), axis=others, keepdims=False)
        assign(moving_mean, _blend(moving_mean, mean, momentum))
        assign(moving_var, _blend(moving_var, var, momentum))
    else:
        mean, var = moving_mean.detach(), moving_var.detach()
        centred = x - move.reshape(mean, shape=shape)
    scale = ew.rsqrt(var + eps)
    inverse = scale
    if not fix_gamma:
        scale = scale * gamma
    y = centred * move.reshape(scale, shape=shape) + move.reshape(beta, shape=shape)
    if y.dtype != x.dtype:
        y = ew.astype(y, x.dtype)  # float16 data, float32 parameters
    if output_mean_var:
        return [y, mean, inverse]
    return y if out is None else deliver(y, out)


@settled
def _axis(where, axis, ndim) -> int:
    return normalize_axis(where, axis, ndim)[0]


def _at_once(x, gamma, beta, moving_mean, moving_var, axis, eps, momentum, fix_gamma, own):
    """Batch normalization of concrete arrays by one kernel; None where it is composed."""
    if current.assign is not None or type(x._data) is not numpy.ndarray or gamma._data.ndim != 1:
        return None
    if fix_gamma:
        gamma = channels.ones_like(gamma)
    if not own:
        return channels.settled_norm(x, gamma, beta, moving_mean, moving_var, axis, eps)
    found = channels.batch_norm(x, gamma, beta, axis, eps)
    if found is None:
        return None
    y, mean, var = found
    channels.blend(moving_mean, mean, momentum)
    channels.blend(moving_var, var, momentum)
    return y


def _blend(running, batch, momentum):
    return running.detach() * momentum + batch.detach() * (1.0 - momentum)


def layer_norm(data, gamma, beta, axis=-1, eps=1e-5, output_mean_var=False, out=None) -> ndarray:
    """Layer normalization (Ba et al. 2016) along `axis`; `gamma` and `beta` have its length.

    With `output_mean_var` a list of the answer, the mean and the standard deviation, which keep the axis.
    """
    y = _layer_norms(axis, data._data.ndim, eps)(data, gamma, beta)
    if output_mean_var:
        k = normalize_axis("layer_norm", axis, data.ndim)[0]
        mean = red.mean(data, axis=(k,), keepdims=True)
        deviation = ew.sqrt(red.mean(ew.square(data - mean), axis=(k,), keepdims=True) + eps)
        return [y, mean, deviation]
    return y if out is None else deliver(y, out)


@settled
def _layer_norms(axis, ndim, eps):
    """Layer normalization along an axis of arrays with so many."""
    return fixed(_layer_norm, {"axis": normalize_axis("layer_norm", axis, ndim)[0], "eps": eps})


def _per_channel(p, x, axis: int) -> ndarray:
    """A `(channels,)` parameter in the shape that broadcasts along `axis` of `x`."""
    return move.reshape(p, shape=p.shape + (1,) * (x.ndim - axis - 1))


def _standardized(x, axes, eps) -> ndarray:
    """`x` with mean 0 and variance 1 over `axes`."""
    centred = x - red.mean(x, axis=axes, keepdims=True)
    return centred * ew.rsqrt(red.mean(ew.square(centred), axis=axes, keepdims=True) + eps)


def group_norm(data, gamma, beta, num_groups=1, eps=1e-5, output_mean_var=False) -> ndarray:
    """Group normalization (Wu and He 2018): each group of channels of each example by itself.

    Args:
        data: `(batch, channels, ...)`.
        gamma, beta: `(channels,)`; `(num_groups,)` as in MXNet is taken, too.

    Raises:
        MXNetError: the channels do not divide into `num_groups`.
    """
    channels = data.shape[1]
    if channels % num_groups:
        raise MXNetError(
            f"group_norm: data of shape {data.shape} has {channels} channels for {num_groups} groups. Groups are"
            f" equally"
            f" large. Choose a divisor of {channels}."
        )
    grouped = move.reshape(data, shape=(data.shape[0], num_groups, channels // num_groups, *data.shape[2:]))
    y = _standardized(grouped, tuple(range(2, grouped.ndim)), eps)
    if gamma.shape[0] == num_groups != channels:
        return move.reshape(y * _per_channel(gamma, y, 1) + _per_channel(beta, y, 1), shape=data.shape)
    return move.reshape(y, shape=data.shape) * _per_channel(gamma, data, 1) + _per_channel(beta, data, 1)


def instance_norm(data, gamma, beta, eps=1e-3, axis=1) -> ndarray:
    """Instance normalization (Ulyanov et al. 2016): each channel of each example by itself.

    Args:
        data: `(batch, ..., channels, ...)` with the channels on `axis`.
        gamma, beta: `(channels,)`.
    """
    k = normalize_axis("instance_norm", axis, data.ndim)[0]
    y = _standardized(data, tuple(j for j in range(1, data.ndim) if j != k), eps)
    return y * _per_channel(gamma, data, k) + _per_channel(beta, data, k)


def l2_normalization(data, eps=1e-10, mode="instance") -> ndarray:
    """`data / sqrt(sum of squares + eps)`: over an example ('instance'), its channels ('channel') or each channel's
    positions ('spatial').
    """
    axes = {"instance": tuple(range(1, data.ndim)), "channel": (1,), "spatial": tuple(range(2, data.ndim))}.get(mode)
    if axes is None:
        raise ValueError(f"l2_normalization: mode {mode!r} is unknown. Use 'instance', 'channel' or 'spatial'.")
    return data * ew.rsqrt(red.sum_(ew.square(data), axis=axes, keepdims=True) + eps)


def lrn(data, alpha=1e-4, beta=0.75, knorm=2.0, nsize=5) -> ndarray:
    """Local response normalization (Krizhevsky et al. 2012) across `nsize` neighbouring channels.

    Args:
        data: `(batch, channels, ...)`.
    """
    half, channels = nsize // 2, data.shape[1]
    widths = tuple((half, half) if k == 1 else (0, 0) for k in range(data.ndim))
    squares = move.pad(ew.square(data), widths=widths, value=0.0)
    total = None
    for k in range(nsize):
        part = move.slice_(squares, key=move.freeze_key((slice(None), slice(k, k + channels))))
        total = part if total is None else total + part
    return data * ew.power(total * (alpha / nsize) + knorm, -beta)


__all__ = ["batch_norm", "group_norm", "instance_norm", "l2_normalization", "layer_norm", "lrn"]
