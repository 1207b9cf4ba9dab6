"""Batches from text files of numbers."""

from __future__ import annotations

from math import prod

import numpy

from .arrays import NDArrayIter


class CSVIter(NDArrayIter):
    """Batches of the lines of a file of comma-separated numbers.

    Args:
        data_csv: the file; a line is an example.
        data_shape: what each line is reshaped to.
        label_csv: a file of labels; without it all labels are 0.
        label_shape: of each label; `(1,)` gives batches of shape `(batch_size,)`.
        batch_size: number of lines of a batch.
        round_batch: fill the last batch from the beginning, and in the next round go on behind what was used; else
            each round begins at the first line.
        dtype: of the data.
        others: of MXNet's arguments, `prefetch_buffer` and `ctx` are accepted and change nothing.

    Raises:
        ValueError: lines of another length than the shape needs.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / 'a.csv'
    >>> _ = path.write_text('1,2\\n3,4')
    >>> next(CSVIter(data_csv=path, data_shape=(2,), batch_size=2)).data[0].tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """

    def __init__(
        self, data_csv, data_shape, label_csv=None, label_shape=(1,), batch_size=1, round_batch=True, dtype="float32",
        **others,
    ):  # fmt: skip
        unknown = set(others) - {"prefetch_buffer", "ctx"}
        if unknown:
            raise TypeError(f"CSVIter: unknown arguments {sorted(unknown)}. Leave them out.")
        data = _table(data_csv, data_shape, dtype or "float32")
        label = numpy.zeros(len(data), "float32")
        if label_csv is not None:
            label = _table(label_csv, label_shape, "float32")
            label = label[:, 0] if tuple(label_shape) == (1,) else label
        self._round, self._ahead = round_batch, 0
        super().__init__(data, label, batch_size)

    def reset(self):
        super().reset()
        self.idx, self._ahead = self._order[self._ahead :], 0

    def iter_next(self):
        there = super().iter_next()
        if there and self._round:
            self._ahead = self.getpad()
        return there


def _table(path, shape, dtype) -> numpy.ndarray:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    rows = numpy.loadtxt(path, dtype, delimiter=",", ndmin=2)
    if rows.shape[1] != prod(shape):
        raise ValueError(
            f"CSVIter: lines of {rows.shape[1]} numbers in '{path}'. Shape {shape} has {prod(shape)}. Change one."
        )
    return rows.reshape((-1, *shape))
