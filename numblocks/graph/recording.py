"""What an op's own implementation launches, written down: kernels and packed words, with every address explained.

Convolution, pooling and the like plan their launches in Python from shapes alone. Run once on arrays of the right
shapes, each word of their packed arguments is a number that stays, or an address inside an operand, a scratch buffer
or a table of constants.
"""

from __future__ import annotations

import ctypes
import re
import threading
from typing import NamedTuple

import numpy

from ..kernels import build, recurrence, scratch
from .describe import traffic

_lock = threading.Lock()
_ARGUMENT = re.compile(r"\ba\[(\w+)\]")


class Recording(NamedTuple):
    """The launches of one step.

    An address is `(where, which, byte offset)`, with where 'root' (which: a Node), 'scratch' (which: a number) or
    'constant' (which: a number). A window is `(address, shape, strides in bytes, dtype name)`.

    Attributes:
        calls: `(kernel, n, words)`, a word an int or an address; or `("matmul" or "copy", windows)`.
        scratch: bytes of each scratch buffer; zero at first.
        constants: the tables.
    """

    calls: list
    scratch: list[int]
    constants: list[numpy.ndarray]


class Unexplained(Exception):
    """The op does more than launch kernels on its operands."""


def record(step) -> Recording:
    """Run a Call on arrays of random numbers and note what it launches.

    Raises:
        Unexplained: an argument cannot be followed.
    """
    reads, writes = traffic(step)
    roots = {w.root for w in (*reads, *writes)}
    rng = numpy.random.default_rng(0)
    memory = {n: _filled(rng, n) for n in roots}
    operands = [_window(x, memory) if x in reads else x for x in step.operands]
    targets = [_window(w, memory) for w in writes]
    out = tuple(targets) if step.node.parts else targets[0]
    spec = dict(step.node.spec)
    launches: list[tuple] = []
    thread = threading.get_ident()

    def heard(kernel, n: int, argp: int, grain: int) -> None:
        if threading.get_ident() == thread:
            launches.append((kernel, n, list((ctypes.c_int64 * _count(kernel)).from_address(argp))))

    def heard_scan(count: int, steps: list) -> None:
        if threading.get_ident() == thread:
            launches.extend(_scan(count, steps))

    step.node.op.run(*operands, out=out, **spec)  # scratch buffers grow to their size, tables are made
    with _lock:
        build.recorder, recurrence.recorder, scratch.watching = heard, heard_scan, []
        try:
            step.node.op.run(*operands, out=out, **spec)
        finally:
            seen, build.recorder, recurrence.recorder, scratch.watching = scratch.watching, None, None, None
    temporary = _temporary(launches, memory)
    return _explain(_turned(launches, temporary, operands), seen, memory, temporary)


def _scan(count: int, steps: list):
    """The launches of a recurrence: for each time step its matrix products and kernels."""
    made = [None if isinstance(s, recurrence.Gemm) else s.rows(count) for s in steps]
    for k in range(count):
        for step, rows in zip(steps, made, strict=True):
            if rows is None:
                yield "matmul", [step.a.matrix(k), step.w, step.out]
            else:
                yield step.kernel, rows[1], [int(word) for word in rows[2][k]]


def _temporary(launches, memory) -> list[numpy.ndarray]:
    """The matrices of products that are no operands: an op's own temporary memory."""
    found: list[numpy.ndarray] = []
    for call in launches:
        for x in call[1] if call[0] == "matmul" else ():
            if not any(numpy.may_share_memory(x, y) for y in (*memory.values(), *found)):
                if not x.flags.c_contiguous:
                    raise Unexplained("a matrix product works on memory of its own")
                found.append(x)
    return found


def _turned(launches, temporary, operands) -> list:
    """`launches`, first the copies that fill those temporary matrices that are an operand turned over."""
    copies = []
    for x in temporary:
        for y in operands:
            if isinstance(y, numpy.ndarray) and y.ndim == 2 and y.dtype == x.dtype and numpy.array_equal(y.T, x):
                copies.append(("copy", [y.T, x]))
                break
    return copies + launches


def _explain(launches, seen, memory, temporary) -> Recording:
    places = [("root", n, x) for n, x in memory.items()]
    places += [("scratch", id(x), x) for x in temporary]
    places += [("scratch", slot, x) for slot, x in vars(scratch._local).items()]
    known = [(where, which, _start(x), x.nbytes) for where, which, x in places]
    for x in seen:
        if not any(start <= _start(x) < start + max(size, 1) for _, _, start, size in known):
            known.append(("constant", x, _start(x), x.nbytes))
    sizes: dict = {}
    constants: list[numpy.ndarray] = []

    def need(start: int, size: int) -> int:
        """Bytes of a scratch buffer that the arrays seen take."""
        return max(_start(x) + x.nbytes - start for x in (*seen, *temporary) if start <= _start(x) < start + size)

    def word(value: int):
        for where, which, start, size in known:
            if start <= value < start + max(size, 1):
                offset = value - start
                if where == "scratch":
                    sizes[which] = need(start, size)
                    return (where, list(sizes).index(which), offset)
                if where == "constant":
                    for k, table in enumerate(constants):
                        if table is which:
                            return (where, k, offset)
                    constants.append(which)
                    return (where, len(constants) - 1, offset)
                return (where, which, offset)
        if abs(value) >= 1 << 40:
            raise Unexplained("a launch depends on memory of unknown origin")
        return value

    def window(x: numpy.ndarray):
        return word(_start(x)), x.shape, x.strides, x.dtype.name

    calls = [
        (call[0], [window(x) for x in call[1]]) if isinstance(call[0], str)
        else (call[0], call[1], [word(w) for w in call[2]])
        for call in launches
    ]  # fmt: skip
    return Recording(calls, [sizes[slot] for slot in sizes], [numpy.ascontiguousarray(t) for t in constants])


def _count(kernel) -> int:
    """How many words a kernel reads, from its text."""
    found = _ARGUMENT.findall(kernel.text)
    if not found or not all(text.isdecimal() for text in found):
        raise Unexplained(f"kernel {kernel.name} reads its arguments in a loop")
    return 1 + max(map(int, found))


def _filled(rng, node) -> numpy.ndarray:
    if node.dtype.kind == "f":
        return rng.normal(size=node.size).astype(node.dtype)
    return numpy.zeros(node.size, node.dtype)


def _window(view, memory) -> numpy.ndarray:
    item = view.root.itemsize
    return numpy.ndarray(view.shape, view.root.dtype, memory[view.root], view.offset * item,
                         [s * item for s in view.strides])  # fmt: skip


def _start(x: numpy.ndarray) -> int:
    return x.__array_interface__["data"][0]
