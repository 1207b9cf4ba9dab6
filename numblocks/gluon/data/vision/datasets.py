"""Image datasets."""

from __future__ import annotations

from pathlib import Path

import numpy

from ....array import wrap
from ....device import cpu
from ..dataset import Dataset

_EVERY = 5  # image k is a test image when k % 5 == 4: each writer and each digit is in both parts


class Digits(Dataset):
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
        with numpy.load(Path(__file__).with_name("digits.npz")) as stored:
            images, labels = stored["images"], stored["labels"]
        chosen = (numpy.arange(len(labels)) % _EVERY == _EVERY - 1) != train
        grey = images[chosen].astype("uint16") * 255 // 16
        self._data = wrap(grey.astype("uint8")[..., None], cpu())
        self._label = labels[chosen].astype("int32")
        self._transform = transform

    def __len__(self) -> int:
        return len(self._label)

    def __getitem__(self, idx):
        image, label = self._data[idx], self._label[idx]
        return (image, label) if self._transform is None else self._transform(image, label)

    def _rows(self, indices):
        if self._transform is not None:
            return None
        chosen = numpy.asarray(indices)
        return [wrap(self._data._data[chosen], cpu()), wrap(self._label[chosen], cpu())]
