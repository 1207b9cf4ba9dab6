"""GRU over time, and its backward pass."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval
from ..kernels import gates as programs
from ..kernels.recurrence import Frames, Gates, Gemm, run
from ..op import current
from . import rnn_steps
from .kinds import primitive
from .move import concat, freeze_key, slice_
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


def _infer_gru(z, h0, w, b, *, axis=0, reverse=False):
    hidden = hidden_size("gru_scan", 3, z, h0, w)
    check_state("gru_scan", z, h0, hidden, axis)
    dtype = dt.as_float(dt.promote(z.dtype, h0.dtype, w.dtype, b.dtype))
    return Aval((*z.shape[:2], hidden), dtype), Aval((*z.shape[:2], 4 * hidden), dtype)


def _gru_vjp(g, y, z, h0, w, b, *, axis=0, reverse=False):
    states, gates = y
    gy, gg = (0.0 if part is None else part for part in g)
    spec = {"axis": axis, "reverse": reverse}
    scan = gru_scan_grad if current.record is None else rnn_steps.gru_grad
    dz, da, dh = scan(gates, states, h0, w, gy, gg, **spec)
    hidden = h0.shape[1]
    of_product = slice_(sum_(da, axis=(0, 1), keepdims=False), key=freeze_key((slice(2 * hidden, None),)))
    db = concat(sum_(dz, axis=(0, 1), keepdims=False), of_product, axis=0)
    return dz, dh, weight_gradient(da, states, h0, **spec), db


@primitive(
    kind="scan", nin=4, nout=2, infer=_infer_gru, vjp=_gru_vjp, joint=True,
    examples=((((3, 2, 6), (2, 2), (6, 2), (8,)), {"axis": 0, "reverse": False}),
              (((2, 3, 3), (2, 1), (3, 1), (4,)), {"axis": 1, "reverse": True})),
)  # fmt: skip
def gru_scan(z, h0, w, b, *, axis=0, reverse=False, out=None):
    """GRU over time: r, u = sigmoid(z + h @ w.T + b); n = tanh(z + b + r (h @ w.T + b')); h = (1 - u) n + u h.

    Args:
        z: `(time, batch, 3 hidden)`, the input's share; `(batch, time, 3 hidden)` with `axis=1`.
        h0: `(batch, hidden)`.
        w: `(3 hidden, hidden)`.
        b: `(4 hidden,)`: biases of r, u and n, then b', that of the candidate's hidden product.

    Returns:
        Hidden states `(time, batch, hidden)`; gates r, u, n and the candidate's hidden product `(time, batch, 4
        hidden)`.

    Raises:
        MXNetError: shapes do not fit.
    """
    hidden = w.shape[1]
    times, batch, computed, wanted = plan(z, axis, reverse, h0, w, b)
    z, h0, w, b = (numpy.ascontiguousarray(x, computed) for x in (z, h0, w, b))
    y = fresh((*z.shape[:2], hidden), out, 0, computed)
    gates = fresh((*z.shape[:2], 4 * hidden), out, 1, computed)
    a = numpy.empty((batch, 3 * hidden), computed)
    if y.size:
        before = Frames(y, times, axis, h0)
        run(len(times), [
            Gemm(before, turned(w), a),
            Gates(programs.gru_forward(computed.name), (batch, hidden), [
                *gate_frames(z, times, axis, 3, hidden), *gate_frames(a, times, axis, 3, hidden), *bias_frames(b,
                times, 4, hidden),
                before, *gate_frames(gates, times, axis, 4, hidden), Frames(y, times, axis),
            ]),
        ])  # fmt: skip
    return give((y, gates), out, wanted)


def _infer_gru_grad(gates, states, h0, w, gy, gg, *, axis, reverse):
    wide = Aval((*gates.shape[:2], w.shape[0]), gates.dtype)
    return wide, wide, Aval(tuple(h0.shape), gates.dtype)


@primitive(
    kind="scan",
    nin=6,
    nout=3,
    infer=_infer_gru_grad,
    examples=((((3, 2, 8), (3, 2, 2), (2, 2), (6, 2), (3, 2, 2), (3, 2, 8)), {"axis": 0, "reverse": False}),),
)
def gru_scan_grad(gates, states, h0, w, gy, gg, *, axis, reverse, out=None):
    """Cotangents of `z`, of `h @ w.T + bh`, and of `h0` from those of hidden states and gates (0.0 where absent)."""
    hidden = w.shape[1]
    times, batch, computed, wanted = plan(gates, axis, not reverse, w)
    gates, states, h0, w = (numpy.ascontiguousarray(x, computed) for x in (gates, states, h0, w))
    gy, gg = cotangent(gy, hidden, computed), cotangent(gg, hidden, computed)
    shape = (*gates.shape[:2], 3 * hidden)
    dz, da = (fresh(shape, out, k, computed) for k in (0, 1))
    dh = fresh((batch, hidden), out, 2, computed)
    dh[...] = 0
    direct = numpy.zeros((batch, hidden), computed)
    if dz.size:
        run(len(times), [
            Gates(programs.gru_backward(computed.name), (batch, hidden), [
                *gate_frames(gates, times, axis, 4, hidden), Before(states, times, axis, h0), Frames(gy, times, axis),
                Frames(dh, times, axis), Frames(direct, times, axis), *gate_frames(gg, times, axis, 4, hidden),
                *gate_frames(dz, times, axis, 3, hidden), *gate_frames(da, times, axis, 3, hidden), Frames(direct,
                times, axis),
            ]),
            Gemm(Frames(da, times, axis), w, dh),
        ])  # fmt: skip
    dh += direct
    return give((dz, da, dh), out, wanted)
