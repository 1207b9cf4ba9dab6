"""Linear recurrences along an axis of NumPy arrays: few steps by NumPy, many by the kernel of `cpu/scan.py`."""

import math
from array import array

import numpy

from . import build, library
from .scratch import NAMES, address

SHORT = 8  # steps below which a NumPy call for each costs less than starting the kernel
GRAIN = 1 << 13  # elements worth another thread that is awake: 3 us


def recurrence(factors, terms, out, axis: int):
    """`y[k] = factors[k] * y[k - 1] + terms[k]` along `axis`, with 0 before the first.

    Args:
        factors, terms, out: float32 or float64 of one dtype and shape, C-contiguous.
    """
    n, outer, inner = out.shape[axis], math.prod(out.shape[:axis]), math.prod(out.shape[axis + 1 :])
    if out.size == 0:
        return out
    if n < SHORT:
        p, b, y = (x.reshape(outer, n, inner) for x in (factors, terms, out))
        y[:, 0] = b[:, 0]
        for k in range(1, n):
            numpy.multiply(p[:, k], y[:, k - 1], out=y[:, k])
            y[:, k] += b[:, k]
        return out
    packed = array("q", [address(factors), address(terms), address(out), n, inner])
    kernel = library.get("scan.recurrence", T=NAMES[out.dtype])
    build.run(kernel, outer, packed.buffer_info()[0], max(1, GRAIN // (n * inner)))
    return out


LARGE = 1 << 14  # elements from which NumPy, which adds one after the other, is slower


def cumsum(x, out):
    """Running sums along the last axis of `x`, in the order and precision of `numpy.cumsum`.

    Args:
        x, out: `(..., n)`, float32 or float64, C-contiguous.
    """
    n = x.shape[-1]
    rows = x.size // n
    packed = array("q", [address(x), address(out), rows, n])
    kernel = library.get("scan.cumsum", T=NAMES[x.dtype])
    build.run(kernel, -(-rows // 8), packed.buffer_info()[0], max(1, GRAIN // (8 * n)))
    return out
