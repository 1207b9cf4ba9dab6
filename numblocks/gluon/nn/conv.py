"""Convolutions over 1, 2 or 3 spatial axes."""

from __future__ import annotations

from ... import npx
from ..hybrid import HybridBlock
from .activations import Activation
from .basic import bias_of


def spread(value, n: int, what: str) -> tuple[int, ...]:
    """One int for each of `n` spatial axes, from an int or a sequence of ints.

    >>> spread(3, 2, 'kernel_size'), spread((1, 2), 2, 'kernel_size')
    ((3, 3), (1, 2))
    """
    value = (int(value),) * n if isinstance(value, int) else tuple(int(v) for v in value)
    if len(value) != n:
        raise ValueError(
            f"{what}: got {value} for {n} spatial axes. There is one number per"
            f" axis. Pass {n}, or one for all."
        )
    return value


class _Conv(HybridBlock):
    """Any number of spatial axes."""

    def __init__(
        self, n, channels, kernel_size, strides, padding, dilation, groups, layout, activation, use_bias,
        weight_initializer, bias_initializer, in_channels, prefix=None, params=None,
    ):  # fmt: skip
        super().__init__(prefix=prefix, params=params)
        if not layout.startswith("N") or "C" not in layout or len(layout) != n + 2:
            raise ValueError(
                f"{type(self).__name__}: layout {layout!r} was given. It names batch N, channels C and {n}"
                f" spatial axes. Use {'NC' + 'DHW'[3 - n:]!r}."
            )
        self._channels, self._in_channels, self._groups, self._layout = channels, in_channels, groups, layout
        self._kernel = spread(kernel_size, n, "kernel_size")
        self._strides = spread(strides, n, "strides")
        self._padding = spread(padding, n, "padding")
        self._dilation = spread(dilation, n, "dilation")
        with self.name_scope():
            self.weight = self.params.get(
                "weight", shape=self._weight_shape(in_channels), init=weight_initializer,
                allow_deferred_init=True,
            )  # fmt: skip
            self.bias = bias_of(self, channels, bias_initializer) if use_bias else None
            self.act = Activation(activation, prefix=activation + "_") if activation is not None else None

    def _alias(self):
        return "conv"

    def _weight_shape(self, in_channels: int) -> tuple[int, ...]:
        per_group = in_channels // self._groups if in_channels > 0 else -1
        if self._layout.endswith("C"):
            return (self._channels, *self._kernel, per_group)
        return (self._channels, per_group, *self._kernel)

    def infer_shape(self, x):
        if x.ndim != len(self._layout):
            raise ValueError(
                f"the input has {x.ndim} axes, shape {x.shape}. The layer reads {self._layout},"
                f" {len(self._layout)} axes. Reshape the input, for example with a channel axis of 1."
            )
        self.weight.shape = self._weight_shape(x.shape[self._layout.index("C")])

    def forward(self, x):
        device = x._device
        bias = self.bias
        y = npx.convolution(
            x, self.weight.data(device), None if bias is None else bias.data(device), kernel=self._kernel,
            stride=self._strides, dilate=self._dilation, pad=self._padding, num_filter=self._channels,
            num_group=self._groups, no_bias=bias is None, layout=self._layout,
        )  # fmt: skip
        return y if self.act is None else self.act(y)

    def __repr__(self):
        shape = self.weight.shape
        text = f"{shape[-1 if self._layout.endswith('C') else 1]} -> {shape[0]}"
        text += f", kernel_size={self._kernel}, stride={self._strides}"
        n = len(self._kernel)
        if self._padding != (0,) * n:
            text += f", padding={self._padding}"
        if self._dilation != (1,) * n:
            text += f", dilation={self._dilation}"
        if self._groups != 1:
            text += f", groups={self._groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.act is not None:
            text += f", {self.act}"
        return f"{type(self).__name__}({text})"


class Conv1D(_Conv):
    """Convolution over one spatial axis, for example time.

    Args:
        channels: output channels.
        kernel_size, strides, padding, dilation: an int, or a sequence of one.
        groups: input and output channels are split into that many groups that do not see each other.
        layout: `'NCW'`.
        activation: name of an activation, or None.
        use_bias: whether to add a bias per channel.
        weight_initializer, bias_initializer: initializers or their names.
        in_channels: input channels; 0 to learn it from the first batch.

    Shapes: `(batch, in_channels, width)` -> `(batch, channels, out)`,
        `out = (width + 2 * padding - dilation * (kernel_size - 1) - 1) // strides + 1`.
        weight `(channels, in_channels / groups, kernel_size)`, bias `(channels,)`.

    >>> layer = Conv1D(4, kernel_size=3)
    >>> layer.initialize()
    >>> layer(np.ones((2, 5, 10))).shape
    (2, 4, 8)
    """

    def __init__(
        self, channels, kernel_size, strides=1, padding=0, dilation=1, groups=1, layout="NCW",
        activation=None, use_bias=True, weight_initializer=None, bias_initializer="zeros", in_channels=0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(
            1, channels, kernel_size, strides, padding, dilation, groups, layout, activation, use_bias,
            weight_initializer, bias_initializer, in_channels, **kwargs,
        )  # fmt: skip


class Conv2D(_Conv):
    """Convolution over two spatial axes, height and width.

    Args:
        channels: output channels.
        kernel_size, strides, padding, dilation: an int, or one per axis.
        groups: input and output channels are split into that many groups that do not see each other.
        layout: `'NCHW'`.
        activation: name of an activation, or None.
        use_bias: whether to add a bias per channel.
        weight_initializer, bias_initializer: initializers or their names.
        in_channels: input channels; 0 to learn it from the first batch.

    Shapes: `(batch, in_channels, height, width)` -> `(batch, channels, out_height, out_width)`, each
        `out = (size + 2 * padding - dilation * (kernel_size - 1) - 1) // strides + 1`.
        weight `(channels, in_channels / groups, *kernel_size)`, bias `(channels,)`.

    Raises:
        ValueError: the input does not have 4 axes.
        MXNetError: the number of channels is not `in_channels`.

    >>> layer = Conv2D(6, kernel_size=5, padding=2)
    >>> layer.initialize()
    >>> layer(np.ones((1, 1, 28, 28))).shape
    (1, 6, 28, 28)
    """

    def __init__(
        self, channels, kernel_size, strides=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, layout="NCHW",
        activation=None, use_bias=True, weight_initializer=None, bias_initializer="zeros", in_channels=0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(
            2, channels, kernel_size, strides, padding, dilation, groups, layout, activation, use_bias,
            weight_initializer, bias_initializer, in_channels, **kwargs,
        )  # fmt: skip


class Conv3D(_Conv):
    """Convolution over three spatial axes: depth, height and width.

    Args:
        channels: output channels.
        kernel_size, strides, padding, dilation: an int, or one per axis.
        groups: input and output channels are split into that many groups that do not see each other.
        layout: `'NCDHW'`.
        activation: name of an activation, or None.
        use_bias: whether to add a bias per channel.
        weight_initializer, bias_initializer: initializers or their names.
        in_channels: input channels; 0 to learn it from the first batch.

    Shapes: `(batch, in_channels, depth, height, width)` -> `(batch, channels, ...)`, as Conv2D.
        weight `(channels, in_channels / groups, *kernel_size)`, bias `(channels,)`.

    >>> layer = Conv3D(2, kernel_size=2)
    >>> layer.initialize()
    >>> layer(np.ones((1, 1, 4, 4, 4))).shape
    (1, 2, 3, 3, 3)
    """

    def __init__(
        self, channels, kernel_size, strides=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), groups=1,
        layout="NCDHW", activation=None, use_bias=True, weight_initializer=None, bias_initializer="zeros",
        in_channels=0, **kwargs,
    ):  # fmt: skip
        super().__init__(
            3, channels, kernel_size, strides, padding, dilation, groups, layout, activation, use_bias,
            weight_initializer, bias_initializer, in_channels, **kwargs,
        )  # fmt: skip
