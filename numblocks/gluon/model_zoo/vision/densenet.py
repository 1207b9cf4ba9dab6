"""DenseNet (Huang et al., arXiv:1608.06993)."""

from __future__ import annotations

from ...nn import (
    Activation,
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    HybridSequential,
    Identity,
    MaxPool2D,
)
from ..model_store import filled
from .net import Net, beside, chain, conv_bn, variant

# channels of the first convolution, growth rate, layers of each block (the paper's table 1)
_VERSIONS = {
    121: (64, 32, (6, 12, 24, 16)),
    161: (96, 48, (6, 12, 36, 24)),
    169: (64, 32, (6, 12, 32, 32)),
    201: (64, 32, (6, 12, 48, 32)),
}


def _before(channels, kernel, padding=0) -> list:
    """A convolution with batch norm and ReLU in front."""
    return [BatchNorm(), Activation("relu"), Conv2D(channels, kernel, padding=padding, use_bias=False)]


def _layer(growth_rate, bn_size, dropout):
    """What goes in, with `growth_rate` new channels beside it."""
    new = chain(*_before(bn_size * growth_rate, 1), *_before(growth_rate, 3, 1))
    if dropout:
        new.add(Dropout(dropout))
    return beside(Identity(), new)


class DenseNet(Net):
    """DenseNet (Huang et al., arXiv:1608.06993): every layer of a block sees the outputs of all before it.

    Args:
        num_init_features: channels of the first convolution.
        growth_rate: channels that each layer adds.
        block_config: number of layers of each block.
        bn_size: a layer's inner channels, in units of `growth_rate`.
        dropout: rate after each layer; 0 for none.
        classes: length of the output.

    Shapes: `(batch, 3, 224, 224)` -> `(batch, classes)`; with `n` blocks at least `7 * 2 ** (n + 1)` pixels a side.

    >>> net = DenseNet(8, 4, [2, 2], classes=10)
    >>> net.output
    Dense(-1 -> 10, linear)
    """

    def __init__(self, num_init_features, growth_rate, block_config, bn_size=4, dropout=0, classes=1000, **kwargs):
        super().__init__(**kwargs)
        channels = num_init_features
        with self.name_scope():
            self.features = chain(*conv_bn(channels, 7, 2, 3), MaxPool2D(3, 2, 1))
            for number, layers in enumerate(block_config, 1):
                block = HybridSequential(prefix=f"stage{number}_")
                with block.name_scope():
                    block.add(*(_layer(growth_rate, bn_size, dropout) for _ in range(layers)))
                self.features.add(block)
                channels += layers * growth_rate
                if number < len(block_config):  # between blocks: half the channels, half the pixels
                    channels //= 2
                    self.features.add(chain(*_before(channels, 1), AvgPool2D(2, 2)))
            self.features.add(BatchNorm(), Activation("relu"), AvgPool2D(7), Flatten())
            self.output = Dense(classes)


def get_densenet(num_layers, pretrained=False, ctx=None, root=None, **kwargs) -> DenseNet:
    """DenseNet with 121, 161, 169 or 201 layers.

    Args:
        num_layers: 121, 161, 169 or 201.
        pretrained: read trained parameters from a file in `root`, downloaded if there is none.
        ctx: device for them.
        root: the folder; None for `~/.mxnet/models`.
        kwargs: `bn_size`, `dropout`, `classes`, and those of Block.

    >>> net = get_densenet(121, classes=10)
    """
    if num_layers not in _VERSIONS:
        raise ValueError(
            f"get_densenet: num_layers={num_layers}. There is no such DenseNet. Use one of {list(_VERSIONS)}."
        )
    return filled(DenseNet(*_VERSIONS[num_layers], **kwargs), f"densenet{num_layers}", pretrained, ctx, root)


densenet121 = variant("densenet121", get_densenet, 121)
densenet161 = variant("densenet161", get_densenet, 161)
densenet169 = variant("densenet169", get_densenet, 169)
densenet201 = variant("densenet201", get_densenet, 201)
