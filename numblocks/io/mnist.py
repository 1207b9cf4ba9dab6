"""Batches from MNIST's files."""

from __future__ import annotations

import os

from ..gluon.data.vision.mnist import read_idx
from .arrays import NDArrayIter


class MNISTIter(NDArrayIter):
    """Batches of images of 0 to 1 from idx files, packed with gzip or not; rows that fill no batch are left out.

    Args:
        image, label: the files.
        batch_size: number of images of a batch.
        shuffle: a new random order in each round.
        flat: `(batch_size, pixels)` instead of `(batch_size, 1, height, width)`.
        input_shape: the shape of one image.
        seed: accepted; `numblocks.random.seed` repeats the order.
        part_index, num_parts: take the first, second ... of so many equal parts.
        others: of MXNet's arguments, `silent`, `prefetch_buffer`, `ctx` and `dtype` are accepted and change nothing.

    >>> MNISTIter.__mro__[1].__name__
    'NDArrayIter'
    """

    def __init__(
        self, image="./train-images-idx3-ubyte", label="./train-labels-idx1-ubyte", batch_size=128, shuffle=True,
        flat=False, input_shape=None, seed=0, part_index=0, num_parts=1, **others,
    ):  # fmt: skip
        unknown = set(others) - {"silent", "prefetch_buffer", "ctx", "dtype"}
        if unknown:
            raise TypeError(f"MNISTIter: unknown arguments {sorted(unknown)}. Leave them out.")
        images, labels = (read_idx(os.path.expanduser(os.fspath(path))) for path in (image, label))
        if not 0 <= part_index < num_parts:
            raise ValueError(f"MNISTIter: part {part_index} of {num_parts}. Parts count from 0. Pass a smaller one.")
        count = len(images) // num_parts
        part = slice(part_index * count, (part_index + 1) * count)
        images = images[part].astype("float32") / 256.0
        shape = input_shape or ((-1,) if flat else (1, *images.shape[1:]))
        super().__init__(
            images.reshape((count, *shape)), labels[part].astype("float32"), batch_size, shuffle, "discard"
        )
