"""LSTM over time, and its backward pass."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval
from ..kernels import gates as programs
from ..kernels.recurrence import Frames, Gates, Gemm, run
from ..op import current
from . import rnn_steps
from .kinds import primitive
from .recurrent import (
    Before,
    bias_frames,
    check_state,
    cotangent,
    fresh,
    gate_frames,
    give,
    hidden_size,
    plan,
    turned,
    weight_gradient,
)
from .reduce import sum_


def _infer_lstm(z, h0, c0, w, b, *, axis=0, reverse=False):
    hidden = hidden_size("lstm_scan", 4, z, h0, w)
    for state in (h0, c0):
        check_state("lstm_scan", z, state, hidden, axis)
    dtype = dt.as_float(dt.promote(z.dtype, h0.dtype, c0.dtype, w.dtype, b.dtype))
    return Aval((*z.shape[:2], hidden), dtype), Aval((*z.shape[:2], hidden), dtype), Aval(tuple(z.shape), dtype)


def _lstm_vjp(g, y, z, h0, c0, w, b, *, axis=0, reverse=False):
    states, cells, gates = y
    gy, gc, gg = (0.0 if part is None else part for part in g)
    spec = {"axis": axis, "reverse": reverse}
    scan = lstm_scan_grad if current.record is None else rnn_steps.lstm_grad
    dz, dh, dc = scan(gates, cells, c0, w, gy, gc, gg, **spec)
    return dz, dh, dc, weight_gradient(dz, states, h0, **spec), sum_(dz, axis=(0, 1), keepdims=False)


@primitive(
    kind="scan", nin=5, nout=3, infer=_infer_lstm, vjp=_lstm_vjp, joint=True,
    examples=((((3, 2, 8), (2, 2), (2, 2), (8, 2), (8,)), {"axis": 0, "reverse": False}),
              (((2, 3, 4), (2, 1), (2, 1), (4, 1), (4,)), {"axis": 1, "reverse": True})),
)  # fmt: skip
def lstm_scan(z, h0, c0, w, b, *, axis=0, reverse=False, out=None):
    """LSTM over time: gates i, f, g, o from `z + h @ w.T + b`; c = f c + i g; h = o tanh(c).

    Args:
        z: `(time, batch, 4 hidden)`, the input's share; `(batch, time, 4 hidden)` with `axis=1`.
        h0, c0: `(batch, hidden)`.
        w: `(4 hidden, hidden)`.
        b: `(4 hidden,)`.
        axis: the time axis, 0 or 1.
        reverse: from the last step to the first.

    Returns:
        Hidden states and cell states, each `(time, batch, hidden)`, and the gates, shaped as `z`.

    Raises:
        MXNetError: shapes do not fit.
    """
    hidden = w.shape[1]
    times, batch, computed, wanted = plan(z, axis, reverse, h0, c0, w, b)
    z, h0, c0, w, b = (numpy.ascontiguousarray(x, computed) for x in (z, h0, c0, w, b))
    y, c = (fresh((*z.shape[:2], hidden), out, k, computed) for k in (0, 1))
    gates = fresh(z.shape, out, 2, computed)
    a = numpy.empty((batch, 4 * hidden), computed)
    if y.size:
        run(len(times), [
            Gemm(Frames(y, times, axis, h0), turned(w), a),
            Gates(programs.lstm_forward(computed.name), (batch, hidden), [
                *gate_frames(z, times, axis, 4, hidden), *gate_frames(a, times, axis, 4, hidden), *bias_frames(b,
                times, 4, hidden),
                Frames(c, times, axis, c0), *gate_frames(gates, times, axis, 4, hidden), Frames(c, times, axis),
                Frames(y, times, axis),
            ]),
        ])  # fmt: skip
    return give((y, c, gates), out, wanted)


def _infer_lstm_grad(gates, cells, c0, w, gy, gc, gg, *, axis, reverse):
    return (
        Aval(tuple(gates.shape), gates.dtype),
        Aval(tuple(c0.shape), gates.dtype),
        Aval(tuple(c0.shape), gates.dtype),
    )


@primitive(
    kind="scan",
    nin=7,
    nout=3,
    infer=_infer_lstm_grad,
    examples=(
        (((3, 2, 8), (3, 2, 2), (2, 2), (8, 2), (3, 2, 2), (3, 2, 2), (3, 2, 8)), {"axis": 0, "reverse": False}),
    ),
)
def lstm_scan_grad(gates, cells, c0, w, gy, gc, gg, *, axis, reverse, out=None):
    """Cotangents of `z`, `h0` and `c0` from those of hidden states, cell states and gates (0.0 where absent)."""
    hidden = w.shape[1]
    times, batch, computed, wanted = plan(gates, axis, not reverse, w)
    gates, cells, c0, w = (numpy.ascontiguousarray(x, computed) for x in (gates, cells, c0, w))
    gy, gc, gg = (cotangent(g, hidden, computed) for g in (gy, gc, gg))
    dz = fresh(gates.shape, out, 0, computed)
    dh, dc = (fresh((batch, hidden), out, k, computed) for k in (1, 2))
    dh[...] = 0
    dc[...] = 0
    if dz.size:
        run(len(times), [
            Gates(programs.lstm_backward(computed.name), (batch, hidden), [
                *gate_frames(gates, times, axis, 4, hidden), Frames(cells, times, axis), Before(cells, times, axis, c0),
                Frames(gy, times, axis), Frames(dh, times, axis), Frames(gc, times, axis), Frames(dc, times, axis),
                *gate_frames(gg, times, axis, 4, hidden), *gate_frames(dz, times, axis, 4, hidden), Frames(dc,
                times, axis),
            ]),
            Gemm(Frames(dz, times, axis), w, dh),
        ])  # fmt: skip
    return give((dz, dh, dc), out, wanted)
