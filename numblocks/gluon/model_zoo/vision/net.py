"""What the nets of the zoo have in common: `features`, then `output`, and the ways blocks are put together."""

from __future__ import annotations

from ...hybrid import HybridBlock
from ...nn import Activation, BatchNorm, Conv2D, HybridConcurrent, HybridSequential


class Net(HybridBlock):
    """A net of two parts: `features`, everything up to the last hidden layer, and `output`, the classifier.

    To fine-tune, make a net with another number of classes and give it the features of a trained one.

    >>> alexnet = gluon.model_zoo.vision.alexnet
    >>> trained, net = alexnet(), alexnet(classes=2)
    >>> net.features = trained.features
    >>> net.output.weight.shape
    (2, -1)
    """

    def forward(self, x):
        return self.output(self.features(x))


def chain(*blocks, prefix="") -> HybridSequential:
    """`blocks` one after the other, under names that do not show it.

    >>> len(chain(Activation('relu'), BatchNorm()))
    2
    """
    return HybridSequential(*blocks, prefix=prefix)


def beside(*blocks) -> HybridConcurrent:
    """`blocks` on the same input, their channels joined.

    >>> beside(Activation('relu'), Activation('relu'))(np.ones((1, 2, 4, 4))).shape
    (1, 4, 4, 4)
    """
    out = HybridConcurrent(axis=1, prefix="")
    out.add(*blocks)
    return out


def conv_bn(channels, kernel=1, stride=1, pad=0, groups=1, act=True, epsilon=1e-5) -> list:
    """A convolution without bias, batch norm, and ReLU unless `act` is False (or what `act()` makes).

    >>> [type(block).__name__ for block in conv_bn(8, 3)]
    ['Conv2D', 'BatchNorm', 'Activation']
    """
    blocks = [Conv2D(channels, kernel, stride, pad, groups=groups, use_bias=False), BatchNorm(epsilon=epsilon)]
    if act:
        blocks.append(Activation("relu") if act is True else act())
    return blocks


def variant(name: str, get, *args, **fixed):
    """The function `name(**kwargs)` that calls `get` with these arguments, such as `resnet18_v1` for `get_resnet`.

    >>> variant('vgg11', gluon.model_zoo.vision.get_vgg, 11)(classes=10).output
    Dense(-1 -> 10, linear)
    """

    def make(**kwargs):
        return get(*args, **fixed, **kwargs)

    said = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in fixed.items())])
    make.__name__ = make.__qualname__ = name
    make.__module__ = get.__module__
    make.__doc__ = f"`{get.__name__}({said}, ...)`: see there for the net and the other arguments."
    return make
