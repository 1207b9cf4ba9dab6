"""Recurrent layers as scans: one op goes through all time steps of one layer in one direction.

The input's share of the pre-activations, `x @ w_i2h.T`, is a matrix product for all steps at once and comes in as
`z`. Each op gives out what its backward pass needs beside the hidden states. Backward passes are scans, too; when
one is recorded for higher orders, it is written in ordinary ops instead (`rnn_steps`).
"""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import Aval
from ..errors import MXNetError
from ..kernels import gates as programs
from ..kernels.recurrence import Frames, Gates, Gemm, run
from ..op import current
from . import rnn_steps
from .kinds import primitive
from .matmul import matmul, swap
from .move import concat, expand_dims, freeze_key, reshape, slice_
from .reduce import sum_


def _hidden(where, count, z, h0, w) -> int:
    """The hidden size; raises if shapes do not belong together. `count`: gates in `z` and `w`."""
    hidden = w.shape[1]
    shapes = [tuple(x.shape) for x in (z, h0, w)]
    if z.ndim != 3 or w.ndim != 2 or h0.ndim != 2 or z.shape[2] != count * hidden or w.shape[0] != count * hidden:
        raise MXNetError(
            f"{where}: pre-activations {shapes[0]}, initial state {shapes[1]} and weight {shapes[2]} do not fit. They are"
            f" (time, batch, {count} hidden), (batch, hidden) and ({count} hidden, hidden). Check hidden_size and the layout."
        )
    return hidden


def _check_state(where, z, state, hidden, axis):
    want = (z.shape[1 - axis], hidden)
    if tuple(state.shape) != want:
        raise MXNetError(
            f"{where}: the initial state has shape {tuple(state.shape)} but the batch needs {want}. A state holds one row"
            f" for each sequence. Make it with begin_state(batch_size={want[0]})."
        )


def _plan(z, axis, reverse, *rest):
    """`(time steps in order, batch, dtype to compute in)`."""
    times = numpy.arange(z.shape[axis])
    wanted = dt.as_float(dt.promote(z.dtype, *(x.dtype for x in rest)))
    return times[::-1] if reverse else times, z.shape[1 - axis], max(wanted, dt.float32, key=lambda d: d.itemsize), wanted


def _fresh(shape, outs, k, dtype):
    """An array to compute result `k` into."""
    out = None if outs is None else outs[k]
    return out if out is not None and out.dtype == dtype and out.flags.c_contiguous else numpy.empty(shape, dtype)


def _give(found, outs, wanted):
    """Results in the dtype asked for, in the given memory if there is some."""
    if outs is None:
        return tuple(x if x.dtype == wanted else x.astype(wanted) for x in found)
    for x, out in zip(found, outs, strict=True):
        if x is not out:
            numpy.copyto(out, x, casting="unsafe")
    return outs


def _turned(w):
    """`w.T` in memory of its own: turned once here, not by BLAS at every step."""
    return numpy.ascontiguousarray(w.T)


def _cotangent(g, hidden, dtype):
    """A cotangent as an array; where it is absent, a row of zeros that serves all steps."""
    return numpy.ascontiguousarray(g, dtype) if isinstance(g, numpy.ndarray) else numpy.zeros(hidden, dtype)


def _frames(x, times, axis, columns, hidden):
    """Frames of each gate in `x`."""
    return [Frames(x, times, axis, column=k * hidden if x.ndim > 1 else 0) for k in range(columns)]


def _bias(b, times, columns, hidden):
    return [Frames(b, times, column=k * hidden) for k in range(columns)]


# ---- LSTM ----------------------------------------------------------------------------------------------------------


def _infer_lstm(z, h0, c0, w, b, *, axis=0, reverse=False):
    hidden = _hidden("lstm_scan", 4, z, h0, w)
    for state in (h0, c0):
        _check_state("lstm_scan", z, state, hidden, axis)
    dtype = dt.as_float(dt.promote(z.dtype, h0.dtype, c0.dtype, w.dtype, b.dtype))
    return Aval((*z.shape[:2], hidden), dtype), Aval((*z.shape[:2], hidden), dtype), Aval(tuple(z.shape), dtype)


def _lstm_vjp(g, y, z, h0, c0, w, b, *, axis=0, reverse=False):
    states, cells, gates = y
    gy, gc, gg = (0.0 if part is None else part for part in g)
    spec = {"axis": axis, "reverse": reverse}
    scan = lstm_scan_grad if current.record is None else rnn_steps.lstm_grad
    dz, dh, dc = scan(gates, cells, c0, w, gy, gc, gg, **spec)
    return dz, dh, dc, _weight_gradient(dz, states, h0, **spec), sum_(dz, axis=(0, 1), keepdims=False)


def _weight_gradient(da, states, h0, axis, reverse):
    """The cotangent of the hidden weight, from all steps at once: `da.T @ h before`."""
    first = expand_dims(h0, axis)
    lead, steps = (slice(None),) * axis, states.shape[axis]
    kept = slice(1, None) if reverse else slice(0, max(steps - 1, 0))
    rest = slice_(states, key=freeze_key((*lead, kept)))
    before = concat(rest, first, axis=axis) if reverse else concat(first, rest, axis=axis)
    rows = reshape(da, shape=(da.shape[0] * da.shape[1], da.shape[2]))
    return matmul(swap(rows), reshape(before, shape=(rows.shape[0], h0.shape[1])))


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
    times, batch, computed, wanted = _plan(z, axis, reverse, h0, c0, w, b)
    z, h0, c0, w, b = (numpy.ascontiguousarray(x, computed) for x in (z, h0, c0, w, b))
    y, c = (_fresh((*z.shape[:2], hidden), out, k, computed) for k in (0, 1))
    gates = _fresh(z.shape, out, 2, computed)
    a = numpy.empty((batch, 4 * hidden), computed)
    if y.size:
        run(len(times), [
            Gemm(Frames(y, times, axis, h0), _turned(w), a),
            Gates(programs.lstm_forward(computed.name), (batch, hidden), [
                *_frames(z, times, axis, 4, hidden), *_frames(a, times, axis, 4, hidden), *_bias(b, times, 4, hidden),
                Frames(c, times, axis, c0), *_frames(gates, times, axis, 4, hidden), Frames(c, times, axis), Frames(y, times, axis),
            ]),
        ])  # fmt: skip
    return _give((y, c, gates), out, wanted)


def _infer_lstm_grad(gates, cells, c0, w, gy, gc, gg, *, axis, reverse):
    return Aval(tuple(gates.shape), gates.dtype), Aval(tuple(c0.shape), gates.dtype), Aval(tuple(c0.shape), gates.dtype)


@primitive(kind="scan", nin=7, nout=3, infer=_infer_lstm_grad,
           examples=((((3, 2, 8), (3, 2, 2), (2, 2), (8, 2), (3, 2, 2), (3, 2, 2), (3, 2, 8)), {"axis": 0, "reverse": False}),))
def lstm_scan_grad(gates, cells, c0, w, gy, gc, gg, *, axis, reverse, out=None):
    """Cotangents of `z`, `h0` and `c0` from those of hidden states, cell states and gates (0.0 where absent)."""
    hidden = w.shape[1]
    times, batch, computed, wanted = _plan(gates, axis, not reverse, w)
    gates, cells, c0, w = (numpy.ascontiguousarray(x, computed) for x in (gates, cells, c0, w))
    gy, gc, gg = (_cotangent(g, hidden, computed) for g in (gy, gc, gg))
    dz = _fresh(gates.shape, out, 0, computed)
    dh, dc = (_fresh((batch, hidden), out, k, computed) for k in (1, 2))
    dh[...] = 0
    dc[...] = 0
    if dz.size:
        run(len(times), [
            Gates(programs.lstm_backward(computed.name), (batch, hidden), [
                *_frames(gates, times, axis, 4, hidden), Frames(cells, times, axis), _Before(cells, times, axis, c0),
                Frames(gy, times, axis), Frames(dh, times, axis), Frames(gc, times, axis), Frames(dc, times, axis),
                *_frames(gg, times, axis, 4, hidden), *_frames(dz, times, axis, 4, hidden), Frames(dc, times, axis),
            ]),
            Gemm(Frames(dz, times, axis), w, dh),
        ])  # fmt: skip
    return _give((dz, dh, dc), out, wanted)


class _Before(Frames):
    """The state before each step, when steps are walked from the last to the first."""

    def words(self, count):
        first, self.first = self.first, None
        addresses, rows = super().words(count)
        addresses[:-1] = addresses[1:]
        addresses[-1], rows[-1] = Frames(first, self.times).words(1)[0][0], first.strides[0] // first.itemsize
        self.first = first
        return addresses, rows


# ---- GRU -----------------------------------------------------------------------------------------------------------


def _infer_gru(z, h0, w, bi, bh, *, axis=0, reverse=False):
    hidden = _hidden("gru_scan", 3, z, h0, w)
    _check_state("gru_scan", z, h0, hidden, axis)
    dtype = dt.as_float(dt.promote(z.dtype, h0.dtype, w.dtype, bi.dtype, bh.dtype))
    return Aval((*z.shape[:2], hidden), dtype), Aval((*z.shape[:2], 4 * hidden), dtype)


def _gru_vjp(g, y, z, h0, w, bi, bh, *, axis=0, reverse=False):
    states, gates = y
    gy, gg = (0.0 if part is None else part for part in g)
    spec = {"axis": axis, "reverse": reverse}
    scan = gru_scan_grad if current.record is None else rnn_steps.gru_grad
    dz, da, dh = scan(gates, states, h0, w, gy, gg, **spec)
    return dz, dh, _weight_gradient(da, states, h0, **spec), sum_(dz, axis=(0, 1), keepdims=False), sum_(
        da, axis=(0, 1), keepdims=False)  # fmt: skip


@primitive(
    kind="scan", nin=5, nout=2, infer=_infer_gru, vjp=_gru_vjp, joint=True,
    examples=((((3, 2, 6), (2, 2), (6, 2), (6,), (6,)), {"axis": 0, "reverse": False}),
              (((2, 3, 3), (2, 1), (3, 1), (3,), (3,)), {"axis": 1, "reverse": True})),
)  # fmt: skip
def gru_scan(z, h0, w, bi, bh, *, axis=0, reverse=False, out=None):
    """GRU over time: r, u = sigmoid(z + bi + h @ w.T + bh); n = tanh(z + bi + r (h @ w.T + bh)); h = (1 - u) n + u h.

    Args:
        z: `(time, batch, 3 hidden)`, the input's share; `(batch, time, 3 hidden)` with `axis=1`.
        h0: `(batch, hidden)`.
        w: `(3 hidden, hidden)`.
        bi, bh: `(3 hidden,)`, biases of the input's and of the hidden state's share.

    Returns:
        Hidden states `(time, batch, hidden)`; gates r, u, n and the candidate's hidden product `(time, batch, 4 hidden)`.

    Raises:
        MXNetError: shapes do not fit.
    """
    hidden = w.shape[1]
    times, batch, computed, wanted = _plan(z, axis, reverse, h0, w, bi, bh)
    z, h0, w, bi, bh = (numpy.ascontiguousarray(x, computed) for x in (z, h0, w, bi, bh))
    b = numpy.concatenate([bi, bh[2 * hidden :]])
    b[: 2 * hidden] += bh[: 2 * hidden]
    y = _fresh((*z.shape[:2], hidden), out, 0, computed)
    gates = _fresh((*z.shape[:2], 4 * hidden), out, 1, computed)
    a = numpy.empty((batch, 3 * hidden), computed)
    if y.size:
        before = Frames(y, times, axis, h0)
        run(len(times), [
            Gemm(before, _turned(w), a),
            Gates(programs.gru_forward(computed.name), (batch, hidden), [
                *_frames(z, times, axis, 3, hidden), *_frames(a, times, axis, 3, hidden), *_bias(b, times, 4, hidden),
                before, *_frames(gates, times, axis, 4, hidden), Frames(y, times, axis),
            ]),
        ])  # fmt: skip
    return _give((y, gates), out, wanted)


def _infer_gru_grad(gates, states, h0, w, gy, gg, *, axis, reverse):
    wide = Aval((*gates.shape[:2], w.shape[0]), gates.dtype)
    return wide, wide, Aval(tuple(h0.shape), gates.dtype)


@primitive(kind="scan", nin=6, nout=3, infer=_infer_gru_grad,
           examples=((((3, 2, 8), (3, 2, 2), (2, 2), (6, 2), (3, 2, 2), (3, 2, 8)), {"axis": 0, "reverse": False}),))
def gru_scan_grad(gates, states, h0, w, gy, gg, *, axis, reverse, out=None):
    """Cotangents of `z`, of `h @ w.T + bh`, and of `h0` from those of hidden states and gates (0.0 where absent)."""
    hidden = w.shape[1]
    times, batch, computed, wanted = _plan(gates, axis, not reverse, w)
    gates, states, h0, w = (numpy.ascontiguousarray(x, computed) for x in (gates, states, h0, w))
    gy, gg = _cotangent(gy, hidden, computed), _cotangent(gg, hidden, computed)
    shape = (*gates.shape[:2], 3 * hidden)
    dz, da = (_fresh(shape, out, k, computed) for k in (0, 1))
    dh = _fresh((batch, hidden), out, 2, computed)
    dh[...] = 0
    direct = numpy.zeros((batch, hidden), computed)
    if dz.size:
        run(len(times), [
            Gates(programs.gru_backward(computed.name), (batch, hidden), [
                *_frames(gates, times, axis, 4, hidden), _Before(states, times, axis, h0), Frames(gy, times, axis),
                Frames(dh, times, axis), Frames(direct, times, axis), *_frames(gg, times, axis, 4, hidden),
                *_frames(dz, times, axis, 3, hidden), *_frames(da, times, axis, 3, hidden), Frames(direct, times, axis),
            ]),
            Gemm(Frames(da, times, axis), w, dh),
        ])  # fmt: skip
    dh += direct
    return _give((dz, da, dh), out, wanted)


# ---- plain RNN -----------------------------------------------------------------------------------------------------


def _infer_rnn(z, h0, w, b, *, activation, axis=0, reverse=False):
    hidden = _hidden("rnn_scan", 1, z, h0, w)
    _check_state("rnn_scan", z, h0, hidden, axis)
    if activation not in ("tanh", "relu"):
        raise ValueError(f"rnn_scan: activation {activation!r} is unknown. Use 'tanh' or 'relu'.")
    return Aval((*z.shape[:2], hidden), dt.as_float(dt.promote(z.dtype, h0.dtype, w.dtype, b.dtype)))


def _rnn_vjp(g, y, z, h0, w, b, *, activation, axis=0, reverse=False):
    spec = {"axis": axis, "reverse": reverse}
    scan = rnn_scan_grad if current.record is None else rnn_steps.rnn_grad
    dz, dh = scan(y, w, g, activation=activation, **spec)
    return dz, dh, _weight_gradient(dz, y, h0, **spec), sum_(dz, axis=(0, 1), keepdims=False)


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
    times, batch, computed, wanted = _plan(z, axis, reverse, h0, w, b)
    z, h0, w, b = (numpy.ascontiguousarray(x, computed) for x in (z, h0, w, b))
    outs = None if out is None else (out,)
    y = _fresh(z.shape, outs, 0, computed)
    a = numpy.empty((batch, hidden), computed)
    if y.size:
        run(len(times), [
            Gemm(Frames(y, times, axis, h0), _turned(w), a),
            Gates(programs.rnn_forward(computed.name, activation), (batch, hidden), [
                Frames(z, times, axis), Frames(a, times, axis), Frames(b, times), Frames(y, times, axis)]),
        ])  # fmt: skip
    return _give((y,), outs, wanted)[0]


def _infer_rnn_grad(y, w, gy, *, activation, axis, reverse):
    return Aval(tuple(y.shape), y.dtype), Aval((y.shape[1 - axis], y.shape[2]), y.dtype)


@primitive(kind="scan", nin=3, nout=2, infer=_infer_rnn_grad,
           examples=((((3, 2, 2), (2, 2), (3, 2, 2)), {"activation": "tanh", "axis": 0, "reverse": False}),))
def rnn_scan_grad(y, w, gy, *, activation, axis, reverse, out=None):
    """Cotangents of `z` and `h0` of `rnn_scan` from that of the hidden states `y`."""
    hidden = w.shape[1]
    times, batch, computed, wanted = _plan(y, axis, not reverse, w)
    y, w, gy = (numpy.ascontiguousarray(x, computed) for x in (y, w, gy))
    dz = _fresh(y.shape, out, 0, computed)
    dh = _fresh((batch, hidden), out, 1, computed)
    dh[...] = 0
    if dz.size:
        run(len(times), [
            Gates(programs.rnn_backward(computed.name, activation), (batch, hidden), [
                Frames(y, times, axis), Frames(gy, times, axis), Frames(dh, times, axis), Frames(dz, times, axis)]),
            Gemm(Frames(dz, times, axis), w, dh),
        ])  # fmt: skip
    return _give((dz, dh), out, wanted)
