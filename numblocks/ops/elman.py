"""Elman networks over time, and their backward pass."""

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
    check_state,
    fresh,
    give,
    hidden_size,
    plan,
    turned,
    weight_gradient,
)
from .reduce import sum_


def _infer_rnn(z, h0, w, b, *, activation, axis=0, reverse=False):
    hidden = hidden_size("rnn_scan", 1, z, h0, w)
    check_state("rnn_scan", z, h0, hidden, axis)
    if activation not in ("tanh", "relu"):
        raise ValueError(f"rnn_scan: activation {activation!r} is unknown. Use 'tanh' or 'relu'.")
    return Aval((*z.shape[:2], hidden), dt.as_float(dt.promote(z.dtype, h0.dtype, w.dtype, b.dtype)))


def _rnn_vjp(g, y, z, h0, w, b, *, activation, axis=0, reverse=False):
    spec = {"axis": axis, "reverse": reverse}
    scan = rnn_scan_grad if current.record is None else rnn_steps.rnn_grad
    dz, dh = scan(y, w, g, activation=activation, **spec)
    return dz, dh, weight_gradient(dz, y, h0, **spec), sum_(dz, axis=(0, 1), keepdims=False)


@primitive(
    kind="scan", nin=4, infer=_infer_rnn, vjp=_rnn_vjp, joint=True,
    examples=((((3, 2, 2), (2, 2), (2, 2), (2,)), {"activation": "tanh", "axis": 0, "reverse": False}),
              (((2, 3, 2), (2, 2), (2, 2), (2,)), {"activation": "tanh", "axis": 1, "reverse": True})),
)  # fmt: skip
def rnn_scan(z, h0, w, b, *, activation, axis=0, reverse=False, out=None):
    """Elman network over time: h = activation(z + h @ w.T + b), activation 'tanh' or 'relu'.

    Args:
        z: `(time, batch, hidden)`, the input's share; `(batch, time, hidden)` with `axis=1`.
        h0: `(batch, hidden)`.
        w: `(hidden, hidden)`.
        b: `(hidden,)`.

    Returns:
        Hidden states, shaped as `z`.

    Raises:
        MXNetError: shapes do not fit.
    """
    hidden = w.shape[1]
    times, batch, computed, wanted = plan(z, axis, reverse, h0, w, b)
    z, h0, w, b = (numpy.ascontiguousarray(x, computed) for x in (z, h0, w, b))
    outs = None if out is None else (out,)
    y = fresh(z.shape, outs, 0, computed)
    a = numpy.empty((batch, hidden), computed)
    if y.size:
        run(len(times), [
            Gemm(Frames(y, times, axis, h0), turned(w), a),
            Gates(programs.rnn_forward(computed.name, activation), (batch, hidden), [
                Frames(z, times, axis), Frames(a, times, axis), Frames(b, times), Frames(y, times, axis)]),
        ])  # fmt: skip
    return give((y,), outs, wanted)[0]


def _infer_rnn_grad(y, w, gy, *, activation, axis, reverse):
    return Aval(tuple(y.shape), y.dtype), Aval((y.shape[1 - axis], y.shape[2]), y.dtype)


@primitive(
    kind="scan",
    nin=3,
    nout=2,
    infer=_infer_rnn_grad,
    examples=((((3, 2, 2), (2, 2), (3, 2, 2)), {"activation": "tanh", "axis": 0, "reverse": False}),),
)
def rnn_scan_grad(y, w, gy, *, activation, axis, reverse, out=None):
    """Cotangents of `z` and `h0` of `rnn_scan` from that of the hidden states `y`."""
    hidden = w.shape[1]
    times, batch, computed, wanted = plan(y, axis, not reverse, w)
    y, w, gy = (numpy.ascontiguousarray(x, computed) for x in (y, w, gy))
    dz = fresh(y.shape, out, 0, computed)
    dh = fresh((batch, hidden), out, 1, computed)
    dh[...] = 0
    if dz.size:
        run(len(times), [
            Gates(programs.rnn_backward(computed.name, activation), (batch, hidden), [
                Frames(y, times, axis), Frames(gy, times, axis), Frames(dh, times, axis), Frames(dz, times, axis)]),
            Gemm(Frames(dz, times, axis), w, dh),
        ])  # fmt: skip
    return give((dz, dh), out, wanted)
