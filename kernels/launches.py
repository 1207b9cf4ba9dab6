"""Launches worked out once for arrays of certain shapes, and run on any: what changes from call to call is where the
operands and the scratch buffers lie.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

import numpy

from . import build, scratch, workers


class Place(NamedTuple):
    """An address: that of an operand or of a scratch buffer, and bytes behind it."""

    base: int
    offset: int = 0


class Launches:
    """Kernels to run one after the other.

    Args:
        operands: how many arrays a call has; `Place(k)` is the beginning of the k-th.

    >>> Launches(2).scratch("example", 10, "float32"), Launches(2).scratch("example", 10, "float32").base
    (Place(base=2, offset=0), 2)
    """

    __slots__ = ("_operands", "_slots", "_steps", "_tables")

    def __init__(self, operands: int):
        self._operands = operands
        self._slots: dict[str, tuple[int, numpy.dtype]] = {}
        self._steps: list[tuple] = []
        self._tables: list[numpy.ndarray] = []

    def scratch(self, slot: str, count: int, dtype) -> Place:
        """The scratch buffer `slot`, of at least `count` elements: undefined where each run begins."""
        known = self._slots.get(slot)
        self._slots[slot] = max(count, known[0] if known else 0), numpy.dtype(dtype)
        return Place(self._operands + list(self._slots).index(slot))

    def table(self, x: numpy.ndarray) -> int:
        """The address of constants, which are kept."""
        self._tables.append(x)
        return scratch.address(x)

    def add(self, kernel, n: int, grain: float, words, grains: float = 0.0) -> None:
        """Run `kernel` over `[0, n)`, in pieces of at least `grain`.

        Args:
            words: the packed arguments, ints and Places.
            grains: of work there are, where `grain` hides it.
        """
        template = array("q", [0 if isinstance(w, Place) else w for w in words])
        places = [(k, *w) for k, w in enumerate(words) if isinstance(w, Place)]
        self._steps.append((kernel, n, max(int(grain), 1), template, places, grains >= workers.WORTH_WAKING))

    def run(self, *arrays: numpy.ndarray) -> None:
        """Run on these operands, C-contiguous and of the shapes and the dtype that the launches were made for."""
        bases = [scratch.address(x) for x in arrays]
        for slot, (count, dtype) in self._slots.items():
            bases.append(scratch.address(scratch.take(slot, count, dtype)))
        if scratch.watching is not None:
            scratch.watching.extend(self._tables)
        for kernel, n, grain, template, places, long in self._steps:
            packed = template[:]
            for position, base, offset in places:
                packed[position] = bases[base] + offset
            if long and not build.interpreted():
                workers.call_up(build.load)
            build.run(kernel, n, packed.buffer_info()[0], grain)
