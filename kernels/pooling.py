"""Pooling of NumPy arrays by the kernels of `cpu/pool.py`: geometry, counts and argument packing."""

import functools
import math
from typing import NamedTuple

import numpy

from . import library
from .launches import Launches, Place
from .scratch import NAMES

GRAIN = 1 << 14  # elements touched that are worth another thread that is awake: 2 to 8 us


class Windows(NamedTuple):
    """Three spatial axes each (missing ones in front have length 1), and how sums are divided."""

    size: tuple[int, ...]
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    divide: str = "none"  # 'none'; 'padded': elements of input and padding; 'inside': elements of input


def windows(size, out, kernel, stride, pad, divide="none") -> Windows:
    """The geometry with axes filled up to three."""
    lead = 3 - len(size)
    return Windows(
        (1,) * lead + tuple(size),
        (1,) * lead + tuple(out),
        (1,) * lead + tuple(kernel),
        (1,) * lead + tuple(stride),
        (0,) * lead + tuple(pad),
        divide,
    )


@functools.lru_cache(maxsize=512)
def _counts(win: Windows, T: str):
    """Per axis the number of elements that a window counts, at least 1; their product is the divisor."""
    tables = []
    for n, o, k, s, p in zip(win.size, win.out, win.kernel, win.stride, win.pad, strict=True):
        start = numpy.arange(o) * s - p
        low, high = (start, numpy.minimum(start + k, n + p))
        if win.divide == "inside":
            low, high = numpy.maximum(start, 0), numpy.minimum(start + k, n)
        count = numpy.maximum(high - low, 1) if win.divide != "none" else numpy.ones(o)
        tables.append(numpy.ascontiguousarray(count, T))
    return tuple(tables)


@functools.lru_cache(maxsize=512)
def _edges(win: Windows):
    """For each column of the window, the range of outputs whose column lies in the input."""
    n, count, k, s, p = (axis[2] for axis in (win.size, win.out, win.kernel, win.stride, win.pad))
    shift = numpy.arange(k) - p
    first = numpy.clip(-(shift // s), 0, count)
    last = numpy.maximum(numpy.minimum((n - 1 - shift) // s + 1, count), first)
    return numpy.ascontiguousarray(numpy.stack([first, last], 1), numpy.int64)


def _call(name, planes, x, y, win, *rest):
    _launches(name, planes, win, NAMES[y.dtype], len(rest)).run(x, y, *rest)
    return y


@functools.lru_cache(maxsize=512)
def _launches(name, planes, win, T, rest) -> Launches:
    """One launch; `rest` operands come behind input and output, or a table of counts for each axis."""
    made = Launches(2 + rest)
    words = [Place(0), Place(1), *win.size, *win.out, *win.kernel, *win.stride, *win.pad, made.table(_edges(win))]
    words += [Place(2 + k) for k in range(rest)] if rest else [made.table(t) for t in _counts(win, T)]
    work = math.prod(win.size) + math.prod(win.out) * math.prod(win.kernel)
    made.add(library.get("pool." + name, T=T), planes, GRAIN // max(work, 1), words)
    return made


def _planes(x):
    return x.shape[0] * x.shape[1]


def maximum(x, out, win: Windows):
    """`out: (N, C, *out)`, the maximum of each window of `x: (N, C, *size)`; C-contiguous float32 or
    float64.
    """
    return _call("max_forward", _planes(x), x, out, win)


def _places_fit(win: Windows) -> None:
    """Places in a plane are counted in 32 bits, which vectorize twice as wide."""
    if math.prod(win.size) >= 1 << 31:
        raise ValueError(
            f"max_pool: a plane of {win.size} elements. The gradient counts places in a plane in 32 bits."
            " Pool parts of it."
        )


def maximum_gradient(g, x, out, win: Windows):
    """`out` like `x`: `g` added at the first maximum of each window of `x`."""
    _places_fit(win)
    return _call("max_backward", _planes(x), x, out, win, g)


def maximum_gather(h, x, out, win: Windows):
    """`out: (N, C, *out)`: `h` (like `x`) taken at the first maximum of each window of `x`."""
    _places_fit(win)
    return _call("max_gather", _planes(x), x, out, win, h)


def total(x, out, win: Windows):
    """`out: (N, C, *out)`, the sum of each window over its count."""
    return _call("sum_forward", _planes(x), x, out, win)


def total_gradient(g, out, win: Windows):
    """`out: (N, C, *size)`, the transpose of `total`."""
    return _call("sum_backward", _planes(g), g, out, win)
