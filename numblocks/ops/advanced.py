"""Indexing with integer arrays, and its dual: adding into the places an index names."""

from __future__ import annotations

import numpy

from ..array import Aval
from .index import whole
from .kinds import primitive, stand_in
from .move import thaw_key


def fill_key(key, indices):
    """The NumPy index for a frozen `key` in which `('a', k)` stands for `indices[k]`."""
    parts = []
    for part in key:
        if isinstance(part, tuple) and part[0] == "a":
            parts.append(whole("index", indices[part[1]], IndexError))
        else:
            parts.append(thaw_key((part,))[0])
    return tuple(parts)


def _infer(x, *indices, key):
    zeros = [numpy.zeros(i.shape, numpy.int64) for i in indices]
    whole_array = stand_in(Aval(x.shape, x.dtype)) if x.size else numpy.empty(x.shape, x.dtype)
    y = whole_array[fill_key(key, zeros)]
    return Aval(y.shape, x.dtype)


def _index_vjp(g, y, x, *indices, index, key):
    return index_add(g, *indices, key=key, shape=x.shape) if index == 0 else None


@primitive(kind="gather", infer=_infer, vjp=_index_vjp)
def gather(x, *indices, key, out=None):
    """`x[key]` where `key` holds integer arrays (`('a', k)` for `indices[k]`) beside basic parts."""
    places = fill_key(key, indices)
    try:
        y = x[places]
    except IndexError as error:
        raise IndexError(f"index: {error} (array of shape {x.shape}).") from None
    if out is None:
        return y
    out[...] = y
    return out


def _index_add_vjp(h, y, g, *indices, index, key, shape):
    return gather(h, *indices, key=key) if index == 0 else None


@primitive(kind="gather", infer=lambda g, *indices, key, shape: Aval(tuple(shape), g.dtype), vjp=_index_add_vjp)
def index_add(g, *indices, key, shape, out=None):
    """Zeros of `shape` with `g` added where `key` points; repeated places add up."""
    if out is None:
        out = numpy.zeros(shape, g.dtype)
    else:
        out[...] = 0
    numpy.add.at(out, fill_key(key, indices), g)
    return out
