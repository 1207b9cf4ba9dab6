"""Connectionist temporal classification (Graves et al. 2006): forward and backward over all alignments, in
logarithms."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval
from ..errors import MXNetError
from ..op import current
from . import ctc_steps
from .kinds import primitive
from .move import reshape

LOW = -1e30  # stands for log 0: no nan comes of differences


def _infer(scores, labels, lengths, label_lengths, *, blank):
    if scores.ndim != 3 or labels.ndim != 2 or scores.shape[1] != labels.shape[0]:
        raise MXNetError(
            f"ctc_loss: scores of shape {tuple(scores.shape)} and labels of shape {tuple(labels.shape)}. They are"
            f" (time, batch,"
            f" classes) and (batch, labels). Transpose one of them."
        )
    if lengths.shape != (scores.shape[1],) or label_lengths.shape != (scores.shape[1],):
        raise MXNetError(
            f"ctc_loss: lengths of shape {tuple(lengths.shape)} and {tuple(label_lengths.shape)} for a batch of"
            f" {scores.shape[1]}. There is one for each sequence. Reshape them."
        )
    return Aval((scores.shape[1],), dt.as_float(scores.dtype))


def extended(labels: numpy.ndarray, blank: int) -> numpy.ndarray:
    """`(batch, 2 labels + 1)`: labels with a blank before, between and behind."""
    y = numpy.full((labels.shape[0], 2 * labels.shape[1] + 1), blank, numpy.int64)
    y[:, 1::2] = labels
    return y


def _lattice(scores, labels, lengths, label_lengths, blank):
    """Log-probabilities `(time, batch, classes)` in float64, those of the extended labels, which states may be skipped
    into, and lengths as ints."""
    scores = scores.astype("f8")
    top = scores.max(-1, keepdims=True)
    logs = scores - top - numpy.log(numpy.exp(scores - top).sum(-1, keepdims=True))
    states = extended(labels.astype(numpy.int64).clip(0, scores.shape[2] - 1), blank)
    skip = numpy.zeros(states.shape, bool)
    skip[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    emit = numpy.take_along_axis(logs, numpy.broadcast_to(states, (len(logs), *states.shape)), 2)
    return logs, states, emit, skip, lengths.astype(numpy.int64), label_lengths.astype(numpy.int64)


def _shifted(x, n):
    """`x` moved `n` states to the right (to the left when negative), log 0 coming in."""
    y = numpy.full_like(x, LOW)
    if n > 0:
        y[:, n:] = x[:, :-n]
    else:
        y[:, :n] = x[:, -n:]
    return y


def _alphas(emit, skip):
    """Log-probability of all beginnings that end in each state, for each time step."""
    alpha = numpy.full(emit.shape, LOW)
    alpha[0, :, :2] = emit[0, :, :2]
    for t in range(1, len(emit)):
        before = alpha[t - 1]
        reach = numpy.logaddexp(before, _shifted(before, 1))
        reach = numpy.where(skip, numpy.logaddexp(reach, _shifted(before, 2)), reach)
        alpha[t] = reach + emit[t]
    return alpha


def _total(alpha, lengths, label_lengths):
    rows = numpy.arange(len(lengths))
    end = alpha[lengths - 1, rows]
    last = end[rows, 2 * label_lengths]
    return numpy.where(
        label_lengths > 0, numpy.logaddexp(last, end[rows, numpy.maximum(2 * label_lengths - 1, 0)]), last
    )


def _vjp(g, y, scores, labels, lengths, label_lengths, *, blank):
    columns = reshape(g, shape=(1, g.shape[0], 1))
    if current.record is not None:
        return ctc_steps.gradient(scores, labels, lengths, label_lengths, blank) * columns
    return ctc_loss_grad(scores, labels, lengths, label_lengths, blank=blank) * columns


@primitive(kind="scan", nin=4, infer=_infer, vjp=(_vjp, None, None, None))
def ctc_loss(scores, labels, lengths, label_lengths, *, blank, out=None):
    """Minus the log-probability of the labels, summed over their alignments with the time steps.

    Args:
        scores: `(time, batch, classes)`, before softmax.
        labels: `(batch, labels)`, what lies behind `label_lengths` is ignored.
        lengths, label_lengths: `(batch,)`.
        blank: number of the blank class.

    Returns:
        `(batch,)`; inf, with gradient 0, where the labels do not fit into the time steps.
    """
    _, _, emit, skip, steps, counts = _lattice(scores, labels, lengths, label_lengths, blank)
    total = _total(_alphas(emit, skip), steps, counts)
    y = numpy.where(total > LOW / 2, -total, numpy.inf)
    if out is None:
        return y.astype(dt.as_float(scores.dtype))
    out[...] = y
    return out


def _infer_grad(scores, labels, lengths, label_lengths, *, blank):
    return Aval(tuple(scores.shape), dt.as_float(scores.dtype))


@primitive(kind="scan", nin=4, infer=_infer_grad)
def ctc_loss_grad(scores, labels, lengths, label_lengths, *, blank, out=None):
    """The gradient of `ctc_loss` in the scores: softmax minus how often each class is expected at each time step."""
    logs, states, emit, skip, steps, counts = _lattice(scores, labels, lengths, label_lengths, blank)
    alpha, rows = _alphas(emit, skip), numpy.arange(len(steps))
    total = _total(alpha, steps, counts)
    beta = numpy.full(emit.shape, LOW)
    after = numpy.full(states.shape, LOW)
    into = numpy.zeros_like(skip)
    into[:, :-2] = skip[:, 2:]
    for t in reversed(range(len(emit))):
        reach = numpy.logaddexp(after, _shifted(after, -1))
        reach = numpy.where(into, numpy.logaddexp(reach, _shifted(after, -2)), reach)
        ends = numpy.full(states.shape, LOW)
        ends[rows, 2 * counts] = 0.0
        some = counts > 0
        ends[rows[some], 2 * counts[some] - 1] = 0.0
        beta[t] = numpy.where((t == steps - 1)[:, None], ends, reach)
        after = beta[t] + emit[t]
    expected = numpy.zeros(logs.shape)
    with numpy.errstate(under="ignore"):
        share = numpy.exp((alpha + beta - total[:, None]).clip(None, 0))
    at = numpy.broadcast_to(states, share.shape)
    numpy.add.at(expected, (numpy.arange(len(logs))[:, None, None], rows[None, :, None], at), share)
    y = numpy.exp(logs) - expected
    y[numpy.arange(len(logs))[:, None] >= steps] = 0
    y[:, total <= LOW / 2] = 0
    if out is None:
        return y.astype(dt.as_float(scores.dtype))
    out[...] = y
    return out
