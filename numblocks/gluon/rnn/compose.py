"""Cells made of cells: stacked, and read in both directions."""

from __future__ import annotations

from ... import np
from ...npx import sequence_reverse
from .cell import HybridRecurrentCell, RecurrentCell, first_states, merged, steps_of


class _Stack:
    """What SequentialRNNCell and HybridSequentialRNNCell share."""

    def __init__(self, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)

    def add(self, cell: RecurrentCell) -> None:
        """Put a cell on top."""
        self.register_child(cell)

    def cells(self) -> list[RecurrentCell]:
        """The cells, the one that reads the input first."""
        return list(self._children.values())

    def state_info(self, batch_size=0):
        return [info for cell in self.cells() for info in cell.state_info(batch_size)]

    def begin_state(self, batch_size=0, func=None, **kwargs):
        """The states of all cells, in one list."""
        return [s for cell in self.cells() for s in cell.begin_state(batch_size=batch_size, func=func, **kwargs)]

    def forward(self, inputs, states):
        after, at = [], 0
        for cell in self.cells():
            n = len(cell.state_info())
            inputs, state = cell(inputs, list(states[at : at + n]))
            after += state
            at += n
        return inputs, after

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Run cell after cell over the whole sequence; see `RecurrentCell.unroll`."""
        self.reset()
        steps, batch = steps_of(length, inputs, layout)
        states = first_states(self, batch, steps[0]) if begin_state is None else begin_state
        cells, after, at = self.cells(), [], 0
        for k, cell in enumerate(cells):
            n, last = len(cell.state_info()), k == len(cells) - 1
            inputs, state = cell.unroll(length, inputs, list(states[at : at + n]), layout,
                merge_outputs if last else None,
                                        valid_length)  # fmt: skip
            after += state
            at += n
        return inputs, after

    def __getitem__(self, i):
        return self.cells()[i]

    def __len__(self):
        return len(self._children)

    def __bool__(self):
        return True

    def __repr__(self):
        cells = "\n".join(f"({name}): {cell!r}".replace("\n", "\n  ") for name, cell in self._children.items())
        return f"{type(self).__name__}(\n{cells}\n)"


class SequentialRNNCell(_Stack, RecurrentCell):
    """Cells stacked: each reads the output of the one before.

    >>> stack = SequentialRNNCell()
    >>> stack.add(gluon.rnn.LSTMCell(4))
    >>> stack.add(gluon.rnn.GRUCell(3))
    >>> stack.initialize()
    >>> y, states = stack(np.ones((2, 5)), stack.begin_state(2))
    >>> y.shape, len(states)
    ((2, 3), 3)
    """


class HybridSequentialRNNCell(_Stack, HybridRecurrentCell):
    """SequentialRNNCell of cells that can be compiled."""


class BidirectionalCell(HybridRecurrentCell):
    """Two cells, one reading from the end; outputs are joined along the features. Only `unroll` makes sense.

    Args:
        l_cell, r_cell: the cell that reads forwards, and the one that reads from the end.
    """

    def __init__(self, l_cell, r_cell, output_prefix="bi_"):
        super().__init__(prefix="", params=None)
        self.register_child(l_cell, "l_cell")
        self.register_child(r_cell, "r_cell")
        self._output_prefix = output_prefix

    def forward(self, inputs, states):
        raise NotImplementedError(
            "Bidirectional cannot be stepped. Please use unroll: one direction starts at the end."
        )

    def state_info(self, batch_size=0):
        return [info for cell in self._children.values() for info in cell.state_info(batch_size)]

    def begin_state(self, batch_size=0, func=None, **kwargs):
        """The states of both cells, in one list."""
        return [
            s
            for cell in self._children.values()
            for s in cell.begin_state(batch_size=batch_size, func=func, **kwargs)
        ]

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Run both directions; see `RecurrentCell.unroll`."""
        self.reset()
        steps, batch = steps_of(length, inputs, layout)
        states = first_states(self, batch, steps[0]) if begin_state is None else begin_state
        left, right = self._children.values()
        n = len(left.state_info())

        def turned(parts):
            if valid_length is None:
                return list(reversed(parts))
            return list(sequence_reverse(np.stack(parts), valid_length, True, 0))

        forwards, after_left = left.unroll(length, steps, list(states[:n]), layout, False, valid_length)
        backwards, after_right = right.unroll(length, turned(steps), list(states[n:]), layout, False, valid_length)
        outputs = [np.concatenate([a, b], axis=1) for a, b in zip(forwards, turned(backwards), strict=True)]
        return merged(outputs, layout, merge_outputs), after_left + after_right

    def __repr__(self):
        left, right = self._children.values()
        return f"BidirectionalCell(forward={left!r}, backward={right!r})"
