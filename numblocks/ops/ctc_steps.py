"""The gradient of CTC in ordinary ops, step by step: slow, and differentiable again."""

from __future__ import annotations

from . import elementwise as ew
from . import index as ix
from .floating import logaddexp
from .move import concat, expand_dims, freeze_key, pad, reshape, slice_
from .reduce import log_softmax, max_, sum_
from .scan import cumsum

LOW = -1e30


def _part(x, start, stop):
    """Columns `start` to `stop` of `(batch, states)`."""
    return slice_(x, key=freeze_key((slice(None), slice(start, stop))))


def _shifted(x, n: int):
    """`(batch, states)` moved `n` states to the right (left when negative), log 0 coming in."""
    width = (n, 0) if n > 0 else (0, -n)
    kept = _part(x, 0, x.shape[1] - n) if n > 0 else _part(x, -n, x.shape[1])
    return pad(kept, widths=((0, 0), width), value=LOW)


def _step(before, skip, way: int):
    reach = logaddexp(before, _shifted(before, way))
    return ew.where(skip, logaddexp(reach, _shifted(before, 2 * way)), reach)


def gradient(scores, labels, lengths, label_lengths, blank: int):
    """Softmax minus expected counts, `(time, batch, classes)`."""
    steps, batch, classes = scores.shape
    labels, lengths, counts = (ew.astype(x, "int64") for x in (labels, lengths, label_lengths))
    labels = ew.minimum(ew.maximum(labels, 0), classes - 1)
    cells = expand_dims(labels, 2)
    states = concat(ew.multiply(cells, 0) + blank, cells, axis=2)
    states = pad(reshape(states, shape=(batch, 2 * labels.shape[1])), widths=((0, 0), (0, 1)), value=blank)
    width = states.shape[1]
    twice = pad(_part(states, 0, max(width - 2, 0)), widths=((0, 0), (min(2, width), 0)), value=blank)
    skip = ew.logical_and(ew.not_equal(states, blank), ew.not_equal(states, twice))
    into = ew.not_equal(
        pad(_part(ew.astype(skip, "int64"), min(2, width), width), widths=((0, 0), (0, min(2, width))), value=0), 0
    )
    logs = log_softmax(scores, axis=2)
    classes_of = ix.pick_grad  # the transpose of picking one class per state
    at = lambda t: slice_(logs, key=(t,))
    rows = [ix.pick(_spread(at(t), width), states, axis=2, mode="clip") for t in range(steps)]
    place = _positions(states)
    first = ew.less(place, 2)
    alpha = [ew.where(first, rows[0], LOW)]
    for t in range(1, steps):
        alpha.append(_step(alpha[-1], skip, 1) + rows[t])
    ends = ew.logical_or(ew.equal(place, _column(counts) * 2), ew.equal(place, _column(counts) * 2 - 1))
    beta, after = [None] * steps, ew.where(ends, LOW, LOW) + 0.0 * rows[0]
    for t in reversed(range(steps)):
        here = ew.where(ew.equal(_column(lengths), t + 1), ew.where(ends, 0.0, LOW), _step(after, into, -1))
        beta[t] = here
        after = here + rows[t]
    found = []
    total = None
    for t in range(steps):
        both = alpha[t] + beta[t]
        if total is None:
            total = _logsum(both)
        share = ew.exp(ew.minimum(both - total, 0.0))
        spread = classes_of(share, states, axis=2, shape=(batch, width, classes), mode="clip")
        expected = sum_(spread, axis=(1,), keepdims=False)
        inside = ew.logical_and(ew.greater(_column(lengths), t), ew.greater(total, LOW / 2))
        found.append(expand_dims(ew.where(inside, ew.exp(at(t)) - expected, 0.0), 0))
    return concat(*found, axis=0)


def _spread(x, width: int):
    """`(batch, classes)` repeated for each state: `(batch, states, classes)`."""
    from_rows = expand_dims(x, 1)
    return concat(*([from_rows] * width), axis=1)


def _column(x):
    return reshape(x, shape=(x.shape[0], 1))


def _positions(states):
    """0, 1, 2 ... along the states, for each sequence."""
    return cumsum(ew.multiply(states, 0) + 1, axis=1) - 1


def _logsum(x):
    """log of the sum of exponentials along the states, `(batch, 1)`."""
    top = max_(x, axis=(1,), keepdims=True)
    return ew.log(sum_(ew.exp(x - top), axis=(1,), keepdims=True)) + top
