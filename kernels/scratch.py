"""Scratch memory that kernels reuse from call to call, so that large temporary buffers are not page-faulted
in anew.

Each thread keeps one buffer per slot. A buffer above `LIMIT` bytes is handed out and not kept, so a thread
holds at most `LIMIT` bytes per slot; the slots are the few names used in `kernels/`.
"""

import threading

import numpy

from . import addresses

LIMIT = 64 << 20
NAMES = {numpy.dtype(name): name for name in ("float32", "float64")}  # `dtype.name` takes microseconds

_local = threading.local()


def take(slot: str, count: int, dtype) -> numpy.ndarray:
    """A flat array of `count` elements of `dtype`, 64-byte aligned, undefined; valid until the thread's
    next `take(slot)`.

    >>> take("example", 10, numpy.float32).shape
    (10,)
    """
    dtype = numpy.dtype(dtype)
    need = count * dtype.itemsize
    kept = _local.__dict__.get(slot)
    if kept is None or kept.size < need:
        raw = numpy.empty(max(need, 4096) + 64, numpy.uint8)
        skip = -raw.ctypes.data % 64
        kept = raw[skip : skip + max(need, 4096)]
        if need <= LIMIT:
            setattr(_local, slot, kept)
    return kept[:need].view(dtype)


def release() -> None:
    """Let go of this thread's buffers."""
    _local.__dict__.clear()


watching: list | None = None  # gathers the arrays asked about, while someone writes down what an op launches


def address(x: numpy.ndarray) -> int:
    """Where the first element lies."""
    if watching is not None:
        watching.append(x)
    return addresses.address(x)
