"""Large arrays from memory that was used before.

An array of some megabytes that malloc takes from the system and gives back costs a page fault for every 4 KB, more
than a kernel that fills it (half the time of LeNet's eager step). So `empty` keeps what it once allocated, in classes
of size, and hands a block out again when no array looks into it any more, which its reference count tells.

What was asked for before is found by its shape: each block keeps the array it was last handed out as, and a fresh view
of that is a tenth of a microsecond away.
"""

import functools
import math
import os
import sys
import threading

import numpy

LARGE = 1 << 17       # bytes from which malloc would ask the system
LARGEST = 1 << 28     # a block above this is not kept
IDLE = 64 << 20       # bytes kept beyond as many as are in use

_lock = threading.Lock()
_acquire, _release = _lock.acquire, _lock.release
_count = sys.getrefcount


class _Block:
    """Memory, and the one array over it that is kept, to make views of."""

    __slots__ = ("memory", "array", "key")

    def __init__(self, memory: numpy.ndarray):
        self.memory, self.array, self.key = memory, None, None

    def cast(self, key: tuple) -> None:
        """Serve arrays of another shape or dtype from now on."""
        if self.key is not None:
            _shaped[self.key].remove(self)
            if not _shaped[self.key]:
                del _shaped[self.key]
        self.array, self.key = numpy.ndarray(*key, self.memory), key
        _shaped.setdefault(key, []).append(self)


_blocks: dict[int, list[_Block]] = {}                      # by size
_shaped: dict[tuple, list[_Block]] = {}                    # by what they were last used as


def _free_count() -> int:
    block = _Block(numpy.empty(1, numpy.uint8))
    block.cast(((1,), numpy.dtype("uint8")))
    _shaped.clear()
    return _count(block.memory)


_FREE = _free_count()  # the interpreter's own references differ between Pythons


def empty(shape: tuple[int, ...], dtype) -> numpy.ndarray:
    """An undefined C-contiguous array, like `numpy.empty`.

    >>> empty((512, 512), numpy.float32).shape
    (512, 512)
    """
    key = (shape, dtype)
    if key in _shaped:
        _acquire()  # `with` takes 0.15 us more
        try:
            for block in _shaped.get(key, ()):
                if _count(block.memory) == _FREE:
                    return block.array[...]
        finally:
            _release()
    dtype = numpy.dtype(dtype)
    need = math.prod(shape) * dtype.itemsize
    if not LARGE <= need <= LARGEST:
        return numpy.empty(shape, dtype)
    step = 1 << (need.bit_length() - 4)  # classes lie an eighth to a sixteenth apart
    size = -(-need // step) * step
    with _lock:
        found = next((block for block in _blocks.get(size, ()) if _count(block.memory) == _FREE), None)
        if found is None:
            _trim(size)
            found = _Block(numpy.empty(size, numpy.uint8))
            _blocks.setdefault(size, []).append(found)
        found.cast((tuple(shape), dtype))
        return found.array[...]


def maker(shape: tuple[int, ...], dtype):
    """A function that makes such arrays: `empty`, with what depends on the size alone decided."""
    small = math.prod(shape) * numpy.dtype(dtype).itemsize < LARGE
    return functools.partial(numpy.empty if small else empty, shape, dtype)


def _trim(coming: int) -> None:
    """Forget idle blocks, the least recently added sizes first, beyond what is in use and IDLE."""
    used, idle = coming, []
    for size, blocks in _blocks.items():
        free = [block for block in blocks if _count(block.memory) == _FREE]
        idle += [(size, block) for block in free]
        used += size * (len(blocks) - len(free))
    excess = sum(size for size, _ in idle) - used - IDLE
    for size, block in idle:
        if excess <= 0:
            break
        _drop(size, block)
        excess -= size


def _drop(size: int, block: _Block) -> None:
    _blocks[size].remove(block)
    _shaped[block.key].remove(block)
    if not _shaped[block.key]:
        del _shaped[block.key]


def held() -> tuple[int, int]:
    """Bytes in blocks that arrays look into, and in idle ones."""
    with _lock:
        used = idle = 0
        for size, blocks in _blocks.items():
            free = sum(_count(block.memory) == _FREE for block in blocks)
            used, idle = used + size * (len(blocks) - free), idle + size * free
        return used, idle


def release() -> None:
    """Give idle blocks back to the system."""
    with _lock:
        for size, blocks in _blocks.items():
            for block in [block for block in blocks if _count(block.memory) == _FREE]:
                _drop(size, block)


def _after_fork() -> None:
    global _lock, _acquire, _release
    _lock = threading.Lock()
    _acquire, _release = _lock.acquire, _lock.release


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
