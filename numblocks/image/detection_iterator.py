"""`ImageDetIter`: batches of pictures with the boxes of the objects in them."""

from __future__ import annotations

import numpy

from ..npx.colours import DEVIATION, MEAN
from .boxes import outline
from .create_detection import CreateDetAugmenter
from .iterator import ImageIter
from .pixels import drawing_from


class ImageDetIter(ImageIter):
    """Batches of pictures for object detection.

    The label of an example in the source is a list of numbers: how many stand before the first object, how many an
    object has (5 or more), perhaps others, then the objects: class, left, top, right, bottom as shares of width and
    height, and what else there is. In a batch the labels are `(batch_size, objects, numbers of an object)`, with rows
    of -1 for pictures with fewer objects than the one with the most.

    Args:
        batch_size, data_shape, path_imgrec, path_imglist, path_root, path_imgidx, shuffle, part_index, num_parts,
            imglist, data_name, label_name, last_batch_handle: as for `ImageIter`.
        aug_list: DetAugmenters; None for `CreateDetAugmenter(data_shape, **kwargs)`.
        kwargs: for `CreateDetAugmenter`; `dtype` of the pictures.

    Raises:
        RuntimeError: a label that does not follow this, or a file that is no picture; the message names it.

    >>> it = ImageDetIter(2, (3, 8, 8), imglist=[[[2, 5, 1, 0, 0, 1, 1], 'cat.png']], path_root='pictures')
    >>> it.provide_label
    [DataDesc[label,(2, 1, 5),float32,NCHW]]
    """

    def __init__(
        self, batch_size, data_shape, path_imgrec=None, path_imglist=None, path_root=None, path_imgidx=None,
        shuffle=False, part_index=0, num_parts=1, aug_list=None, imglist=None, data_name="data", label_name="label",
        last_batch_handle="pad", dtype="float32", **kwargs,
    ):  # fmt: skip
        super().__init__(
            batch_size, data_shape, 1, path_imgrec, path_imglist, path_root, path_imgidx, shuffle, part_index,
            num_parts, aug_list, imglist, data_name, label_name, dtype, last_batch_handle, **kwargs,
        )  # fmt: skip
        self.label_shape = self._estimate()

    def _chain(self):
        return CreateDetAugmenter(self.data_shape, **self._more)

    def _label_shape(self):
        return self.label_shape

    def _estimate(self) -> tuple[int, int]:
        """Most objects of one picture, and numbers of an object."""
        labels = [self._parsed(self.source.label(key), self.source.name(key)) for key in self.seq]
        widths = sorted({label.shape[1] for label in labels})
        if len(widths) > 1:
            raise RuntimeError(
                f"{self._where}: objects of {' and of '.join(map(str, widths))} numbers. A batch has one number. Give"
                f" all pictures one format."
            )
        if not any((label[:, 0] >= 0).any() for label in labels):
            raise RuntimeError(f"{self._where}: no picture has an object. All classes are negative. Check the labels.")
        return max(len(label) for label in labels), widths[0]

    def _parsed(self, raw, name) -> numpy.ndarray:
        """The objects `(n, numbers)` in a label as the source has it."""
        raw = numpy.asarray(raw, "float32").ravel()
        if raw.size < 7:
            raise RuntimeError(
                f"{self._where}: {name} has a label of {raw.size} numbers. A header has 2 or more and an object 5 or"
                f" more. Make the label again."
            )
        before, width = int(raw[0]), int(raw[1])
        if before < 2 or width < 5 or (raw.size - before) % width or raw.size == before:
            raise RuntimeError(
                f"{self._where}: {name} has a label of {raw.size} numbers, and says that {before} stand before objects"
                f" of {width}. That does not come out even. Make the label again."
            )
        objects = raw[before:].reshape(-1, width)
        objects = objects[(objects[:, 3] > objects[:, 1]) & (objects[:, 4] > objects[:, 2])]
        if not len(objects):
            raise RuntimeError(f"{self._where}: {name} has no box with an area. Leave the picture out.")
        return objects

    def augmentation_transform(self, data, label):
        """Picture and label, changed by all augmenters."""
        for aug in self.auglist:
            data, label = aug(data, label)
        return data, label

    def _example(self, label, raw):
        objects = self._parsed(label, self._name())
        objects = objects[objects[:, 0] >= 0]
        if not len(objects):  # all are marked as filling
            return None
        data, objects = self.augmentation_transform(self._decoded(raw), objects)
        filled = numpy.full(self.label_shape, -1.0, "float32")
        objects = objects[: len(filled)]
        filled[: len(objects), : objects.shape[1]] = objects
        return self._placed(data), filled

    def check_label_shape(self, label_shape) -> None:
        """`ValueError` if labels cannot have this shape."""
        if len(label_shape) != 2:
            raise ValueError(
                f"{self._where}: label_shape={tuple(label_shape)}. It is (objects, numbers of an object). Change it."
            )
        if any(new < old for new, old in zip(label_shape, self.label_shape, strict=True)):
            raise ValueError(
                f"{self._where}: label_shape={tuple(label_shape)}. There are labels of {self.label_shape}, and it"
                f" cannot be less. Use at least that."
            )

    def reshape(self, data_shape=None, label_shape=None) -> None:
        """Let batches have another shape from now on; augmenters that were not given are made for it.

        Args:
            data_shape: `(channels, height, width)`; None to keep it.
            label_shape: `(objects, numbers of an object)`, at least the present one; None to keep it.
        """
        self._carried = []  # of the old shape
        if data_shape is not None:
            self.check_data_shape(data_shape)
            self.data_shape = tuple(data_shape)
            if self._more is not None:
                self.auglist = self._chain()
        if label_shape is not None:
            self.check_label_shape(label_shape)
            self.label_shape = tuple(label_shape)

    def sync_label_shape(self, it, verbose=False):
        """Let both iterators have the greater label shape, such as those of training and testing.

        Returns:
            `it`.
        """
        if not isinstance(it, ImageDetIter):
            raise TypeError(f"{self._where}: a {type(it).__name__}. Labels of ImageDetIters have shapes. Pass one.")
        shape = tuple(map(max, self.label_shape, it.label_shape))
        for one in (self, it):
            one.reshape(label_shape=shape)
        if verbose:
            print(f"{self._where}: label_shape is {shape} now.")
        return it

    def draw_next(self, color=None, thickness=2, mean=None, std=None, clip=True, waitKey=None, window_name=None,
                  id2labels=None):  # fmt: skip
        """The pictures of one round, one after the other, with their boxes drawn.

        Args:
            color: of the lines, red first; None for red.
            thickness: of the lines, in pixels.
            mean, std: what the augmenters normalized with, to undo it: True for ImageNet's.
            clip: keep values within 0 to 255.
            waitKey, window_name: must be None: no window is opened; show the pictures with what you like.
            id2labels: must be None: names are not written.

        Returns:
            An iterator over NumPy arrays `(height, width, channels)`, uint8 if `clip`.
        """
        if waitKey is not None or id2labels is not None:
            raise ValueError(
                f"{self._where}.draw_next: waitKey={waitKey}, id2labels={id2labels}. No window is opened and no names"
                f" are written. Leave them out and show the pictures, e.g. with matplotlib."
            )
        scale, shift = (DEVIATION if std is True else std or 1.0), (MEAN if mean is True else mean or 0.0)
        return self._drawn((255, 0, 0) if color is None else color, thickness, scale, shift, clip)

    def _drawn(self, color, thickness, scale, shift, clip):
        while True:
            with drawing_from(self._draws):
                try:
                    example = self._example(*self.next_sample())
                except StopIteration:
                    return
            if example is None:
                continue
            picture = example[0].transpose(1, 2, 0) * numpy.asarray(scale, "f4") + numpy.asarray(shift, "f4")
            outline(picture, example[1][example[1][:, 0] >= 0, 1:5], color, thickness)
            yield numpy.clip(numpy.rint(picture), 0, 255).astype("uint8") if clip else picture
