"""Record files: many byte strings one after the other, in the format of MXNet's `.rec` files.

A record is the number 0xced7230a, a word with its length in the lower 29 bits, its bytes, and zeros up to a multiple
of four. Bytes that hold that number themselves (at a multiple of four) are cut there into parts; the upper three
bits of the length's word tell whole records (0), first (1), middle (2) and last parts (3).

>>> import tempfile, pathlib
>>> path = pathlib.Path(tempfile.mkdtemp()) / 'a.rec'
>>> with MXRecordIO(path, 'w') as file:
...     file.write(b'hello')
>>> MXRecordIO(path, 'r').read()
b'hello'
"""

from __future__ import annotations

import os
import struct
from collections import namedtuple
from pathlib import Path

import numpy

from .formats.picture import decode, encode

_MAGIC = struct.pack("<I", 0xCED7230A)
_LONGEST = (1 << 29) - 1
_HEADER = struct.Struct("<IfQQ")

IRHeader = namedtuple("IRHeader", "flag label id id2")
IRHeader.__doc__ = "What stands before an image: label (a number, or an array), id, id2; flag is set by `pack`."


class MXRecordIO:
    """A record file, read or written from beginning to end. It can be pickled while it is read.

    Args:
        uri: the file.
        flag: `'r'` or `'w'`.

    Raises:
        ValueError: another flag.
        FileNotFoundError: no such file to read.
    """

    def __init__(self, uri, flag):
        if flag not in ("r", "w"):
            raise ValueError(f"{type(self).__name__}: flag {flag!r}. Files are read or written. Pass 'r' or 'w'.")
        self.uri, self.flag = os.fspath(uri), flag
        self._file = None
        self.open()

    @property
    def writable(self) -> bool:
        """Whether this is a file to write."""
        return self.flag == "w"

    @property
    def is_open(self) -> bool:
        """Whether `close` was not called yet."""
        return self._file is not None

    def open(self) -> None:
        """Open the file again, at its beginning; writing empties it."""
        self.close()
        self._file = open(self.uri, self.flag + "b")

    reset = open

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __del__(self):
        if getattr(self, "_file", None) is not None:
            self.close()

    def __getstate__(self):
        if self.writable:
            raise TypeError(
                f"{type(self).__name__}: '{self.uri}' is being written. Two writers would mix records. Close it."
            )
        return {**vars(self), "_file": self.is_open and self.tell()}

    def __setstate__(self, state):
        self.__dict__.update(state, _file=None)
        if state["_file"] is not False:
            self._file = open(self.uri, "rb")
            self._file.seek(state["_file"])

    def _ready(self, to_write: bool):
        if self._file is None or self.writable is not to_write:
            how = "closed" if self._file is None else f"open with flag {self.flag!r}"
            what = "write" if to_write else "read"
            raise RuntimeError(f"{type(self).__name__}.{what}: '{self.uri}' is {how}. Open it with {what[0]!r}.")
        return self._file

    def tell(self) -> int:
        """Where in the file the next record begins."""
        return self._file.tell()

    def write(self, buf: bytes) -> None:
        """Append a record."""
        file, raw = self._ready(True), bytes(buf)
        if len(raw) > _LONGEST:
            raise ValueError(
                f"{type(self).__name__}.write: {len(raw)} bytes. A record has at most {_LONGEST}. Split it."
            )
        parts, begin = [], 0
        at = raw.find(_MAGIC)
        while at >= 0:
            if at % 4 == 0:
                parts.append(raw[begin:at])
                begin = at + 4
            at = raw.find(_MAGIC, begin if at % 4 == 0 else at + 1)
        parts.append(raw[begin:])
        for k, part in enumerate(parts):
            kind = 0 if len(parts) == 1 else 1 if k == 0 else 3 if k == len(parts) - 1 else 2
            file.write(_MAGIC + struct.pack("<I", kind << 29 | len(part)) + part + b"\0" * (-len(part) % 4))

    def read(self) -> bytes | None:
        """The next record; None at the end of the file.

        Raises:
            ValueError: there is no record here, or it is cut off.
        """
        file, parts = self._ready(False), []
        while True:
            head = file.read(8)
            if not head and not parts:
                return None
            if len(head) < 8 or head[:4] != _MAGIC:
                raise ValueError(self._broken("no record begins here"))
            word = struct.unpack("<I", head[4:])[0]
            kind, length = word >> 29, word & _LONGEST
            part = file.read(length + -length % 4)
            if len(part) < length or kind > 3 or (kind in (0, 1)) == bool(parts):
                raise ValueError(self._broken("a record is cut off"))
            parts.append(part[:length])
            if kind in (0, 3):
                return _MAGIC.join(parts)

    def _broken(self, what):
        return (
            f"{type(self).__name__}.read: {what} ('{self.uri}', before byte {self.tell()}). The file is damaged. Make"
            f" it again."
        )


class MXIndexedRecordIO(MXRecordIO):
    """A record file whose records have keys.

    Args:
        idx_path: the text file of keys: a line `key <tab> position` for each record.
        uri, flag: as for `MXRecordIO`.
        key_type: what to make of a key's text.
    """

    def __init__(self, idx_path, uri, flag, key_type=int):
        self.idx_path, self.key_type = os.fspath(idx_path), key_type
        self.idx: dict = {}
        self.keys: list = []
        super().__init__(uri, flag)

    def open(self):
        super().open()
        self.idx, self.keys = {}, []
        if not self.writable and Path(self.idx_path).is_file():
            for line in Path(self.idx_path).read_text().splitlines():
                key, position = line.split("\t")
                self._add(self.key_type(key), int(position))

    reset = open

    def _add(self, key, position):
        self.idx[key] = position
        self.keys.append(key)

    def number(self) -> None:
        """Give the records the keys 0, 1, 2 ... by reading the file through once; for files without an index."""
        self.reset()
        self.idx, self.keys, position = {}, [], 0
        while self.read() is not None:
            self._add(self.key_type(len(self.keys)), position)
            position = self.tell()

    def close(self):
        if self._file is not None and self.writable:
            Path(self.idx_path).write_text("".join(f"{key}\t{self.idx[key]}\n" for key in self.keys))
        super().close()

    def seek(self, idx) -> None:
        """Read the record of this key next; `KeyError` if there is none."""
        self._ready(False).seek(self.idx[idx])

    def read_idx(self, idx) -> bytes:
        """The record of this key."""
        self.seek(idx)
        return self.read()

    def write_idx(self, idx, buf: bytes) -> None:
        """Append a record with a key; the index file is written by `close`."""
        position = self._ready(True).tell()
        self.write(buf)
        self._add(self.key_type(idx), position)


def pack(header, s: bytes) -> bytes:
    """A record from an `IRHeader` and bytes.

    >>> unpack(pack(IRHeader(0, 4.0, 7, 0), b'x'))
    (IRHeader(flag=0, label=4.0, id=7, id2=0), b'x')
    """
    header = IRHeader(*header)
    if isinstance(header.label, (int, float, numpy.number)):
        return _HEADER.pack(0, float(header.label), header.id, header.id2) + s
    label = numpy.asarray(getattr(header.label, "_data", header.label), "<f4").ravel()
    return _HEADER.pack(label.size, 0.0, header.id, header.id2) + label.tobytes() + s


def unpack(s: bytes) -> tuple[IRHeader, bytes]:
    """The `IRHeader` and the bytes of a record that `pack` made; several labels are a float32 NumPy array."""
    if len(s) < _HEADER.size:
        raise ValueError(f"recordio.unpack: {len(s)} bytes. A header has {_HEADER.size}. Pass a record that pack made.")
    header, s = IRHeader(*_HEADER.unpack(s[: _HEADER.size])), s[_HEADER.size :]
    if header.flag:
        header = header._replace(label=numpy.frombuffer(s, "<f4", header.flag).copy())
        s = s[4 * header.flag :]
    return header, s


def pack_img(header, img, quality=95, img_fmt=".jpg") -> bytes:
    """A record from an `IRHeader` and a picture `(height, width, 3)` uint8, red first; needs Pillow."""
    return pack(header, encode(getattr(img, "_data", img), img_fmt, quality))


def unpack_img(s: bytes, iscolor=-1) -> tuple[IRHeader, numpy.ndarray]:
    """The `IRHeader` and the picture of a record that `pack_img` made, as a NumPy array; needs Pillow."""
    header, s = unpack(s)
    return header, decode(s, iscolor)
