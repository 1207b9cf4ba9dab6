"""Memory of a plan: buffers that are never needed at the same time share bytes of one arena."""

from __future__ import annotations

import numpy

ALIGN = 64  # bytes; a cache line and the widest vector


class Arena:
    """Places buffers, each needed from one step to another, into as few bytes as a greedy rule finds."""

    def __init__(self):
        self.wanted: list[list] = []  # [first, last, bytes, key]

    def want(self, key, nbytes: int, first: int, last: int) -> None:
        """Ask for `nbytes` that hold from step `first` to step `last`."""
        self.wanted.append([first, last, -(-max(nbytes, 1) // ALIGN) * ALIGN, key])

    def place(self) -> tuple[dict, int]:
        """`(key -> offset, total bytes)`: large buffers first, each at the lowest offset free in its whole life."""
        placed: list[tuple[int, int, int, int]] = []  # offset, end, first, last
        offsets: dict = {}
        total = 0
        for first, last, size, key in sorted(self.wanted, key=lambda w: -w[2]):
            at = 0
            for offset, end, _, _ in sorted(p for p in placed if p[2] <= last and first <= p[3]):
                if at + size <= offset:
                    break
                at = max(at, end)
            placed.append((at, at + size, first, last))
            offsets[key] = at
            total = max(total, at + size)
        return offsets, total


def allocate(nbytes: int) -> numpy.ndarray:
    """`nbytes` of uninitialised memory that starts on a multiple of `ALIGN`."""
    raw = numpy.empty(nbytes + ALIGN, numpy.uint8)
    shift = -raw.__array_interface__["data"][0] % ALIGN
    return raw[shift : shift + nbytes]
