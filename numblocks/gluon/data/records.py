"""Examples in record files."""

from __future__ import annotations

import threading
from pathlib import Path

from ...recordio import MXIndexedRecordIO
from .dataset import Dataset


class RecordFileDataset(Dataset):
    """The records of a `.rec` file as bytes.

    Args:
        filename: the file; an index beside it (`.idx`) gives the order, else its records are looked for once.

    >>> import tempfile
    >>> from numblocks.recordio import MXRecordIO
    >>> path = Path(tempfile.mkdtemp()) / 'a.rec'
    >>> with MXRecordIO(path, 'w') as file:
    ...     file.write(b'one')
    ...     file.write(b'two')
    >>> list(RecordFileDataset(path))
    [b'one', b'two']
    """

    def __init__(self, filename):
        path = Path(filename).expanduser()
        self._record = MXIndexedRecordIO(path.with_suffix(".idx"), path, "r")
        self._lock = threading.Lock()  # one place in the file, several threads that read
        if not self._record.keys:
            self._record.number()

    def __getstate__(self):
        return {k: v for k, v in vars(self).items() if k != "_lock"}

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.Lock())

    def __len__(self) -> int:
        return len(self._record.keys)

    def __getitem__(self, idx):
        with self._lock:
            return self._record.read_idx(self._record.keys[idx])
