"""Losses of sequences without alignment."""

from __future__ import annotations

import numpy

from ..array import ndarray, wrap
from ..ops import ctc
from ..ops import elementwise as ew
from ..ops import reduce as red
from ..ops.scan import cumsum


def ctc_loss(data, label, data_lengths=None, label_lengths=None, use_data_lengths=False, use_label_lengths=False,
             blank_label="first") -> ndarray:  # fmt: skip
    """Connectionist temporal classification (Graves et al. 2006): `(batch,)`, minus the log-probability of each label
    sequence under all its alignments.

    Args:
        data: `(time, batch, classes)`, before softmax.
        label: `(batch, labels)`: class numbers. Behind a sequence stands 0 if `blank_label` is 'first', else -1.
        data_lengths, label_lengths: `(batch,)`, used with `use_data_lengths`, `use_label_lengths` (or when given
            alone).
        blank_label: 'first' (class 0 is the blank) or 'last'.
    """
    if blank_label not in ("first", "last"):
        raise ValueError(f"ctc_loss: blank_label {blank_label!r} is unknown. Use 'first' or 'last'.")
    blank = 0 if blank_label == "first" else data.shape[2] - 1
    if data_lengths is None:
        data_lengths = wrap(numpy.full(data.shape[1], data.shape[0], numpy.int64), data.ctx)
    if label_lengths is None:  # up to the first padding
        real = ew.astype(ew.greater(label, 0) if blank_label == "first" else ew.greater_equal(label, 0), "int64")
        label_lengths = red.sum_(_leading(real), axis=(1,), keepdims=False)
    as_int = lambda x: ew.astype(x, "int64").detach()
    return ctc.ctc_loss(data, as_int(label), as_int(data_lengths), as_int(label_lengths), blank=blank)


def _leading(real) -> ndarray:
    """1 up to the first 0 of each row."""
    return ew.astype(ew.equal(cumsum(1 - real, axis=1), 0), "int64")


__all__ = ["ctc_loss"]
