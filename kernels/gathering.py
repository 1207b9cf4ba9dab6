"""Sums into rows of NumPy arrays by index: small ones by NumPy, large ones by the kernel of
`cpu/gather.py`.
"""

import math
from array import array

import numpy

from . import build, library
from .scratch import NAMES, address

SMALL = 1 << 14  # elements below which NumPy is as fast and compiles nothing
GRAIN = 1 << 13  # sums worth another thread that is awake


def add(g, index, out, axis: int):
    """`out` zeroed, then `g` added at `index` along `axis`: the transpose of `numpy.take`.

    Args:
        g: `outer + index.shape + inner`, float32 or float64, C-contiguous.
        index: int64, in range.
        out: `outer + (n,) + inner`, of g's dtype, C-contiguous.
    """
    n, outer, inner = out.shape[axis], math.prod(out.shape[:axis]), math.prod(out.shape[axis + 1 :])
    if g.size == 0 or (g.size < SMALL // 8 and out.size < SMALL):
        out[...] = 0
        rows = g.reshape(outer, index.size, inner)
        numpy.add.at(out.reshape(outer, n, inner), (slice(None), index.reshape(-1)), rows)
        return out
    # every piece reads all indices, so there should be no more pieces than threads
    grain = max(-(-n // build.threads()), n * GRAIN // max(g.size, out.size), 1)
    packed = array("q", [address(g), address(index), address(out), n, index.size, inner, outer])
    build.run(library.get("gather.add", T=NAMES[out.dtype]), n, packed.buffer_info()[0], grain)
    return out
