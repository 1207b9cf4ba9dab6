"""CIFAR10 and CIFAR100: colour 32x32 images, in their binary form."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy

from ...progress import bar
from .stored import Stored, checked, content, fetch

_PIXELS = 3 * 32 * 32


class CIFAR10(Stored):
    """Photographs of ten classes: 50,000 images for training, 10,000 for testing.

    An example is `(image, label)`: the image of shape `(32, 32, 3)`, uint8, red first; the label an int32 from 0
    to 9. The binary files are read from `root` or the archive's own folder in it; if they are missing, the archive
    is downloaded and its files are checked.

    Source: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.

    Args:
        root: the folder.
        train: the images for training, else those for testing.
        transform: a function of (image, label), applied whenever an example is read.

    Raises:
        OSError: files are missing and cannot be fetched.
        ValueError: a file that is not made of such records.

    >>> CIFAR10._label_bytes
    1
    """

    _archive = "cifar-10-binary.tar.gz"
    _folder = "cifar-10-batches-bin"
    _train_files = {
        "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
        "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
        "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
        "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
        "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
    }
    _test_files = {"test_batch.bin": "67eb016db431130d61cd03c7ad570b013799c88c"}
    _label_bytes, _label_at = 1, 0

    def __init__(self, root="~/.mxnet/datasets/cifar10", train=True, transform=None):
        self._train = train
        super().__init__(root, transform)

    def read(self):
        paths = [self._path(name) for name in (self._train_files if self._train else self._test_files)]
        images, labels = zip(*map(self._batch, paths), strict=True)
        return numpy.concatenate(images), numpy.concatenate(labels)

    def _path(self, name) -> Path:
        for folder in (self._root, self._root / self._folder):
            if (folder / name).exists():
                return folder / name
        self._fetch_all()
        return self._root / name

    def _fetch_all(self) -> None:
        where = type(self).__name__
        address = f"https://www.cs.toronto.edu/~kriz/{self._archive}"
        archive = fetch(where, [address], self._root / self._archive, None)
        known = {**self._train_files, **self._test_files}
        with tarfile.open(archive) as tar, bar(len(known), f"unpacking {self._archive}", "file") as progress:
            for member in tar:
                name = member.name.rpartition("/")[2]
                if name in known and member.isfile():
                    # Under a name of its own until it is whole: what has the right name is taken as it is.
                    part = self._root / f"{name}.part"
                    part.write_bytes(tar.extractfile(member).read())
                    checked(part, known[name]).replace(self._root / name)
                    progress.update()
        missing = [name for name in known if not (self._root / name).exists()]
        if missing:
            raise OSError(
                f"{where}: '{archive}' holds no {', '.join(missing)}. It is another archive. Delete it and try again."
            )

    def _batch(self, path):
        raw = numpy.frombuffer(content(path), "uint8")
        size = self._label_bytes + _PIXELS
        if raw.size == 0 or raw.size % size:
            raise ValueError(
                f"{type(self).__name__}: '{path}' has {raw.size} bytes. It is made of records of {size} bytes:"
                f" labels, then"
                f" 32x32 red, green and blue. Delete it to fetch it again."
            )
        rows = raw.reshape(-1, size)
        images = rows[:, self._label_bytes :].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return numpy.ascontiguousarray(images), rows[:, self._label_at].astype("int32")


class CIFAR100(CIFAR10):
    """Photographs of 100 classes in 20 groups, otherwise as `CIFAR10`.

    Args:
        root: the folder.
        fine_label: labels are the 100 classes, else the 20 groups.
        train: the images for training, else those for testing.
        transform: a function of (image, label), applied whenever an example is read.

    >>> CIFAR100._label_bytes
    2
    """

    _archive = "cifar-100-binary.tar.gz"
    _folder = "cifar-100-binary"
    _train_files = {"train.bin": "e207cd2e05b73b1393c74c7f5e7bea451d63e08e"}
    _test_files = {"test.bin": "8fb6623e830365ff53cf14adec797474f5478006"}
    _label_bytes = 2

    def __init__(self, root="~/.mxnet/datasets/cifar100", fine_label=False, train=True, transform=None):
        self._label_at = int(bool(fine_label))  # each record: group, class, pixels
        super().__init__(root, train, transform)
