"""Batches of arrays that lie in memory."""

from __future__ import annotations

import numpy

from ..array import ndarray, place, wrap
from ..device import cpu
from ..random import numpy_generator
from .base import DataIter
from .batch import describe

_HANDLES = ("pad", "discard", "roll_over")


def last_batch(where: str, handle: str) -> str:
    """`handle` if it is one, else `ValueError`."""
    if handle not in _HANDLES:
        raise ValueError(f"{where}: last_batch_handle={handle!r}. Use one of {', '.join(map(repr, _HANDLES))}.")
    return handle


def named(where: str, source, name: str, empty: bool) -> dict[str, ndarray]:
    """Arrays under names: a dict of arrays, one array, or several.

    Raises:
        TypeError: something else.
        ValueError: nothing, where something is needed.

    >>> list(named('doc', [numpy.ones(2), numpy.ones(2)], 'data', False))
    ['_0_data', '_1_data']
    """
    if isinstance(source, dict):
        found = dict(sorted(source.items()))
    elif isinstance(source, (list, tuple)):
        found = {name if len(source) == 1 else f"_{k}_{name}": x for k, x in enumerate(source)}
    else:
        found = {} if source is None else {name: source}
    if not found and not empty:
        raise ValueError(f"{where}: no {name}. A batch has at least one array. Pass one.")
    for key, x in found.items():
        if not hasattr(x, "shape") or not hasattr(x, "dtype"):
            raise TypeError(
                f"{where}: {key} is a {type(x).__name__}. Batches are made of arrays. Pass an array, a list or a dict"
                f" of arrays."
            )
        if not isinstance(x, ndarray):
            x = numpy.asarray(x)
            # as everywhere: wide numbers of NumPy's own making become the default float
            found[key] = wrap(x.astype("float32") if x.dtype in ("float64", "int64") else x, cpu())
    return found


class NDArrayIter(DataIter):
    """Batches of consecutive rows of arrays.

    Args:
        data: an array, a list of arrays, or a dict of named arrays, NumPy's or ours. Batches of ours have their class;
            NumPy's 64-bit numbers become float32, as in MXNet.
        label: the same for labels; None for none.
        batch_size: number of rows of a batch.
        shuffle: draw the rows in a new random order after each `reset` (from `numblocks.random`).
        last_batch_handle: what becomes of rows that fill no batch: `'pad'` fills it with rows from the beginning and
            says how many in `pad`; `'discard'` leaves them out; `'roll_over'` begins the next round with them.
        data_name, label_name: names of single arrays.
        layout: what `provide_data` says.

    Raises:
        TypeError: no arrays.
        ValueError: arrays of different length, or fewer rows than a batch has.

    >>> it = NDArrayIter(numpy.arange(5.0), batch_size=2)
    >>> [(batch.data[0].tolist(), batch.pad) for batch in it]
    [([0.0, 1.0], 0), ([2.0, 3.0], 0), ([4.0, 0.0], 1)]
    """

    def __init__(
        self, data, label=None, batch_size=1, shuffle=False, last_batch_handle="pad", data_name="data",
        label_name="softmax_label", layout="NCHW",
    ):  # fmt: skip
        super().__init__(batch_size)
        self.data = named("NDArrayIter", data, data_name, empty=False)
        self.label = named("NDArrayIter", label, label_name, empty=True)
        lengths = {name: len(x) for name, x in (self.data | self.label).items()}
        self.num_data = next(iter(lengths.values()))
        if len(set(lengths.values())) > 1:
            raise ValueError(
                f"NDArrayIter: {lengths} rows. Row k of each array belongs to example k. Give them one length."
            )
        if not 1 <= batch_size <= self.num_data:
            raise ValueError(
                f"NDArrayIter: batches of {batch_size} from {self.num_data} rows. A batch needs at least one row and"
                f" cannot have more than there are. Change batch_size."
            )
        self.num_source = len(self.data)
        self.shuffle, self.layout = shuffle, layout
        self.last_batch_handle = last_batch("NDArrayIter", last_batch_handle)
        self._left = numpy.zeros(0, int)  # rows that roll over
        self.reset()

    @property
    def provide_data(self):
        """Descriptions of the inputs."""
        return describe(self.data, self.batch_size, self.layout)

    @property
    def provide_label(self):
        """Descriptions of the labels."""
        return describe(self.label, self.batch_size, self.layout)

    def hard_reset(self) -> None:
        """Begin again, and forget the rows that would roll over."""
        self._left = self._left[:0]
        self.reset()

    def reset(self) -> None:
        """Begin again."""
        rows = numpy.arange(self.num_data)
        self._order = numpy_generator().permutation(rows) if self.shuffle else rows  # what fills the last batch
        self.idx = numpy.concatenate([self._left, self._order])
        self._left = self._left[:0]
        self.cursor = -self.batch_size

    def iter_next(self):
        self.cursor += self.batch_size
        left = self.idx[self.cursor :]
        if len(left) >= self.batch_size:
            return True
        if self.last_batch_handle == "roll_over":
            self._left = left
        return len(left) > 0 and self.last_batch_handle == "pad"

    def getindex(self):
        return self._rows()

    def _rows(self):
        if self.cursor < 0:
            raise RuntimeError("NDArrayIter: there is no batch yet. Call next() or iter_next() first.")
        rows = self.idx[self.cursor : self.cursor + self.batch_size]
        return numpy.concatenate([rows, self._order[: self.batch_size - len(rows)]])

    def getdata(self):
        return self._take(self.data)

    def getlabel(self):
        return self._take(self.label)

    def _take(self, arrays):
        rows = self._rows()
        return [place(numpy.asarray(x)[rows], x.ctx, type(x)) for x in arrays.values()]

    def getpad(self):
        return max(0, self.cursor + self.batch_size - len(self.idx)) if self.last_batch_handle == "pad" else 0
