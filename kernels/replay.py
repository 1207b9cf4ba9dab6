"""What a function of arrays launches, done again by one call into machine code.

Convolution, pooling and the like plan their launches in Python, from shapes alone; for small arrays that takes ten
times as long as what is planned. So the function is run once while its launches are written down: each word of their
packed arguments is a number that stays, or the address of an operand, of the result, of scratch memory or of a table.
From then on arrays of these shapes need one call, which puts in the addresses and runs the kernels in turn. A replay
must give the function's own bits on other values, else the function is left as it is.
"""

from __future__ import annotations

import ctypes
import functools
import re
import threading
import time

import numpy as np

from . import build, entry, scratch, workers
from .addresses import address
from .sources import digest

LIMIT = 120e-6       # seconds of work up to which the GIL stays held
LARGE = 1 << 20      # elements of operands that are too many
LONG = 1e-3          # seconds that a function takes which is not even tried
HELD = 32 << 20      # bytes of scratch memory in all replays
lock = threading.Lock()
_ARGUMENT = re.compile(r"\ba\[(\w+)\]")
_TRIES = 3

# a: number of moves, where the rows begin | operands | moves (to, from) | rows (address, extent, where its words begin)
# | packed words; lo..hi are rows
_CHAIN = """
define void @{kernel}(i64 %lo, i64 %hi, ptr %a) {
entry:
  %moves = load i64, ptr %a
  %a1 = getelementptr i64, ptr %a, i64 1
  %first = load i64, ptr %a1
  %twice = mul i64 %moves, 2
  %list = sub i64 %first, %twice
  br label %move
move:
  %m = phi i64 [ %list, %entry ], [ %m2, %put ]
  %some = icmp slt i64 %m, %first
  br i1 %some, label %put, label %rows
put:
  %ma = getelementptr i64, ptr %a, i64 %m
  %mb = getelementptr i64, ptr %ma, i64 1
  %to = load i64, ptr %ma
  %from = load i64, ptr %mb
  %pt = getelementptr i64, ptr %a, i64 %to
  %pf = getelementptr i64, ptr %a, i64 %from
  %word = load i64, ptr %pf
  store i64 %word, ptr %pt
  %m2 = add i64 %m, 2
  br label %move
rows:
  br label %loop
loop:
  %k = phi i64 [ %lo, %rows ], [ %next, %run ]
  %more = icmp slt i64 %k, %hi
  br i1 %more, label %run, label %done
run:
  %k3 = mul i64 %k, 3
  %at = add i64 %first, %k3
  %r0 = getelementptr i64, ptr %a, i64 %at
  %r1 = getelementptr i64, ptr %r0, i64 1
  %r2 = getelementptr i64, ptr %r0, i64 2
  %fw = load i64, ptr %r0
  %f = inttoptr i64 %fw to ptr
  %n = load i64, ptr %r1
  %begin = load i64, ptr %r2
  %words = getelementptr i64, ptr %a, i64 %begin
  call void %f(i64 0, i64 %n, ptr %words)
  %next = add i64 %k, 1
  br label %loop
done:
  ret void
}
"""


@functools.cache
def _chain() -> build.Kernel:
    name = f"chain_{digest(_CHAIN)}"
    return build.load(name, f"; {name}\n" + _CHAIN.replace("{kernel}", name))


class Unexplained(Exception):
    """The function does more than launch kernels on its operands."""


def words_of(kernel) -> int:
    """How many words a kernel reads, from its text."""
    found = _ARGUMENT.findall(kernel.text)
    if not found or not all(text.isdecimal() for text in found):
        raise Unexplained(f"kernel {kernel.name} reads its arguments in a loop")
    return 1 + max(map(int, found))


_held = 0
_known: list[dict] = []


def remember(known: dict, key, found, held: int) -> None:
    """Keep what was made of a replay in `known`, until all of them together hold too many bytes."""
    global _held
    with lock:
        if not any(k is known for k in _known):
            _known.append(known)
        _held += 4096 + held
        if _held > HELD:
            for k in _known:
                k.clear()
            _held = 0
        known[key] = found


def made(function, arrays):
    """`(launch, shape, dtype, bytes held)`: `launch(*arrays, out) -> bool` does `out[...] = function(*arrays)`.

    Args:
        function: of NumPy arrays, returns a new C-contiguous one; what it launches depends on shapes and dtypes alone.
        arrays: such as it will be given: of float32 or float64, C-contiguous.

    Returns:
        None if the function cannot be replayed, or takes so long that others wait for the GIL. The launch is False, and
        has done nothing, if an array has another dtype or is not C-contiguous; shapes are up to the caller.
    """
    if build.interpreted() or any(x.size == 0 for x in arrays) or sum([x.size for x in arrays]) > LARGE:
        return None
    try:
        return _made(function, arrays)
    except Unexplained:
        return None


def _made(function, arrays):
    rng = np.random.default_rng(0)
    memory = [rng.standard_normal(x.shape).astype(x.dtype) for x in arrays]
    function(*memory)  # scratch buffers grow to their size, tables are made
    if min(_seconds(function, memory), _seconds(function, memory)) > LONG:
        return None
    calls, seen, out = _heard(function, memory)
    if type(out) is not np.ndarray or not out.flags.c_contiguous or out.size == 0 or not calls:
        raise Unexplained("the result is not one new array")
    template, keep, held = _template(calls, seen, [*memory, out])
    kinds = [(2 + k, (entry.DENSE, x.dtype)) for k, x in enumerate((*arrays, out))]
    launch = entry.launcher(_chain(), len(calls), len(calls), template, kinds, keep)
    if launch is None:
        return None
    again = [rng.standard_normal(x.shape).astype(x.dtype) for x in arrays]
    wanted, best = function(*again).tobytes(), float("inf")
    for _ in range(_TRIES):
        found = np.full(out.shape, np.nan, out.dtype)
        start = time.perf_counter()
        fits = launch(*again, found)
        best = min(best, time.perf_counter() - start)
        if not fits or found.tobytes() != wanted:
            return None
    return (launch, out.shape, out.dtype, held) if best <= LIMIT else None


def _seconds(function, memory) -> float:
    start = time.perf_counter()
    function(*memory)
    return time.perf_counter() - start


def _heard(function, memory):
    """The launches `(kernel, n, words, grain)`, the arrays whose addresses were asked for, and the result."""
    calls: list[tuple] = []
    thread = threading.get_ident()

    def heard(kernel, n: int, argp: int, grain: int) -> None:
        if threading.get_ident() == thread:
            calls.append((kernel, n, list((ctypes.c_int64 * words_of(kernel)).from_address(argp)), grain))

    with lock:
        build.recorder, scratch.watching = heard, []
        try:
            out = function(*memory)
        finally:
            seen, build.recorder, scratch.watching = scratch.watching, None, None
    return calls, seen, out


def _template(calls, seen, operands):
    """The words of `_CHAIN`, what they point to, and the bytes of that."""
    buffers = {id(x): x for x in vars(scratch._local).values()}
    copies: dict[int, np.ndarray] = {}
    keep: list = [kernel for kernel, *_ in calls]

    def inside(x, value: int) -> bool:
        return address(x) <= value < address(x) + max(x.nbytes, 1)

    def located(value: int):
        """An operand's number and None, or None and the word."""
        for k, x in enumerate(operands):
            if inside(x, value):
                if value != address(x):
                    raise Unexplained("a launch begins inside an operand")
                return k, 0
        for key, x in buffers.items():
            if inside(x, value):
                if key not in copies:
                    need = max(address(s) + s.nbytes - address(x) for s in seen if inside(x, address(s)))
                    raw = np.zeros(need + 64, np.uint8)
                    copies[key] = raw[-address(raw) % 64 :][:need]
                return None, address(copies[key]) + value - address(x)
        for x in seen:
            if inside(x, value):
                keep.append(x)
                return None, value
        if 1 << 40 <= value < 1 << 48:  # above lie the bits of floats
            raise Unexplained("a launch depends on memory of unknown origin")
        return None, value

    found = [(kernel.address, n, [located(w) for w in words], grain) for kernel, n, words, grain in calls]
    count = sum(k is not None for _, _, words, _ in found for k, _ in words)
    first = 2 + len(operands) + 2 * count
    begin = first + 3 * len(found)
    moves, rows, packed = [], [], []
    for place, n, words, grain in found:
        before = []
        if n >= 2 * grain:  # threads may share it
            kernel, before = workers.prefixed(place, grain, build.load)
            place = kernel.address
        rows += [place, n, begin + len(packed)]
        packed += before
        for k, word in words:
            if k is not None:
                moves += [begin + len(packed), 2 + k]
            packed.append(word)
    template = [count, first, *[0] * len(operands), *moves, *rows, *packed]
    held = sum(x.nbytes for x in copies.values()) + 8 * len(template)
    return template, (keep, list(copies.values())), held
