"""MobileNet, versions 1 (Howard et al., arXiv:1704.04861) and 2 (Sandler et al., arXiv:1801.04381)."""

from __future__ import annotations

from .... import np
from ...hybrid import HybridBlock
from ...nn import Conv2D, Dense, Flatten, GlobalAvgPool2D, HybridSequential
from ..model_store import filled
from .net import Net, chain, conv_bn, variant

# version 1: channels and stride of each depthwise-separable convolution
_SEPARABLE = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
# version 2: expansion, channels, repetitions and first stride of each stage (the paper's table 2)
_BOTTLENECKS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip


class RELU6(HybridBlock):
    """`min(max(x, 0), 6)`.

    Shapes: any -> the same.

    >>> RELU6()(np.array([-1.0, 3.0, 9.0]))
    array([0., 3., 6.])
    """

    def forward(self, x):
        return np.clip(x, 0, 6)


class LinearBottleneck(HybridBlock):
    """Widen by `t`, filter each channel by itself, narrow without activation; added to the input if shapes allow.

    Args:
        in_channels, channels: of input and output.
        t: how much wider it is inside.
        stride: of the filter.

    Shapes: `(batch, in_channels, height, width)` -> `(batch, channels, height / stride, width / stride)`.

    >>> block = LinearBottleneck(4, 4, t=6, stride=1)
    >>> block.initialize()
    >>> block(np.ones((1, 4, 8, 8))).shape
    (1, 4, 8, 8)
    """

    def __init__(self, in_channels, channels, t, stride, **kwargs):
        super().__init__(**kwargs)
        self.use_shortcut = stride == 1 and in_channels == channels
        wide = in_channels * t
        with self.name_scope():
            self.out = chain(
                *conv_bn(wide, act=RELU6),
                *conv_bn(wide, 3, stride, 1, groups=wide, act=RELU6),
                *conv_bn(channels, act=False),
            )

    def forward(self, x):
        out = self.out(x)
        return out + x if self.use_shortcut else out


class MobileNet(Net):
    """MobileNet (Howard et al., arXiv:1704.04861): depthwise-separable convolutions.

    Args:
        multiplier: all numbers of channels are multiplied by it.
        classes: length of the output.

    Shapes: `(batch, 3, 224, 224)`, any size -> `(batch, classes)`.

    >>> net = MobileNet(0.25, classes=10)
    >>> net.output
    Dense(-1 -> 10, linear)
    """

    def __init__(self, multiplier=1.0, classes=1000, **kwargs):
        super().__init__(**kwargs)
        before = int(32 * multiplier)
        with self.name_scope():
            self.features = chain(*conv_bn(before, 3, 2, 1))
            for channels, stride in _SEPARABLE:
                channels = int(channels * multiplier)
                self.features.add(*conv_bn(before, 3, stride, 1, groups=before), *conv_bn(channels))
                before = channels
            self.features.add(GlobalAvgPool2D(), Flatten())
            self.output = Dense(classes)


class MobileNetV2(Net):
    """MobileNet, version 2 (Sandler et al., arXiv:1801.04381): inverted residuals with linear bottlenecks.

    Args:
        multiplier: all numbers of channels are multiplied by it; those of the last convolution only if above 1.
        classes: length of the output.

    Shapes: `(batch, 3, 224, 224)`, any size -> `(batch, classes)`.

    >>> net = MobileNetV2(0.25, classes=10)
    >>> net.output[0]
    Conv2D(-1 -> 10, kernel_size=(1, 1), stride=(1, 1), bias=False)
    """

    def __init__(self, multiplier=1.0, classes=1000, **kwargs):
        super().__init__(**kwargs)
        before = int(32 * multiplier)
        with self.name_scope():
            self.features = HybridSequential(prefix="features_")
            with self.features.name_scope():
                self.features.add(*conv_bn(before, 3, 2, 1, act=RELU6))
                for t, channels, count, stride in _BOTTLENECKS:
                    channels = int(channels * multiplier)
                    for number in range(count):
                        self.features.add(LinearBottleneck(before, channels, t, 1 if number else stride))
                        before = channels
                self.features.add(*conv_bn(int(1280 * max(multiplier, 1.0)), act=RELU6), GlobalAvgPool2D())
            self.output = HybridSequential(prefix="output_")
            with self.output.name_scope():
                self.output.add(Conv2D(classes, 1, use_bias=False, prefix="pred_"), Flatten())


def written(multiplier: float) -> str:
    """A multiplier as the names of MXNet's files have it.

    >>> written(1.0), written(0.25)
    ('1.0', '0.25')
    """
    text = f"{multiplier:.2f}"
    return text[:-1] if text in ("1.00", "0.50") else text


def get_mobilenet(multiplier, pretrained=False, ctx=None, root=None, **kwargs) -> MobileNet:
    """MobileNet with channels times `multiplier`.

    Args:
        multiplier: trained ones are 1.0, 0.75, 0.5 and 0.25.
        pretrained: read trained parameters from a file in `root`, downloaded if there is none.
        ctx: device for them.
        root: the folder; None for `~/.mxnet/models`.
        kwargs: `classes`, and those of Block.

    >>> net = get_mobilenet(0.5, classes=10)
    """
    return filled(MobileNet(multiplier, **kwargs), f"mobilenet{written(multiplier)}", pretrained, ctx, root)


def get_mobilenet_v2(multiplier, pretrained=False, ctx=None, root=None, **kwargs) -> MobileNetV2:
    """MobileNet, version 2, with channels times `multiplier`; arguments as of `get_mobilenet`.

    >>> net = get_mobilenet_v2(0.5, classes=10)
    """
    return filled(MobileNetV2(multiplier, **kwargs), f"mobilenetv2_{written(multiplier)}", pretrained, ctx, root)


mobilenet1_0 = variant("mobilenet1_0", get_mobilenet, 1.0)
mobilenet0_75 = variant("mobilenet0_75", get_mobilenet, 0.75)
mobilenet0_5 = variant("mobilenet0_5", get_mobilenet, 0.5)
mobilenet0_25 = variant("mobilenet0_25", get_mobilenet, 0.25)
mobilenet_v2_1_0 = variant("mobilenet_v2_1_0", get_mobilenet_v2, 1.0)
mobilenet_v2_0_75 = variant("mobilenet_v2_0_75", get_mobilenet_v2, 0.75)
mobilenet_v2_0_5 = variant("mobilenet_v2_0_5", get_mobilenet_v2, 0.5)
mobilenet_v2_0_25 = variant("mobilenet_v2_0_25", get_mobilenet_v2, 0.25)
