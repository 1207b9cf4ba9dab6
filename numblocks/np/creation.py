"""Arrays from nothing: constants, ranges, grids and conversions. float32 unless a dtype is given."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import array_on, ndarray, values, wrap
from ..array import place as put
from ..device import usable
from ..op import current
from ..ops.elementwise import astype
from ..ops.move import reshape as _reshape
from ..ops.reduce import broadcast_to as _broadcast_to


def array(object, dtype=None, ctx=None, device=None) -> ndarray:
    """An ndarray holding a copy of `object`.

    Args:
        object: nested lists, numbers, a NumPy array or an ndarray.
        dtype: element type. By default a NumPy array or ndarray keeps its own and everything else is float32.
        ctx: where it lives (`device` is the same).

    >>> array([1, 2])
    array([1., 2.])
    """
    place = ctx if ctx is not None else device
    if isinstance(object, ndarray):
        if current.substitute is not None:
            return astype(object, dtype or object.dtype)
        return put(
            object._data.astype(dt.as_dtype(dtype or object.dtype)),
            usable(place if place is not None else object._device),
        )
    if isinstance(object, (list, tuple)) and any(isinstance(part, ndarray) for part in object):
        from_parts = [values(part._data) if isinstance(part, ndarray) else part for part in object]
        kept = numpy.result_type(*(p.dtype for p in from_parts if hasattr(p, "dtype")))
        return array_on(numpy.array(from_parts, dtype=dt.as_dtype(dtype or kept)), place)
    kept = object.dtype if isinstance(object, (numpy.ndarray, numpy.generic)) and dtype is None else dtype
    try:
        data = numpy.array(object, dtype=dt.as_dtype(kept))
    except ValueError as error:
        raise ValueError(
            f"array: {error}. Nested lists must be rectangular and hold numbers. Check their lengths."
        ) from None
    return array_on(data, place)


def asarray(object, dtype=None, ctx=None, device=None) -> ndarray:
    """`object` itself if it is an ndarray of that dtype, else `array(object)`."""
    if isinstance(object, ndarray) and (dtype is None or object.dtype == dt.as_dtype(dtype)):
        return object
    return array(object, dtype, ctx, device)


def _shape(shape) -> tuple[int, ...]:
    return tuple(int(n) for n in shape) if isinstance(shape, (tuple, list)) else (int(shape),)


def zeros(shape, dtype=None, order="C", ctx=None, device=None) -> ndarray:
    """Zeros of `shape` (an int or a tuple)."""
    return array_on(numpy.zeros(_shape(shape), dt.as_dtype(dtype)), ctx if ctx is not None else device)


def ones(shape, dtype=None, order="C", ctx=None, device=None) -> ndarray:
    """Ones of `shape` (an int or a tuple)."""
    return array_on(numpy.ones(_shape(shape), dt.as_dtype(dtype)), ctx if ctx is not None else device)


def empty(shape, dtype=None, order="C", ctx=None, device=None) -> ndarray:
    """An array of `shape` with whatever the memory held."""
    return array_on(numpy.empty(_shape(shape), dt.as_dtype(dtype)), ctx if ctx is not None else device)


def full(shape, fill_value, dtype=None, order="C", ctx=None, device=None, out=None) -> ndarray:
    """`fill_value` (a number or an array that broadcasts) everywhere."""
    if isinstance(fill_value, ndarray):
        return _broadcast_to(astype(fill_value, dtype or fill_value.dtype), shape=_shape(shape))
    return array_on(numpy.full(_shape(shape), fill_value, dt.as_dtype(dtype)), ctx if ctx is not None else device)


def _like(value):
    def function(a, dtype=None, order="C", ctx=None, device=None, out=None) -> ndarray:
        place = ctx if ctx is not None else device
        data = numpy.full(a.shape, value, dt.as_dtype(dtype or a.dtype))
        return wrap(data, usable(place) if place is not None else a._device, ndarray if current.substitute else type(a))

    return function


zeros_like, ones_like = _like(0), _like(1)
zeros_like.__name__, ones_like.__name__ = "zeros_like", "ones_like"
zeros_like.__doc__ = "Zeros of the shape, dtype and device of `a`."
ones_like.__doc__ = "Ones of the shape, dtype and device of `a`."


def empty_like(prototype, dtype=None, order="C", subok=False, shape=None, ctx=None, device=None) -> ndarray:
    """An uninitialised array of the shape and dtype of `prototype`."""
    if shape is not None:
        like = zeros_like(prototype, dtype, order, ctx, device)
        return empty(shape, like.dtype, order, like.ctx)
    return zeros_like(prototype, dtype, order, ctx, device)


def full_like(a, fill_value, dtype=None, order="C", ctx=None, device=None, out=None) -> ndarray:
    """`fill_value` in the shape and dtype of `a`."""
    return full(a.shape, fill_value, dtype or a.dtype, order, ctx if ctx is not None else a._device, device)


def arange(start, stop=None, step=1, dtype=None, ctx=None, device=None) -> ndarray:
    """Evenly spaced values in [start, stop); float32 unless a dtype is given."""
    if stop is None:
        start, stop = 0, start
    return array_on(numpy.arange(start, stop, step).astype(dt.as_dtype(dtype)), ctx if ctx is not None else device)


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, ctx=None, device=None):
    """`num` evenly spaced values from `start` to `stop`."""
    values, step = numpy.linspace(start, stop, num, endpoint=endpoint, retstep=True, axis=axis)
    y = array_on(values.astype(dt.as_dtype(dtype)), ctx if ctx is not None else device)
    return (y, float(step)) if retstep else y


def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0, ctx=None, device=None) -> ndarray:
    """`num` values from base**start to base**stop, evenly spaced on a logarithmic scale."""
    values = numpy.logspace(start, stop, num, endpoint=endpoint, base=base, axis=axis)
    return array_on(values.astype(dt.as_dtype(dtype)), ctx if ctx is not None else device)


def eye(N, M=None, k=0, dtype=None, ctx=None, device=None) -> ndarray:
    """Ones on the k-th diagonal of an (N, M) matrix."""
    return array_on(numpy.eye(N, M, k, dtype=dt.as_dtype(dtype)), ctx if ctx is not None else device)


def identity(n, dtype=None, ctx=None, device=None) -> ndarray:
    """The (n, n) unit matrix."""
    return eye(n, dtype=dtype, ctx=ctx, device=device)


def meshgrid(*xi, indexing="xy", sparse=False, copy=True) -> list[ndarray]:
    """Coordinate matrices from coordinate vectors, as NumPy's."""
    n = len(xi)
    place = list(range(n))  # the axis along which each vector runs
    if indexing == "xy" and n > 1:
        place[0], place[1] = 1, 0
    shape = tuple(xi[place[j]].size for j in range(n))
    grids = []
    for k, x in enumerate(xi):
        view = _reshape(x, shape=tuple(x.size if j == place[k] else 1 for j in range(n)))
        grids.append(view if sparse else _broadcast_to(view, shape=shape))
    return grids


def copy(a, out=None) -> ndarray:
    """The same values in memory of their own, off the tape's views."""
    if out is None:
        return a.copy()
    out[...] = a
    return out


__all__ = [
    "arange", "array", "asarray", "copy", "empty", "empty_like", "eye", "full", "full_like", "identity",
    "linspace", "logspace", "meshgrid", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip
