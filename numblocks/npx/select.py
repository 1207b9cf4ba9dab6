"""Choosing elements: one-hot, pick, topk; batched products and the smooth L1 distance."""

from __future__ import annotations

from ..array import ndarray
from ..np import sorting
from ..np.creation import arange
from ..np.math import deliver
from ..ops import elementwise as ew
from ..ops import index as ix
from ..ops import matmul as mm
from ..ops import move
from ..ops import reduce as red
from ..ops.kinds import normalize_axis
from ..ops.sorting import argsort


def one_hot(indices, depth: int, on_value=1.0, off_value=0.0, dtype="float32", out=None) -> ndarray:
    """`on_value` at the index, `off_value` elsewhere: shape `indices.shape + (depth,)`."""
    if out is not None:
        return deliver(one_hot(indices, depth, on_value, off_value, dtype), out)
    hit = ew.equal(move.expand_dims(ew.astype(indices, "int64"), -1), arange(depth, dtype="int64", ctx=indices.ctx))
    if on_value == 1 and off_value == 0:
        return ew.astype(hit, dtype)
    return ew.astype(ew.where(hit, float(on_value), float(off_value)), dtype)


def pick(data, index, axis=-1, keepdims=False, mode="clip", out=None) -> ndarray:
    """One element of `data` along `axis` for each entry of `index`."""
    if isinstance(keepdims, str):  # Gluon 2 has `mode` first
        keepdims, mode = False if mode == "clip" else mode, keepdims
    y = ix.pick(data, index, axis=normalize_axis("pick", axis, data.ndim)[0], mode=mode, keepdims=bool(keepdims))
    return y if out is None else deliver(y, out)


def batch_dot(lhs, rhs, transpose_a=False, transpose_b=False, forward_stype=None, out=None) -> ndarray:
    """Matrix product of each pair of matrices: `(batch, n, k) @ (batch, k, m)`."""
    y = mm.matmul(mm.swap(lhs) if transpose_a else lhs, mm.swap(rhs) if transpose_b else rhs)
    return y if out is None else deliver(y, out)


def smooth_l1(data, scalar=1.0) -> ndarray:
    """0.5 (scalar x)^2 where |x| < 1 / scalar^2, else |x| - 0.5 / scalar^2."""
    s2 = float(scalar) ** 2
    size = ew.abs_(data)
    return ew.where(ew.less(size, 1.0 / s2), 0.5 * s2 * ew.square(data), size - 0.5 / s2)


def topk(data, axis=-1, k=1, ret_typ="indices", is_ascend=False, dtype="float32"):
    """The `k` largest (smallest if `is_ascend`) along `axis`: 'indices' (as `dtype`), 'value', 'both' or 'mask'."""
    a = normalize_axis("topk", axis, data.ndim)[0]
    top = argsort(data.detach(), axis=a, descending=not is_ascend, first=min(k, data.shape[a]))
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


__all__ = ["batch_dot", "one_hot", "pick", "smooth_l1", "topk"]
