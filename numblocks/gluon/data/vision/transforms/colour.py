"""Random changes of colour for images `(H, W, C)` or `(N, H, W, C)`, one draw for each call.

All are written in ops, so that they can be hybridized: a compiled net draws anew in each call too. Integer images
are rounded and kept within 0 to 255; float images are not cut.
"""

from __future__ import annotations

import math

from ..... import np, random
from .....npx.colours import EIGENVALUES, EIGENVECTORS, constant, contrast, gray, hue, saturation
from ....hybrid import HybridBlock


def _where(x):
    """The GPU of an image, where its random numbers are drawn, too; None on the CPU."""
    return x.ctx if x.ctx.far else None


def _between(strength, x):
    return random.uniform(-strength, strength, shape=(1,), ctx=_where(x))


class _Colour(HybridBlock):
    """Calls `change(x)` with a float image and brings the result back to the image's dtype."""

    needs_colour = True

    def forward(self, x):
        if x.ndim not in (3, 4) or (self.needs_colour and x.shape[-1] != 3):
            raise ValueError(
                f"{type(self).__name__}: an array of shape {x.shape}. Colour images are (height, width, 3), batches"
                f" have"
                f" one axis more. Put it before ToTensor."
            )
        if x.dtype.kind == "f":
            return self.change(x)
        return np.clip(np.rint(self.change(x.astype("float32"))), 0, 255).astype(x.dtype)

    def change(self, x):
        raise NotImplementedError


class _Strength(_Colour):
    def __init__(self, strength):
        super().__init__()
        if strength < 0:
            raise ValueError(
                f"{type(self).__name__}: a strength of {strength}. It is 0 or more. Pass e.g. {-strength}."
            )
        self._strength = strength


class RandomBrightness(_Strength):
    """Multiplies by a number from 1 - `brightness` to 1 + `brightness`.

    >>> RandomBrightness(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    needs_colour = False

    def __init__(self, brightness):
        super().__init__(brightness)

    def change(self, x):
        return x * (1.0 + _between(self._strength, x)).astype(x.dtype)


class RandomContrast(_Strength):
    """Moves all pixels away from, or to, the mean luma of each image, by a factor 1 ± `contrast`.

    >>> RandomContrast(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, contrast):
        super().__init__(contrast)

    def change(self, x):
        return contrast(x, (1.0 + _between(self._strength, x)).astype(x.dtype))


class RandomSaturation(_Strength):
    """Moves each pixel away from, or to, its own luma, by a factor 1 ± `saturation`.

    >>> RandomSaturation(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, saturation):
        super().__init__(saturation)

    def change(self, x):
        return saturation(x, (1.0 + _between(self._strength, x)).astype(x.dtype))


class RandomHue(_Strength):
    """Turns the hue by up to ± `hue` half turns; the luma stays.

    >>> RandomHue(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, hue):
        super().__init__(hue)

    def change(self, x):
        angle = (_between(self._strength, x) * math.pi).astype(x.dtype)
        return hue(x, np.cos(angle), np.sin(angle))


class RandomColorJitter(_Colour):
    """Random brightness, contrast, saturation and hue, in this order.

    Args:
        brightness, contrast, saturation, hue: strengths as in the transforms of these names; 0 leaves one out.

    >>> RandomColorJitter(0.1, 0.1, 0.1, 0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, brightness=0, contrast=0, saturation=0, hue=0):
        super().__init__()
        kinds = (RandomBrightness, RandomContrast, RandomSaturation, RandomHue)
        for kind, strength in zip(kinds, (brightness, contrast, saturation, hue), strict=True):
            if strength:
                self.register_child(kind(strength))

    def change(self, x):
        for step in self._children.values():
            x = step.change(x)
        return x


class RandomLighting(_Strength):
    """Adds noise along the principal components of ImageNet's colours (Krizhevsky et al. 2012).

    Args:
        alpha: standard deviation of the noise, in those of the components; for values 0 to 255.

    >>> RandomLighting(0.1)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, alpha):
        super().__init__(alpha)

    def change(self, x):
        noise = random.normal(0.0, 1.0, shape=(1, 3), ctx=_where(x)).astype(x.dtype) * self._strength
        return x + np.matmul(noise, constant((EIGENVECTORS * EIGENVALUES).T, x)).reshape((3,))


class RandomGray(_Colour):
    """Makes an image grey, still with three channels, with probability `p`.

    >>> RandomGray(1.0)(np.ones((2, 2, 3))).shape
    (2, 2, 3)
    """

    def __init__(self, p=0.5):
        super().__init__()
        self._p = p

    def change(self, x):
        return np.where(random.uniform(shape=(1,), ctx=_where(x)) < self._p, np.broadcast_to(gray(x), x.shape), x)
