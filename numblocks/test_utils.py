"""MXNet's `test_utils`: the names that Gluon projects use in their own tests. See `numblocks.testing`."""

import numpy

from .gluon.data.vision import MNIST
from .gluon.utils import download as download
from .testing.mxnet import *  # noqa: F403
from .testing.mxnet import __all__ as _names

__all__ = [*_names, "download", "get_mnist"]


def get_mnist(root=None) -> dict[str, numpy.ndarray]:
    """MNIST as NumPy arrays: train_data and test_data `(n, 1, 28, 28)` float32 from 0 to 1, train_label, test_label.

    Args:
        root: where the files are, or are downloaded to; None for the dataset's own place.

    >>> get_mnist()["train_data"].shape                                  # doctest: +SKIP
    (60000, 1, 28, 28)
    """
    found = {}
    for part, train in (("train", True), ("test", False)):
        data = MNIST(train=train) if root is None else MNIST(root, train)
        images = data._data.asnumpy()
        found[f"{part}_data"] = images.reshape(len(images), 1, 28, 28).astype("float32") / 255
        found[f"{part}_label"] = numpy.asarray(data._label)
    return found
