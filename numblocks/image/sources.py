"""Where an `ImageIter` finds pictures and labels: record files, list files, lists."""

from __future__ import annotations

import os
from pathlib import Path

import numpy

from ..recordio import MXIndexedRecordIO, unpack


def _label(values) -> numpy.ndarray:
    return numpy.atleast_1d(numpy.asarray(values, "float32"))


def read_list(path) -> dict[int, tuple[numpy.ndarray, str]]:
    """The entries of a `.lst` file: key, labels and file name, separated by tabs.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / 'a.lst'
    >>> _ = path.write_text('7\\t1.0\\tcat.png\\n')
    >>> read_list(path)
    {7: (array([1.], dtype=float32), 'cat.png')}
    """
    found = {}
    for number, line in enumerate(Path(path).expanduser().read_text().splitlines(), 1):
        parts = line.strip().split("\t")
        if len(parts) == 1 and not parts[0]:
            continue
        try:
            key, *labels = map(float, parts[:-1])
        except ValueError as error:
            raise ValueError(
                f"ImageIter: line {number} of '{path}' is {line!r}. A line is a number, labels and a file's name,"
                f" separated by tabs. Correct it."
            ) from error
        found[int(key)] = _label(labels), parts[-1]
    return found


def as_entries(imglist) -> dict[int, tuple[numpy.ndarray, str]]:
    """The entries of a list of `[label, file name]`; labels are numbers, or arrays of them.

    >>> as_entries([[3, 'cat.png']])
    {0: (array([3.], dtype=float32), 'cat.png')}
    """
    return {
        key: (_label(row[:-1] if len(row) > 2 else row[0]), os.fspath(row[-1])) for key, row in enumerate(imglist)
    }


class Files:
    """Pictures that are files of their own.

    Args:
        entries: for each key label and file name.
        root: the folder the names start from.

    >>> Files({3: (numpy.ones(1), 'cat.png')}, 'pictures').keys
    [3]
    """

    def __init__(self, entries, root):
        self.entries, self.root = entries, os.path.expanduser(os.fspath(root or ""))
        self.keys = list(entries)

    def name(self, key) -> str:
        """The path of this picture."""
        return os.path.join(self.root, self.entries[key][1])

    def label(self, key):
        """The label of this picture."""
        return self.entries[key][0]

    def read(self, key):
        """Label and bytes of this picture."""
        return self.label(key), Path(self.name(key)).read_bytes()


class Records:
    """Pictures in a record file, in the order of its index; without one they are looked for once.

    Args:
        path: the `.rec` file.
        index: the `.idx` file; None for the one beside it.
        entries: labels that stand in the place of those in the records, as of `Files`; None for those.
    """

    def __init__(self, path, index=None, entries=None):
        path = Path(path).expanduser()
        index = path.with_suffix(".idx") if index is None else Path(index).expanduser()
        self.path, self.entries = path, entries
        self._record = MXIndexedRecordIO(index, path, "r")
        if not self._record.keys:
            self._record.number()
        self.keys = list(self._record.keys) if entries is None else list(entries)

    def name(self, key) -> str:
        """What an error calls this picture."""
        return f"record {key} of '{self.path}'"

    def label(self, key):
        """The label of this picture."""
        return self.read(key)[0]

    def read(self, key):
        """Label and bytes of this picture."""
        header, raw = unpack(self._record.read_idx(key))
        return (_label(header.label) if self.entries is None else self.entries[key][0]), raw


def source(where, path_imgrec, path_imglist, path_root, path_imgidx, imglist):
    """What these arguments of an iterator mean.

    Raises:
        ValueError: none is given, or both lists.

    >>> type(source('doc', None, None, '.', None, [[1, 'a.png']])).__name__
    'Files'
    """
    if path_imglist and imglist is not None:
        raise ValueError(f"{where}: path_imglist and imglist. There is one list. Pass one of them.")
    entries = read_list(path_imglist) if path_imglist else None if imglist is None else as_entries(imglist)
    if path_imgrec:
        return Records(path_imgrec, path_imgidx, entries)
    if entries is None:
        raise ValueError(
            f"{where}: neither path_imgrec nor path_imglist nor imglist. Pictures come from one of them. Pass one."
        )
    return Files(entries, path_root)
