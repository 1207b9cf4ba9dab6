"""MXNet's `.params` files: a list of arrays and, if they have any, their names.

All integers are little-endian.

    file   = u64 0x112, u64 0, u64 count, array * count, u64 count of names (0 or count), name * that
    name   = u64 length, that many bytes of UTF-8
    array  = u32 magic, then
             V3 or V2:  i32 storage, [sparse: shape of the values], shape, device, i32 type,
                        [sparse: (i32 type, shape) of each index array], values, [sparse: index arrays]
             V1:        shape, device, i32 type, values
             otherwise: the magic is the number of dimensions itself, u32 dimensions, device, i32 type, values
    shape  = i32 number of dimensions, i64 each
    device = i32 kind, i32 number

Every version is read; V3 is written. Files are not trusted: each length is compared with what is left of the
file before anything of that length is made, and nothing is returned unless the whole file made sense.
"""

from __future__ import annotations

import io
import math
import os
import struct

import numpy

from ..errors import MXNetError
from .atomic import replacing

_MAGIC = 0x112
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_MAX_DIMS = 32
_BFLOAT16 = 12
_NAMES = "float32 float64 float16 uint8 int32 int8 int64 bool int16 uint16 uint32 uint64".split()
_DTYPE_OF = {code: numpy.dtype(name) for code, name in enumerate(_NAMES)}
_CODE_OF = {dtype: code for code, dtype in _DTYPE_OF.items()}
_INDEX_ARRAYS = {0: 0, 1: 1, 2: 2}  # storage: dense, row_sparse (rows), csr (indptr, columns)


class _Reader:
    """The file, where we are in it, and what to say when it does not make sense."""

    def __init__(self, stream, size: int, source: str):
        self.stream, self.size, self.source, self.offset = stream, size, source, 0
        self.part = "header"

    def wrong(self, what: str, why: str = "") -> MXNetError:
        why = why or "The file is damaged, or it is not a .params file"
        return MXNetError(
            f"{self.source}, {self.part}, byte {self.offset}: {what}. {why}. Nothing was loaded; get a good"
            f" copy of the file."
        )

    def need(self, n: int, what: str) -> None:
        left = self.size - self.offset
        if n > left:
            why = "The file was cut short or is damaged"
            raise self.wrong(f"{what} needs {n} bytes, the file has {left} left", why)

    def bytes(self, n: int, what: str) -> bytes:
        self.need(n, what)
        data = self.stream.read(n)
        if len(data) != n:  # the file shrank while we read it
            raise self.wrong(f"{what} could not be read", "The file changed while it was read")
        self.offset += n
        return data

    def number(self, form: str, what: str) -> int:
        return struct.unpack("<" + form, self.bytes(struct.calcsize(form), what))[0]

    def dims(self, ndim: int, form: str) -> tuple[int, ...]:
        if ndim > _MAX_DIMS:
            raise self.wrong(f"an array of {ndim} dimensions", f"Arrays have at most {_MAX_DIMS}")
        return struct.unpack(f"<{ndim}{form}", self.bytes(ndim * struct.calcsize(form), "shape"))

    def shape(self) -> tuple[int, ...] | None:
        """A shape, or None when the file says that it is unknown."""
        ndim = self.number("i", "number of dimensions")
        if ndim < -1:
            raise self.wrong(f"an array of {ndim} dimensions")
        if ndim == -1:
            return None
        dims = self.dims(ndim, "q")
        if any(d < -1 for d in dims):
            raise self.wrong(f"shape {dims}", "A dimension cannot be negative")
        return None if -1 in dims else dims

    def type(self) -> int:
        code = self.number("i", "element type")
        if code not in _DTYPE_OF and code != _BFLOAT16:
            raise self.wrong(f"element type {code}", f"The types are 0 to {_BFLOAT16}")
        return code

    def values(self, shape: tuple[int, ...], code: int) -> numpy.ndarray:
        """The raw values of one array; bfloat16 becomes float32, which holds each of its values exactly."""
        stored = numpy.dtype("uint16") if code == _BFLOAT16 else _DTYPE_OF[code]
        what = f"an array of shape {shape}, {'bfloat16' if code == _BFLOAT16 else stored}"
        # The product without the zeros: NumPy refuses (0, 2**62) although it holds nothing.
        if math.prod(d for d in shape if d) * stored.itemsize >= 1 << 62:
            raise self.wrong(f"{what} is larger than any memory")
        count = math.prod(shape)
        raw = bytearray(self.bytes(count * stored.itemsize, what))  # a bytearray makes the result writable
        if stored.kind == "b":
            return (numpy.frombuffer(raw, "uint8") != 0).reshape(shape)
        found = numpy.frombuffer(raw, stored.newbyteorder("<")).astype(stored, copy=False).reshape(shape)
        if code == _BFLOAT16:
            return (found.astype("uint32") << 16).view("float32")
        return found


def _nothing() -> numpy.ndarray:
    # An array that never got a shape: nothing of it is in the file. Empty is the nearest thing there is.
    return numpy.zeros((0,), "float32")


def _rows(r: _Reader, shape, values, rows) -> numpy.ndarray:
    if rows.ndim != 1 or not shape or values.shape != (len(rows), *shape[1:]):
        raise r.wrong(
            f"row_sparse array of shape {shape} with values {values.shape} and row numbers {rows.shape}"
        )
    if rows.size and (rows.min() < 0 or rows.max() >= shape[0]):
        raise r.wrong(f"row numbers from {rows.min()} to {rows.max()} for {shape[0]} rows")
    dense = _zeros(r, shape, values.dtype)
    dense[rows] = values
    return dense


def _csr(r: _Reader, shape, values, starts, columns) -> numpy.ndarray:
    if (
        len(shape) != 2
        or starts.shape != (shape[0] + 1,)
        or columns.ndim != 1
        or values.shape != columns.shape
    ):
        raise r.wrong(
            f"csr array of shape {shape} with values {values.shape}, row starts {starts.shape}, columns"
            f" {columns.shape}"
        )
    counts = numpy.diff(starts.astype("int64"))
    if starts[0] != 0 or starts[-1] != len(values) or (counts < 0).any():
        raise r.wrong(f"csr row starts that do not run from 0 up to {len(values)}")
    if columns.size and (columns.min() < 0 or columns.max() >= shape[1]):
        raise r.wrong(f"column numbers from {columns.min()} to {columns.max()} for {shape[1]} columns")
    dense = _zeros(r, shape, values.dtype)
    dense[numpy.repeat(numpy.arange(shape[0]), counts), columns] = values
    return dense


def _zeros(r: _Reader, shape, dtype) -> numpy.ndarray:
    try:
        return numpy.zeros(shape, dtype)
    except (MemoryError, ValueError):
        raise r.wrong(f"a sparse array of shape {shape} does not fit into memory when made dense") from None


def _array(r: _Reader) -> numpy.ndarray:
    magic = r.number("I", "array magic")
    if magic in (_V2, _V3):
        return _modern(r, magic)
    if magic == _V1:
        shape = r.shape()
    elif magic <= _MAX_DIMS:
        shape = r.dims(magic, "I")
    else:
        raise r.wrong(f"array magic {magic:#x}")
    if not shape:
        return _nothing()
    r.bytes(8, "device")
    return r.values(shape, r.type())


def _modern(r: _Reader, magic: int) -> numpy.ndarray:
    storage = r.number("i", "storage type")
    if storage not in _INDEX_ARRAYS:
        raise r.wrong(f"storage type {storage}", "The types are 0 dense, 1 row_sparse, 2 csr")
    stored_shape = r.shape() if storage else None
    shape = r.shape()
    if shape is None or (magic == _V2 and not shape):
        return _nothing()
    r.bytes(8, "device")
    code = r.type()
    if not storage:
        return r.values(shape, code)
    if stored_shape is None:
        raise r.wrong("a sparse array whose values have no shape")
    described = [(r.type(), r.shape()) for _ in range(_INDEX_ARRAYS[storage])]
    if any(_DTYPE_OF.get(t, numpy.dtype("float32")).kind not in "iu" or s is None for t, s in described):
        raise r.wrong(f"sparse index arrays described as {described}", "They must be integers of known shape")
    values = r.values(stored_shape, code)
    indices = [r.values(s, t) for t, s in described]
    return (_rows if storage == 1 else _csr)(r, shape, values, *indices)


def _name(r: _Reader) -> str:
    raw = r.bytes(r.number("Q", "length of a name"), "a name")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise r.wrong(f"the name {raw[:40]!r} is not UTF-8") from None


def _parse(r: _Reader) -> tuple[list[str], list[numpy.ndarray]]:
    magic = r.number("Q", "file magic")
    if magic != _MAGIC:
        raise r.wrong(f"file magic {magic:#x} instead of {_MAGIC:#x}", "This is not a .params file")
    r.number("Q", "reserved word")
    count = r.number("Q", "number of arrays")
    r.need(4 * count, f"a list of {count} arrays")
    arrays = []
    for k in range(count):
        r.part = f"array {k} of {count}"
        arrays.append(_array(r))
    r.part = "names"
    named = r.number("Q", "number of names")
    if named not in (0, count):
        raise r.wrong(f"{named} names for {count} arrays")
    names = []
    for k in range(named):
        r.part = f"name {k} of {named}"
        names.append(_name(r))
    if r.offset != r.size:
        r.part = "end"
        raise r.wrong(f"{r.size - r.offset} bytes follow the last name")
    return names, arrays


def read(source) -> tuple[list[str], list[numpy.ndarray]]:
    """Read a `.params` file of any version. Sparse arrays are made dense, bfloat16 becomes float32.

    Args:
        source: a path, or the bytes themselves.

    Returns:
        The names (`[]` if the file has none) and the arrays, which own their memory. An array saved before
        its shape was known comes back with shape `(0,)`.

    Raises:
        ValueError: the file is missing or cannot be opened.
        MXNetError: the file is cut short, damaged or something else; the message says where.

    >>> read(dump(["w"], [numpy.ones((2,), "int8")]))
    (['w'], [array([1, 1], dtype=int8)])
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _parse(_Reader(io.BytesIO(source), memoryview(source).nbytes, "params data"))
    path = os.fspath(source)
    try:
        with open(path, "rb") as file:
            return _parse(_Reader(file, os.fstat(file.fileno()).st_size, f"params file '{path}'"))
    except OSError as error:
        raise ValueError(
            f"params file '{path}': cannot be opened. {error.strerror or error}. Check the path and the"
            f" working folder."
        ) from error


def _pieces(names, arrays):
    if len(names) not in (0, len(arrays)):
        raise ValueError(
            f"params.write: {len(names)} names for {len(arrays)} arrays. Each array has one name, or none"
            f" has. Pass as many names as arrays, or []."
        )
    yield struct.pack("<3Q", _MAGIC, 0, len(arrays))
    for k, array in enumerate(arrays):
        array = numpy.asarray(array)
        code = _CODE_OF.get(array.dtype.newbyteorder("="))
        if code is None:
            raise TypeError(
                f"params.write: array {names[k] if names else k} has dtype {array.dtype}. The format holds"
                f" {', '.join(_NAMES)}. Cast it first."
            )
        yield struct.pack(f"<Iii{array.ndim}qiii", _V3, 0, array.ndim, *array.shape, 1, 0, code)
        yield array.astype(array.dtype.newbyteorder("<"), order="C", copy=False).tobytes()
    yield struct.pack("<Q", len(names))
    for name in names:
        raw = name.encode()
        yield struct.pack("<Q", len(raw))
        yield raw


def dump(names, arrays) -> bytes:
    """The bytes that `write` puts into a file."""
    return b"".join(_pieces(list(names), list(arrays)))


def write(path, names, arrays) -> None:
    """Write arrays in MXNet's format (V3, dense, on the CPU), replacing `path` only when all went well.

    Args:
        path: the file.
        names: one string for each array, or `[]`.
        arrays: NumPy arrays of the format's dtypes, 0-d and empty ones included.

    Raises:
        ValueError: the numbers of names and arrays differ.
        TypeError: a dtype the format does not know.
        OSError: the file cannot be written; what stood there is untouched.
    """
    with replacing(path) as file:
        for piece in _pieces(list(names), list(arrays)):
            file.write(piece)
