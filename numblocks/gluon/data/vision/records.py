"""Images in record files."""

from __future__ import annotations

from ....array import wrap
from ....device import cpu
from ....formats.picture import decode
from ....recordio import unpack
from ..records import RecordFileDataset


class ImageRecordDataset(RecordFileDataset):
    """The pictures of a `.rec` file, as `recordio.pack_img` packs them; needs Pillow: `pip install 'numblocks[image]'`.

    An example is `(image, label)`: the image `(height, width, 3)` uint8, the label a float or a float32 array.

    Args:
        filename: the file; an index beside it (`.idx`) gives the order.
        flag: 1 for colour, 0 for grey `(height, width, 1)`.
        transform: a function of (image, label), applied whenever an example is read.

    >>> ImageRecordDataset.__mro__[1].__name__
    'RecordFileDataset'
    """

    def __init__(self, filename, flag=1, transform=None):
        super().__init__(filename)
        self._flag, self._transform = flag, transform

    def __getitem__(self, idx):
        header, raw = unpack(super().__getitem__(idx))
        image = wrap(decode(raw, self._flag), cpu())
        return (image, header.label) if self._transform is None else self._transform(image, header.label)
