"""Batch and layer normalization of concrete arrays, each one kernel forwards and one or two back.

A composed batch normalization is twenty steps on the tape. These are the same computations where nothing is traced;
where the walk back is itself recorded, it is composed again, so derivatives of any order are there.
"""

from __future__ import annotations

import functools

import numpy

from ..array import ndarray
from ..kernels import channels, mapping
from ..op import Op, current
from ..shortcut import concrete
from .elementwise import rsqrt, square
from .move import reshape
from .reduce import mean, sum_

FLOATS = (concrete.FLOAT32, concrete.FLOAT64)


def plain(axis: int, x, *lines) -> bool:
    """Whether these are concrete C-contiguous arrays of one class and float dtype, `lines` of the length of `axis`."""
    d, cls = x._data, type(x)
    if type(d) is not concrete.CONCRETE or not d.flags.c_contiguous or not d.size or current.substitute is not None:
        return False
    dtype, size = d.dtype, d.shape[axis : axis + 1]
    if dtype not in FLOATS:
        return False
    for line in lines:
        e = line._data
        if type(e) is not concrete.CONCRETE or e.dtype is not dtype or e.shape != size or type(line) is not cls:
            return False
        if not e.flags.c_contiguous:
            return False
    return True


def _like(x, data) -> ndarray:
    y = type(x)()
    y._data, y._device, y._node = data, x._device, None
    return y


def _composed(g, x, gamma, axis: int, eps: float, over, others):
    """Cotangents of data, scale and shift of a normalization over the axes `over`, in ops.

    With z the standardized x and h = g gamma: (h - mean(h) - z mean(h z)) r.
    """
    centred = x - mean(x, axis=over, keepdims=True)
    r = rsqrt(mean(square(centred), axis=over, keepdims=True) + eps)
    z = centred * r
    h = g * reshape(gamma, shape=gamma.shape + (1,) * (x.ndim - axis - 1))
    dx = (h - mean(h, axis=over, keepdims=True) - z * mean(h * z, axis=over, keepdims=True)) * r
    return dx, sum_(g * z, axis=others, keepdims=False), sum_(g, axis=others, keepdims=False)


def cotangents(loop, g, x, gamma, axis: int, eps: float, over, others):
    """The same by `loop`, where nothing is recorded and the arrays fit; otherwise in ops."""
    if current.record is None and plain(axis, x, gamma) and type(g) is type(x):
        e = g._data
        if type(e) is concrete.CONCRETE and e.dtype is x._data.dtype and e.shape == x._data.shape:
            found = loop(numpy.ascontiguousarray(e), x._data, gamma._data, axis=axis, eps=eps)
            if found is not None:
                return tuple([_like(x, data) for data in found])
    return _composed(g, x, gamma, axis, eps, over, others)


def _batch_vjp(g, y, x, gamma, beta, *, axis, eps):
    others = tuple(k for k in range(x.ndim) if k != axis)
    return cotangents(channels.batch_norm_back, g, x, gamma, axis, eps, others, others)


_batch_norm = Op("batch_norm", "composite", None, registered=False, nin=3, vjp=_batch_vjp, joint=True)


def batch_norm(x, gamma, beta, axis: int, eps: float):
    """`(y, mean, variance)` by the batch's own moments, the last two NumPy arrays; None where it must be composed."""
    if not plain(axis, x, gamma, beta):
        return None
    found = channels.batch_norm(x._data, gamma._data, beta._data, axis=axis, eps=eps)
    if found is None:
        return None
    y = _like(x, found[0])
    record = current.record
    if record is not None:
        record(_batch_norm, (x, gamma, beta), {"axis": axis, "eps": eps}, y)
    return y, found[1], found[2]


def settled_norm(x, gamma, beta, moving_mean, moving_var, axis: int, eps: float):
    """Batch normalization by known moments, off the tape; None where it must be composed."""
    lines = (gamma, beta, moving_mean, moving_var)
    if current.record is not None and any([p._node is not None for p in (x, gamma, beta)]):
        return None
    if not plain(axis, x, *lines):
        return None
    found = channels.settled_norm(x._data, *[p._data for p in lines], axis=axis, eps=eps)
    return None if found is None else _like(x, found[0])


@functools.lru_cache(maxsize=256)
def _one(size: int, dtype, cls, device) -> ndarray:
    y = cls()
    y._data, y._device, y._node = numpy.ones(size, dtype), device, None
    return y


def ones_like(p) -> ndarray:
    """Ones of the shape of a 1-d array that is not on a tape; the same array each time, so nobody may write to it."""
    return _one(p._data.shape[0], p._data.dtype, type(p), p._device)


def blended(a, b, p, q): return a * p + b * q  # noqa: E704


@functools.cache
def _blend(dtype):
    return mapping.launcher(blended, (dtype, dtype, None, None), dtype, dtype)


def blend(running, batch: numpy.ndarray, momentum: float) -> None:
    """`running = momentum * running + (1 - momentum) * batch`, in place."""
    d = running._data
    launch = _blend(d.dtype) if d.dtype in FLOATS and type(momentum) is float else None
    if launch is None or not launch(d, batch, momentum, 1.0 - momentum, d):
        numpy.copyto(d, d * momentum + batch * (1.0 - momentum), casting="same_kind")


__all__ = ["batch_norm", "blend", "cotangents", "ones_like", "plain", "settled_norm"]
