"""`LSTMPCell`: an LSTM whose hidden state is projected to fewer features."""

from __future__ import annotations

from .... import np, npx
from ....npx.recurrent import lstm_step
from ...rnn.cell import HybridRecurrentCell


class LSTMPCell(HybridRecurrentCell):
    """One step of an LSTM with a projected hidden state (Sak, Senior and Beaufays, arXiv:1402.1128).

    `r' = h2r_weight @ (o * tanh(c'))` is the output and what the gates see of the past.

    Args:
        hidden_size: features of the cell state.
        projection_size: features of the output.
        i2h_weight_initializer, h2h_weight_initializer, h2r_weight_initializer: of the matrices.
        i2h_bias_initializer, h2h_bias_initializer: of the biases.
        input_size: features of the input; 0 to learn it from the first batch.

    Shapes: x `(batch, in)`, states `(batch, projection_size)` and `(batch, hidden_size)` -> `(batch, projection_size)`.

    >>> cell = LSTMPCell(8, 3)
    >>> cell.initialize()
    >>> y, (r, c) = cell(np.ones((2, 5)), cell.begin_state(2))
    >>> y.shape, c.shape
    ((2, 3), (2, 8))
    """

    def __init__(
        self, hidden_size, projection_size, i2h_weight_initializer=None, h2h_weight_initializer=None,
        h2r_weight_initializer=None, i2h_bias_initializer="zeros", h2h_bias_initializer="zeros", input_size=0,
        prefix=None, params=None,
    ):  # fmt: skip
        super().__init__(prefix=prefix, params=params)
        self._hidden_size, self._input_size, self._projection_size = hidden_size, input_size, projection_size
        rows = 4 * hidden_size
        get = lambda name, shape, init: self.params.get(name, shape=shape, init=init, allow_deferred_init=True)
        self.i2h_weight = get("i2h_weight", (rows, input_size), i2h_weight_initializer)
        self.h2h_weight = get("h2h_weight", (rows, projection_size), h2h_weight_initializer)
        self.h2r_weight = get("h2r_weight", (projection_size, hidden_size), h2r_weight_initializer)
        self.i2h_bias = get("i2h_bias", (rows,), i2h_bias_initializer)
        self.h2h_bias = get("h2h_bias", (rows,), h2h_bias_initializer)

    def _alias(self):
        return "lstmp"

    def state_info(self, batch_size=0):
        return [
            {"shape": (batch_size, n), "__layout__": "NC"} for n in (self._projection_size, self._hidden_size)
        ]

    def forward(self, inputs, states):
        device = inputs.ctx
        i2h = npx.fully_connected(inputs, self.i2h_weight.data(device), self.i2h_bias.data(device))
        h2h = npx.fully_connected(states[0], self.h2h_weight.data(device), self.h2h_bias.data(device))
        h, c = lstm_step(i2h + h2h, states[1])
        r = np.matmul(h, self.h2r_weight.data(device).T)
        return r, [r, c]

    def __repr__(self):
        rows, width = self.i2h_weight.shape
        return f"{type(self).__name__}({width} -> {rows} -> {self._projection_size})"
