"""Augmenters that change colours. Integer pictures are rounded and kept within their range; floats are not cut."""

from __future__ import annotations

import math

import numpy

from ..npx import colours
from .augmenter import Augmenter, RandomOrderAug
from .normalize import color_normalize
from .pixels import generator, like, pixels

_GREY = (0.21, 0.72, 0.07)  # the weights of MXNet's RandomGrayAug: ITU-R BT.709, rounded


def _changed(who, src, change, channels=3):
    x = pixels(type(who).__name__, src)
    if channels and x.shape[2] != channels:
        raise ValueError(
            f"{type(who).__name__}: an array of shape {x.shape}. Colours have {channels} channels. Read the picture"
            f" with flag=1."
        )
    if x.dtype.kind == "f":
        return like(change(x), src)
    limits = numpy.iinfo(x.dtype)
    return like(numpy.clip(numpy.rint(change(x.astype("float32"))), limits.min, limits.max).astype(x.dtype), src)


def _factor(strength) -> float:
    return 1.0 + float(generator().uniform(-strength, strength))


class BrightnessJitterAug(Augmenter):
    """Multiplies by a number from 1 - `brightness` to 1 + `brightness`.

    >>> BrightnessJitterAug(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, brightness):
        super().__init__(brightness=brightness)

    def __call__(self, src):
        factor = _factor(self.brightness)
        return _changed(self, src, lambda x: x * x.dtype.type(factor), channels=None)


class ContrastJitterAug(Augmenter):
    """Moves all pixels away from, or to, the mean brightness, by a factor 1 ± `contrast`.

    >>> ContrastJitterAug(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, contrast):
        super().__init__(contrast=contrast)

    def __call__(self, src):
        factor = _factor(self.contrast)
        return _changed(self, src, lambda x: colours.contrast(x, factor))


class SaturationJitterAug(Augmenter):
    """Moves each pixel away from, or to, its own brightness, by a factor 1 ± `saturation`.

    >>> SaturationJitterAug(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, saturation):
        super().__init__(saturation=saturation)

    def __call__(self, src):
        factor = _factor(self.saturation)
        return _changed(self, src, lambda x: colours.saturation(x, factor))


class HueJitterAug(Augmenter):
    """Turns the hue by up to ± `hue` half turns.

    >>> HueJitterAug(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, hue):
        super().__init__(hue=hue)

    def __call__(self, src):
        angle = math.pi * float(generator().uniform(-self.hue, self.hue))
        return _changed(self, src, lambda x: colours.hue(x, math.cos(angle), math.sin(angle)))


class ColorJitterAug(RandomOrderAug):
    """Brightness, contrast and saturation in random order; a strength of 0 leaves one out.

    >>> ColorJitterAug(0.1, 0.1, 0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, brightness, contrast, saturation):
        kinds = (BrightnessJitterAug, brightness), (ContrastJitterAug, contrast), (SaturationJitterAug, saturation)
        super().__init__([kind(strength) for kind, strength in kinds if strength > 0])


class LightingAug(Augmenter):
    """Adds noise along the principal components of colours (Krizhevsky et al. 2012).

    Args:
        alphastd: standard deviation of the noise, in those of the components.
        eigval: `(3,)`, deviations of the components.
        eigvec: `(3, 3)`, the components as columns.

    >>> LightingAug(0.1, np.ones(3), np.eye(3))(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, alphastd, eigval, eigvec):
        super().__init__(alphastd=alphastd, eigval=eigval, eigvec=eigvec)

    def __call__(self, src):
        noise = generator().normal(0, self.alphastd, 3)
        shift = numpy.asarray(self.eigvec) @ (noise * numpy.asarray(self.eigval))
        return _changed(self, src, lambda x: x + shift.astype(x.dtype))


class ColorNormalizeAug(Augmenter):
    """`color_normalize` with this mean and deviation; None leaves that step out.

    >>> ColorNormalizeAug([1, 1, 1], None)(np.ones((1, 1, 3))).ravel()
    array([0., 0., 0.])
    """

    def __init__(self, mean, std):
        super().__init__(mean=mean, std=std)

    def __call__(self, src):
        return color_normalize(src, self.mean, self.std)


class RandomGrayAug(Augmenter):
    """Makes a picture grey, still with three channels, with probability `p`.

    >>> RandomGrayAug(1.0)(np.array([[[10.0, 0.0, 0.0]]])).round(3)
    array([[[2.1, 2.1, 2.1]]])
    """

    def __init__(self, p):
        super().__init__(p=p)

    def __call__(self, src):
        if generator().random() >= self.p:
            return src
        return _changed(self, src, lambda x: numpy.broadcast_to(colours.gray(x, _GREY), x.shape))


class CastAug(Augmenter):
    """Converts to a dtype.

    >>> CastAug()(np.ones((1, 1, 3), dtype='uint8')).dtype
    dtype('float32')
    """

    def __init__(self, typ="float32"):
        super().__init__(type=typ)
        self.typ = typ

    def __call__(self, src):
        return like(pixels("CastAug", src).astype(self.typ), src)
