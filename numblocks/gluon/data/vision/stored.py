"""Datasets that lie whole in memory, and where their files come from."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy

from ....array import wrap
from ....device import cpu
from ...download import check_sha1
from ...download import fetch as fetch
from ..dataset import Dataset


class Stored(Dataset):
    """Images and labels in memory: a subclass defines `read()`, which returns both.

    Args:
        root: the folder of its files; `~` is the user's home.
        transform: a function of (image, label), applied whenever an example is read.
    """

    def __init__(self, root, transform=None):
        self._root = Path(root).expanduser()
        self._transform = transform
        images, labels = self.read()
        if len(images) != len(labels):
            raise ValueError(
                f"{type(self).__name__}: {len(images)} images and {len(labels)} labels in '{self._root}'. Image k"
                f" belongs"
                f" to label k. Delete the files there to fetch them again."
            )
        self._data, self._label = wrap(images, cpu()), labels

    def read(self) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Images `(n, height, width, channels)` uint8 and labels `(n,)` int32."""
        raise NotImplementedError(f"{type(self).__name__}: define read(self), which returns images and labels.")

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


def content(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is gzip, whatever its name."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else open(path, "rb") as file:
        return file.read()


def checked(path: Path, sha1: str) -> Path:
    """`path`; `OSError` and no file if its SHA-1 is another one."""
    if not check_sha1(path, sha1):
        path.unlink()
        raise OSError(f"datasets: '{path}' was fetched with another SHA-1 than {sha1}. It was deleted. Try again.")
    return path
