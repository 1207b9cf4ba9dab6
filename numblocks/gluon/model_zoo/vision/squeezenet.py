"""SqueezeNet (Iandola et al., arXiv:1602.07360)."""

from __future__ import annotations

from ...nn import Activation, AvgPool2D, Conv2D, Dropout, Flatten, MaxPool2D
from ..model_store import filled
from .net import Net, beside, chain, variant

# first convolution, then squeezed channels of each fire module, 0 for pooling
_VERSIONS = {
    "1.0": ((96, 7), (0, 16, 16, 32, 0, 32, 48, 48, 64, 0, 64)),
    "1.1": ((64, 3), (0, 16, 16, 0, 32, 32, 0, 48, 48, 64, 64)),
}


def _conv(channels, kernel, padding=0):
    return chain(Conv2D(channels, kernel, padding=padding), Activation("relu"))


def _fire(squeezed):
    """Squeeze by a 1x1 convolution, then expand to four times as many channels by 1x1 and by 3x3 ones."""
    return chain(_conv(squeezed, 1), beside(_conv(4 * squeezed, 1), _conv(4 * squeezed, 3, 1)))


class SqueezeNet(Net):
    """SqueezeNet (Iandola et al., arXiv:1602.07360): fire modules, 1.2 million parameters.

    Args:
        version: `'1.0'`, as in the paper, or `'1.1'`, with less work.
        classes: length of the output.

    Shapes: `(batch, 3, 224, 224)`, at least 213 pixels a side -> `(batch, classes)`.

    >>> net = SqueezeNet('1.1', classes=10)
    >>> net.output[0]
    Conv2D(-1 -> 10, kernel_size=(1, 1), stride=(1, 1))
    """

    def __init__(self, version, classes=1000, **kwargs):
        super().__init__(**kwargs)
        if version not in _VERSIONS:
            raise ValueError(f"SqueezeNet: version={version!r}. There is no such version. Use '1.0' or '1.1'.")
        (channels, kernel), fires = _VERSIONS[version]
        with self.name_scope():
            self.features = chain(Conv2D(channels, kernel, strides=2), Activation("relu"))
            for squeezed in fires:
                self.features.add(_fire(squeezed) if squeezed else MaxPool2D(3, 2, ceil_mode=True))
            self.features.add(Dropout(0.5))
            self.output = chain(Conv2D(classes, 1), Activation("relu"), AvgPool2D(13), Flatten())


def get_squeezenet(version, pretrained=False, ctx=None, root=None, **kwargs) -> SqueezeNet:
    """SqueezeNet 1.0 or 1.1.

    Args:
        version: `'1.0'` or `'1.1'`.
        pretrained: read trained parameters from a file in `root`, downloaded if there is none.
        ctx: device for them.
        root: the folder; None for `~/.mxnet/models`.
        kwargs: `classes`, and those of Block.

    >>> net = get_squeezenet('1.1', classes=10)
    """
    return filled(SqueezeNet(version, **kwargs), f"squeezenet{version}", pretrained, ctx, root)


squeezenet1_0 = variant("squeezenet1_0", get_squeezenet, "1.0")
squeezenet1_1 = variant("squeezenet1_1", get_squeezenet, "1.1")
