"""The order in which examples are read."""

from __future__ import annotations

from ...random import numpy_generator


class Sampler:
    """Base of all samplers: a subclass defines `__iter__()` and `__len__()`."""

    def __iter__(self):
        raise NotImplementedError(
            f"{type(self).__name__}: define __iter__(self), which yields example numbers."
        )

    def __len__(self) -> int:
        raise NotImplementedError(
            f"{type(self).__name__}: define __len__(self), how many numbers that yields."
        )


class SequentialSampler(Sampler):
    """`start`, `start + 1`, ... `start + length - 1`."""

    def __init__(self, length: int, start: int = 0):
        self._length, self._start = length, start

    def __iter__(self):
        return iter(range(self._start, self._start + self._length))

    def __len__(self) -> int:
        return self._length


class RandomSampler(Sampler):
    """0 to `length - 1` in a new random order each time; `numblocks.random.seed` repeats the orders."""

    def __init__(self, length: int):
        self._length = length

    def __iter__(self):
        return iter(numpy_generator().permutation(self._length).tolist())

    def __len__(self) -> int:
        return self._length


class FilterSampler(Sampler):
    """The numbers of the examples for which `fn(example)` is true."""

    def __init__(self, fn, dataset):
        self._indices = [k for k in range(len(dataset)) if fn(dataset[k])]

    def __iter__(self):
        return iter(self._indices)

    def __len__(self) -> int:
        return len(self._indices)


class BatchSampler(Sampler):
    """Lists of `batch_size` numbers of another sampler.

    Args:
        sampler: where the numbers come from.
        batch_size: how many make a batch.
        last_batch: what to do with fewer: `'keep'` them as a smaller batch, `'discard'` them, or `'rollover'`
            (begin the next round with them).

    Raises:
        ValueError: an unknown `last_batch`, or a batch size below 1.

    >>> list(BatchSampler(SequentialSampler(5), 2))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler, batch_size: int, last_batch: str = "keep"):
        if last_batch not in ("keep", "discard", "rollover"):
            raise ValueError(
                f"BatchSampler: last_batch is {last_batch!r}. It says what becomes of the examples left"
                f" over. last_batch must be one of 'keep', 'discard', or 'rollover'."
            )
        if batch_size < 1:
            raise ValueError(
                f"BatchSampler: batch_size={batch_size}. A batch has at least one example. Pass 1 or more."
            )
        self._sampler, self._batch_size, self._last_batch = sampler, int(batch_size), last_batch
        self._left: list = []

    def __iter__(self):
        batch, self._left = self._left, []
        for index in self._sampler:
            batch.append(index)
            if len(batch) == self._batch_size:
                yield batch
                batch = []
        if batch and self._last_batch == "keep":
            yield batch
        elif self._last_batch == "rollover":
            self._left = batch

    def __len__(self) -> int:
        count = len(self._sampler)
        if self._last_batch == "keep":
            return -(-count // self._batch_size)
        return (count + len(self._left)) // self._batch_size
