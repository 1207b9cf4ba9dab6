"""Cells round another cell: dropout, zoneout, residual connections."""

from __future__ import annotations

from ... import np
from ...array import ndarray
from ...npx import dropout, sequence_mask
from ...op import current
from .cell import HybridRecurrentCell, RecurrentCell


class DropoutCell(HybridRecurrentCell):
    """Drops elements of its input while training; a cell without states, for a place in a stack.

    Args:
        rate: probability of dropping.
        axes: along these axes the mask is shared.
    """

    def __init__(self, rate, axes=(), prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._rate, self._axes = rate, axes

    def _alias(self):
        return "dropout"

    def state_info(self, batch_size=0):
        return []

    def forward(self, inputs, states):
        return (dropout(inputs, self._rate, self._axes) if self._rate > 0 else inputs), states

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """All steps at once if the input is one array."""
        self.reset()
        if not isinstance(inputs, ndarray):
            return super().unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)
        outputs = self(inputs, [])[0]
        if merge_outputs is False:
            axis = layout.index("T")
            outputs = [outputs[(slice(None),) * axis + (t,)] for t in range(length)]
        return outputs, []

    def __repr__(self):
        return f"DropoutCell(rate={self._rate}, axes={self._axes})"


class ModifierCell(HybridRecurrentCell):
    """Base of cells that change what another cell does; parameters and states are those of `base_cell`.

    Args:
        base_cell: the cell to modify; it is used through this one from now on.
    """

    def __init__(self, base_cell: RecurrentCell):
        if base_cell._modified:
            raise AssertionError(
                f"Cell {base_cell.name} is already modified. One cell cannot be modified twice. Wrap the modifier"
                f" instead."
            )
        base_cell._modified = True
        super().__init__(prefix=base_cell.prefix + self._alias(), params=None)
        self.base_cell = base_cell

    @property
    def params(self):
        """The parameters of the base cell."""
        return self.base_cell.params

    def state_info(self, batch_size=0):
        return self.base_cell.state_info(batch_size)

    def begin_state(self, batch_size=0, func=None, **kwargs):
        """The initial states of the base cell."""
        self.base_cell._modified = False
        try:
            return self.base_cell.begin_state(batch_size=batch_size, func=func, **kwargs)
        finally:
            self.base_cell._modified = True

    def hybridize(self, active=True, **flags):
        """Compile the base cell. A modifier that keeps something from step to step stays as it is."""
        self.base_cell.hybridize(active, **flags)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_cell!r})"


class ZoneoutCell(ModifierCell):
    """While training, elements of output and states keep their previous value with some probability (Krueger et al.,
    arXiv:1606.01305).

    Args:
        base_cell: the cell.
        zoneout_outputs, zoneout_states: probabilities.
    """

    def __init__(self, base_cell, zoneout_outputs=0.0, zoneout_states=0.0):
        self._zoneout_outputs, self._zoneout_states, self._previous = zoneout_outputs, zoneout_states, None
        super().__init__(base_cell)

    def _alias(self):
        return "zoneout"

    def reset(self):
        super().reset()
        self._previous = None

    def forward(self, inputs, states):
        output, after = self.base_cell(inputs, states)
        before = np.zeros_like(output) if self._previous is None else self._previous

        def keep(p, new, old):  # dropout leaves nonzero what is renewed
            return np.where(dropout(np.ones_like(new), p) != 0, new, old) if p != 0 and current.training else new

        output = keep(self._zoneout_outputs, output, before)
        after = [keep(self._zoneout_states, new, old) for new, old in zip(after, states, strict=True)]
        self._previous = output
        return output, after

    def __repr__(self):
        return (
            f"{type(self).__name__}(p_out={self._zoneout_outputs}, p_state={self._zoneout_states},"
            f" {self.base_cell!r})"
        )


class ResidualCell(ModifierCell):
    """Adds the input to the output (He et al. 2015; Wu et al., arXiv:1609.08144).

    Args:
        base_cell: a cell whose output has as many features as its input.
    """

    def forward(self, inputs, states):
        output, states = self.base_cell(inputs, states)
        return output + inputs, states

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Unroll the base cell and add the inputs; see `RecurrentCell.unroll`."""
        self.reset()
        self.base_cell._modified = False
        try:
            outputs, states = self.base_cell.unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)
        finally:
            self.base_cell._modified = True
        axis = layout.index("T")
        added = inputs if isinstance(inputs, ndarray) else np.stack(list(inputs), axis=axis)
        added = sequence_mask(added, valid_length, valid_length is not None, 0.0, axis)
        if isinstance(outputs, ndarray):
            return outputs + added, states
        return [y + added[(slice(None),) * axis + (t,)] for t, y in enumerate(outputs)], states


class VariationalDropoutCell(ModifierCell):
    """Dropout with the same mask at every step of a sequence (Gal and Ghahramani, arXiv:1512.05287).

    Args:
        base_cell: the cell.
        drop_inputs, drop_states, drop_outputs: probabilities; of the states the first one is dropped.
    """

    def __init__(self, base_cell, drop_inputs=0.0, drop_states=0.0, drop_outputs=0.0):
        self.drop_inputs, self.drop_states, self.drop_outputs = drop_inputs, drop_states, drop_outputs
        self._masks: dict = {}
        super().__init__(base_cell)

    def _alias(self):
        return "vardrop"

    def reset(self):
        super().reset()
        self._masks = {}

    def _dropped(self, what: str, p: float, x) -> ndarray:
        if not p or not current.training:
            return x
        if what not in self._masks:
            self._masks[what] = dropout(np.ones_like(x), p)
        return x * self._masks[what]

    def forward(self, inputs, states):
        states = [self._dropped("states", self.drop_states, states[0]), *states[1:]]
        output, states = self.base_cell(self._dropped("inputs", self.drop_inputs, inputs), states)
        return self._dropped("outputs", self.drop_outputs, output), states

    def __repr__(self):
        return f"{type(self).__name__}(p_out = {self.drop_outputs}, p_state = {self.drop_states})"
