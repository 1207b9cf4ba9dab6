"""`FusedRNN`: the initial values of a whole recurrent network in one vector."""

from __future__ import annotations

import json
import math

import numpy

from .base import InitDesc, Initializer, create, fill, register

_GATES = {"rnn_relu": ("",), "rnn_tanh": ("",), "lstm": ("_i", "_f", "_c", "_o"), "gru": ("_r", "_z", "_o")}


@register
class FusedRNN(Initializer):
    """Fills the vector of `npx.rnn`: first all matrices, then all biases, each gate by itself.

    Args:
        init: for the parts, called with names such as `l0_i2h_f_weight`; None for the initializer that the whole net
            is initialized with.
        num_hidden: features of the state.
        num_layers: layers.
        mode: 'rnn_relu', 'rnn_tanh', 'lstm' or 'gru'.
        bidirectional: two directions.
        forget_bias: of the forget gate of LSTM, both of the input's and of the state's bias.

    Raises:
        ValueError: an unknown mode, or a vector of a length that fits no input.

    >>> FusedRNN('xavier', 8, 2, 'lstm').dumps()[:11]
    '["fusedrnn"'
    """

    def __init__(self, init, num_hidden, num_layers, mode, bidirectional=False, forget_bias=1.0):
        if mode not in _GATES:
            raise ValueError(f"FusedRNN: mode={mode!r} is unknown. Use one of {', '.join(map(repr, _GATES))}.")
        self._init = None if init is None else create(init)
        super().__init__(
            init=None if self._init is None else self._init.dumps(), num_hidden=num_hidden, num_layers=num_layers,
            mode=mode, bidirectional=bidirectional, forget_bias=forget_bias,
        )  # fmt: skip
        self._hidden, self._layers, self._mode = num_hidden, num_layers, mode
        self._sides = ("l", "r")[: 1 + bool(bidirectional)]
        self._forget = forget_bias

    def dumps(self) -> str:
        return json.dumps(["fusedrnn", self._kwargs])

    def _input_width(self, name, size: int) -> int:
        """The features of the input, from the number of parameters."""
        directions, hidden, rows = len(self._sides), self._hidden, len(_GATES[self._mode]) * self._hidden
        deeper = (self._layers - 1) * directions * rows * (hidden * directions + hidden + 2)
        first = size - deeper - directions * rows * (hidden + 2)
        width, rest = divmod(first, directions * rows)
        if width < 1 or rest:
            raise ValueError(
                f"FusedRNN: '{name}' has {size} values. No width of the input gives that many for {self._layers} layers"
                f" of {self._mode} with {hidden} features in {directions} directions. Make the vector that npx.rnn"
                f" expects, or correct the arguments."
            )
        return width

    def _parts(self, width: int):
        """Names and shapes of the parts in their order."""
        kinds = _GATES[self._mode]
        for layer in range(self._layers):
            for side in self._sides:
                for source, columns in (("i2h", width), ("h2h", self._hidden)):
                    for gate in kinds:
                        yield f"{side}{layer}_{source}{gate}_weight", (self._hidden, columns)
            width = self._hidden * len(self._sides)
        for layer in range(self._layers):
            for side in self._sides:
                for source in ("i2h", "h2h"):
                    for gate in kinds:
                        yield f"{side}{layer}_{source}{gate}_bias", (self._hidden,)

    def _init_weight(self, name, arr):
        values = numpy.zeros(arr.shape, "float32")
        inner = self._init if self._init is not None else getattr(name, "global_init", None) or create("uniform")
        at = 0
        for part, shape in self._parts(self._input_width(name, values.size)):
            view = values[at : at + math.prod(shape)].reshape(shape)
            at += math.prod(shape)
            if part.endswith("_f_bias"):
                view[...] = self._forget
            else:
                inner(InitDesc(part), view)
        fill(arr, values)

    _init_default = _init_weight
