"""ResNets: version 1 (He et al., arXiv:1512.03385) and version 2 (He et al., arXiv:1603.05027)."""

from __future__ import annotations

from ...nn import Activation, BatchNorm, Conv2D, Dense, Flatten, GlobalAvgPool2D, HybridSequential, MaxPool2D
from ..model_store import filled
from .net import Net, chain, variant
from .residual import BasicBlockV1, BasicBlockV2, BottleneckV1, BottleneckV2, conv3x3

_BASIC, _BOTTLENECK = (64, 64, 128, 256, 512), (64, 256, 512, 1024, 2048)
# number of blocks and channels of each stage (table 1 of the first paper)
_STAGES = {
    18: ((2, 2, 2, 2), _BASIC),
    34: ((3, 4, 6, 3), _BASIC),
    50: ((3, 4, 6, 3), _BOTTLENECK),
    101: ((3, 4, 23, 3), _BOTTLENECK),
    152: ((3, 8, 36, 3), _BOTTLENECK),
}


def _stem(where, layers, channels, thumbnail) -> list:
    """What comes before the stages: little for small images."""
    if len(layers) != len(channels) - 1:
        raise ValueError(
            f"{where}: {len(layers)} stages in layers={list(layers)} and {len(channels)} numbers in"
            f" channels={list(channels)}. The first number is that of the first convolution. Give channels one more"
            f" number than layers."
        )
    if thumbnail:
        return [conv3x3(channels[0], 1, 0)]
    first = Conv2D(channels[0], 7, strides=2, padding=3, use_bias=False)
    return [first, BatchNorm(), Activation("relu"), MaxPool2D(3, 2, 1)]


def _stages(block, layers, channels):
    """The stages; each but the first halves the height and width in its first block."""
    for number, (count, before, after) in enumerate(zip(layers, channels, channels[1:], strict=False), 1):
        stage = HybridSequential(prefix=f"stage{number}_")
        with stage.name_scope():
            stride = 1 if number == 1 else 2
            stage.add(block(after, stride, after != before, in_channels=before, prefix=""))
            stage.add(*(block(after, 1, in_channels=after, prefix="") for _ in range(count - 1)))
        yield stage


class _ResNet(Net):
    """What both versions have in common."""

    def __init__(self, block, layers, channels, classes=1000, thumbnail=False, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = chain(*self._first())
            self.features.add(*_stem(type(self).__name__, layers, channels, thumbnail))
            self.features.add(*_stages(block, layers, channels), *self._last())
            self.output = Dense(classes, in_units=channels[-1])

    @staticmethod
    def _first() -> list:
        """What the images meet first."""
        return []

    @staticmethod
    def _last() -> list:
        """What comes after the stages."""
        return [GlobalAvgPool2D()]


class ResNetV1(_ResNet):
    """A residual net, version 1 (He et al., arXiv:1512.03385).

    Args:
        block: `BasicBlockV1` or `BottleneckV1`.
        layers: number of blocks of each stage.
        channels: of the first convolution, then of each stage.
        classes: length of the output.
        thumbnail: for small images: begin with one 3x3 convolution and no pooling.

    Shapes: `(batch, 3, 224, 224)`, any size -> `(batch, classes)`.

    >>> net = ResNetV1(BasicBlockV1, [1, 1], [4, 4, 8], classes=10, thumbnail=True)
    >>> net.initialize()
    >>> net(np.ones((1, 3, 8, 8))).shape
    (1, 10)
    """


class ResNetV2(_ResNet):
    """A residual net, version 2 (He et al., arXiv:1603.05027): the input is normalized, and so is the sum at the end.

    Arguments and shapes are those of `ResNetV1`; `block` is `BasicBlockV2` or `BottleneckV2`.

    >>> net = ResNetV2(BasicBlockV2, [1, 1], [4, 4, 8], classes=10, thumbnail=True)
    >>> net.initialize()
    >>> net(np.ones((1, 3, 8, 8))).shape
    (1, 10)
    """

    @staticmethod
    def _first():
        return [BatchNorm(scale=False, center=False)]

    @staticmethod
    def _last():
        return [BatchNorm(), Activation("relu"), GlobalAvgPool2D(), Flatten()]


_VERSIONS = {1: (ResNetV1, BasicBlockV1, BottleneckV1), 2: (ResNetV2, BasicBlockV2, BottleneckV2)}


def get_resnet(version, num_layers, pretrained=False, ctx=None, root=None, **kwargs):
    """A ResNet with 18, 34, 50, 101 or 152 layers.

    Args:
        version: 1 or 2.
        num_layers: 18, 34, 50, 101 or 152.
        pretrained: read trained parameters from a file in `root`, downloaded if there is none.
        ctx: device for them.
        root: the folder; None for `~/.mxnet/models`.
        kwargs: `classes`, `thumbnail`, and those of Block.

    >>> net = get_resnet(1, 18, classes=10)
    >>> net.output
    Dense(512 -> 10, linear)
    """
    if version not in _VERSIONS or num_layers not in _STAGES:
        raise ValueError(
            f"get_resnet: version={version}, num_layers={num_layers}. There is no such ResNet. Use version 1 or 2, and"
            f" one of {list(_STAGES)} layers."
        )
    net, basic, bottleneck = _VERSIONS[version]
    layers, channels = _STAGES[num_layers]
    block = basic if channels is _BASIC else bottleneck
    return filled(net(block, layers, channels, **kwargs), f"resnet{num_layers}_v{version}", pretrained, ctx, root)


resnet18_v1 = variant("resnet18_v1", get_resnet, 1, 18)
resnet34_v1 = variant("resnet34_v1", get_resnet, 1, 34)
resnet50_v1 = variant("resnet50_v1", get_resnet, 1, 50)
resnet101_v1 = variant("resnet101_v1", get_resnet, 1, 101)
resnet152_v1 = variant("resnet152_v1", get_resnet, 1, 152)
resnet18_v2 = variant("resnet18_v2", get_resnet, 2, 18)
resnet34_v2 = variant("resnet34_v2", get_resnet, 2, 34)
resnet50_v2 = variant("resnet50_v2", get_resnet, 2, 50)
resnet101_v2 = variant("resnet101_v2", get_resnet, 2, 101)
resnet152_v2 = variant("resnet152_v2", get_resnet, 2, 152)
