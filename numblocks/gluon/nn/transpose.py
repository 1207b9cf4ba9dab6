"""Transposed convolutions over 1, 2 or 3 spatial axes, and pixel shuffles: layers that enlarge."""

from __future__ import annotations

import math

from ... import npx
from ...ops import move
from ..hybrid import HybridBlock
from .conv import _Conv, spread


class _ConvTranspose(_Conv):
    """Any number of spatial axes; weight `(in_channels, channels / groups, *kernel)`."""

    def __init__(self, n, channels, kernel_size, strides, padding, output_padding, *rest, **kwargs):
        self._output_padding = spread(output_padding, n, "output_padding")
        super().__init__(n, channels, kernel_size, strides, padding, *rest, **kwargs)
        if self._layout.endswith("C"):
            raise ValueError(
                f"{type(self).__name__}: layout {self._layout!r} was given. Transposed convolutions read channels"
                f" first. Use"
                f" {'NC' + 'DHW'[3 - n :]!r}."
            )

    def _weight_shape(self, in_channels: int) -> tuple[int, ...]:
        return (in_channels if in_channels > 0 else -1, self._channels // self._groups, *self._kernel)

    def forward(self, x):
        device, bias = x._device, self.bias
        y = npx.deconvolution(
            x, self.weight.data(device), None if bias is None else bias.data(device), kernel=self._kernel,
            stride=self._strides, dilate=self._dilation, pad=self._padding, adj=self._output_padding,
            num_filter=self._channels, num_group=self._groups, no_bias=bias is None,
        )  # fmt: skip
        return y if self.act is None else self.act(y)

    def __repr__(self):
        shape, text = self.weight.shape, super().__repr__()
        head = f"{shape[1]} -> {shape[0]}"
        return text.replace(text[text.index("(") + 1 : text.index(",")], head, 1)


class Conv1DTranspose(_ConvTranspose):
    """The transpose of Conv1D: the gradient of a convolution in its input, used forwards.

    Args:
        channels: output channels.
        kernel_size, strides, padding, dilation: an int, or a sequence of one.
        output_padding: extra size at the end, below the stride.
        groups, activation, use_bias, weight_initializer, bias_initializer, in_channels: as of Conv1D.

    Shapes: `(batch, in_channels, width)` -> `(batch, channels, out)`,
        `out = (width - 1) * strides - 2 * padding + dilation * (kernel_size - 1) + 1 + output_padding`.

    >>> layer = Conv1DTranspose(4, kernel_size=2, strides=2)
    >>> layer.initialize()
    >>> layer(np.ones((2, 5, 10))).shape
    (2, 4, 20)
    """

    def __init__(
        self, channels, kernel_size, strides=1, padding=0, output_padding=0, dilation=1, groups=1, layout="NCW",
        activation=None, use_bias=True, weight_initializer=None, bias_initializer="zeros", in_channels=0, **kwargs,
    ):  # fmt: skip
        super().__init__(
            1, channels, kernel_size, strides, padding, output_padding, dilation, groups, layout, activation, use_bias,
            weight_initializer, bias_initializer, in_channels, **kwargs,
        )  # fmt: skip


class Conv2DTranspose(_ConvTranspose):
    """The transpose of Conv2D; arguments as of Conv1DTranspose, per spatial axis.

    Shapes: `(batch, in_channels, height, width)` -> `(batch, channels, *out)`.

    >>> layer = Conv2DTranspose(3, kernel_size=4, strides=2, padding=1)
    >>> layer.initialize()
    >>> layer(np.ones((1, 2, 8, 8))).shape
    (1, 3, 16, 16)
    """

    def __init__(
        self, channels, kernel_size, strides=(1, 1), padding=(0, 0), output_padding=(0, 0), dilation=(1, 1), groups=1,
        layout="NCHW", activation=None, use_bias=True, weight_initializer=None, bias_initializer="zeros", in_channels=0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(
            2, channels, kernel_size, strides, padding, output_padding, dilation, groups, layout, activation, use_bias,
            weight_initializer, bias_initializer, in_channels, **kwargs,
        )  # fmt: skip


class Conv3DTranspose(_ConvTranspose):
    """The transpose of Conv3D; arguments as of Conv1DTranspose, per spatial axis.

    Shapes: `(batch, in_channels, depth, height, width)` -> `(batch, channels, *out)`.

    >>> layer = Conv3DTranspose(2, kernel_size=2, strides=2)
    >>> layer.initialize()
    >>> layer(np.ones((1, 1, 2, 3, 4))).shape
    (1, 2, 4, 6, 8)
    """

    def __init__(
        self, channels, kernel_size, strides=(1, 1, 1), padding=(0, 0, 0), output_padding=(0, 0, 0),
        dilation=(1, 1, 1), groups=1, layout="NCDHW", activation=None, use_bias=True, weight_initializer=None,
        bias_initializer="zeros", in_channels=0, **kwargs,
    ):  # fmt: skip
        super().__init__(
            3, channels, kernel_size, strides, padding, output_padding, dilation, groups, layout, activation, use_bias,
            weight_initializer, bias_initializer, in_channels, **kwargs,
        )  # fmt: skip


class _PixelShuffle(HybridBlock):
    """Channels become pixels, `factor` times as many along each spatial axis (Shi et al. 2016)."""

    def __init__(self, n, factor, **kwargs):
        super().__init__(**kwargs)
        self._factors = spread(factor, n, "factor")

    def forward(self, x):
        batch, channels, *size = x.shape
        factors, n = self._factors, len(self._factors)
        if len(size) != n or channels % math.prod(factors):
            raise ValueError(
                f"the input has shape {x.shape}. The layer reads {n} spatial axes and a number of channels that"
                f" {math.prod(factors)} divides. Change the layer before."
            )
        y = move.reshape(x, shape=(batch, channels // math.prod(factors), *factors, *size))
        axes = (0, 1, *(a for k in range(n) for a in (2 + n + k, 2 + k)))
        y = move.transpose(y, axes=axes)
        return move.reshape(y, shape=(batch, y.shape[1], *(f * s for f, s in zip(factors, size, strict=True))))

    def __repr__(self):
        factors = self._factors[0] if len(self._factors) == 1 else self._factors
        return f"{type(self).__name__}({factors})"


class PixelShuffle1D(_PixelShuffle):
    """`(batch, factor * channels, width)` to `(batch, channels, factor * width)`.

    >>> PixelShuffle1D(2)(np.ones((1, 8, 3))).shape
    (1, 4, 6)
    """

    def __init__(self, factor, **kwargs):
        super().__init__(1, factor, **kwargs)


class PixelShuffle2D(_PixelShuffle):
    """`(batch, f1 * f2 * channels, height, width)` to `(batch, channels, f1 * height, f2 * width)`.

    >>> PixelShuffle2D((2, 3))(np.ones((1, 12, 3, 5))).shape
    (1, 2, 6, 15)
    """

    def __init__(self, factor, **kwargs):
        super().__init__(2, factor, **kwargs)


class PixelShuffle3D(_PixelShuffle):
    """The same over three spatial axes.

    >>> PixelShuffle3D(2)(np.ones((1, 8, 2, 3, 4))).shape
    (1, 1, 4, 6, 8)
    """

    def __init__(self, factor, **kwargs):
        super().__init__(3, factor, **kwargs)
