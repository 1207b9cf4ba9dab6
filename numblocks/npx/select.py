"""Choosing elements: one-hot, pick, topk; batched products and the smooth L1 distance."""

from __future__ import annotations

import functools
import math

from ..array import ndarray
from ..kernels import few
from ..np import sorting
from ..np.creation import arange
from ..np.math import deliver
from ..op import Op, current
from ..ops import elementwise as ew
from ..ops import index as ix
from ..ops import matmul as mm
from ..ops import move
from ..ops import reduce as red
from ..ops.kinds import normalize_axis
from ..ops.sorting import add_along, argsort
from ..shortcut import concrete
from ..shortcut.arrays import indexed, one


def one_hot(indices, depth: int, on_value=1.0, off_value=0.0, dtype="float32", out=None) -> ndarray:
    """`on_value` at the index, `off_value` elsewhere: shape `indices.shape + (depth,)`."""
    if out is not None:
        return deliver(one_hot(indices, depth, on_value, off_value, dtype), out)
    if on_value == 1 and off_value == 0:
        return _one_hot(indices, depth, dtype)
    hit = _hits(indices, depth)
    return ew.astype(ew.where(hit, float(on_value), float(off_value)), dtype)


def _hits(indices, depth):
    return ew.equal(move.expand_dims(ew.astype(indices, "int64"), -1), arange(depth, dtype="int64", ctx=indices.ctx))


_one_hot = one(None, few.one_hot, None, lambda indices, depth, dtype: ew.astype(_hits(indices, depth), dtype))


def pick(data, index, axis=-1, keepdims=False, mode="clip", out=None) -> ndarray:
    """One element of `data` along `axis` for each entry of `index`."""
    if isinstance(keepdims, str):  # Gluon 2 has `mode` first
        keepdims, mode = False if mode == "clip" else mode, keepdims
    if mode == "clip" and axis == -1 and type(keepdims) is bool:
        y = _pick_last(data, index, keepdims)
    else:
        y = _pick(data, index, axis, keepdims, mode)
    return y if out is None else deliver(y, out)


def _pick(data, index, axis, keepdims, mode):
    k = normalize_axis("pick", axis, data.ndim)[0]
    return ix.pick(data, index, axis=k, mode=mode, keepdims=bool(keepdims))


def _picked(d, i, keepdims):
    z = few.pick(d, i)
    return z[..., None] if keepdims and z is not NotImplemented else z


_pick_last = indexed(
    ix.pick,
    _picked,
    lambda d, keepdims: {"axis": d.ndim - 1, "mode": "clip", "keepdims": keepdims},
    lambda data, index, keepdims: _pick(data, index, -1, keepdims, "clip"),
    source=math.inf,
    convert=functools.partial(ix.whole, "pick"),
)


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
    if ret_typ != "mask" and type(k) is int and type(axis) is int:
        found = _first(data, axis, k, not is_ascend, ret_typ)
        if found is not None:
            values, top = found
            if ret_typ == "value":
                return values
            return ew.astype(top, dtype) if ret_typ == "indices" else [values, ew.astype(top, dtype)]
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


# how the first values stand on the tape: `places` is no argument that is differentiated
_top = Op(
    "topk", "sort", None, registered=False,
    vjp=(lambda g, y, x, places: add_along(g, places, x.ndim - 1, x.shape), None),
)  # fmt: skip


def _first(x, axis, k, descending, ret_typ):
    """Values and places (int64) of a concrete array; None for others, or where there are many to find."""
    d = x._data
    if type(d) is not concrete.CONCRETE or ret_typ not in _PARTS:
        return None
    found = few.top(d, axis, k, descending)
    if found is NotImplemented:
        return None
    values, places = type(x)(), type(x)()
    values._data, values._device, values._node = found[0], x._device, None
    places._data, places._device, places._node = found[1], x._device, None
    node = x._node
    if node is not None and current.record is not None:
        current.record(_top, (x, places), {}, values, (node, None))
    return values, places


_PARTS = frozenset(("value", "indices", "both"))


def _last_to(axis, n):
    order = list(range(n - 1))
    order.insert(axis, n - 1)
    return tuple(order)


__all__ = ["batch_dot", "one_hot", "pick", "smooth_l1", "topk"]
