"""Recurrent layers as functions: several layers, both directions, dropout between, over the scans of `ops.rnn`."""

from __future__ import annotations

import math

from ..array import ndarray
from ..errors import MXNetError
from ..ops import elementwise as ew
from ..ops import matmul as mm
from ..ops import move
from ..ops import rnn as scans
from .layers import dropout
from .sequence import sequence_last, sequence_mask, sequence_reverse

GATES = {"rnn_relu": 1, "rnn_tanh": 1, "lstm": 4, "gru": 3}


def recurrent(data, states, weights, mode: str, axis: int = 0, bidirectional: bool = False, p: float = 0.0,
              sequence_length=None, clip=None):  # fmt: skip
    """A stack of recurrent layers.

    Args:
        data: `(time, batch, in)`, or `(batch, time, in)` with `axis=1`.
        states: the initial states, each `(layers * directions, batch, hidden)`: hidden, for LSTM also cell states.
        weights: for each layer and direction `(i2h_weight, h2h_weight, i2h_bias, h2h_bias)`, with a projection also
            h2r_weight.
        mode: 'rnn_relu', 'rnn_tanh', 'lstm' or 'gru'.
        p: dropout between layers while training.
        sequence_length: `(batch,)`; what lies behind is 0 in the output and not seen by the reverse direction.
        clip: (lowest, highest) value of LSTM cells, or None.

    Returns:
        The output `(time, batch, directions * hidden)` (or batch first) and the final states as a list.
    """
    directions = 2 if bidirectional else 1
    finals: list[list] = [[] for _ in states]
    x, layers = data, len(weights) // directions
    for layer in range(layers):
        outputs = []
        for direction in range(directions):
            k = layer * directions + direction
            initial = [move.slice_(s, key=(k,)) for s in states]
            y, last = one_direction(x, initial, weights[k], mode, axis, direction == 1, sequence_length, clip)
            outputs.append(y)
            for found, state in zip(finals, last, strict=True):
                found.append(state)
        x = outputs[0] if directions == 1 else move.concat(*outputs, axis=2)
        if p and layer < layers - 1:
            x = dropout(x, p)
    return x, [move.concat(*(move.expand_dims(s, 0) for s in found), axis=0) for found in finals]


def one_direction(x, initial, weights, mode, axis, reverse, length, clip):
    """One layer in one direction: its output and final states."""
    if length is None:
        y, states = whole(x, initial, weights, mode, axis, reverse, clip)
        end = move.freeze_key((slice(None),) * axis + (0 if reverse else -1,))
        return y, [move.slice_(s, key=end) for s in states]
    if reverse:  # each sequence is turned round within its length, read forwards, and its output turned back
        x = sequence_reverse(x, length, True, axis)
    y, states = whole(x, initial, weights, mode, axis, False, clip)
    last = [sequence_last(s, length, True, axis) for s in states]
    if reverse:
        y = sequence_reverse(y, length, True, axis)
    return sequence_mask(y, length, True, 0.0, axis), last


def whole(x, initial, weights, mode, axis, reverse, clip):
    """Output and states of all time steps of one layer in one direction."""
    wi, wh, bi, bh, *projection = weights
    if x.ndim != 3 or x.shape[2] != wi.shape[1]:
        raise MXNetError(
            f"rnn: data of shape {x.shape} and weight {wi.shape}. Data are (time, batch, {wi.shape[1]}) in some layout."
            f" Feed other data or build the layer anew."
        )
    rows = move.reshape(x, shape=(x.shape[0] * x.shape[1], x.shape[2]))
    z = mm.matmul(rows, move.transpose(wi, axes=(1, 0)))
    z = move.reshape(z, shape=(*x.shape[:2], wi.shape[0]))
    spec = {"axis": axis, "reverse": reverse}
    if mode == "gru":
        y, _ = scans.gru_scan(z, initial[0], wh, _gru_bias(bi, bh), **spec)
        return y, [y]
    if mode == "lstm" and (projection or clip is not None):
        return stepwise_lstm(z, initial, wh, bi + bh, projection, clip, **spec)
    if mode == "lstm":
        y, cells, _ = scans.lstm_scan(z, *initial, wh, bi + bh, **spec)
        return y, [y, cells]
    y = scans.rnn_scan(z, initial[0], wh, bi + bh, activation=mode.removeprefix("rnn_"), **spec)
    return y, [y]


def _gru_bias(bi, bh):
    """Of reset, update and candidate, and of the candidate's hidden product, which the reset gate is in front of."""
    hidden = bi.shape[0] // 3
    own, shared = (move.freeze_key((slice(*ends),)) for ends in ((2 * hidden, None), (0, 2 * hidden)))
    both = move.slice_(bi, key=shared) + move.slice_(bh, key=shared)
    return move.concat(both, move.slice_(bi, key=own), move.slice_(bh, key=own), axis=0)


def stepwise_lstm(z, initial, wh, bias, projection, clip, axis, reverse):
    """LSTM with projected hidden states or clipped cells, one operation after the other."""
    h, c = initial
    steps = range(z.shape[axis])
    outputs, cells = [None] * len(steps), [None] * len(steps)
    for t in reversed(steps) if reverse else steps:
        zt = move.slice_(z, key=move.freeze_key((slice(None),) * axis + (t,)))
        h, c = lstm_step(zt + mm.matmul(h, move.transpose(wh, axes=(1, 0))) + bias, c, clip)
        if projection:
            h = mm.matmul(h, move.transpose(projection[0], axes=(1, 0)))
        outputs[t], cells[t] = h, c
    join = lambda parts: move.concat(*(move.expand_dims(part, axis) for part in parts), axis=axis)
    return join(outputs), [join(outputs), join(cells)]


def columns(x, count: int) -> list[ndarray]:
    """The last axis in `count` equal parts."""
    n = x.shape[-1] // count
    return [move.slice_(x, key=move.freeze_key((Ellipsis, slice(k * n, (k + 1) * n)))) for k in range(count)]


def lstm_step(pre, c, clip=None):
    """One step from pre-activations `(batch, 4 hidden)` and cells: hidden states and cells."""
    i, f, g, o = columns(pre, 4)
    c = ew.sigmoid(f) * c + ew.sigmoid(i) * ew.tanh(g)
    if clip is not None:
        c = ew.clip(c, -math.inf if clip[0] is None else clip[0], math.inf if clip[1] is None else clip[1])
    return ew.sigmoid(o) * ew.tanh(c), c


def rnn(data=None, parameters=None, state=None, state_cell=None, sequence_length=None, state_size=None,
        num_layers=None, bidirectional=False, mode=None, p=0.0, state_outputs=False, projection_size=None,
        lstm_state_clip_min=None, lstm_state_clip_max=None, lstm_state_clip_nan=False,
        use_sequence_length=False):  # fmt: skip
    """A recurrent network whose weights lie in one vector: all matrices (for each layer and direction i2h, h2h and
    h2r), then all biases (i2h, h2h).

    Args:
        data: `(time, batch, in)`.
        parameters: `(count,)`.
        state, state_cell: `(layers * directions, batch, state_size)`.
        mode: 'rnn_relu', 'rnn_tanh', 'lstm' or 'gru'.

    Returns:
        The output; with `state_outputs` a list of it and the final states.

    Raises:
        MXNetError: the vector is not as long as the weights are.
    """
    directions, gates = 2 if bidirectional else 1, GATES[mode]
    kept = projection_size or state_size
    shapes, width = [], data.shape[2]
    for _ in range(num_layers):
        per = [(gates * state_size, width), (gates * state_size, kept)]
        per += [(projection_size, state_size)] if projection_size else []
        shapes += per * directions
        width = kept * directions
    shapes += [(gates * state_size,)] * (2 * num_layers * directions)
    total = sum(math.prod(s) for s in shapes)
    if parameters.size != total:
        raise MXNetError(
            f"rnn: {parameters.size} parameters were given, {mode} with {num_layers} layers, state size"
            f" {state_size} and"
            f" input width {data.shape[2]} has {total}. Matrices come first, then biases. Pass a vector of that length."
        )
    parts, at = [], 0
    for shape in shapes:
        n = math.prod(shape)
        part = move.slice_(parameters, key=move.freeze_key((slice(at, at + n),)))
        parts.append(move.reshape(part, shape=shape))
        at += n
    each, count = 3 if projection_size else 2, num_layers * directions
    weights = []
    for k in range(count):
        matrices, biases = parts[k * each : (k + 1) * each], parts[count * each + 2 * k : count * each + 2 * k + 2]
        weights.append((*matrices[:2], *biases, *matrices[2:]))
    clip = (
        None
        if lstm_state_clip_min is None and lstm_state_clip_max is None
        else (lstm_state_clip_min, lstm_state_clip_max)
    )
    states = [state] if state_cell is None else [state, state_cell]
    y, last = recurrent(
        data, states, weights, mode, 0, bidirectional, p, sequence_length if use_sequence_length else None, clip
    )
    return [y, *last] if state_outputs else y


__all__ = ["rnn"]
