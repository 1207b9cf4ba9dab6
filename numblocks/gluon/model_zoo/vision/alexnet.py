"""AlexNet (Krizhevsky, arXiv:1404.5997)."""

from __future__ import annotations

from ...nn import Conv2D, Dense, Dropout, Flatten, MaxPool2D
from ..model_store import filled
from .net import Net, chain


class AlexNet(Net):
    """AlexNet in the form for one device (Krizhevsky, arXiv:1404.5997): 61,100,840 parameters.

    Args:
        classes: length of the output.

    Shapes: `(batch, 3, 224, 224)`, at least 63 pixels a side -> `(batch, classes)`.

    >>> net = AlexNet(classes=10)
    >>> net.output
    Dense(-1 -> 10, linear)
    """

    def __init__(self, classes=1000, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = chain(
                Conv2D(64, 11, strides=4, padding=2, activation="relu"),
                MaxPool2D(3, 2),
                Conv2D(192, 5, padding=2, activation="relu"),
                MaxPool2D(3, 2),
                *(Conv2D(channels, 3, padding=1, activation="relu") for channels in (384, 256, 256)),
                MaxPool2D(3, 2),
                Flatten(),
            )
            for _ in range(2):
                self.features.add(Dense(4096, activation="relu"), Dropout(0.5))
            self.output = Dense(classes)


def alexnet(pretrained=False, ctx=None, root=None, **kwargs) -> AlexNet:
    """AlexNet; see `AlexNet`.

    Args:
        pretrained: read trained parameters from a file in `root`, downloaded if there is none.
        ctx: device for them.
        root: the folder; None for `~/.mxnet/models`.
        kwargs: `classes`, and those of Block.

    >>> net = alexnet(classes=10)
    """
    return filled(AlexNet(**kwargs), "alexnet", pretrained, ctx, root)
