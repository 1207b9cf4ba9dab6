"""Examples by number."""

from __future__ import annotations

import numpy

from ...array import ndarray, wrap
from ...device import cpu
from ..progress import bar
from .sampler import Sampler


class Dataset:
    """Base of all datasets: a subclass defines `__getitem__(idx)` and `__len__()`.

    >>> data = SimpleDataset([1, 2, 3, 4]).filter(lambda x: x % 2 == 0).transform(lambda x: 10 * x)
    >>> list(data)
    [20, 40]
    """

    def __getitem__(self, idx):
        raise NotImplementedError(
            f"{type(self).__name__}: define __getitem__(self, idx), which returns one example."
        )

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: define __len__(self), the number of examples.")

    def __iter__(self):
        # By length, not until IndexError: a dataset over arrays may accept indices past its own end.
        return (self[k] for k in range(len(self)))

    def filter(self, fn) -> SimpleDataset:
        """The examples for which `fn(example)` is true."""
        return SimpleDataset([example for example in _read(self, "filtering") if fn(example)])

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Part `index` of `num_shards` parts whose sizes differ by at most one.

        Raises:
            ValueError: fewer than one part, or an index that is none of them.
        """
        if num_shards < 1 or not 0 <= index < num_shards:
            raise ValueError(
                f"shard: part {index} of {num_shards}. Parts count from 0 and there is at least one. Pass 0"
                f" <= index < num_shards."
            )
        size, larger = divmod(len(self), num_shards)
        start = size * index + min(index, larger)
        return _Chosen(self, range(start, start + size + (index < larger)))

    def take(self, count: int | None) -> Dataset:
        """The first `count` examples, all of them if there are fewer or `count` is None."""
        if count is not None and count < 0:
            raise ValueError(
                f"take: count={count}. A number of examples is 0 or more. Pass such, or None for all."
            )
        return _Chosen(self, range(len(self) if count is None else min(count, len(self))))

    def sample(self, sampler: Sampler) -> Dataset:
        """The examples that a `Sampler` names, in its order."""
        if not isinstance(sampler, Sampler):
            raise TypeError(
                f"sample: got {type(sampler).__name__}. A gluon.data.Sampler says which. Pass one."
            )
        return _Chosen(self, list(sampler))

    def transform(self, fn, lazy: bool = True) -> Dataset:
        """`fn` of each example; of `(a, b)` it is called as `fn(a, b)`.

        Args:
            fn: the function or Block.
            lazy: apply it whenever an example is read; False applies it to all of them now.
        """
        changed = _Transformed(self, fn)
        return changed if lazy else SimpleDataset(list(_read(changed, "transforming")))

    def transform_first(self, fn, lazy: bool = True) -> Dataset:
        """`fn` of the first element of each example, which leaves labels alone."""
        changed = _TransformedFirst(self, fn)
        return changed if lazy else SimpleDataset(list(_read(changed, "transforming")))

    def _rows(self, indices) -> list | None:
        """The batch of these examples as a list of columns, if that is cheaper than one by one; else None."""
        return None


def _read(data: Dataset, what: str):
    """The examples one by one, with a progress bar if that takes long."""
    with bar(len(data), what, "example", delay=1.0) as progress:
        for example in data:
            yield example
            progress.update()


class SimpleDataset(Dataset):
    """Any list, or whatever has `__getitem__` and `__len__`."""

    def __init__(self, data):
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, idx):
        return self._data[idx]


class ArrayDataset(Dataset):
    """Several arrays, lists or datasets of one length; example i is the tuple of their elements i.

    Args:
        args: at least one; with one, examples are not tuples.

    Raises:
        AssertionError: their lengths differ.

    >>> ArrayDataset([1, 2], ['a', 'b'])[1]
    (2, 'b')
    """

    def __init__(self, *args):
        if not args:
            raise AssertionError("ArrayDataset: no arrays. An example needs at least one. Pass one or more.")
        lengths = [len(a) for a in args]
        for k, length in enumerate(lengths):
            if length != lengths[0]:
                raise AssertionError(
                    f"ArrayDataset: array 0 has length {lengths[0]}, array {k} has {length}. Element i of"
                    f" each array belongs to example i. All arrays must have the same length."
                )
        self._length = lengths[0]
        self._sources = args
        # Elements of a vector are plain numbers, as labels should be; its buffer is shared, not copied.
        self._data = [a._data if isinstance(a, ndarray) and a.ndim == 1 else a for a in args]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, idx):
        if len(self._data) == 1:
            return self._data[0][idx]
        return tuple(a[idx] for a in self._data)

    def _rows(self, indices):
        if not all(isinstance(a, (ndarray, numpy.ndarray)) for a in self._sources):
            return None
        chosen = numpy.asarray(indices)
        return [
            wrap(a._data[chosen], a.ctx, type(a)) if isinstance(a, ndarray) else wrap(a[chosen], cpu())
            for a in self._sources
        ]


class _Chosen(Dataset):
    def __init__(self, data, indices):
        self._data, self._indices = data, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, idx):
        return self._data[self._indices[idx]]

    def _rows(self, indices):
        return (
            self._data._rows([self._indices[k] for k in indices]) if isinstance(self._data, Dataset) else None
        )


class _Transformed(Dataset):
    def __init__(self, data, fn):
        self._data, self._fn = data, fn

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, idx):
        example = self._data[idx]
        return self._fn(*example) if isinstance(example, tuple) else self._fn(example)


class _TransformedFirst(_Transformed):
    def __getitem__(self, idx):
        example = self._data[idx]
        return (self._fn(example[0]), *example[1:]) if isinstance(example, tuple) else self._fn(example)
