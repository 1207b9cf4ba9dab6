"""Recurrent cells: one time step at a time, and `unroll` over a sequence."""

from __future__ import annotations

from ... import np
from ...array import ndarray
from ...npx import activation as activate
from ...npx import fully_connected, leaky_relu, sequence_last, sequence_mask
from ...npx.recurrent import columns
from ..block import Block
from ..hybrid import HybridBlock


def steps_of(length: int, inputs, layout: str) -> tuple[list[ndarray], int]:
    """The inputs of each time step, `(batch, features)`, and the batch size."""
    axis = layout.index("T")
    if isinstance(inputs, ndarray):
        if inputs.shape[axis] < length:
            raise ValueError(
                f"unroll: {length} steps were asked for but the input has shape {inputs.shape},"
                f" {inputs.shape[axis]} steps in"
                f" layout {layout}. Pass a longer sequence or a smaller length."
            )
        inputs = [inputs[(slice(None),) * axis + (t,)] for t in range(length)]
    if len(inputs) != length:
        raise AssertionError(f"unroll: {len(inputs)} inputs were given for {length} steps. There is one per step.")
    return list(inputs), inputs[0].shape[0]


def first_states(cell, batch: int, x) -> list[ndarray]:
    """Zeros where `x` lies, in its dtype if that is a float, so that half precision stays half precision."""
    return cell.begin_state(batch, ctx=x.ctx, **({"dtype": x.dtype} if x.dtype.kind == "f" else {}))


class RecurrentCell(Block):
    """Base of cells. A cell maps `(inputs, states)` to `(output, new states)`; states are a list.

    Args:
        prefix, params: as of Block.
    """

    def __init__(self, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._modified = False
        self.reset()

    def reset(self) -> None:
        """Forget what was kept from the last sequence (masks, previous outputs); called by `unroll`."""
        for child in self.__dict__.get("_children", {}).values():
            if isinstance(child, RecurrentCell):
                child.reset()

    def state_info(self, batch_size=0) -> list[dict]:
        """Shape and layout of each state."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its states are. Override state_info.")

    def begin_state(self, batch_size=0, func=None, **kwargs) -> list[ndarray]:
        """Initial states.

        Args:
            func: makes an array, called with `shape=` and `kwargs`; zeros by default.
        """
        if self._modified:
            raise AssertionError(
                f"{type(self).__name__}: begin_state of a cell that a modifier has wrapped was called. States"
                f" belong to the"
                f" outer cell. Call begin_state of the modifier."
            )
        func = np.zeros if func is None else func
        return [func(shape=info["shape"], **kwargs) for info in self.state_info(batch_size)]

    def __call__(self, inputs, states):
        """One time step: `(batch, features)` and a list of states to `(output, states)`."""
        return super().__call__(inputs, states)

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Run over `length` time steps.

        Args:
            length: number of steps.
            inputs: `(batch, time, features)` (layout 'NTC') or `(time, batch, features)` ('TNC'), or a list of
                `(batch, features)`.
            begin_state: initial states; zeros by default.
            merge_outputs: True for one array in the layout of the input, else a list.
            valid_length: `(batch,)`; outputs behind are 0, states are those at the end of each sequence.

        Returns:
            Outputs and final states.
        """
        self.reset()
        steps, batch = steps_of(length, inputs, layout)
        states = first_states(self, batch, steps[0]) if begin_state is None else begin_state
        outputs, history = [], []
        for x in steps:
            y, states = self(x, states)
            outputs.append(y)
            history.append(states)
        self.reset()
        if valid_length is not None:
            states = [
                sequence_last(np.stack(list(each)), valid_length, True, 0) for each in zip(*history, strict=True)
            ]
        return merged(outputs, layout, merge_outputs, valid_length), states


def merged(outputs, layout: str, merge: bool | None, valid_length=None):
    """A list of outputs as one array if `merge`, masked by length (then an array unless `merge` is False)."""
    if valid_length is None and not merge:
        return outputs
    axis = layout.index("T")
    y = sequence_mask(np.stack(outputs, axis=axis), valid_length, valid_length is not None, 0.0, axis)
    return [y[(slice(None),) * axis + (t,)] for t in range(len(outputs))] if merge is False else y


class HybridRecurrentCell(RecurrentCell, HybridBlock):
    """A cell whose step can be compiled."""

    def infer_shape(self, inputs, *args):
        weight = self.__dict__.get("i2h_weight")
        if weight is not None:
            weight.shape = (weight.shape[0], inputs.shape[-1])


class _BaseCell(HybridRecurrentCell):
    """Cells with an input and a hidden matrix; `gates` blocks of rows each."""

    gates = 1

    def __init__(
        self, hidden_size, i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer,
        input_size, prefix, params,
    ):  # fmt: skip
        super().__init__(prefix=prefix, params=params)
        self._hidden_size, self._input_size, rows = hidden_size, input_size, self.gates * hidden_size
        get = lambda name, shape, init: self.params.get(name, shape=shape, init=init, allow_deferred_init=True)
        self.i2h_weight = get("i2h_weight", (rows, input_size), i2h_weight_initializer)
        self.h2h_weight = get("h2h_weight", (rows, hidden_size), h2h_weight_initializer)
        self.i2h_bias = get("i2h_bias", (rows,), i2h_bias_initializer)
        self.h2h_bias = get("h2h_bias", (rows,), h2h_bias_initializer)

    def state_info(self, batch_size=0):
        return [{"shape": (batch_size, self._hidden_size), "__layout__": "NC"}]

    def shares(self, inputs, hidden) -> tuple[ndarray, ndarray]:
        """The input's and the hidden state's share of the pre-activations."""
        device = inputs.ctx
        return (
            fully_connected(inputs, self.i2h_weight.data(device), self.i2h_bias.data(device)),
            fully_connected(hidden, self.h2h_weight.data(device), self.h2h_bias.data(device)),
        )

    def __repr__(self):
        rows, width = self.i2h_weight.shape
        return f"{type(self).__name__}({width} -> {rows})"


def _activation(function, x) -> ndarray:
    """An activation given by name, as a layer or as a function."""
    return activate(x, function) if isinstance(function, str) and function != "leaky" else (
        leaky_relu(x) if function == "leaky" else function(x))  # fmt: skip


class RNNCell(_BaseCell):
    """`h = activation(x @ i2h_weight.T + i2h_bias + h @ h2h_weight.T + h2h_bias)`; the output is h.

    Args:
        hidden_size: features of the state.
        activation: name of an activation, or a function.
        input_size: features of the input; 0 to learn it from the first batch.

    >>> cell = RNNCell(4)
    >>> cell.initialize()
    >>> y, states = cell(np.ones((2, 3)), cell.begin_state(2))
    >>> y.shape
    (2, 4)
    """

    def __init__(
        self, hidden_size, activation="tanh", i2h_weight_initializer=None, h2h_weight_initializer=None,
        i2h_bias_initializer="zeros", h2h_bias_initializer="zeros", input_size=0, prefix=None, params=None,
    ):  # fmt: skip
        self._activation = activation
        super().__init__(hidden_size, i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer,
                         h2h_bias_initializer, input_size, prefix, params)  # fmt: skip

    def _alias(self):
        return "rnn"

    def forward(self, inputs, states):
        i2h, h2h = self.shares(inputs, states[0])
        y = _activation(self._activation, i2h + h2h)
        return y, [y]

    def __repr__(self):
        return super().__repr__()[:-1] + f", {self._activation})"


class LSTMCell(_BaseCell):
    """One step of `LSTM`; states are hidden and cell states.

    Args:
        hidden_size: features of each state.
        input_size: features of the input; 0 to learn it from the first batch.
        activation, recurrent_activation: of candidate and output, and of the gates.

    >>> cell = LSTMCell(4)
    >>> cell.initialize()
    >>> y, (h, c) = cell(np.ones((2, 3)), cell.begin_state(2))
    >>> y.shape, c.shape
    ((2, 4), (2, 4))
    """

    gates = 4

    def __init__(
        self, hidden_size, i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
        h2h_bias_initializer="zeros", input_size=0, prefix=None, params=None, activation="tanh",
        recurrent_activation="sigmoid",
    ):  # fmt: skip
        self._activation, self._recurrent_activation = activation, recurrent_activation
        super().__init__(hidden_size, i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer,
                         h2h_bias_initializer, input_size, prefix, params)  # fmt: skip

    def _alias(self):
        return "lstm"

    def state_info(self, batch_size=0):
        return super().state_info(batch_size) * 2

    def forward(self, inputs, states):
        i2h, h2h = self.shares(inputs, states[0])
        i, f, g, o = columns(i2h + h2h, 4)
        inner = lambda x: _activation(self._recurrent_activation, x)
        c = inner(f) * states[1] + inner(i) * _activation(self._activation, g)
        h = inner(o) * _activation(self._activation, c)
        return h, [h, c]


class GRUCell(_BaseCell):
    """One step of `GRU`.

    Args:
        hidden_size: features of the state.
        input_size: features of the input; 0 to learn it from the first batch.
        activation, recurrent_activation: of the candidate, and of the gates.

    >>> cell = GRUCell(4)
    >>> cell.initialize()
    >>> cell.unroll(5, np.ones((2, 5, 3)), merge_outputs=True)[0].shape
    (2, 5, 4)
    """

    gates = 3

    def __init__(
        self, hidden_size, i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
        h2h_bias_initializer="zeros", input_size=0, prefix=None, params=None, activation="tanh",
        recurrent_activation="sigmoid",
    ):  # fmt: skip
        self._activation, self._recurrent_activation = activation, recurrent_activation
        super().__init__(hidden_size, i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer,
                         h2h_bias_initializer, input_size, prefix, params)  # fmt: skip

    def _alias(self):
        return "gru"

    def forward(self, inputs, states):
        i2h, h2h = self.shares(inputs, states[0])
        (xr, xu, xn), (hr, hu, hn) = columns(i2h, 3), columns(h2h, 3)
        r, u = _activation(self._recurrent_activation, xr + hr), _activation(self._recurrent_activation, xu + hu)
        n = _activation(self._activation, xn + r * hn)
        h = (1.0 - u) * n + u * states[0]
        return h, [h]
