"""Recurrent cells whose input and state are images (or lines, or volumes): convolutions in place of matrices."""

from __future__ import annotations

from .... import np, npx
from ....npx import leaky_relu
from ...nn.conv import spread
from ...rnn.cell import HybridRecurrentCell


class _ConvCell(HybridRecurrentCell):
    """Any number `n` of spatial axes; `gates` blocks of channels each."""

    gates = 1
    n = 2

    def __init__(
        self, input_shape, hidden_channels, i2h_kernel, h2h_kernel, i2h_pad, i2h_dilate, h2h_dilate,
        i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, conv_layout,
        activation, prefix, params,
    ):  # fmt: skip
        super().__init__(prefix=prefix, params=params)
        n, kind = self.n, type(self).__name__
        input_shape = tuple(int(size) for size in input_shape)
        if len(conv_layout) != n + 2 or not conv_layout.startswith("N") or "C" not in (conv_layout[1], conv_layout[-1]):
            raise ValueError(
                f"{kind}: conv_layout={conv_layout!r}. It names batch N, channels C and {n} spatial axes. Use"
                f" {'NC' + 'DHW'[3 - n :]!r}."
            )
        if len(input_shape) != n + 1:
            raise ValueError(
                f"{kind}: input_shape={input_shape}. It has the channels and {n} spatial axes, without the batch, in"
                f" the order of {conv_layout[1:]}. Pass {n + 1} numbers."
            )
        self._layout, self._activation, self._hidden = conv_layout, activation, hidden_channels
        self._axis = conv_layout.index("C")
        self._i2h_kernel = spread(i2h_kernel, n, f"{kind}: i2h_kernel")
        self._h2h_kernel = spread(h2h_kernel, n, f"{kind}: h2h_kernel")
        if any(size % 2 == 0 for size in self._h2h_kernel):
            raise AssertionError(
                f"{kind}: h2h_kernel={h2h_kernel}. Only support odd number: the state keeps its size, so as much is"
                f" padded on either side. Pass odd sizes."
            )
        self._i2h_pad = spread(i2h_pad, n, f"{kind}: i2h_pad")
        self._i2h_dilate = spread(i2h_dilate, n, f"{kind}: i2h_dilate")
        self._h2h_dilate = spread(h2h_dilate, n, f"{kind}: h2h_dilate")
        self._h2h_pad = tuple(d * (k - 1) // 2 for d, k in zip(self._h2h_dilate, self._h2h_kernel, strict=True))
        self._state_shape = self._state_of(input_shape)
        channels = input_shape[self._axis - 1]
        filters = self.gates * hidden_channels
        get = lambda name, shape, init: self.params.get(name, shape=shape, init=init, allow_deferred_init=True)
        self.i2h_weight = get("i2h_weight", self._weight(filters, channels, self._i2h_kernel), i2h_weight_initializer)
        self.h2h_weight = get(
            "h2h_weight", self._weight(filters, hidden_channels, self._h2h_kernel), h2h_weight_initializer
        )
        self.i2h_bias = get("i2h_bias", (filters,), i2h_bias_initializer)
        self.h2h_bias = get("h2h_bias", (filters,), h2h_bias_initializer)

    def _alias(self):
        return "conv_" + type(self).__name__[6:].removesuffix("Cell").lower()

    def _weight(self, filters: int, channels: int, kernel) -> tuple[int, ...]:
        return (filters, *kernel, channels) if self._layout.endswith("C") else (filters, channels, *kernel)

    def _state_of(self, input_shape) -> tuple[int, ...]:
        sizes = [size for k, size in enumerate(input_shape) if k != self._axis - 1]
        found = [
            size + 2 * p - d * (k - 1)
            for size, p, d, k in zip(sizes, self._i2h_pad, self._i2h_dilate, self._i2h_kernel, strict=True)
        ]
        if min(found) < 1:
            raise ValueError(
                f"{type(self).__name__}: input_shape={input_shape} with i2h_kernel={self._i2h_kernel} leaves a state of"
                f" {tuple(found)}. The kernel is larger than the input. Pass a larger i2h_pad or a smaller kernel."
            )
        found.insert(self._axis - 1, self._hidden)
        return tuple(found)

    def infer_shape(self, inputs, *args):
        self.i2h_weight.shape = self._weight(
            self.gates * self._hidden, inputs.shape[self._axis], self._i2h_kernel
        )

    def state_info(self, batch_size=0):
        return [{"shape": (batch_size, *self._state_shape), "__layout__": self._layout}]

    def shares(self, inputs, hidden):
        """The input's and the hidden state's share of the pre-activations."""
        device = inputs.ctx
        return (
            self._convolve(
                inputs, self.i2h_weight.data(device), self.i2h_bias.data(device), self._i2h_kernel, self._i2h_dilate,
                self._i2h_pad,
            ),
            self._convolve(
                hidden, self.h2h_weight.data(device), self.h2h_bias.data(device), self._h2h_kernel, self._h2h_dilate,
                self._h2h_pad,
            ),
        )  # fmt: skip

    def _convolve(self, x, weight, bias, kernel, dilate, pad):
        """A convolution in the cell's layout; convolutions themselves have the channels first."""
        last = self._axis != 1
        if last:
            x, weight = np.moveaxis(x, self._axis, 1), np.moveaxis(weight, -1, 1)
        y = npx.convolution(
            x, weight, bias, kernel=kernel, stride=(1,) * self.n, dilate=dilate, pad=pad, num_filter=weight.shape[0]
        )
        return np.moveaxis(y, 1, self._axis) if last else y

    def _split(self, x) -> list:
        """The channels in one part for each gate."""
        return np.split(x, self.gates, axis=self._axis)

    def _act(self, x):
        if not isinstance(self._activation, str):
            return self._activation(x)
        return leaky_relu(x) if self._activation == "leaky" else npx.activation(x, self._activation)

    def __repr__(self):
        shape = self.i2h_weight.shape
        width = shape[-1 if self._layout.endswith("C") else 1]
        return (
            f"{type(self).__name__}({width if width > 0 else None} -> {shape[0]}, {self._activation}, {self._layout})"
        )


class _ConvRNNCell(_ConvCell):
    def forward(self, inputs, states):
        i2h, h2h = self.shares(inputs, states[0])
        y = self._act(i2h + h2h)
        return y, [y]


class _ConvLSTMCell(_ConvCell):
    gates = 4

    def state_info(self, batch_size=0):
        return super().state_info(batch_size) * 2

    def forward(self, inputs, states):
        i2h, h2h = self.shares(inputs, states[0])
        i, f, g, o = self._split(i2h + h2h)
        c = npx.sigmoid(f) * states[1] + npx.sigmoid(i) * self._act(g)
        h = npx.sigmoid(o) * self._act(c)
        return h, [h, c]


class _ConvGRUCell(_ConvCell):
    gates = 3

    def forward(self, inputs, states):
        i2h, h2h = self.shares(inputs, states[0])
        (xr, xu, xn), (hr, hu, hn) = self._split(i2h), self._split(h2h)
        r, u = npx.sigmoid(xr + hr), npx.sigmoid(xu + hu)
        h = (1.0 - u) * self._act(xn + r * hn) + u * states[0]
        return h, [h]


_ABOUT = {
    "RNN": ("`h' = activation(i2h(x) + h2h(h))`, both convolutions", "one state"),
    "LSTM": (
        "An LSTM of images, gates i, f, g, o (Shi et al., Convolutional LSTM Network, arXiv:1506.04214)",
        "two states, hidden and cell",
    ),
    "GRU": ("A gated recurrent unit of images, gates reset, update, candidate", "one state"),
}
_BASES = {"RNN": _ConvRNNCell, "LSTM": _ConvLSTMCell, "GRU": _ConvGRUCell}
_GATES = {"RNN": "", "LSTM": "4 * ", "GRU": "3 * "}


def _cell(n: int, kind: str) -> type:
    """The class of cells with `n` spatial axes."""
    layout = "NC" + "DHW"[3 - n :]
    ones, nothing = (1,) * n, (0,) * n
    base, name = _BASES[kind], f"Conv{n}D{kind}Cell"
    size = ", ".join({"D": "depth", "H": "height", "W": "width"}[axis] for axis in layout[2:])
    small = (2, *((4, 5, 6)[:n]))

    def __init__(
        self, input_shape, hidden_channels, i2h_kernel, h2h_kernel, i2h_pad=nothing, i2h_dilate=ones, h2h_dilate=ones,
        i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
        h2h_bias_initializer="zeros", conv_layout=layout, activation="tanh", prefix=None, params=None,
    ):  # fmt: skip
        base.__init__(
            self, input_shape, hidden_channels, i2h_kernel, h2h_kernel, i2h_pad, i2h_dilate, h2h_dilate,
            i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, conv_layout,
            activation, prefix, params,
        )  # fmt: skip

    what, states = _ABOUT[kind]
    doc = f"""{what}.

    Args:
        input_shape: `(channels, {size})` of the input, in the order of the layout without N; channels may be 0, to
            learn them from the first batch.
        hidden_channels: channels of the state.
        i2h_kernel, h2h_kernel: sizes of the windows over input and state; the latter odd.
        i2h_pad: zeros round the input. The state is padded to keep its size.
        i2h_dilate, h2h_dilate: distances between the elements of a window.
        i2h_weight_initializer, h2h_weight_initializer: of the weights.
        i2h_bias_initializer, h2h_bias_initializer: of the biases.
        conv_layout: `{layout!r}`, or with the channels last.
        activation: a name or a function.

    Shapes: x `(batch, channels, {size})` -> `(batch, hidden_channels, ...)`; {states}, of the output's shape.
        i2h_weight `({_GATES[kind]}hidden_channels, channels, *i2h_kernel)`.

    >>> cell = {name}({small}, 3, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> cell(np.ones((1, *{small})), cell.begin_state(1))[0].shape
    {(1, 3, *small[1:])}
    """
    made = {"n": n, "__init__": __init__, "__doc__": doc, "__module__": __name__}
    return type(name, (base,), made)


Conv1DRNNCell, Conv2DRNNCell, Conv3DRNNCell = (_cell(n, "RNN") for n in (1, 2, 3))
Conv1DLSTMCell, Conv2DLSTMCell, Conv3DLSTMCell = (_cell(n, "LSTM") for n in (1, 2, 3))
Conv1DGRUCell, Conv2DGRUCell, Conv3DGRUCell = (_cell(n, "GRU") for n in (1, 2, 3))
