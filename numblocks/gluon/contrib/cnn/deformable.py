"""Deformable convolutions: a plain one computes from the image where the windows of another one look."""

from __future__ import annotations

from .... import npx
from ....nd import deformable as ops
from ...hybrid import HybridBlock
from ...nn import Activation
from ...nn.conv import spread


class _Deformable(HybridBlock):
    """What both share; `numbers` is how many numbers an element of a window has: two offsets, perhaps a factor."""

    numbers = 2
    offsets_first = True  # the order of the parameters is MXNet's

    def __init__(
        self, channels, kernel_size=(1, 1), strides=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1,
        num_deformable_group=1, layout="NCHW", use_bias=True, in_channels=0, activation=None, weight_initializer=None,
        bias_initializer="zeros", offset_weight_initializer="zeros", offset_bias_initializer="zeros",
        offset_use_bias=True, op_name=None, adj=None, prefix=None, params=None,
    ):  # fmt: skip
        super().__init__(prefix=prefix, params=params)
        kind = type(self).__name__
        if layout != "NCHW":
            raise ValueError(
                f"{kind}: layout={layout!r}. Data are NCHW: batch, channels, height, width. Transpose them."
            )
        if channels % groups or in_channels % groups or in_channels % num_deformable_group:
            raise ValueError(
                f"{kind}: {in_channels} to {channels} channels in groups={groups}, num_deformable_group="
                f"{num_deformable_group}. Groups are of one size. Pass numbers that divide the channels."
            )
        self._channels, self._groups, self._offset_groups = channels, groups, num_deformable_group
        self._kernel = spread(kernel_size, 2, f"{kind}: kernel_size")
        self._strides = spread(strides, 2, f"{kind}: strides")
        self._padding = spread(padding, 2, f"{kind}: padding")
        self._dilation = spread(dilation, 2, f"{kind}: dilation")
        self._elements = self._kernel[0] * self._kernel[1]
        self._offsets = self.numbers * num_deformable_group * self._elements
        if self._offsets % groups:
            raise ValueError(
                f"{kind}: {self._offsets} numbers for each window do not divide into {groups} groups, which the"
                f" convolution that computes them has as well. Pass another num_deformable_group or groups."
            )

        def get(name, shape, init):
            return self.params.get(name, shape=shape, init=init, allow_deferred_init=True)

        with self.name_scope():
            wide = self._per_group(in_channels)
            parts = [
                ("offset", self._offsets, offset_weight_initializer, offset_bias_initializer, offset_use_bias),
                ("deformable_conv", channels, weight_initializer, bias_initializer, use_bias),
            ]
            for part, rows, weight, bias, biased in parts if self.offsets_first else reversed(parts):
                setattr(self, f"{part}_weight", get(f"{part}_weight", (rows, *wide), weight))
                setattr(self, f"{part}_bias", get(f"{part}_bias", (rows,), bias) if biased else None)
            self.act = Activation(activation, prefix=activation + "_") if activation is not None else None

    def _per_group(self, in_channels: int) -> tuple[int, ...]:
        return (in_channels // self._groups if in_channels > 0 else 0, *self._kernel)

    def infer_shape(self, x):
        if x.ndim != 4 or x.shape[1] % self._groups or x.shape[1] % self._offset_groups:
            raise ValueError(
                f"the input has shape {x.shape}. The layer reads (batch, channels, height, width), with channels in"
                f" {self._groups} and {self._offset_groups} groups. Reshape the input."
            )
        wide = self._per_group(x.shape[1])
        self.offset_weight.shape = (self._offsets, *wide)
        self.deformable_conv_weight.shape = (self._channels, *wide)

    def forward(self, x):
        device = x.ctx
        bias = lambda param: None if param is None else param.data(device)
        numbers = npx.convolution(
            x, self.offset_weight.data(device), bias(self.offset_bias), kernel=self._kernel, stride=self._strides,
            dilate=self._dilation, pad=self._padding, num_filter=self._offsets, num_group=self._groups,
            no_bias=self.offset_bias is None,
        )  # fmt: skip
        y = self._bent(
            x, numbers, self.deformable_conv_weight.data(device), bias(self.deformable_conv_bias), kernel=self._kernel,
            stride=self._strides, dilate=self._dilation, pad=self._padding, num_group=self._groups,
            num_deformable_group=self._offset_groups,
        )  # fmt: skip
        return y if self.act is None else self.act(y)

    def __repr__(self):
        wide = self.deformable_conv_weight.shape[1]
        text = f"{wide if wide > 0 else None} -> {self._channels}, kernel_size={self._kernel},"
        text += f" stride={self._strides}"
        if self._padding != (0, 0):
            text += f", padding={self._padding}"
        if self._dilation != (1, 1):
            text += f", dilation={self._dilation}"
        if self._groups != 1:
            text += f", groups={self._groups}"
        if self.deformable_conv_bias is None:
            text += ", bias=False"
        if self.act is not None:
            text += f", {self.act}"
        return f"{type(self).__name__}({text})"


class DeformableConvolution(_Deformable):
    """Convolution over windows whose elements are read at learned offsets (Dai et al., arXiv:1703.06211).

    A plain convolution with the same windows computes the offsets from the input.

    Args:
        channels: output channels.
        kernel_size, strides, padding, dilation: an int, or one per axis.
        groups: input and output channels are split into that many groups that do not see each other.
        num_deformable_group: groups of input channels with offsets of their own.
        layout: `'NCHW'`.
        use_bias, offset_use_bias: whether there is a bias per channel, and one per offset.
        in_channels: input channels; 0 to learn it from the first batch.
        activation: name of an activation, or None.
        weight_initializer, bias_initializer: of the convolution.
        offset_weight_initializer, offset_bias_initializer: of the convolution that computes offsets; with zeros the
            layer begins as a plain convolution.
        op_name, adj: accepted for old code.

    Shapes: `(batch, in_channels, height, width)` -> `(batch, channels, out_height, out_width)` as Conv2D.
        deformable_conv_weight `(channels, in_channels / groups, *kernel_size)`,
        offset_weight `(2 * num_deformable_group * prod(kernel_size), in_channels / groups, *kernel_size)`.

    >>> layer = DeformableConvolution(4, kernel_size=3, padding=1)
    >>> layer.initialize()
    >>> layer(np.ones((1, 2, 5, 5))).shape
    (1, 4, 5, 5)
    """

    def _alias(self):
        return "deformable_conv"

    def _bent(self, x, numbers, weight, bias, **geometry):
        return ops.DeformableConvolution(x, numbers, weight, bias, **geometry)


class ModulatedDeformableConvolution(_Deformable):
    """DeformableConvolution with a learned factor from 0 to 2 for each element (Zhu et al., arXiv:1811.11168).

    Beyond its border the image goes over into zeros within a pixel.

    Args: as of DeformableConvolution.

    Shapes: as of DeformableConvolution, but for
        offset_weight `(3 * num_deformable_group * prod(kernel_size), in_channels / groups, *kernel_size)`: offsets,
        then factors.

    >>> layer = ModulatedDeformableConvolution(4, kernel_size=3, padding=1)
    >>> layer.initialize()
    >>> layer(np.ones((1, 2, 5, 5))).shape
    (1, 4, 5, 5)
    """

    numbers = 3
    offsets_first = False

    def _alias(self):
        return "modulated_deformable_conv"

    def _bent(self, x, numbers, weight, bias, **geometry):
        count = 2 * self._offset_groups * self._elements
        mask = 2.0 * npx.sigmoid(numbers[:, count:])
        return ops.ModulatedDeformableConvolution(x, numbers[:, :count], mask, weight, bias, **geometry)
