"""A list of examples as one batch."""

from __future__ import annotations

import numpy

from ...array import ndarray, wrap
from ...device import cpu


def stack(examples):
    """Examples of one shape along a new first axis: arrays stay arrays, tuples become a list of columns.

    Args:
        examples: a list of arrays, of numbers, or of tuples of these.

    Returns:
        An ndarray of shape `(len(examples), *shape)` and the examples' dtype (Python floats: float32), or a
        list of such for tuples.

    Raises:
        ValueError: the shapes differ.

    >>> [a.shape for a in stack([(numpy.zeros(3), 1), (numpy.ones(3), 2)])]
    [(2, 3), (2,)]
    """
    return _stack(examples, None)


def _stack(examples, like: ndarray | None):
    first = examples[0]
    if isinstance(first, (tuple, list)):
        # A column of plain numbers becomes the kind of array that its neighbours are.
        like = next((e for e in first if isinstance(e, ndarray)), like)
        return [_stack(column, like) for column in zip(*examples, strict=True)]
    if isinstance(first, ndarray):
        return wrap(_stacked([e._data for e in examples]), first.ctx, type(first))
    batch = _stacked([numpy.asarray(e) for e in examples], isinstance(first, float))
    return wrap(batch, cpu(), ndarray if like is None else type(like))


def _stacked(rows, python_floats=False) -> numpy.ndarray:
    shapes = {r.shape for r in rows}
    if len(shapes) > 1:
        raise ValueError(
            f"batchify: examples of shapes {sorted(shapes)} in one batch. They are stacked along a new"
            f" axis. Give them one shape with a transform, or pass a batchify_fn that pads."
        )
    batch = numpy.stack(rows)
    return batch.astype("float32") if python_floats and batch.dtype == "float64" else batch


default_batchify_fn = stack


class Stack:
    """Examples of one shape along a new first axis, as `stack`.

    Args:
        use_shared_mem: accepted; how batches travel between processes is the DataLoader's business.

    >>> Stack()([[1, 2], [3, 4]])[0].shape
    (2,)
    """

    def __init__(self, use_shared_mem=False):
        self._use_shared_mem = use_shared_mem

    def __call__(self, data):
        return stack(data)


class Pad:
    """Examples of different lengths, filled up to the longest, along a new first axis.

    Args:
        axis: which axis of an example differs; all axes are filled up anyway.
        val: what to fill with.
        ret_length: also return the lengths along `axis`, int32.
        dtype: of the batch; that of the examples if None (Python floats: float32).
        round_to: lengths are rounded up to a multiple of this.
        use_shared_mem: accepted, as for `Stack`.

    >>> batch, lengths = Pad(val=-1, ret_length=True)([[1, 2, 3], [4]])
    >>> batch.tolist(), lengths.tolist()
    ([[1, 2, 3], [4, -1, -1]], [3, 1])
    """

    def __init__(self, axis=0, val=0, ret_length=False, dtype=None, round_to=None, use_shared_mem=False):
        self._axis, self._val, self._ret_length = axis, val, ret_length
        self._dtype, self._round_to = dtype, round_to

    def __call__(self, data):
        rows = [e._data if isinstance(e, ndarray) else numpy.asarray(e) for e in data]
        if len({r.ndim for r in rows}) > 1 or rows[0].ndim <= self._axis:
            raise ValueError(
                f"Pad: examples of shapes {sorted({r.shape for r in rows})}, filled up along axis {self._axis}."
                f" They need equally"
                f" many axes, and that one. Give them such shapes with a transform."
            )
        lengths = numpy.array([r.shape[self._axis] for r in rows], "int32")
        shape = [max(sizes) for sizes in zip(*(r.shape for r in rows), strict=True)]
        if self._round_to:
            shape[self._axis] = -(-shape[self._axis] // self._round_to) * self._round_to
        dtype = self._dtype or numpy.result_type(*rows)
        if self._dtype is None and isinstance(data[0], (list, tuple)) and dtype == "float64":
            dtype = "float32"
        batch = numpy.full((len(rows), *shape), self._val, dtype)
        for k, row in enumerate(rows):
            batch[(k, *map(slice, row.shape))] = row
        first = next((e for e in data if isinstance(e, ndarray)), None)
        kind, device = (ndarray, cpu()) if first is None else (type(first), first.ctx)
        padded = wrap(batch, device, kind)
        return (padded, wrap(lengths, device, kind)) if self._ret_length else padded


class Group:
    """One batchify function for each element of the examples, which are tuples.

    Args:
        fn: the functions, as arguments or as one list.

    Raises:
        ValueError: examples with another number of elements.

    >>> tokens, label = Group(Pad(), Stack())([([1, 2], 0), ([3], 1)])
    >>> tokens.shape, label.shape
    ((2, 2), (2,))
    """

    def __init__(self, fn, *args):
        self._functions = (*fn, *args) if isinstance(fn, (list, tuple)) else (fn, *args)

    def __call__(self, data):
        for example in data:
            if len(example) != len(self._functions):
                raise ValueError(
                    f"Group: an example has {len(example)} elements, and there are {len(self._functions)}"
                    f" functions. Each"
                    f" element has its own. Pass as many."
                )
        return tuple(f([e[k] for e in data]) for k, f in enumerate(self._functions))


Tuple = Group
