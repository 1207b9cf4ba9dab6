"""Inception, version 3 (Szegedy et al., arXiv:1512.00567)."""

from __future__ import annotations

from ...nn import AvgPool2D, Dense, Dropout, HybridConcurrent, MaxPool2D
from ..model_store import filled
from .net import Net, beside, chain, conv_bn


def _conv(channels, kernel, stride=1, pad=0):
    return chain(*conv_bn(channels, kernel, stride, pad, epsilon=0.001))


def _seven(channels, down: bool, pad=3):
    """A 7x1 (`down`) or 1x7 convolution that keeps the size."""
    return _conv(channels, (7, 1) if down else (1, 7), pad=(pad, 0) if down else (0, pad))


def _crossed(channels):
    """A 1x3 and a 3x1 convolution beside each other."""
    return beside(chain(_conv(channels, (1, 3), pad=(0, 1))), chain(_conv(channels, (3, 1), pad=(1, 0))))


def _pooled(channels):
    return chain(AvgPool2D(3, 1, 1), _conv(channels, 1))


# Modules as lists of branches. A `yield` is one branch; the order is that of the names.


def _a(pooled):
    """35x35 pixels (the paper's figure 5)."""
    yield chain(_conv(64, 1))
    yield chain(_conv(48, 1), _conv(64, 5, pad=2))
    yield chain(_conv(64, 1), _conv(96, 3, pad=1), _conv(96, 3, pad=1))
    yield _pooled(pooled)


def _b():
    """From 35x35 to 17x17 pixels."""
    yield chain(_conv(384, 3, 2))
    yield chain(_conv(64, 1), _conv(96, 3, pad=1), _conv(96, 3, 2))
    yield chain(MaxPool2D(3, 2))


def _c(inner):
    """17x17 pixels (figure 6)."""
    yield chain(_conv(192, 1))
    yield chain(_conv(inner, 1), _seven(inner, False), _seven(192, True))
    yield chain(_conv(inner, 1), _seven(inner, True), _seven(inner, False), _seven(inner, True), _seven(192, False))
    yield _pooled(192)


def _d():
    """From 17x17 to 8x8 pixels."""
    yield chain(_conv(192, 1), _conv(320, 3, 2))
    yield chain(_conv(192, 1), _seven(192, False), _seven(192, True), _conv(192, 3, 2))
    yield chain(MaxPool2D(3, 2))


def _e():
    """8x8 pixels (figure 7)."""
    yield chain(_conv(320, 1))
    yield chain(chain(_conv(384, 1)), _crossed(384))
    yield chain(chain(_conv(448, 1), _conv(384, 3, pad=1)), _crossed(384))
    yield _pooled(192)


_MODULES = (
    ("A1_", _a, 32), ("A2_", _a, 64), ("A3_", _a, 64), ("B_", _b), ("C1_", _c, 128), ("C2_", _c, 160), ("C3_", _c, 160),
    ("C4_", _c, 192), ("D_", _d), ("E1_", _e), ("E2_", _e),
)  # fmt: skip


class Inception3(Net):
    """Inception, version 3 (Szegedy et al., arXiv:1512.00567), without the auxiliary classifier.

    Args:
        classes: length of the output.

    Shapes: `(batch, 3, 299, 299)`, at least that -> `(batch, classes)`.

    >>> net = Inception3(classes=10)
    >>> net.output
    Dense(-1 -> 10, linear)
    """

    def __init__(self, classes=1000, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = chain(
                _conv(32, 3, 2), _conv(32, 3), _conv(64, 3, pad=1), MaxPool2D(3, 2),
                _conv(80, 1), _conv(192, 3), MaxPool2D(3, 2),
            )  # fmt: skip
            for prefix, branches, *numbers in _MODULES:
                module = HybridConcurrent(axis=1, prefix=prefix)
                with module.name_scope():
                    module.add(*branches(*numbers))
                self.features.add(module)
            self.features.add(AvgPool2D(8), Dropout(0.5))
            self.output = Dense(classes)


def inception_v3(pretrained=False, ctx=None, root=None, **kwargs) -> Inception3:
    """Inception, version 3; see `Inception3`.

    Args:
        pretrained: read trained parameters from a file in `root`, downloaded if there is none.
        ctx: device for them.
        root: the folder; None for `~/.mxnet/models`.
        kwargs: `classes`, and those of Block.

    >>> net = inception_v3(classes=10)
    """
    return filled(Inception3(**kwargs), "inceptionv3", pretrained, ctx, root)
