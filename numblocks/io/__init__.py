"""Iterators over batches, as Gluon 1.x and Module have them. New code uses `gluon.data`.

| module | what |
|---|---|
| `batch` | `DataDesc`, `DataBatch` |
| `base` | `DataIter` |
| `arrays` | `NDArrayIter`: arrays in memory |
| `text`, `mnist` | files of numbers, MNIST's files |
| `wrapping` | `ResizeIter`, `PrefetchingIter` |

`ImageRecordIter` and its kin lie in `numblocks.image.records`, one floor above.
"""

from __future__ import annotations

import importlib as _importlib

from .arrays import NDArrayIter as NDArrayIter
from .base import DataIter as DataIter
from .batch import DataBatch as DataBatch
from .batch import DataDesc as DataDesc
from .mnist import MNISTIter as MNISTIter
from .text import CSVIter as CSVIter
from .wrapping import PrefetchingIter as PrefetchingIter
from .wrapping import ResizeIter as ResizeIter


def __getattr__(name: str):
    plain = name.removesuffix("_v1")  # MXNet's first readers of these files, by their old name
    if plain in ("ImageRecordIter", "ImageRecordUInt8Iter", "ImageRecordInt8Iter"):
        return getattr(_importlib.import_module("numblocks.image.records"), plain)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
