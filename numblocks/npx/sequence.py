"""Batches of sequences of different lengths: mask, last element, reversal."""

from __future__ import annotations

from ..array import ndarray
from ..np.creation import arange
from ..ops import advanced as ad
from ..ops import elementwise as ew
from ..ops import move
from ..ops.scan import flip


def sequence_mask(data, sequence_length=None, use_sequence_length=False, value=0.0, axis=0) -> ndarray:
    """`value` at positions along `axis` (0 or 1) from each sequence's length on; the batch is the other axis."""
    if sequence_length is None or not use_sequence_length:
        return data
    shape = [1] * data.ndim
    shape[axis] = data.shape[axis]
    positions = arange(data.shape[axis], dtype="int64").reshape(shape)
    lengths = [1] * data.ndim
    lengths[1 - axis] = sequence_length.size
    return ew.where(ew.less(positions, move.reshape(sequence_length, shape=tuple(lengths))), data, float(value))


def _key(axis: int) -> tuple:
    """An index with array 0 on the time axis and array 1 on the batch axis."""
    return (("a", 0), ("a", 1)) if axis == 0 else (("a", 1), ("a", 0))


def sequence_last(data, sequence_length=None, use_sequence_length=False, axis=0) -> ndarray:
    """The last element of each sequence along `axis` (0 or 1): `(batch, ...)`; lengths count from 1."""
    if sequence_length is None or not use_sequence_length:
        return move.slice_(data, key=move.freeze_key((slice(None),) * axis + (-1,)))
    last = ew.astype(sequence_length, "int64") - 1
    return ad.gather(data, last, arange(data.shape[1 - axis], dtype="int64"), key=_key(axis))


def sequence_reverse(data, sequence_length=None, use_sequence_length=False, axis=0) -> ndarray:
    """Each sequence in reverse order within its length along `axis` (0 or 1); what lies behind stays."""
    if sequence_length is None or not use_sequence_length:
        return flip(data, axis)
    steps, batch = data.shape[axis], data.shape[1 - axis]
    shape = (steps, 1) if axis == 0 else (1, steps)
    time = arange(steps, dtype="int64").reshape(shape)
    length = move.reshape(ew.astype(sequence_length, "int64"), shape=(1, batch) if axis == 0 else (batch, 1))
    source = ew.where(ew.less(time, length), length - 1 - time, time)
    rows = arange(batch, dtype="int64").reshape((1, batch) if axis == 0 else (batch, 1))
    return ad.gather(data, source, rows, key=_key(axis))


__all__ = ["sequence_last", "sequence_mask", "sequence_reverse"]
