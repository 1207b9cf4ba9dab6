"""Ways from Python into machine code that take a tenth of what ctypes takes (60 ns for 0.5 us).

They are functions of CPython's own kind (`METH_FASTCALL`) in LLVM IR; what belongs to one of them, an address, is its
`__self__`. Where Python is not CPython, or an array object is not laid out as expected, `caller` gives back the ctypes
function and the others are None: who wants them goes the long way.

| made by | called as | does |
|---|---|---|
| `caller(call, address)` | `call(lo, hi, argp)` | runs a kernel, without the GIL |
| `launcher(...)` | `launch(*operands)` | packs arguments and runs a kernel over all it has; False: they do not fit |
| `pointer(...)` | `point(array)` | tells packed arguments where an array lies now; False: it is not C-contiguous |
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np

from . import addresses, entry_ir
from .sources import digest

FLOAT, INTEGER, ARRAY = 1, 2, 3  # kinds of operands; any other is the dtype of an array of the one common shape
DENSE = -1  # `(DENSE, dtype)`: such an array of any shape
EACH = -1  # the extent of a loop over the elements of its arrays
FASTCALL = 0x80  # METH_FASTCALL: the address of the arguments and their number


class _Definition(ctypes.Structure):
    """`PyMethodDef`."""

    _fields_ = [("name", ctypes.c_char_p), ("code", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p)]


_definitions: dict[str, int] = {}  # address of the PyMethodDef of each function that is there
_held: list = []
_count = ctypes.c_int64(0)
_state = "new"


def prepare(load) -> None:
    """Make the functions; `load` is `build.load`. To no effect where they cannot be."""
    global _state, _count
    if _state != "new":
        return
    _state = "making"
    if addresses.LAYOUT_KNOWN:
        name = f"entry_{digest(entry_ir.TEXT)}"
        kernel = load(name, f"; {name}\n" + entry_ir.TEXT.replace("{kernel}", name))
        words = (ctypes.c_int64 * entry_ir.WORDS)()
        for k, symbol in enumerate(entry_ir.FUNCTIONS):
            words[k] = ctypes.cast(getattr(ctypes.pythonapi, symbol), ctypes.c_void_p).value
        first = len(entry_ir.FUNCTIONS)
        words[first : first + 4] = [id(None), id(True), id(False), id(np.ndarray)]
        kernel.call(0, 0, ctypes.addressof(words))
        for symbol, address in zip(("call", "launch", "point"), words[first + 4 :], strict=False):
            definition = _Definition(symbol.encode(), address, FASTCALL, None)
            _definitions[symbol] = ctypes.addressof(definition)
            _held.append(definition)
        _count = ctypes.c_int64.from_address(words[-1])
        _held.append(kernel)
    _state = "made"


def _function(symbol: str, address: int, keep):
    """A function bound to an address; `keep` lives as long."""
    return _new(_definitions[symbol], address, keep)


_new = getattr(ctypes, "pythonapi", None) and ctypes.pythonapi.PyCFunction_NewEx
if _new:
    _new.restype, _new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]


def launches() -> int:
    """How many launches there were."""
    return _count.value


def caller(call, address: int):
    """`call`, a ctypes function, by a shorter way."""
    return _function("call", address, call) if _state == "made" and _definitions else call


def launcher(kernel, extent: int, limit: int, template, operands, keep=()):
    """`launch(*operands) -> bool`, or None where there is no such way.

    Args:
        kernel: what is run over `[0, extent)`. Of `EACH`, the extent is the arrays' size, and also the first word.
        limit: an extent above this does not fit.
        template: the packed arguments, int64 words.
        operands: `(position, kind)` for each argument of a call: the word it becomes; `FLOAT` and `INTEGER` take
            numbers, `ARRAY` any array for its address, a dtype arrays of this dtype that are C-contiguous and have
            the shape of the others, `(DENSE, dtype)` the same of whatever shape.
        keep: what must live as long as the launch.
    """
    if not _definitions or kernel.address is None:
        return None
    words = [kernel.address, extent, limit, len(template), len(operands)]
    for position, kind in operands:
        if isinstance(kind, tuple):
            kind = -id(kind[1])
        words += [position, id(kind) if isinstance(kind, np.dtype) else kind]
    record = np.array([*words, *template], np.int64)
    return _function("launch", addresses.address(record), (record, kernel, operands, keep))


def pointer(places):
    """`point(array) -> bool`: writes the array's address into packed arguments; False if it is not C-contiguous.

    Args:
        places: `(memoryview of int64 words, position, bytes to add)` of each word that follows the address.
    """
    if not _definitions:
        return functools.partial(_point, places)
    words = [0, len(places)]
    for packed, position, offset in places:
        words += [addresses.address(np.asarray(packed)) + 8 * position, offset]
    record = np.array(words, np.int64)
    return _function("point", addresses.address(record), (record, places))


def _point(places, array) -> bool:
    if type(array) is not np.ndarray or not array.flags.c_contiguous:
        return False
    address = addresses.address(array)
    for packed, position, offset in places:
        packed[position] = address + offset
    return True
