"""Names that every kernel text may use; plain Python here, machine code when compiled.

A kernel is `def NAME(lo, hi, a)`: it owns the range `[lo, hi)` of its parallel index and reads its arguments
from the int64 array `a`. The functions below turn those integers into memory. Called from ordinary Python
they work on real addresses too, so a kernel can be stepped through with a debugger, slowly; the compiler puts
its own intrinsics (`intrinsics.py`) in their place.

A kernel text begins with `HEADER`. It need not import numba and it decorates nothing: every function of the
text is compiled. Floating-point freedom is off unless a function asks for it::

    FASTMATH = {"reassoc", "contract"}      # for all functions of this text
    @fast("contract")                       # or for one of them

Boolean memory is seen as uint8 (0 or 1). float16 is storage only: `half_to_float`, `float_to_half`.
"""
import ctypes
import math
import struct

import numpy
from numpy import float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64

HEADER = (
    "import math\n"
    "\n"
    "from numblocks.kernels.prelude import (  # noqa: F401\n"
    "    bits_to_float, bits_to_float32, fast, float32, float32_to_bits, float64, float_to_bits,\n"
    "    float_to_half, half_to_float, int8, int16, int32, int64, pointer, stack, uint8, uint16,\n"
    "    uint32, uint64, view)\n"
)

__all__ = [
    "HEADER", "bits_to_float", "bits_to_float32", "fast", "float32", "float32_to_bits", "float64",
    "float_to_bits", "float_to_half", "half_to_float", "header", "int8", "int16", "int32", "int64",
    "math", "pointer", "stack", "uint8", "uint16", "uint32", "uint64", "view",
]


def header(title: str, *imports: str) -> str:
    """Opening of a kernel text: its docstring, the imports every text may use, and further import lines.

    >>> header("map: t0 = a + b").splitlines()[0]
    '\"\"\"map: t0 = a + b\"\"\"'
    """
    lines = "".join(line + "\n" for line in imports)
    return f'"""{title}"""\n{HEADER}{lines}\n\n'


def fast(*flags: str):
    """Allow LLVM fast-math `flags` ('contract', 'reassoc', ...) in one function of a kernel text.

    >>> @fast("contract")
    ... def axpy(a, x, y): return a * x + y
    """
    def mark(function):
        function.fastmath = frozenset(flags)
        return function
    return mark


def view(address, shape, T):
    """C-contiguous array of dtype `T` and `shape` (an int or a tuple of ints) over memory at `address`.

    >>> x = numpy.arange(6, dtype=numpy.float32)
    >>> view(x.ctypes.data, (2, 3), float32)[1, 0]
    np.float32(3.0)
    """
    shape = shape if isinstance(shape, tuple) else (shape,)
    dtype = _storage(T)
    count = math.prod(int(n) for n in shape)
    memory = (ctypes.c_char * max(count * dtype.itemsize, 1)).from_address(int(address))
    return numpy.frombuffer(memory, dtype, count).reshape(shape)


class _Pointer:
    """Pure-Python stand-in for a typed pointer: indexed in elements, no bounds."""

    __slots__ = ("address", "T")

    def __init__(self, address, T):
        self.address, self.T = int(address), T

    def __getitem__(self, i):
        return view(self.address + int(i) * _storage(self.T).itemsize, 1, self.T)[0]

    def __setitem__(self, i, value):
        view(self.address + int(i) * _storage(self.T).itemsize, 1, self.T)[0] = value


def pointer(address, T):
    """Pointer to elements of dtype `T` at `address`; `p[i]` reads, `p[i] = v` writes, no bounds.

    >>> x = numpy.array([1, 2], numpy.int64)
    >>> pointer(x.ctypes.data, int64)[1]
    np.int64(2)
    """
    return _Pointer(address, T)


def stack(count, T):
    """Scratch of `count` elements (a literal or a constant of the text), undefined at first, gone on return.

    Call it in the kernel itself, never in a helper that hands the pointer back.

    >>> stack(4, float64).shape
    (4,)
    """
    return numpy.empty(count, _storage(T))


def bits_to_float(bits):
    """The float64 whose 64 bits are the int64 `bits`: how float scalars travel in packed arguments.

    >>> bits_to_float(0x3FF8000000000000)
    1.5
    """
    return struct.unpack("<d", struct.pack("<Q", int(bits) & 0xFFFFFFFFFFFFFFFF))[0]


def float_to_bits(value):
    """The int64 that holds the bits of the float64 `value`.

    >>> hex(float_to_bits(1.5))
    '0x3ff8000000000000'
    """
    return int64(struct.unpack("<q", struct.pack("<d", value))[0])


def bits_to_float32(bits):
    """The float32 whose 32 bits are the low half of the integer `bits`.

    >>> bits_to_float32(0x3FC00000)
    np.float32(1.5)
    """
    return float32(struct.unpack("<f", struct.pack("<I", int(bits) & 0xFFFFFFFF))[0])


def float32_to_bits(value):
    """The int32 that holds the bits of the float32 `value`.

    >>> hex(float32_to_bits(float32(1.5)))
    '0x3fc00000'
    """
    return int32(struct.unpack("<i", struct.pack("<f", value))[0])


def half_to_float(bits):
    """float32 value of the IEEE half whose 16 bits are the uint16 `bits`; exact.

    >>> half_to_float(uint16(0x3E00))
    np.float32(1.5)
    """
    return float32(numpy.uint16(bits).view(numpy.float16))


def float_to_half(value):
    """uint16 bits of the IEEE half nearest to the float32 `value` (ties to even).

    >>> hex(float_to_half(float32(1.5)))
    '0x3e00'
    """
    return float32(value).astype(numpy.float16).view(uint16)


def _storage(T) -> numpy.dtype:
    dtype = numpy.dtype(T)
    return numpy.dtype(uint8) if dtype.kind == "b" else dtype
