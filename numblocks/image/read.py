"""Picture files as arrays, by Pillow: `pip install 'numblocks[image]'`."""

from __future__ import annotations

import os

import numpy

from ..formats.picture import decode
from .pixels import like


def imread(filename, flag=1, to_rgb=True, out=None):
    """Read a picture file.

    Args:
        filename: its path.
        flag: 1 for colour, `(height, width, 3)`; 0 for grey, `(height, width, 1)`; -1 as stored.
        to_rgb: red first, else blue first.
        out: an array of that shape to fill.

    Returns:
        uint8 ndarray.

    Raises:
        ImportError: Pillow is not installed.
        FileNotFoundError: there is no such file.
        ValueError: not a picture.

    >>> imread('cat.jpg').shape                                         # doctest: +SKIP
    (400, 500, 3)
    """
    return _given(decode(os.path.expanduser(os.fspath(filename)), flag), to_rgb, out)


def imdecode(buf, flag=1, to_rgb=True, out=None):
    """Read a picture from the bytes of its file.

    Args:
        buf: bytes, or a uint8 array of them.
        flag, to_rgb, out: as for `imread`.

    Returns:
        uint8 ndarray.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: not a picture.

    >>> from numblocks.formats.picture import encode
    >>> imdecode(encode(numpy.zeros((4, 6, 3), 'uint8'))).shape
    (4, 6, 3)
    """
    if not isinstance(buf, (bytes, bytearray, memoryview)):
        buf = numpy.asarray(buf)
        if buf.dtype != numpy.uint8:
            raise TypeError(
                f"imdecode: an array of dtype {buf.dtype}. The bytes of a file are uint8. Pass file.read(), or"
                f" numpy.frombuffer(file.read(), 'uint8')."
            )
        buf = buf.tobytes()
    return _given(decode(bytes(buf), flag), to_rgb, out)


def _given(x, to_rgb, out):
    if not to_rgb and x.shape[2] >= 3:
        x = numpy.concatenate([x[..., 2::-1], x[..., 3:]], axis=2)
    if out is None:
        return like(x, None)
    out[:] = x
    return out
