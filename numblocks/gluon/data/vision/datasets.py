"""Image datasets: `Digits`, which is part of the package, and the names of all others.

Each other one has a module of its own: `mnist`, `cifar`, `folder`, `records`.
"""

from __future__ import annotations

from pathlib import Path

import numpy

from .cifar import CIFAR10 as CIFAR10
from .cifar import CIFAR100 as CIFAR100
from .folder import ImageFolderDataset as ImageFolderDataset
from .mnist import MNIST as MNIST
from .mnist import FashionMNIST as FashionMNIST
from .records import ImageRecordDataset as ImageRecordDataset
from .stored import Stored

_EVERY = 5  # image k is a test image when k % 5 == 4: each writer and each digit is in both parts


class Digits(Stored):
    """1,797 real handwritten digits of 43 people, 8x8 grey: part of the package, nothing is downloaded.

    Every fifth image (numbers 4, 9, 14 ...) is for testing: 1,438 images to train with, 359 held out. An
    example is `(image, label)`: the image of shape `(8, 8, 1)`, uint8, ink from 0 to 255 (the original
    counts 0 to 16, scaled here so that `transforms.ToTensor` gives 0 to 1), the label an int32 from 0 to 9.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998, doi:10.24432/C50P49; the 1,797 images of its test file. Licence: CC BY 4.0.

    Args:
        train: the images for training, else those for testing.
        transform: a function of (image, label), applied whenever an example is read.

    >>> image, label = Digits(train=False)[0]
    >>> image.shape, label.dtype
    ((8, 8, 1), dtype('int32'))
    """

    def __init__(self, train: bool = True, transform=None):
        self._train = train
        super().__init__(Path(__file__).parent, transform)

    def read(self):
        with numpy.load(self._root / "digits.npz") as stored:
            images, labels = stored["images"], stored["labels"]
        chosen = (numpy.arange(len(labels)) % _EVERY == _EVERY - 1) != self._train
        grey = images[chosen].astype("uint16") * 255 // 16
        return grey.astype("uint8")[..., None], labels[chosen].astype("int32")
