"""Activations and the softmax family."""

from __future__ import annotations

import math

from ..array import ndarray
from ..np.creation import arange
from ..np.math import deliver, layer_function, tanh
from ..op import current
from ..ops import elementwise as ew
from ..ops import move
from ..ops import reduce as red
from ..ops.kinds import normalize_axis
from ..ops.random import draw, uniform01
from ..shortcut.replayed import fixed, settled

relu, sigmoid, gelu, silu, erf = map(layer_function, (ew.relu, ew.sigmoid, ew.gelu, ew.silu, ew.erf))
softplus, softsign, log_sigmoid = map(layer_function, (ew.softplus, ew.softsign, ew.log_sigmoid))
hard_sigmoid = layer_function(ew.hard_sigmoid)

_ACTIVATIONS = {
    "relu": relu, "sigmoid": sigmoid, "tanh": tanh, "softrelu": softplus, "softsign": softsign,
    "gelu": gelu, "silu": silu, "swish": silu, "log_sigmoid": log_sigmoid,
}  # fmt: skip


def activation(data: ndarray, act_type: str = "relu") -> ndarray:
    """An activation by name: relu, sigmoid, tanh, softrelu, softsign, gelu, silu or log_sigmoid."""
    act = _ACTIVATIONS.get(act_type)
    if act is None:
        raise ValueError(
            f"activation: {act_type!r} is unknown. The names are {', '.join(_ACTIVATIONS)}. Use one of them."
        )
    return act(data)


def leaky_relu(data: ndarray, gamma=None, act_type: str = "leaky", slope: float = 0.25, lower_bound: float = 0.125,
               upper_bound: float = 0.334) -> ndarray:  # fmt: skip
    """Leaky family: 'leaky' (slope), 'prelu' (slope from `gamma`), 'elu' (slope is alpha), 'selu', 'gelu', 'rrelu'
    (Xu et al. 2015: while training each element's slope is drawn between the bounds, else it is their mean).
    """
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
    if act_type == "rrelu":
        if not current.training:
            return ew.leaky_relu(data, (lower_bound + upper_bound) / 2.0)
        u = draw(uniform01, data.shape, data.dtype.name, data.ctx if data.ctx.far else None)
        return ew.leaky_relu(data, u * (upper_bound - lower_bound) + lower_bound)
    raise ValueError(
        f"leaky_relu: act_type {act_type!r} is unknown. Use 'leaky', 'prelu', 'elu', 'selu', 'gelu' or 'rrelu'."
    )


def softmax(data, axis=-1, length=None, temperature=None, use_length=False, dtype=None, out=None) -> ndarray:
    """exp(x / temperature), normalized along `axis`; with `length`, positions from length on get 0.

    MXNet 1.9 has `length` before `axis`; an array there is taken for the length.
    """
    if isinstance(axis, ndarray):
        axis, length = -1 if length is None else length, axis
    y = _soft(red.softmax, data, axis, length, temperature, dtype, 0.0)
    return y if out is None else deliver(y, out)


def log_softmax(
    data, axis=-1, temperature=None, dtype=None, use_length=False, length=None, out=None
) -> ndarray:
    """The logarithm of `softmax`, without overflow."""
    y = _soft(red.log_softmax, data, axis, length, temperature, dtype, -math.inf)
    return y if out is None else deliver(y, out)


def _soft(op, data, axis, length, temperature, dtype, outside):
    if dtype is not None or data._data.dtype.kind != "f":
        data = ew.astype(data, dtype or "float32")
    if temperature is not None and temperature != 1:
        data = data / temperature
    if length is None:
        return _along(op, axis, data._data.ndim)(data)
    k = normalize_axis("softmax", axis, data._data.ndim)[0]
    from_mask = position_mask(data, length, k)
    y = op(ew.where(from_mask, data, -math.inf), axis=k)
    return ew.where(from_mask, y, outside)


@settled
def _along(op, axis, ndim):
    """`op` along an axis of arrays with so many."""
    return fixed(op, {"axis": normalize_axis("softmax", axis, ndim)[0]})


def position_mask(data, length, axis) -> ndarray:
    """Bool array like `data`: position along `axis` below `length`, whose shape is that of `data` without `axis`."""
    positions = arange(data.shape[axis], dtype="int64").reshape((-1,) + (1,) * (data.ndim - axis - 1))
    shape = data.shape[:axis] + (1,) + data.shape[axis + 1 :]
    if length.size == math.prod(shape):
        length = move.reshape(length, shape=shape)
    elif length.ndim:
        length = move.reshape(length, shape=length.shape + (1,) * (data.ndim - length.ndim))
    return ew.less(positions, length)


def masked_softmax(data, mask, axis=-1, temperature=1.0, normalize=True) -> ndarray:
    """Softmax over the positions where `mask` is true, 0 elsewhere; a line without any is all 0.

    Args:
        data, mask: shapes that broadcast; `mask` of bools or numbers.
    """
    mask = ew.not_equal(mask, 0)
    k = normalize_axis("masked_softmax", axis, data.ndim)[0]
    scaled = data / temperature if temperature != 1 else data
    return ew.where(mask, red.softmax(ew.where(mask, scaled, -1e30), axis=k), 0.0)


def masked_log_softmax(data, mask, axis=-1, temperature=1.0, normalize=True) -> ndarray:
    """The logarithm of `masked_softmax`: -inf where `mask` is false."""
    mask = ew.not_equal(mask, 0)
    k = normalize_axis("masked_log_softmax", axis, data.ndim)[0]
    scaled = data / temperature if temperature != 1 else data
    return ew.where(mask, red.log_softmax(ew.where(mask, scaled, -1e30), axis=k), -math.inf)


def softmin(data, axis=-1, temperature=None, dtype=None) -> ndarray:
    """The softmax of `-data`."""
    return softmax(-data, axis, None, temperature, dtype=dtype)


__all__ = [
    "activation", "erf", "gelu", "hard_sigmoid", "leaky_relu", "log_sigmoid", "log_softmax", "masked_log_softmax",
    "masked_softmax", "relu", "sigmoid", "silu", "softmax", "softmin", "softplus", "softsign",
]  # fmt: skip
