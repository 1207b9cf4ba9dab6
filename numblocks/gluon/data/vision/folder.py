"""Images in folders, one folder for each class."""

from __future__ import annotations

from pathlib import Path

from ....array import wrap
from ....device import cpu
from ....errors import warn
from ....formats.picture import decode
from ..dataset import Dataset

_KNOWN = (".jpg", ".jpeg", ".png")


class ImageFolderDataset(Dataset):
    """The pictures `root/<class>/<anything>.jpg`, `.jpeg` or `.png`; needs Pillow: `pip install 'numblocks[image]'`.

    An example is `(image, label)`: the image `(height, width, 3)` uint8, the label an int, the number of its folder
    in alphabetical order. Files are read when asked for.

    Args:
        root: the folder of folders.
        flag: 1 for colour, 0 for grey `(height, width, 1)`.
        transform: a function of (image, label), applied whenever an example is read.

    Attributes:
        synsets: the names of the classes; label k is `synsets[k]`.
        items: `(path, label)` of each example.

    Raises:
        FileNotFoundError: there is no such folder.

    >>> import tempfile
    >>> len(ImageFolderDataset(tempfile.mkdtemp()))
    0
    """

    def __init__(self, root, flag=1, transform=None):
        self._root = Path(root).expanduser()
        self._flag, self._transform = flag, transform
        self.synsets: list[str] = []
        self.items: list[tuple[str, int]] = []
        for folder in sorted(self._root.iterdir()):
            if not folder.is_dir():
                self._ignored(folder, "it is no folder, and each class is one")
                continue
            for file in sorted(folder.iterdir()):
                if file.suffix.lower() in _KNOWN:
                    self.items.append((str(file), len(self.synsets)))
                else:
                    self._ignored(file, f"only {', '.join(_KNOWN)} are read")
            self.synsets.append(folder.name)

    @staticmethod
    def _ignored(path, why):
        warn(f"ImageFolderDataset: '{path}' is ignored: {why}.")

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, idx):
        path, label = self.items[idx]
        image = wrap(decode(path, self._flag), cpu())
        return (image, label) if self._transform is None else self._transform(image, label)
