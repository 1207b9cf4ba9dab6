"""Functions whose answer has a shape or a kind that only values decide: NumPy computes them on the values.

They are not differentiable, and a hybridized Block that calls one on a traced array gets a `TraceError`.
"""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval, ndarray, wrap
from ..device import usable
from ..errors import TraceError


def values(x, where: str):
    """The NumPy array of an ndarray (its buffer), of lists of them, or `x` as it is."""
    if isinstance(x, ndarray):
        if isinstance(x._data, Aval):
            raise TraceError(
                f"{where}: the array {x._data} is traced{x._data.origin()}, so it has no values yet, and the"
                " answer (or its"
                f" shape) depends on them. Use masks (np.where) instead, or leave this Block unhybridized."
            )
        return x._data
    if isinstance(x, (list, tuple)):
        return type(x)(values(part, where) for part in x)
    if isinstance(x, dict):
        return {k: values(part, where) for k, part in x.items()}
    return x


def _arrays(x):
    if isinstance(x, ndarray):
        yield x
    elif isinstance(x, (list, tuple)):
        for part in x:
            yield from _arrays(part)


def wrapped(y, like: list[ndarray], where: str):
    """NumPy's answer as ndarrays; float64 only if one of the arguments `like` is."""
    if isinstance(y, (list, tuple)):
        parts = [wrapped(part, like, where) for part in y]
        return parts if isinstance(y, list) else tuple(parts)
    if not isinstance(y, (numpy.ndarray, numpy.generic)):
        return y
    y = numpy.asarray(y)
    if y.dtype.kind == "c":
        if numpy.abs(y.imag).max(initial=0.0) > 0:
            raise ValueError(
                f"{where}: the answer has complex values. Arrays hold real numbers. Use numpy itself on"
                " x.asnumpy() for these."
            )
        y = y.real
    if y.dtype.kind == "f":
        floats = [x.dtype for x in like if x.dtype.kind == "f"]
        if y.dtype not in floats:
            y = y.astype(dt.promote(*floats) if floats else dt.DEFAULT)
    return wrap(y.astype(dt.as_dtype(y.dtype), copy=False), like[0]._device if like else usable(None))


def on_host(where: str, function, *args, **kwargs):
    """`function` of NumPy's on the values of the arguments, the answer as ndarrays."""
    like = list(_arrays(args)) + list(_arrays(list(kwargs.values())))
    with numpy.errstate(all="ignore"):
        return wrapped(function(*values(args, where), **values(kwargs, where)), like, where)


def from_numpy(name: str, text: str):
    """NumPy's function of that name on our arrays.

    Args:
        text: its docstring.
    """
    function = getattr(numpy, name)

    def call(*args, out=None, **kwargs):
        y = on_host(name, function, *args, **kwargs)
        if out is None:
            return y
        out._data[...] = y._data
        return out

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{text} Arguments as NumPy's; not differentiable."
    return call


__all__ = ["from_numpy", "on_host", "values", "wrapped"]
