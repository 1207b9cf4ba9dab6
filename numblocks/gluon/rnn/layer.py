"""Recurrent layers over whole sequences: RNN, LSTM, GRU. Each layer and direction is one fused scan."""

from __future__ import annotations

from ... import np
from ...array import ndarray
from ...npx.recurrent import GATES, recurrent
from ..hybrid import HybridBlock


class _RNNLayer(HybridBlock):
    """What RNN, LSTM and GRU share; `mode` names the arithmetic."""

    def __init__(
        self, hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
        h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, mode, dtype="float32",
        projection_size=None, h2r_weight_initializer=None, clip=None, use_sequence_length=False, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if layout not in ("TNC", "NTC"):
            raise AssertionError(
                f"{type(self).__name__}: Invalid layout {layout}; must be one of ['TNC' or 'NTC']. T is time, N the"
                f" batch, C the features. Transpose the data."
            )
        self._hidden_size, self._num_layers, self._layout, self._mode = hidden_size, num_layers, layout, mode
        self._dropout, self._dir, self._input_size, self._dtype = (
            dropout,
            2 if bidirectional else 1,
            input_size,
            dtype,
        )
        self._projection_size, self._clip, self._gates = projection_size, clip, GATES[mode]
        self._use_sequence_length = use_sequence_length
        kept = projection_size or hidden_size
        width = input_size
        for k in range(num_layers):
            for side in ("l", "r")[: self._dir]:
                self._make(f"{side}{k}_i2h_weight", (self._gates * hidden_size, width), i2h_weight_initializer)
                self._make(f"{side}{k}_h2h_weight", (self._gates * hidden_size, kept), h2h_weight_initializer)
                self._make(f"{side}{k}_i2h_bias", (self._gates * hidden_size,), i2h_bias_initializer)
                self._make(f"{side}{k}_h2h_bias", (self._gates * hidden_size,), h2h_bias_initializer)
                if projection_size:
                    self._make(f"{side}{k}_h2r_weight", (projection_size, hidden_size), h2r_weight_initializer)
            width = kept * self._dir

    def _make(self, name: str, shape, init) -> None:
        setattr(
            self, name, self.params.get(name, shape=shape, init=init, allow_deferred_init=True, dtype=self._dtype)
        )

    def _name_in_files(self, name: str) -> str:
        """MXNet calls the parameters as those of its cells: `l0_i2h_weight` is `_unfused.0.i2h_weight`."""
        side, level, rest = name[0], *name[1:].split("_", 1)
        return f"_unfused.{level}.{side}_cell.{rest}" if self._dir == 2 else f"_unfused.{level}.{rest}"

    def _prefixes(self) -> list[str]:
        """`l0_`, `r0_`, `l1_` ... in the order of the states."""
        return [f"{side}{k}_" for k in range(self._num_layers) for side in ("l", "r")[: self._dir]]

    def infer_shape(self, inputs, *args):
        if inputs.ndim != 3:
            raise ValueError(
                f"the input has shape {inputs.shape}. The layer reads {self._layout}, 3 axes. Reshape the input."
            )
        for prefix in self._prefixes()[: self._dir]:
            getattr(self, f"{prefix}i2h_weight").shape = (self._gates * self._hidden_size, inputs.shape[2])

    def state_info(self, batch_size=0) -> list[dict]:
        """Shapes, layout and dtype of the states: hidden, for LSTM also cell states."""
        kept = self._projection_size or self._hidden_size
        sizes = [kept, self._hidden_size] if self._mode == "lstm" else [kept]
        count = self._num_layers * self._dir
        return [{"shape": (count, batch_size, n), "__layout__": "LNC", "dtype": self._dtype} for n in sizes]

    def begin_state(self, batch_size=0, func=None, **kwargs) -> list[ndarray]:
        """Initial states, each `(layers * directions, batch, hidden)`.

        Args:
            func: makes an array, called with `shape=`, `dtype=` and `kwargs` (such as `ctx=`); zeros by default.
        """
        func = np.zeros if func is None else func
        return [
            func(shape=info["shape"], **{"dtype": info["dtype"], **kwargs}) for info in self.state_info(batch_size)
        ]

    def forward(self, inputs, states=None, sequence_length=None):
        """The output, and with `states` given a pair of it and the list of final states."""
        batch = inputs.shape[self._layout.index("N")]
        given = states is not None
        if states is None:
            states = self.begin_state(batch, ctx=inputs.ctx, dtype=inputs.dtype)
        states = [states] if isinstance(states, ndarray) else list(states)
        for state, info in zip(states, self.state_info(batch), strict=True):
            if state.shape != info["shape"]:
                raise ValueError(
                    f"Invalid recurrent state shape. Expecting {info['shape']}, got {state.shape}. Its axes are"
                    f" layers times"
                    f" directions, batch, features. Make it with begin_state(batch_size={batch})."
                )
        names = ["i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"] + ["h2r_weight"] * bool(self._projection_size)
        weights = [tuple(getattr(self, p + n).data(inputs.ctx) for n in names) for p in self._prefixes()]
        outputs, last = recurrent(
            inputs, states, weights, self._mode, self._layout.index("T"), self._dir == 2, self._dropout,
            sequence_length, self._clip,
        )  # fmt: skip
        return (outputs, last) if given else outputs

    def __repr__(self):
        rows, columns = self.l0_i2h_weight.shape
        text = f"{type(self).__name__}({columns} -> {rows // self._gates}, {self._layout}"
        if self._num_layers != 1:
            text += f", num_layers={self._num_layers}"
        if self._dropout != 0:
            text += f", dropout={self._dropout}"
        return text + (", bidirectional)" if self._dir == 2 else ")")


class RNN(_RNNLayer):
    """Elman network: `h = activation(x @ i2h_weight.T + i2h_bias + h @ h2h_weight.T + h2h_bias)`.

    Args:
        hidden_size: features of the hidden state.
        num_layers: layers, each reading the output of the one before.
        activation: `'relu'` or `'tanh'`.
        layout: `'TNC'` or `'NTC'`: order of time, batch and features.
        dropout: between layers, while training.
        bidirectional: a second direction from the end; outputs are joined.
        i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer: initializers.
        input_size: features of the input; 0 to learn it from the first batch.
        dtype: of the parameters.

    Shapes: x `(time, batch, in)` -> `(time, batch, directions * hidden_size)`; states
        `(layers * directions, batch, hidden_size)`. Parameters `l0_i2h_weight (hidden_size, in)` ..., `r0_...` for the
        second direction.

    >>> layer = RNN(8)
    >>> layer.initialize()
    >>> y, states = layer(np.ones((5, 2, 4)), layer.begin_state(batch_size=2))
    >>> y.shape, states[0].shape
    ((5, 2, 8), (1, 2, 8))
    """

    def __init__(
        self, hidden_size, num_layers=1, activation="relu", layout="TNC", dropout=0, bidirectional=False,
        i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
        h2h_bias_initializer="zeros", input_size=0, dtype="float32", **kwargs,
    ):  # fmt: skip
        if f"rnn_{activation}" not in GATES:
            raise ValueError(f"RNN: activation {activation!r} is unknown. Use 'relu' or 'tanh'.")
        super().__init__(
            hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
            h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, f"rnn_{activation}", dtype, **kwargs,
        )  # fmt: skip


class LSTM(_RNNLayer):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): gates i, f, g, o; `c = f c + i g`, `h = o tanh(c)`.

    Args:
        hidden_size, num_layers, layout, dropout, bidirectional, input_size, dtype: as of RNN.
        i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer: initializers.
        projection_size: project hidden states to this many features (Sak et al. 2014); runs step by step.
        h2r_weight_initializer: of the projection.
        state_clip_min, state_clip_max: limits of the cell states; runs step by step.

    Shapes: as RNN; states are hidden and cell states. Weights have `4 * hidden_size` rows in the order i, f, g, o.

    >>> layer = LSTM(8, layout='NTC')
    >>> layer.initialize()
    >>> layer(np.ones((2, 5, 4))).shape
    (2, 5, 8)
    """

    def __init__(
        self, hidden_size, num_layers=1, layout="TNC", dropout=0, bidirectional=False, input_size=0,
        i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
        h2h_bias_initializer="zeros", projection_size=None, h2r_weight_initializer=None, state_clip_min=None,
        state_clip_max=None, state_clip_nan=False, dtype="float32", **kwargs,
    ):  # fmt: skip
        clip = None if state_clip_min is None and state_clip_max is None else (state_clip_min, state_clip_max)
        super().__init__(
            hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
            h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, "lstm", dtype, projection_size,
            h2r_weight_initializer, clip, **kwargs,
        )  # fmt: skip


class GRU(_RNNLayer):
    """Gated recurrent unit (Cho et al. 2014), the reset gate behind the hidden product, as cuDNN computes it.

    Args:
        hidden_size, num_layers, layout, dropout, bidirectional, input_size, dtype: as of RNN.
        i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer: initializers.

    Shapes: as RNN. Weights have `3 * hidden_size` rows in the order reset, update, candidate.

    >>> layer = GRU(8, num_layers=2, bidirectional=True)
    >>> layer.initialize()
    >>> layer(np.ones((5, 2, 4))).shape
    (5, 2, 16)
    """

    def __init__(
        self, hidden_size, num_layers=1, layout="TNC", dropout=0, bidirectional=False, input_size=0,
        i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
        h2h_bias_initializer="zeros", dtype="float32", **kwargs,
    ):  # fmt: skip
        super().__init__(
            hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
            h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, "gru", dtype, **kwargs,
        )  # fmt: skip
