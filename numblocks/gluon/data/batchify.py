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
