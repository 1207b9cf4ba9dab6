"""What iterators say and give: descriptions of arrays, and batches of them."""

from __future__ import annotations

from collections import namedtuple

import numpy

from ..array import ndarray


class DataDesc(namedtuple("DataDesc", ["name", "shape"])):
    """Name and shape of an array of a batch; equal to the tuple of both.

    Args:
        name: of the array.
        shape: with the batch axis.
        dtype: of its values.
        layout: a letter for each axis, `N` for the batch.

    >>> desc = DataDesc('data', (2, 3))
    >>> desc.name, desc.layout, desc == ('data', (2, 3))
    ('data', 'NCHW', True)
    """

    def __new__(cls, name, shape, dtype=numpy.float32, layout="NCHW"):
        made = super().__new__(cls, name, tuple(shape))
        made.dtype, made.layout = dtype, layout
        return made

    def __getnewargs__(self):
        return self.name, self.shape, self.dtype, self.layout

    def __repr__(self):
        return f"DataDesc[{self.name},{self.shape},{self.dtype},{self.layout}]"

    @staticmethod
    def get_batch_axis(layout):
        """Which axis of this layout is the batch; 0 for no layout, -1 where there is none."""
        return 0 if layout is None else layout.find("N")

    @staticmethod
    def get_list(shapes, types):
        """Descriptions from `(name, shape)` pairs and, if there are any, `(name, dtype)` pairs."""
        kinds = dict(types or ())
        return [DataDesc(name, shape, kinds[name]) if kinds else DataDesc(name, shape) for name, shape in shapes]


class DataBatch:
    """Examples that are computed together.

    Args:
        data: a list of arrays, the inputs.
        label: a list of arrays, what belongs to them.
        pad: how many examples at the end only fill the batch.
        index: their numbers.
        bucket_key, provide_data, provide_label: kept as given.

    >>> DataBatch([np.ones((2, 3))], [np.ones(2)])
    DataBatch: data shapes: [(2, 3)] label shapes: [(2,)]
    """

    def __init__(
        self, data, label=None, pad=None, index=None, bucket_key=None, provide_data=None, provide_label=None
    ):
        for name, arrays in (("data", data), ("label", label)):
            if arrays is not None and not isinstance(arrays, (list, tuple)):
                raise TypeError(
                    f"DataBatch: {name} is a {type(arrays).__name__}. A batch has a list of arrays of each. Write"
                    f" [{name}]."
                )
        self.data, self.label, self.pad, self.index = data, label, pad, index
        self.bucket_key, self.provide_data, self.provide_label = bucket_key, provide_data, provide_label

    def __repr__(self):
        data, label = ([x.shape for x in arrays or ()] for arrays in (self.data, self.label))
        return f"DataBatch: data shapes: {data} label shapes: {label if self.label else None}"


def describe(arrays: dict[str, ndarray], batch_size: int, layout: str = "NCHW") -> list[DataDesc]:
    """Descriptions of batches of `batch_size` rows of these arrays.

    >>> describe({'data': numpy.zeros((9, 3), 'int32')}, 2)
    [DataDesc[data,(2, 3),int32,NCHW]]
    """
    return [DataDesc(name, (batch_size, *x.shape[1:]), x.dtype, layout) for name, x in arrays.items()]
