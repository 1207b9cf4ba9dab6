"""What the scans of recurrent layers share: geometry, memory, the gradient of the hidden weight."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..errors import MXNetError
from ..kernels.recurrence import Frames
from .matmul import matmul, swap
from .move import concat, expand_dims, freeze_key, reshape, slice_


def hidden_size(where, count, z, h0, w) -> int:
    """The hidden size; raises if shapes do not belong together. `count`: gates in `z` and `w`."""
    hidden = w.shape[1]
    shapes = [tuple(x.shape) for x in (z, h0, w)]
    if z.ndim != 3 or w.ndim != 2 or h0.ndim != 2 or z.shape[2] != count * hidden or w.shape[0] != count * hidden:
        raise MXNetError(
            f"{where}: pre-activations {shapes[0]}, initial state {shapes[1]} and weight {shapes[2]} do not fit."
            f" They are"
            f" (time, batch, {count} hidden), (batch, hidden) and ({count} hidden, hidden). Check hidden_size and"
            f" the layout."
        )
    return hidden


def check_state(where, z, state, hidden, axis):
    """`MXNetError` unless an initial state has a row for each sequence."""
    want = (z.shape[1 - axis], hidden)
    if tuple(state.shape) != want:
        raise MXNetError(
            f"{where}: the initial state has shape {tuple(state.shape)} but the batch needs {want}. A state holds"
            f" one row"
            f" for each sequence. Make it with begin_state(batch_size={want[0]})."
        )


def plan(z, axis, reverse, *rest):
    """`(time steps in order, batch, dtype to compute in)`."""
    times = numpy.arange(z.shape[axis])
    wanted = dt.as_float(dt.promote(z.dtype, *(x.dtype for x in rest)))
    return (
        times[::-1] if reverse else times,
        z.shape[1 - axis],
        max(wanted, dt.float32, key=lambda d: d.itemsize),
        wanted,
    )


def fresh(shape, outs, k, dtype):
    """An array to compute result `k` into."""
    out = None if outs is None else outs[k]
    return out if out is not None and out.dtype == dtype and out.flags.c_contiguous else numpy.empty(shape, dtype)


def give(found, outs, wanted):
    """Results in the dtype asked for, in the given memory if there is some."""
    if outs is None:
        return tuple(x if x.dtype == wanted else x.astype(wanted) for x in found)
    for x, out in zip(found, outs, strict=True):
        if x is not out:
            numpy.copyto(out, x, casting="unsafe")
    return outs


def turned(w):
    """`w.T` in memory of its own: turned once here, not by BLAS at every step."""
    return numpy.ascontiguousarray(w.T)


def cotangent(g, hidden, dtype):
    """A cotangent as an array; where it is absent, a row of zeros that serves all steps."""
    return numpy.ascontiguousarray(g, dtype) if isinstance(g, numpy.ndarray) else numpy.zeros(hidden, dtype)


def gate_frames(x, times, axis, columns, hidden):
    """Frames of each gate in `x`."""
    return [Frames(x, times, axis, column=k * hidden if x.ndim > 1 else 0) for k in range(columns)]


def bias_frames(b, times, columns, hidden):
    """Frames of the bias of each gate."""
    return [Frames(b, times, column=k * hidden) for k in range(columns)]


def weight_gradient(da, states, h0, axis, reverse):
    """The cotangent of the hidden weight, from all steps at once: `da.T @ h before`."""
    first = expand_dims(h0, axis)
    lead, steps = (slice(None),) * axis, states.shape[axis]
    kept = slice(1, None) if reverse else slice(0, max(steps - 1, 0))
    rest = slice_(states, key=freeze_key((*lead, kept)))
    before = concat(rest, first, axis=axis) if reverse else concat(first, rest, axis=axis)
    rows = reshape(da, shape=(da.shape[0] * da.shape[1], da.shape[2]))
    return matmul(swap(rows), reshape(before, shape=(rows.shape[0], h0.shape[1])))


class Before(Frames):
    """The state before each step, when steps are walked from the last to the first."""

    def words(self, count):
        first, self.first = self.first, None
        addresses, rows = super().words(count)
        addresses[:-1] = addresses[1:]
        addresses[-1], rows[-1] = Frames(first, self.times).words(1)[0][0], first.strides[0] // first.itemsize
        self.first = first
        return addresses, rows
