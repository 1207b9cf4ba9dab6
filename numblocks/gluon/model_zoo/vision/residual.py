"""The blocks of ResNets: version 1 (He et al., arXiv:1512.03385) and version 2 (He et al., arXiv:1603.05027)."""

from __future__ import annotations

from .... import npx
from ...hybrid import HybridBlock
from ...nn import Activation, BatchNorm, Conv2D
from .net import chain


def conv3x3(channels, stride, in_channels) -> Conv2D:
    """A 3x3 convolution without bias that keeps the size, divided by `stride`.

    >>> conv3x3(8, 1, 4)
    Conv2D(4 -> 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
    """
    return Conv2D(channels, 3, strides=stride, padding=1, use_bias=False, in_channels=in_channels)


def _projection(channels, stride, in_channels) -> Conv2D:
    return Conv2D(channels, 1, strides=stride, use_bias=False, in_channels=in_channels)


def _two(channels, stride, in_channels) -> list[Conv2D]:
    """The convolutions of a basic block."""
    return [conv3x3(channels, stride, in_channels), conv3x3(channels, 1, channels)]


class _V1(HybridBlock):
    """`relu(body(x) + x)`, with x projected where the shape changes; a subclass says what convolutions."""

    def __init__(self, channels, stride, downsample=False, in_channels=0, **kwargs):
        super().__init__(**kwargs)
        convs = self._convs(channels, stride, in_channels)
        steps = [step for conv in convs for step in (conv, BatchNorm(), Activation("relu"))]
        self.body = chain(*steps[:-1])  # the last ReLU comes after the sum
        self.downsample = chain(_projection(channels, stride, in_channels), BatchNorm()) if downsample else None

    def forward(self, x):
        beside = x if self.downsample is None else self.downsample(x)
        return npx.relu(self.body(x) + beside)


class BasicBlockV1(_V1):
    """Two 3x3 convolutions with batch norm behind them, added to the input, then ReLU (arXiv:1512.03385).

    Args:
        channels: of the output.
        stride: of the first convolution.
        downsample: project the input to the output's shape.
        in_channels: channels of the input; 0 to learn them from the first batch.

    Shapes: `(batch, in_channels, height, width)` -> `(batch, channels, height / stride, width / stride)`.

    >>> block = BasicBlockV1(8, 2, downsample=True)
    >>> block.initialize()
    >>> block(np.ones((1, 4, 6, 6))).shape
    (1, 8, 3, 3)
    """

    _convs = staticmethod(_two)


class BottleneckV1(_V1):
    """1x1, 3x3 and 1x1 convolutions in the place of `BasicBlockV1`'s two; inside there are a quarter as many channels.

    >>> block = BottleneckV1(8, 2, downsample=True)
    >>> block.initialize()
    >>> block(np.ones((1, 4, 6, 6))).shape
    (1, 8, 3, 3)
    """

    @staticmethod
    def _convs(channels, stride, in_channels):
        inner = channels // 4
        return [Conv2D(inner, 1, strides=stride), conv3x3(inner, 1, inner), Conv2D(channels, 1)]


class _V2(HybridBlock):
    """Batch norm and ReLU before each convolution; a subclass says what convolutions."""

    def __init__(self, channels, stride, downsample=False, in_channels=0, **kwargs):
        super().__init__(**kwargs)
        convs = self._convs(channels, stride, in_channels)
        # bn1, conv1, bn2, conv2, ...: names in files
        for number, conv in enumerate(convs, 1):
            setattr(self, f"bn{number}", BatchNorm())
            setattr(self, f"conv{number}", conv)
        self._steps = len(convs)
        self.downsample = _projection(channels, stride, in_channels) if downsample else None

    def forward(self, x):
        y = npx.relu(self.bn1(x))
        # an input that is projected is normalized first, one that is passed on is not
        beside = x if self.downsample is None else self.downsample(y)
        y = self.conv1(y)
        for number in range(2, self._steps + 1):
            y = getattr(self, f"conv{number}")(npx.relu(getattr(self, f"bn{number}")(y)))
        return y + beside


class BasicBlockV2(_V2):
    """Two 3x3 convolutions with batch norm and ReLU in front of them, added to the input (arXiv:1603.05027).

    The sum is left as it is, for the next block to normalize. Arguments and shapes are those of `BasicBlockV1`.

    >>> block = BasicBlockV2(8, 2, downsample=True)
    >>> block.initialize()
    >>> block(np.ones((1, 4, 6, 6))).shape
    (1, 8, 3, 3)
    """

    _convs = staticmethod(_two)


class BottleneckV2(_V2):
    """1x1, 3x3 and 1x1 convolutions in the place of `BasicBlockV2`'s two; inside there are a quarter as many channels.

    >>> block = BottleneckV2(8, 2, downsample=True)
    >>> block.initialize()
    >>> block(np.ones((1, 4, 6, 6))).shape
    (1, 8, 3, 3)
    """

    @staticmethod
    def _convs(channels, stride, in_channels):
        inner = channels // 4
        return [
            Conv2D(inner, 1, use_bias=False), conv3x3(inner, stride, inner), Conv2D(channels, 1, use_bias=False)
        ]  # fmt: skip
