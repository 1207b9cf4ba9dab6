"""MobileNet, version 3 (Howard et al., arXiv:1905.02244)."""

from __future__ import annotations

from .... import np, npx
from ...hybrid import HybridBlock
from ...nn import Conv2D, Dense, Dropout, Flatten, GlobalAvgPool2D, HybridSequential
from ..model_store import filled
from .mobilenet import written
from .net import Net, chain, conv_bn, variant

# the paper's tables 1 and 2: of each bottleneck kernel, inner and outer channels, whether channels are weighed, whether
# the activation is h-swish (else ReLU), stride
_LARGE = (
    (3, 16, 16, 0, 0, 1), (3, 64, 24, 0, 0, 2), (3, 72, 24, 0, 0, 1), (5, 72, 40, 1, 0, 2), (5, 120, 40, 1, 0, 1),
    (5, 120, 40, 1, 0, 1), (3, 240, 80, 0, 1, 2), (3, 200, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1),
    (3, 480, 112, 1, 1, 1), (3, 672, 112, 1, 1, 1), (5, 672, 160, 1, 1, 2), (5, 960, 160, 1, 1, 1),
    (5, 960, 160, 1, 1, 1),
)  # fmt: skip
_SMALL = (
    (3, 16, 16, 1, 0, 2), (3, 72, 24, 0, 0, 2), (3, 88, 24, 0, 0, 1), (5, 96, 40, 1, 1, 2), (5, 240, 40, 1, 1, 1),
    (5, 240, 40, 1, 1, 1), (5, 120, 48, 1, 1, 1), (5, 144, 48, 1, 1, 1), (5, 288, 96, 1, 1, 2), (5, 576, 96, 1, 1, 1),
    (5, 576, 96, 1, 1, 1),
)  # fmt: skip
# with the channels of the last convolution and of the last hidden layer
_VERSIONS = {"large": (_LARGE, 960, 1280), "small": (_SMALL, 576, 1024)}


class HardSwish(HybridBlock):
    """`x * min(max(x + 3, 0), 6) / 6`, close to Swish and cheap.

    Shapes: any -> the same.

    >>> HardSwish()(np.array([-4.0, 0.0, 3.0]))
    array([-0.,  0.,  3.])
    """

    def forward(self, x):
        return x * (np.clip(x + 3.0, 0, 6) / 6.0)


class SqueezeExcite(HybridBlock):
    """Channels weighed by what a small net makes of their means (Hu et al., arXiv:1709.01507).

    Args:
        channels: of the input.
        inner: of the small net.

    Shapes: `(batch, channels, height, width)` -> the same.

    >>> block = SqueezeExcite(8, 4)
    >>> block.initialize()
    >>> block(np.ones((1, 8, 5, 5))).shape
    (1, 8, 5, 5)
    """

    def __init__(self, channels, inner, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.squeeze = Conv2D(inner, 1, in_channels=channels)
            self.excite = Conv2D(channels, 1, in_channels=inner)

    def forward(self, x):
        means = x.mean(axis=(2, 3), keepdims=True)
        weights = self.excite(npx.relu(self.squeeze(means)))
        return x * (np.clip(weights + 3.0, 0, 6) / 6.0)


class Bottleneck(HybridBlock):
    """Widen, filter each channel by itself, weigh channels, narrow; added to the input if shapes allow.

    Args:
        in_channels, inner, channels: of input, filter and output.
        kernel, stride: of the filter.
        weigh: put `SqueezeExcite` behind the filter.
        swish: `HardSwish` in the place of ReLU.

    Shapes: `(batch, in_channels, height, width)` -> `(batch, channels, height / stride, width / stride)`.

    >>> block = Bottleneck(8, 16, 8, kernel=5, stride=1, weigh=True, swish=True)
    >>> block.initialize()
    >>> block(np.ones((1, 8, 6, 6))).shape
    (1, 8, 6, 6)
    """

    def __init__(self, in_channels, inner, channels, kernel, stride, weigh, swish, **kwargs):
        super().__init__(**kwargs)
        self.use_shortcut = stride == 1 and in_channels == channels
        act = HardSwish if swish else True
        with self.name_scope():
            self.out = chain(*conv_bn(inner, act=act, epsilon=0.001) if inner != in_channels else ())
            first, norm, last = conv_bn(inner, kernel, stride, kernel // 2, groups=inner, act=act, epsilon=0.001)
            self.out.add(first, norm, last)
            if weigh:
                self.out.add(SqueezeExcite(inner, of_eight(inner / 4)))
            self.out.add(*conv_bn(channels, act=False, epsilon=0.001))

    def forward(self, x):
        out = self.out(x)
        return out + x if self.use_shortcut else out


def of_eight(channels: float) -> int:
    """The nearest multiple of 8 that is at least 8 and 9/10 of `channels`.

    >>> of_eight(20), of_eight(11), of_eight(3)
    (24, 16, 8)
    """
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8


class MobileNetV3(Net):
    """MobileNet, version 3 (Howard et al., arXiv:1905.02244): h-swish and weighed channels.

    Args:
        version: `'large'` or `'small'`.
        multiplier: all numbers of channels are multiplied by it, and rounded to multiples of 8.
        classes: length of the output.
        dropout: rate before the output.

    Shapes: `(batch, 3, 224, 224)`, any size from 32 -> `(batch, classes)`.

    >>> net = MobileNetV3('small', classes=10)
    >>> net.output
    Dense(1024 -> 10, linear)
    """

    def __init__(self, version, multiplier=1.0, classes=1000, dropout=0.2, **kwargs):
        super().__init__(**kwargs)
        if version not in _VERSIONS:
            raise ValueError(f"MobileNetV3: version={version!r}. There is no such version. Use 'large' or 'small'.")
        blocks, last, hidden = _VERSIONS[version]
        scaled = lambda channels: of_eight(channels * multiplier)
        before, hidden = scaled(16), scaled(hidden)
        with self.name_scope():
            self.features = HybridSequential(prefix="features_")
            with self.features.name_scope():
                self.features.add(*conv_bn(before, 3, 2, 1, act=HardSwish, epsilon=0.001))
                for kernel, inner, after, weigh, swish, stride in blocks:
                    inner, after = scaled(inner), scaled(after)
                    self.features.add(Bottleneck(before, inner, after, kernel, stride, bool(weigh), bool(swish)))
                    before = after
                self.features.add(*conv_bn(scaled(last), act=HardSwish, epsilon=0.001), GlobalAvgPool2D(), Flatten())
                self.features.add(Dense(hidden, in_units=scaled(last)), HardSwish(), Dropout(dropout))
            self.output = Dense(classes, in_units=hidden, prefix="output_")


def get_mobilenet_v3(version, multiplier=1.0, pretrained=False, ctx=None, root=None, **kwargs) -> MobileNetV3:
    """MobileNet, version 3, `'large'` or `'small'`.

    Args:
        version: `'large'` or `'small'`.
        multiplier: all numbers of channels are multiplied by it.
        pretrained: read trained parameters from a file in `root`; MXNet has none of its own for this net.
        ctx: device for them.
        root: the folder; None for `~/.mxnet/models`.
        kwargs: `classes`, `dropout`, and those of Block.

    >>> net = get_mobilenet_v3('small', classes=10)
    """
    name = f"mobilenetv3_{version}" + ("" if multiplier == 1 else f"_{written(multiplier)}")
    return filled(MobileNetV3(version, multiplier, **kwargs), name, pretrained, ctx, root)


mobilenet_v3_large = variant("mobilenet_v3_large", get_mobilenet_v3, "large")
mobilenet_v3_small = variant("mobilenet_v3_small", get_mobilenet_v3, "small")
