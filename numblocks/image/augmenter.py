"""Augmenters: objects that change one picture, often at random, and can say as JSON how they were made."""

from __future__ import annotations

import json

import numpy

from .pixels import generator


def as_json(value):
    """Numbers, strings, lists and dicts for `json.dumps`; arrays become lists.

    >>> as_json({'mean': numpy.ones(2)})
    {'mean': [1.0, 1.0]}
    """
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    return numpy.asarray(value).tolist() if hasattr(value, "shape") else str(value)


class Described:
    """What has keyword arguments, keeps them as attributes, and can tell them."""

    def __init__(self, **kwargs):
        self._kwargs = as_json(kwargs)
        for name, value in kwargs.items():
            setattr(self, name, value)

    def dumps(self):
        """Name and arguments, as JSON; of groups, a list of name and members."""
        return json.dumps([type(self).__name__.lower(), self._kwargs])


class Augmenter(Described):
    """The base of all that change a picture: override `__call__`.

    Random numbers come from `numblocks.image.pixels.generator`, so `numblocks.random.seed` repeats them.

    Args:
        kwargs: what `dumps` tells.

    >>> class Darker(Augmenter):
    ...     def __call__(self, src):
    ...         return src * self.share
    >>> Darker(share=0.5).dumps()
    '["darker", {"share": 0.5}]'
    """

    def __call__(self, src):
        """The changed picture.

        Args:
            src: `(height, width, channels)`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__. It changes pictures. Write one.")


class SequentialAug(Augmenter):
    """Augmenters one after the other.

    >>> SequentialAug([HorizontalFlipAug(1.0)])(np.ones((2, 3, 3))).shape
    (2, 3, 3)
    """

    def __init__(self, ts):
        super().__init__()
        self.ts = list(ts)

    def dumps(self):
        return [type(self).__name__.lower(), [t.dumps() for t in self.ts]]

    def __call__(self, src):
        for t in self.ts:
            src = t(src)
        return src


class RandomOrderAug(SequentialAug):
    """Augmenters in a new random order each time.

    >>> RandomOrderAug([HorizontalFlipAug(1.0)])(np.ones((2, 3, 3))).shape
    (2, 3, 3)
    """

    def __call__(self, src):
        for k in generator().permutation(len(self.ts)):
            src = self.ts[k](src)
        return src
