"""Large arrays from memory that was used before.

An array of some megabytes that malloc takes from the system and gives back costs a page fault for every 4 KB, more
than a kernel that fills it (half the time of LeNet's eager step). So `empty` keeps what it once allocated, in classes
of size, and hands a block out again when no array looks into it any more, which its reference count tells.
"""

import math
import os
import sys
import threading

import numpy

LARGE = 1 << 17       # bytes from which malloc would ask the system
LARGEST = 1 << 28     # a block above this is not kept
IDLE = 64 << 20       # bytes kept beyond as many as are in use

_lock = threading.Lock()
_blocks: dict[int, list[numpy.ndarray]] = {}


def _holders(blocks, k):
    return sys.getrefcount(blocks[k])


_FREE = _holders([numpy.empty(1)], 0)  # the interpreter's own references differ between Pythons


def empty(shape: tuple[int, ...], dtype) -> numpy.ndarray:
    """An undefined C-contiguous array, like `numpy.empty`.

    >>> empty((512, 512), numpy.float32).shape
    (512, 512)
    """
    dtype = numpy.dtype(dtype)
    need = math.prod(shape) * dtype.itemsize
    if not LARGE <= need <= LARGEST:
        return numpy.empty(shape, dtype)
    step = 1 << (need.bit_length() - 4)  # classes lie an eighth to a sixteenth apart
    size = -(-need // step) * step
    with _lock:
        blocks = _blocks.setdefault(size, [])
        for k in range(len(blocks)):
            if _holders(blocks, k) == _FREE:
                return numpy.ndarray(shape, dtype, blocks[k])
        _trim(size)
        block = numpy.empty(size, numpy.uint8)
        _blocks[size].append(block)
        return numpy.ndarray(shape, dtype, block)


def _trim(coming: int) -> None:
    """Forget idle blocks, the least recently added sizes first, beyond what is in use and IDLE."""
    used = coming
    idle: list[tuple[int, int]] = []
    for size, blocks in _blocks.items():
        for k in range(len(blocks)):
            if _holders(blocks, k) == _FREE:
                idle.append((size, k))
            else:
                used += size
    excess = sum(size for size, _ in idle) - used - IDLE
    drop: dict[int, set[int]] = {}
    for size, k in idle:
        if excess <= 0:
            break
        drop.setdefault(size, set()).add(k)
        excess -= size
    for size, gone in drop.items():
        _blocks[size] = [block for k, block in enumerate(_blocks[size]) if k not in gone]


def held() -> tuple[int, int]:
    """Bytes in blocks that arrays look into, and in idle ones."""
    with _lock:
        used = idle = 0
        for size, blocks in _blocks.items():
            free = sum(_holders(blocks, k) == _FREE for k in range(len(blocks)))
            used, idle = used + size * (len(blocks) - free), idle + size * free
        return used, idle


def release() -> None:
    """Give idle blocks back to the system."""
    with _lock:
        for size, blocks in _blocks.items():
            _blocks[size] = [blocks[k] for k in range(len(blocks)) if _holders(blocks, k) != _FREE]


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
