"""Random numbers by counter: element i of stream s under seed k is a hash of (k, s, i), wherever it is computed.

So a draw needs no state beyond the stream's number, a compiled net sees the same numbers as the eager one, and
threads cannot disturb each other. The hash is SplitMix64 started at a hash of seed and stream (Steele, Lea, Flood:
Fast splittable pseudorandom number generators, 2014); normal numbers come from the Box-Muller transform.
"""

from __future__ import annotations

import functools
import math
import os
import threading

import numpy

from ..array import Aval, ndarray, wrap
from ..device import backend, usable
from ..kernels import loops, reuse
from ..op import Op, current
from ..shortcut import concrete

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def mix(z: int) -> int:
    """SplitMix64's finalizer on Python ints."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


class Generator:
    """The process-wide source of streams: a seed and the number of the next stream."""

    def __init__(self, seed: int):
        self.lock = threading.Lock()
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Start again from stream 0 under `seed`."""
        self.seed, self.stream = int(seed) & _MASK, 0
        self.start = mix((self.seed + _GOLDEN) & _MASK)

    def advance(self, count: int = 1) -> int:
        """Reserve `count` streams and return the first."""
        with self.lock:
            first = self.stream
            self.stream = first + count
            return first

    def key(self, stream: int) -> int:
        """The 64-bit start of a stream."""
        return mix((self.start + stream * _GOLDEN) & _MASK)


generator = Generator(int.from_bytes(os.urandom(4), "little"))


def hashed(key, i):
    """SplitMix64: number `i` of the stream that starts at `key`."""
    z = key + (i + 1) * 11400714819323198485
    z = (z ^ (z >> 30)) * 13787848793156543929
    z = (z ^ (z >> 27)) * 10723151780598845931
    return z ^ (z >> 31)


def top24(z): return z >> 40  # noqa: E704  as many bits as a float32 in [0, 1) has
def top53(z): return z >> 11  # noqa: E704
def high(z): return z >> 32  # noqa: E704
def low(z): return z & 4294967295  # noqa: E704
def unit24(x): return x * 5.960464477539063e-08  # noqa: E704  2**-24
def unit53(x): return x * 1.1102230246251565e-16  # noqa: E704  2**-53


def box_muller(u, v):
    """A normal number from two 32-bit integers (Box and Muller 1958)."""
    return math.sqrt(-2.0 * math.log((u + 0.5) * 2.3283064365386963e-10)) * math.cos(v * 1.4629180792671596e-09)


def uniform_lines(line, key, index, dtype):
    """Uniform on [0, 1): 24 random bits for float32, 53 for float64."""
    z = line(hashed, (key, index), "uint64")
    bits = line(top53 if dtype == "float64" else top24, (z,), "uint64")
    return line(unit53 if dtype == "float64" else unit24, (line(None, (bits,), dtype),), dtype)


def normal_lines(line, key, index, dtype):
    """Standard normal, one 64-bit hash for each element."""
    z = line(hashed, (key, index), "uint64")
    u, v = (line(None, (line(part, (z,), "uint64"),), dtype) for part in (high, low))
    return line(box_muller, (u, v), dtype)


_FLOAT32 = numpy.dtype("float32")


def _numbers(op: Op, key: int, shape, dtype, out=None) -> numpy.ndarray:
    """Fill an array."""
    computed = dtype if dtype.itemsize > 2 else _FLOAT32
    y = out if out is not None and dtype.itemsize > 2 and out.flags.c_contiguous else reuse.empty(shape, computed)
    loops.run_lines(op.lines, key, y)
    if out is None:
        return y.astype(dtype, copy=False)
    if y is not out:
        out[...] = y
    return out


def _eager(op: Op, args, spec):
    key, device, dtype = generator.key(spec["stream"]), usable(spec.get("device")), numpy.dtype(spec["dtype"])
    if device.far:
        return wrap(backend().draw(op, key, spec["shape"], dtype, device), device)
    return wrap(op.run(key, spec["shape"], dtype), device)


def _infer(*, shape, dtype, stream, device=None):
    return Aval(tuple(shape), numpy.dtype(dtype))


uniform01 = Op("uniform01", "random", _eager, infer=_infer, lines=uniform_lines, nin=0)
normal01 = Op("normal01", "random", _eager, infer=_infer, lines=normal_lines, nin=0)
for _op in (uniform01, normal01):
    _op.run = functools.partial(_numbers, _op)


def next_stream() -> int:
    """The stream of the next draw: a fresh one, or while tracing the draw's number within the call."""
    return current.next_stream() if current.next_stream is not None else generator.advance()


_launches: dict[tuple, tuple] = {}


def _launch(op: Op, name: str):
    """`(launch(out, key) -> bool, dtype)` for as many elements as one thread does; None where there is no launch."""
    dtype = numpy.dtype(name)
    found = loops.lines_launcher(op.lines, dtype) if dtype.itemsize > 2 else None
    entry = _launches[op, name] = (found, dtype)
    return entry


def draw(op: Op, shape, dtype="float32", device=None):
    """A fresh array of `op` (`uniform01` or `normal01`)."""
    stream = next_stream()
    if device is None and current.next_stream is None and concrete.CONCRETE is not None:
        try:
            launch, kind = _launches[op, dtype]
        except KeyError:
            launch, kind = _launch(op, dtype)
        place = usable(None)
        if launch is not None and not place.far:
            data = reuse.empty(tuple(shape), kind)
            if launch(data, generator.key(stream)):
                y = ndarray()
                y._data, y._device, y._node = data, place, None
                return y
    spec = {"shape": tuple(shape), "dtype": dtype, "stream": stream}
    if device is not None:
        spec["device"] = device
    return op(**spec)
