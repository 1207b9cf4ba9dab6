"""MNIST and FashionMNIST: grey 28x28 images of ten classes, in idx files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy

from .stored import Stored, content, fetch

# the third byte of an idx file: what its numbers are, biggest byte first
_KINDS = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | Path) -> numpy.ndarray:
    """The array in an idx file, packed with gzip or not.

    Source: the format's description at the MNIST database of Y. LeCun, C. Cortes and C. Burges.

    Raises:
        ValueError: no idx file, or one that is cut off.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / 'labels'
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    >>> read_idx(path).tolist()
    [7, 8, 9]
    """
    raw = content(Path(path))
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _KINDS:
        raise ValueError(
            f"read_idx: '{path}' begins with {raw[:4]!r}. An idx file begins with 0, 0 and a known type. Pass one."
        )
    kind, ndim = numpy.dtype(_KINDS[raw[2]]), raw[3]
    begin = 4 + 4 * ndim
    shape = tuple(numpy.frombuffer(raw[4:begin], ">u4").tolist())
    if len(shape) != ndim or len(raw) - begin != math.prod(shape) * kind.itemsize:
        raise ValueError(
            f"read_idx: '{path}' promises shape {shape} of {kind}, and has {len(raw) - begin} bytes of it. It is"
            f" cut off or"
            f" no idx file. Delete it to fetch it again."
        )
    return numpy.frombuffer(raw, kind, offset=begin).reshape(shape).astype(kind.newbyteorder("="))


class MNIST(Stored):
    """Handwritten digits: 60,000 images for training, 10,000 for testing.

    An example is `(image, label)`: the image of shape `(28, 28, 1)`, uint8; the label an int32 from 0 to 9. The
    four idx files, packed or not, are read from `root`; what is missing there is downloaded and checked.

    Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits.

    Args:
        root: the folder.
        train: the images for training, else those for testing.
        transform: a function of (image, label), applied whenever an example is read.

    Raises:
        OSError: files are missing and cannot be fetched.

    >>> MNIST.__mro__[1].__name__
    'Stored'
    """

    _addresses = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/dataset/mnist/",
    )
    _files = {
        "train-images-idx3-ubyte": "6c95f4b05d2bf285e1bfb0e7960c31bd3b3f8a7d",
        "train-labels-idx1-ubyte": "2a80914081dc54586dbdf242f9805a6b8d2a15fc",
        "t10k-images-idx3-ubyte": "c3a25af1f52dad7f726cce8cacb138654b760d48",
        "t10k-labels-idx1-ubyte": "763e7fa3757d93b0cdec073cef058b2004252c17",
    }

    def __init__(self, root="~/.mxnet/datasets/mnist", train=True, transform=None):
        self._train = train
        super().__init__(root, transform)

    def read(self):
        part = "train" if self._train else "t10k"
        images, labels = (self._array(f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
        return images[..., None], labels.astype("int32")

    def _array(self, name):
        plain = self._root / name
        if plain.exists():
            return read_idx(plain)
        urls = [f"{address}{name}.gz" for address in self._addresses]
        return read_idx(fetch(type(self).__name__, urls, self._root / f"{name}.gz", self._files[name]))


class FashionMNIST(MNIST):
    """Articles of clothing, in the shape of `MNIST`: 60,000 images for training, 10,000 for testing.

    Source: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747.

    >>> FashionMNIST.__mro__[1].__name__
    'MNIST'
    """

    _addresses = (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/dataset/fashion-mnist/",
    )
    _files = {
        "train-images-idx3-ubyte": "0cf37b0d40ed5169c6b3aba31069a9770ac9043d",
        "train-labels-idx1-ubyte": "236021d52f1e40852b06a4c3008d8de8aef1e40b",
        "t10k-images-idx3-ubyte": "626ed6a7c06dd17c0eec72fa3be1740f146a2863",
        "t10k-labels-idx1-ubyte": "17f9ab60e7257a1620f4ad76bbbaf857c3920701",
    }

    def __init__(self, root="~/.mxnet/datasets/fashion-mnist", train=True, transform=None):
        super().__init__(root, train, transform)
