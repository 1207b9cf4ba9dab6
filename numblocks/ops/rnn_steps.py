"""The backward passes of recurrent scans written in ordinary ops, step by step: slow, and differentiable again."""

from __future__ import annotations

from . import elementwise as ew
from .matmul import matmul
from .move import concat, expand_dims, freeze_key, slice_


def _at(x, t: int, axis: int):
    """Time step `t` of `x`; a number stays as it is."""
    return slice_(x, key=freeze_key((slice(None),) * axis + (t,))) if hasattr(x, "ndim") else x


def _gate(x, k: int, hidden: int):
    """Columns of gate `k` of `(batch, gates)`."""
    return slice_(x, key=freeze_key((slice(None), slice(k * hidden, (k + 1) * hidden)))) if hasattr(x, "ndim") else x


def _stack(parts, times, axis: int):
    """The steps' parts in order of time, along `axis`."""
    ordered = sorted(zip(times, parts, strict=True), key=lambda pair: pair[0])
    return concat(*(expand_dims(p, axis) for _, p in ordered), axis=axis)


def _walk(x, axis: int, reverse: bool):
    """Time steps from the last computed to the first, each with the one computed before it (None: the initial
    state)."""
    steps = list(range(x.shape[axis]))
    steps = steps if reverse else steps[::-1]
    return list(zip(steps, [*steps[1:], None], strict=True))


def lstm_grad(gates, cells, c0, w, gy, gc, gg, *, axis, reverse):
    """`lstm_scan_grad` in ordinary ops."""
    hidden, walk, found = w.shape[1], _walk(gates, axis, reverse), []
    dh, dc = ew.multiply(c0, 0.0), ew.multiply(c0, 0.0)
    for t, before in walk:
        i, f, g, o = (_gate(_at(gates, t, axis), k, hidden) for k in range(4))
        gi, gf, g_g, go = (_gate(_at(gg, t, axis), k, hidden) for k in range(4))
        tanh_c = ew.tanh(_at(cells, t, axis))
        dh = dh + _at(gy, t, axis)
        dc = dc + _at(gc, t, axis) + dh * o * (1.0 - ew.square(tanh_c))
        c = c0 if before is None else _at(cells, before, axis)
        parts = (
            (dc * g + gi) * i * (1.0 - i), (dc * c + gf) * f * (1.0 - f), (dc * i + g_g) * (1.0 - ew.square(g)),
            (dh * tanh_c + go) * o * (1.0 - o),
        )  # fmt: skip
        dz = concat(*parts, axis=1)
        found.append(dz)
        dh, dc = matmul(dz, w), dc * f
    return _stack(found, [t for t, _ in walk], axis), dh, dc


def gru_grad(gates, states, h0, w, gy, gg, *, axis, reverse):
    """`gru_scan_grad` in ordinary ops."""
    hidden, walk, found, hiddens = w.shape[1], _walk(gates, axis, reverse), [], []
    dh = ew.multiply(h0, 0.0)
    for t, before in walk:
        r, u, n, m = (_gate(_at(gates, t, axis), k, hidden) for k in range(4))
        gr, gu, gn, gm = (_gate(_at(gg, t, axis), k, hidden) for k in range(4))
        h = h0 if before is None else _at(states, before, axis)
        dh = dh + _at(gy, t, axis)
        pre = (dh * (1.0 - u) + gn) * (1.0 - ew.square(n))
        dr, du = (pre * m + gr) * r * (1.0 - r), (dh * (h - n) + gu) * u * (1.0 - u)
        da = concat(dr, du, pre * r + gm, axis=1)
        found.append(concat(dr, du, pre, axis=1))
        hiddens.append(da)
        dh = dh * u + matmul(da, w)
    times = [t for t, _ in walk]
    return _stack(found, times, axis), _stack(hiddens, times, axis), dh


def rnn_grad(y, w, gy, *, activation, axis, reverse):
    """`rnn_scan_grad` in ordinary ops."""
    walk, found, dh = _walk(y, axis, reverse), [], 0.0
    for t, _ in walk:
        h = _at(y, t, axis)
        slope = 1.0 - ew.square(h) if activation == "tanh" else ew.where(ew.greater(h, 0), 1.0, 0.0)
        dz = (_at(gy, t, axis) + dh) * slope
        found.append(dz)
        dh = matmul(dz, w)
    return _stack(found, [t for t, _ in walk], axis), dh
