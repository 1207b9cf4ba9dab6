"""`hawkesll`: the likelihood of self-exciting point processes."""

from __future__ import annotations

import numpy

from ..array import wrap
from ..npx import one_hot
from ..npx.control import foreach
from ..ops import elementwise as ew
from ..ops import move
from ..ops import reduce as red


def hawkesll(lda, alpha, beta, state, lags, marks, valid_length, max_time):
    """The log likelihood of Hawkes processes with exponential kernels (Bacry, Mastromatteo, Muzy 2015).

    Process k has intensity lda[k] + alpha[k] beta[k] times the sum of exp(-beta[k] age) over its events. A loop over
    the events: in a hybridized Block it is compiled as one.

    Args:
        lda: `(batch, processes)`; alpha, beta: `(processes,)`.
        state: `(batch, processes)`: the sum of exp(-beta age) at time 0.
        lags: `(batch, events)`, times since the event before; marks: `(batch, events)`, numbers of processes.
        valid_length: `(batch,)`, how many events count; max_time: `(batch,)`, how long was observed.

    Returns:
        The log likelihoods `(batch,)`, and the state at `max_time`.
    """
    n, events = lags.shape
    chosen = move.transpose(one_hot(marks, lda.shape[1], dtype=lda.dtype.name), axes=(1, 0, 2))
    number = wrap(numpy.arange(events, dtype=lda.dtype).reshape(events, 1), lags.ctx)
    counts = ew.astype(ew.less(number, move.reshape(valid_length, shape=(1, n))), lda.dtype.name)
    chosen = chosen * move.expand_dims(counts, 2)
    zero = lda.detach() * 0.0

    def step(event, carried):
        (lag, hit), (time, last, memory, total) = event, carried
        time = time + move.expand_dims(lag, 1)
        age, faded, cost = since(time, last, memory)
        rate = lda + alpha * beta * faded
        gain = hit * (ew.log(rate) - cost)
        memory = ew.where(hit, 1.0 + faded, memory)
        return [], [time, ew.where(hit, time, last), memory, total + red.sum_(gain, axis=(1,), keepdims=False)]

    def since(time, last, memory):
        """Age of the last event of each process, its faded memory, and the integral of the intensity since."""
        age = time - last
        faded = memory * ew.exp(-beta * age)
        return age, faded, lda * age + alpha * (memory - faded)

    start = red.sum_(zero, axis=(1,), keepdims=True)
    carried = [start, zero, state, red.sum_(zero, axis=(1,), keepdims=False)]
    _, (_, last, memory, total) = foreach(step, [move.transpose(lags, axes=(1, 0)), chosen], carried)
    _, faded, cost = since(move.expand_dims(max_time, 1), last, memory)
    return [total - red.sum_(cost, axis=(1,), keepdims=False), faded]


__all__ = ["hawkesll"]
