"""VGG (Simonyan and Zisserman, arXiv:1409.1556)."""

from __future__ import annotations

from ....init import Xavier
from ...nn import Activation, BatchNorm, Conv2D, Dense, Dropout, MaxPool2D
from ..model_store import filled
from .net import Net, chain, variant

# convolutions in each of the five stages, by number of layers with parameters (the paper's table 1)
_STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_CHANNELS = (64, 128, 256, 512, 512)


class VGG(Net):
    """VGG (Simonyan and Zisserman, arXiv:1409.1556): stages of 3x3 convolutions, each ending in pooling.

    Args:
        layers: number of convolutions in each stage.
        filters: their channels.
        classes: length of the output.
        batch_norm: normalize after every convolution.

    Shapes: `(batch, 3, 224, 224)`, at least 32 pixels a side with five stages -> `(batch, classes)`.

    >>> net = VGG([1, 1], [8, 16], classes=10)
    >>> net.output
    Dense(-1 -> 10, linear)
    """

    def __init__(self, layers, filters, classes=1000, batch_norm=False, **kwargs):
        super().__init__(**kwargs)
        if len(layers) != len(filters):
            raise ValueError(
                f"VGG: {len(layers)} stages in layers={list(layers)}, but {len(filters)} in filters={list(filters)}."
                f" Each stage has a number of convolutions and of channels. Give both lists the same length."
            )
        with self.name_scope():
            self.features = chain()
            for count, channels in zip(layers, filters, strict=True):
                for _ in range(count):
                    self.features.add(Conv2D(channels, 3, padding=1, weight_initializer=_outgoing()))
                    if batch_norm:
                        self.features.add(BatchNorm())
                    self.features.add(Activation("relu"))
                self.features.add(MaxPool2D(strides=2))
            for _ in range(2):
                self.features.add(Dense(4096, activation="relu", weight_initializer="normal"), Dropout(0.5))
            self.output = Dense(classes, weight_initializer="normal")


def _outgoing() -> Xavier:
    return Xavier(rnd_type="gaussian", factor_type="out", magnitude=2)


def get_vgg(num_layers, pretrained=False, ctx=None, root=None, **kwargs) -> VGG:
    """VGG with 11, 13, 16 or 19 layers that have parameters.

    Args:
        num_layers: 11, 13, 16 or 19.
        pretrained: read trained parameters from a file in `root`, downloaded if there is none.
        ctx: device for them.
        root: the folder; None for `~/.mxnet/models`.
        kwargs: `classes`, `batch_norm`, and those of Block.

    >>> net = get_vgg(11, classes=10, batch_norm=True)
    """
    if num_layers not in _STAGES:
        raise ValueError(f"get_vgg: num_layers={num_layers}. There is no such VGG. Use one of {sorted(_STAGES)}.")
    name = f"vgg{num_layers}" + ("_bn" if kwargs.get("batch_norm") else "")
    return filled(VGG(_STAGES[num_layers], _CHANNELS, **kwargs), name, pretrained, ctx, root)


vgg11 = variant("vgg11", get_vgg, 11)
vgg13 = variant("vgg13", get_vgg, 13)
vgg16 = variant("vgg16", get_vgg, 16)
vgg19 = variant("vgg19", get_vgg, 19)
vgg11_bn = variant("vgg11_bn", get_vgg, 11, batch_norm=True)
vgg13_bn = variant("vgg13_bn", get_vgg, 13, batch_norm=True)
vgg16_bn = variant("vgg16_bn", get_vgg, 16, batch_norm=True)
vgg19_bn = variant("vgg19_bn", get_vgg, 19, batch_norm=True)
