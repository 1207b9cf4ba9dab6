"""Random numbers by counter: element i of stream s under seed k is a hash of (k, s, i), wherever it is computed.

So a draw needs no state beyond the stream's number, a compiled net sees the same numbers as the eager one, and
threads cannot disturb each other. The hash is SplitMix64 started at a hash of seed and stream (Steele, Lea, Flood:
Fast splittable pseudorandom number generators, 2014); normal numbers come from the Box-Muller transform.
"""

from __future__ import annotations

import os
import threading

import numpy

from ..array import Aval, wrap
from ..device import usable
from ..op import Op, current

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

    def advance(self, count: int = 1) -> int:
        """Reserve `count` streams and return the first."""
        with self.lock:
            first = self.stream
            self.stream += count
            return first

    def key(self, stream: int) -> int:
        """The 64-bit start of a stream."""
        return mix((mix((self.seed + _GOLDEN) & _MASK) + stream * _GOLDEN) & _MASK)


generator = Generator(int.from_bytes(os.urandom(4), "little"))


def bits(key: int, n: int, start: int = 0) -> numpy.ndarray:
    """`n` hashed 64-bit numbers of a stream, from element `start` on."""
    z = numpy.arange(start + 1, start + n + 1, dtype=numpy.uint64)
    z *= numpy.uint64(_GOLDEN)
    z += numpy.uint64(key)
    t = z >> numpy.uint64(30)
    z ^= t
    z *= numpy.uint64(0xBF58476D1CE4E5B9)
    numpy.right_shift(z, numpy.uint64(27), out=t)
    z ^= t
    z *= numpy.uint64(0x94D049BB133111EB)
    numpy.right_shift(z, numpy.uint64(31), out=t)
    z ^= t
    return z


def uniform_numpy(key: int, shape, dtype, out=None) -> numpy.ndarray:
    """Uniform on [0, 1): 24 random bits for float32, 53 for float64."""
    n = int(numpy.prod(shape))
    z = bits(key, n)
    if dtype == numpy.float64:
        y = (z >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-53
    else:
        y = (z >> numpy.uint64(40)).astype(numpy.float32) * numpy.float32(2.0**-24)
    return _deliver(y, shape, dtype, out)


def normal_numpy(key: int, shape, dtype, out=None) -> numpy.ndarray:
    """Standard normal by Box-Muller, one 64-bit hash for each element (32 bits a coordinate)."""
    n = int(numpy.prod(shape))
    z = bits(key, n)
    radius = ((z >> numpy.uint64(32)).astype(numpy.float64) + 0.5) * 2.0**-32
    angle = (z & numpy.uint64(0xFFFFFFFF)).astype(numpy.float64) * (2.0**-32 * 2.0 * numpy.pi)
    y = numpy.sqrt(-2.0 * numpy.log(radius)) * numpy.cos(angle)
    return _deliver(y, shape, dtype, out)


def _deliver(y, shape, dtype, out):
    y = y.reshape(shape).astype(dtype, copy=False)
    if out is None:
        return y
    out[...] = y
    return out


def _eager(op: Op, args, spec):
    key = generator.key(spec["stream"])
    device = spec.get("device")
    return wrap(op.run(key, spec["shape"], numpy.dtype(spec["dtype"])), usable(device))


def _infer(*, shape, dtype, stream, device=None):
    return Aval(tuple(shape), numpy.dtype(dtype))


uniform01 = Op("uniform01", "random", _eager, run=uniform_numpy, infer=_infer, nin=0)
normal01 = Op("normal01", "random", _eager, run=normal_numpy, infer=_infer, nin=0)


def next_stream() -> int:
    """The stream of the next draw: a fresh one, or while tracing the draw's number within the call."""
    return current.next_stream() if current.next_stream is not None else generator.advance()


def draw(op: Op, shape, dtype="float32", device=None):
    """A fresh array of `op` (`uniform01` or `normal01`)."""
    spec = {"shape": tuple(shape), "dtype": dtype, "stream": next_stream()}
    if device is not None:
        spec["device"] = device
    return op(**spec)
