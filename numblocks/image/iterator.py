"""`ImageIter`: batches of pictures from record files, list files or lists, changed by augmenters."""

from __future__ import annotations

import os

import numpy

from ..array import wrap
from ..device import cpu
from ..io.arrays import last_batch
from ..io.base import DataIter
from ..io.batch import DataBatch, DataDesc
from ..random import numpy_generator
from .create import CreateAugmenter
from .pixels import drawing_from
from .read import imdecode
from .sources import source


class ImageIter(DataIter):
    """Batches of pictures `(batch_size, channels, height, width)` with their labels; reading needs Pillow.

    The order and all augmenters draw from a generator of the iterator's own, which `reset` takes from
    `numblocks.random`'s stream: equal seeds give equal rounds, whatever other threads draw.

    Args:
        batch_size: number of pictures of a batch.
        data_shape: `(channels, height, width)`; 3 channels for colour, 1 for grey.
        label_width: numbers in a label.
        path_imgrec: a record file (`recordio.pack_img`).
        path_imglist: a list file; with `path_imgrec` only its labels are used.
        path_root: the folder that the names of the list start from.
        path_imgidx: the record file's index; None for the `.idx` beside it, else records are looked for once.
        shuffle: a new random order in each round.
        part_index, num_parts: take the first, second ... of so many equal parts.
        aug_list: augmenters; None for `CreateAugmenter(data_shape, **kwargs)`.
        imglist: a list of `[label, file name]`.
        data_name, label_name: for `provide_data` and `provide_label`.
        dtype: of the pictures.
        last_batch_handle: what becomes of pictures that fill no batch: `'pad'` fills it from the beginning and says
            how many in `pad`; `'discard'` leaves them out; `'roll_over'` begins the next round with them.
        kwargs: for `CreateAugmenter`.

    Raises:
        ImportError: Pillow is not installed.
        RuntimeError: a file is no picture; the message names it.
        ValueError: no source, a wrong shape, or pictures that the augmenters leave in another size.

    >>> it = ImageIter(4, (3, 224, 224), imglist=[[0, 'cat.png'], [1, 'dog.png']], path_root='pictures')
    >>> it.provide_data, it.provide_label
    ([DataDesc[data,(4, 3, 224, 224),float32,NCHW]], [DataDesc[softmax_label,(4,),float32,NCHW]])
    """

    def __init__(
        self, batch_size, data_shape, label_width=1, path_imgrec=None, path_imglist=None, path_root=None,
        path_imgidx=None, shuffle=False, part_index=0, num_parts=1, aug_list=None, imglist=None, data_name="data",
        label_name="softmax_label", dtype="float32", last_batch_handle="pad", **kwargs,
    ):  # fmt: skip
        super().__init__(batch_size)
        self._where = type(self).__name__
        self._root = os.path.expanduser(os.fspath(path_root or ""))
        self.check_data_shape(data_shape)
        self.source = source(self._where, path_imgrec, path_imglist, path_root, path_imgidx, imglist)
        if not 0 <= part_index < num_parts:
            raise ValueError(
                f"{self._where}: part {part_index} of {num_parts}. Parts count from 0. Pass a smaller part_index."
            )
        count = len(self.source.keys) // num_parts
        self.seq = list(self.source.keys[part_index * count : (part_index + 1) * count])
        if not self.seq:
            raise ValueError(f"{self._where}: no pictures in part {part_index} of {num_parts}. Pass more pictures.")
        self.data_shape, self.label_width, self.shuffle = tuple(data_shape), label_width, shuffle
        self.data_name, self.label_name, self.dtype = data_name, label_name, numpy.dtype(dtype)
        self.last_batch_handle = last_batch(self._where, last_batch_handle)
        self._more = kwargs if aug_list is None else None
        self.auglist = self._chain() if aug_list is None else list(aug_list)
        self._carried: list = []
        self.reset()

    def _chain(self):
        return CreateAugmenter(self.data_shape, **self._more)

    @property
    def provide_data(self):
        """The description of the pictures."""
        return [DataDesc(self.data_name, (self.batch_size, *self.data_shape), self.dtype)]

    @property
    def provide_label(self):
        """The description of the labels."""
        return [DataDesc(self.label_name, (self.batch_size, *self._label_shape()), numpy.dtype("float32"))]

    def _label_shape(self):
        return () if self.label_width == 1 else (self.label_width,)

    def reset(self) -> None:
        """Begin again, in a new order if pictures are shuffled."""
        self._draws = numpy_generator()
        if self.shuffle:
            self.seq = [self.seq[k] for k in self._draws.permutation(len(self.seq))]
        self.cur, self._over = 0, False

    def hard_reset(self) -> None:
        """Begin again, and forget the pictures that would roll over."""
        self._carried = []
        self.reset()

    def next_sample(self):
        """`(label, bytes of the picture's file)` of the next one.

        Raises:
            StopIteration: there is none until `reset`.
        """
        if self.cur >= len(self.seq):
            raise StopIteration
        self.cur += 1
        return self.source.read(self.seq[self.cur - 1])

    def next(self):
        if self._over:
            raise StopIteration
        examples, self._carried = self._carried, []
        examples += self._examples(self.batch_size - len(examples))
        short = self.batch_size - len(examples)
        if short:
            self._over = True
            if self.last_batch_handle == "roll_over":
                self._carried = examples
            if not examples or self.last_batch_handle != "pad":
                raise StopIteration
            while len(examples) < self.batch_size:  # small sets go round more than once
                self.cur = 0
                examples += self._examples(self.batch_size - len(examples))
        data, labels = (self._joined(column, kind) for column, kind in zip(
            zip(*examples, strict=True), (self.dtype, numpy.dtype("float32")), strict=True))  # fmt: skip
        return DataBatch([data], [labels], pad=short)

    def _joined(self, rows, dtype):
        x = numpy.stack(rows)
        if dtype.kind in "iu" and x.dtype.kind == "f":
            limits = numpy.iinfo(dtype)
            x = numpy.clip(numpy.rint(x), limits.min, limits.max)
        return wrap(x.astype(dtype, copy=False), cpu())

    def _examples(self, most) -> list:
        """Up to `most` next examples as NumPy arrays, fewer at the end."""
        found = []
        with drawing_from(self._draws):
            while len(found) < most:
                try:
                    label, raw = self.next_sample()
                except StopIteration:
                    break
                example = self._example(label, raw)
                if example is not None:
                    found.append(example)
        return found

    def _example(self, label, raw):
        """Pixels `(channels, height, width)` and label of one example; None to leave it out."""
        if label.size != self.label_width:
            raise ValueError(
                f"{self._where}: {self._name()} has {label.size} labels. label_width is {self.label_width}. Change it."
            )
        return self._placed(self.augmentation_transform(self._decoded(raw))), label.reshape(self._label_shape())

    def _name(self):
        return self.source.name(self.seq[self.cur - 1])

    def _decoded(self, raw):
        try:
            return self.imdecode(raw)
        except ValueError as error:
            raise RuntimeError(f"{self._where}: {self._name()} is no picture: {error}") from error

    def _placed(self, x):
        x = numpy.asarray(self.postprocess_data(x))
        if x.shape != self.data_shape:
            raise ValueError(
                f"{self._where}: {self._name()} is {x.shape} after the augmenters. data_shape is {self.data_shape}. Add"
                f" an augmenter that makes it so, e.g. ForceResizeAug."
            )
        return x

    def imdecode(self, s):
        """The picture `(height, width, channels)` in these bytes; override it to read other formats."""
        return imdecode(s, flag=0 if self.data_shape[0] == 1 else 1)

    def read_image(self, fname):
        """The bytes of a picture's file in `path_root`."""
        with open(os.path.join(self._root, fname), "rb") as file:
            return file.read()

    def augmentation_transform(self, data):
        """The picture, changed by all augmenters."""
        for aug in self.auglist:
            data = aug(data)
        return data

    def postprocess_data(self, datum):
        """`(height, width, channels)` to `(channels, height, width)`."""
        return numpy.asarray(datum).transpose(2, 0, 1)

    def check_data_shape(self, data_shape) -> None:
        """`ValueError` if pictures cannot have this shape."""
        if len(data_shape) != 3 or data_shape[0] not in (1, 3):
            raise ValueError(
                f"{type(self).__name__}: data_shape={tuple(data_shape)}. It is (channels, height, width) with 3"
                f" channels, or 1 for grey. Change it."
            )

    def check_valid_image(self, data) -> None:
        """`RuntimeError` if the first of `data` is empty."""
        if len(data[0].shape) == 0:
            raise RuntimeError(f"{type(self).__name__}: an empty picture. Leave it out.")
