"""`IntervalSampler`: every k-th example."""

from __future__ import annotations

from ...data import Sampler


class IntervalSampler(Sampler):
    """0, k, 2k ..., then 1, k + 1, ... and so on: neighbours in a sequence are far from each other.

    Args:
        length: how many examples there are.
        interval: k.
        rollover: go on from 1 when the end is reached; else stop there.

    Raises:
        AssertionError: the interval is below 1, or longer than the sequence.

    >>> list(IntervalSampler(7, interval=3))
    [0, 3, 6, 1, 4, 2, 5]
    """

    def __init__(self, length: int, interval: int, rollover: bool = True):
        if not 1 <= interval <= length:
            raise AssertionError(
                f"IntervalSampler: interval {interval}, length {length}. Interval {interval} must be smaller than or"
                f" equal to length {length}, and at least 1. Pass such."
            )
        self._length, self._interval, self._rollover = length, interval, rollover

    def __iter__(self):
        for start in range(self._interval if self._rollover else 1):
            yield from range(start, self._length, self._interval)

    def __len__(self) -> int:
        return self._length if self._rollover else -(-self._length // self._interval)
