"""Transposes of matrices by the kernel of `cpu/move.py`."""

from array import array

import numpy

from . import build, library, tile
from .scratch import NAMES, address

GRAIN = 1 << 14  # elements worth another thread that is awake


def kernel(dtype) -> build.Kernel:
    """The kernel for float32 or float64; see `cpu/move.py` for its packed words."""
    return library.get("move.transpose", T=NAMES[dtype], LANES=str(tile.lanes(dtype)))


def bands(columns: int, dtype) -> int:
    """Size of its parallel index for a source of so many columns."""
    return -(-columns // tile.lanes(dtype))


def transpose(x: numpy.ndarray, out: numpy.ndarray) -> numpy.ndarray:
    """`out[c, r] = x[r, c]`.

    Args:
        x: `(rows, columns)`, float32 or float64, its rows contiguous.
        out: `(columns, rows)`, of x's dtype, its rows contiguous.

    >>> transpose(numpy.arange(6.0).reshape(2, 3), numpy.empty((3, 2)))
    array([[0., 3.],
           [1., 4.],
           [2., 5.]])
    """
    (rows, columns), item = x.shape, x.itemsize
    packed = array("q", [address(x), address(out), rows, columns, x.strides[0] // item, out.strides[0] // item])
    band = max(rows, 1) * tile.lanes(x.dtype)
    build.run(kernel(x.dtype), bands(columns, x.dtype), packed.buffer_info()[0], max(GRAIN // band, 1))
    return out
