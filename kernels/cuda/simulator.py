"""Kernel texts for a GPU as Python: one thread at a time, deterministic, with NumPy and nothing else.

The text is executed with `cuda`, `math`, `libdevice`, `pointer` and the dtypes bound to stand-ins, so what is tested
is what is compiled. Numbers are NumPy scalars of the dtype the text names: a float64 that slips into a float32 kernel
is seen when it is stored. A kernel with barriers becomes a generator: every `cuda.syncthreads()` and shuffle in its
body turns into a `yield` (they may stand in the kernel only, not in a function it calls), and the threads of a block
go from one to the next together.

Errors, instead of what a GPU would do silently: an index outside the memory that was allocated, a barrier that not
all threads of a block (of a warp) reach at the same line, a value of another dtype than the memory's, a read of
shared memory nobody wrote (NaN, or the largest integer). What is not modelled: races between barriers, and how much
of anything there is on a GPU.
"""

from __future__ import annotations

import ast
import functools
import math
from typing import NamedTuple

import numpy

DTYPES = {
    name: getattr(numpy, name)
    for name in "float16 float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64".split()
}
_WAITING = ("syncthreads", "syncwarp", "shfl_sync", "shfl_xor_sync", "shfl_down_sync", "shfl_up_sync")

__all__ = ["Divergence", "Pointer", "Signature", "load", "run"]


class Divergence(RuntimeError):
    """Threads wait for each other at different places, or for one that has ended."""


class Signature(NamedTuple):
    """What a kernel's annotations say: `(name, dtype, whether it is a pointer)` of each parameter."""

    parameters: tuple[tuple[str, str, bool], ...]

    @classmethod
    def of(cls, text: str, name: str) -> Signature:
        """Read from the text, without executing it."""
        tree = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name)
        found = []
        for argument in tree.args.args:
            note = argument.annotation
            pointed = isinstance(note, ast.Call)
            found.append((argument.arg, (note.args[0] if pointed else note).id, pointed))
        return cls(tuple(found))


class Pointer:
    """Elements of one dtype from some address on: indexed from there, within `items`, which is all there is."""

    __slots__ = ("items", "first", "last", "name")

    def __init__(self, items: numpy.ndarray, first: int, name: str):
        self.items, self.first, self.name = items, first, name
        self.last = len(items)

    def place(self, i) -> int:
        k = self.first + int(i)
        if not 0 <= k < self.last:
            raise IndexError(f"{self.name}[{i}] lies outside its memory, which holds {-self.first}..{self.last}")
        return k

    def __getitem__(self, i):
        return self.items[self.place(i)]

    def __setitem__(self, i, value):
        if type(value) is not self.items.dtype.type:
            raise TypeError(f"{self.name}[{i}] = {value!r}: memory of {self.items.dtype} is given {type(value)}")
        self.items[self.place(i)] = value


class Shared:
    """A block's own array, poisoned."""

    __slots__ = ("items",)

    def __init__(self, shape, dtype):
        dtype = numpy.dtype(dtype)
        self.items = numpy.full(shape, numpy.nan if dtype.kind == "f" else numpy.iinfo(dtype).max, dtype)

    def place(self, at):
        at = tuple(int(i) for i in at) if isinstance(at, tuple) else (int(at),)
        if len(at) != self.items.ndim or not all(0 <= i < n for i, n in zip(at, self.items.shape, strict=True)):
            raise IndexError(f"shared memory of shape {self.items.shape} has no element {at}")
        return at

    def __getitem__(self, at):
        return self.items[self.place(at)]

    def __setitem__(self, at, value):
        if type(value) is not self.items.dtype.type:
            raise TypeError(f"shared memory of {self.items.dtype} is given {value!r}, {type(value)}")
        self.items[self.place(at)] = value


class Axis:
    """`cuda.threadIdx` and its like."""

    __slots__ = ("x", "y", "z")

    def __init__(self, x=1, y=1, z=1):
        self.x, self.y, self.z = x, y, z


class Cuda:
    """What the name `cuda` means to a text: where this thread is, and its block's memory."""

    def __init__(self):
        self.threadIdx = self.blockIdx = self.blockDim = self.gridDim = Axis()
        self.shared = self
        self.arrays: list[Shared] = []
        self.asked = 0

    def grid(self, ndim: int):
        """The thread's number among all."""
        x = self.blockIdx.x * self.blockDim.x + self.threadIdx.x
        return x if ndim == 1 else (x, self.blockIdx.y * self.blockDim.y + self.threadIdx.y)

    def array(self, shape, dtype) -> Shared:
        """`cuda.shared.array`: the n-th a thread asks for is the n-th the others ask for."""
        self.asked += 1
        if len(self.arrays) < self.asked:
            self.arrays.append(Shared(shape, dtype))
        return self.arrays[self.asked - 1]


class Functions:
    """`math` or `libdevice` on NumPy scalars: computed in float64, rounded to the dtype of the first argument."""

    inf, nan, pi = math.inf, math.nan, math.pi
    _NUMPY = {
        "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
        "atanh": "arctanh", "atan2": "arctan2", "pow": "power",
    }  # fmt: skip
    _POLES = {"gamma": math.nan, "lgamma": math.inf, "remainder": math.nan}

    def __init__(self, libdevice: bool):
        self.libdevice = libdevice

    def __getattr__(self, name):
        known = name.removesuffix("f") if self.libdevice else name
        if known in ("erf", "erfc", "gamma", "lgamma", "remainder"):
            compute = functools.partial(self._guarded, getattr(math, known), self._POLES.get(known, math.nan))
        else:
            compute = getattr(numpy, self._NUMPY.get(known, known))

        def function(x, *rest):
            return type(x)(compute(numpy.float64(x), *map(numpy.float64, rest)))

        setattr(self, name, function)
        return function

    @staticmethod
    def _guarded(function, pole, x, *rest):
        try:
            return function(x, *rest)
        except OverflowError:
            return math.inf
        except ValueError:
            return pole if x == x and x != -math.inf else math.nan


class _Yields(ast.NodeTransformer):
    """`cuda.syncthreads()` becomes `(yield ("syncthreads", line))`."""

    def visit_Call(self, node):
        self.generic_visit(node)
        f = node.func
        if isinstance(f, ast.Attribute) and f.attr in _WAITING and getattr(f.value, "id", "") == "cuda":
            facts = ast.Tuple([ast.Constant(f.attr), ast.Constant(node.lineno), *node.args], ast.Load())
            return ast.copy_location(ast.Yield(facts), node)
        return node


class Function(NamedTuple):
    """A text ready to be run: `python` is a generator function if its threads wait for each other."""

    name: str
    python: object
    cuda: Cuda
    waits: bool
    signature: Signature


def load(text: str, name: str) -> Function:
    """The kernel `name` of the module `text`."""
    tree = _Yields().visit(ast.parse(text))
    waits = any(isinstance(n, ast.Yield) for n in ast.walk(tree))
    cuda = Cuda()
    namespace = DTYPES | {
        "cuda": cuda, "math": Functions(False), "libdevice": Functions(True), "pointer": lambda dtype: dtype,
    }  # fmt: skip
    exec(compile(ast.fix_missing_locations(tree), f"<simulated {name}>", "exec"), namespace)
    return Function(name, namespace[name], cuda, waits, Signature.of(text, name))


def run(function: Function, grid, block, args) -> None:
    """Run all threads of a launch.

    Args:
        grid, block: numbers of blocks and of threads in one: ints, or tuples up to three long.
        args: Pointers and NumPy scalars.

    Raises:
        IndexError, TypeError, Divergence: what the module's text lists; the message names kernel, block and thread.
    """
    cuda = function.cuda
    cuda.gridDim, cuda.blockDim = axis(grid), axis(block)
    with numpy.errstate(all="ignore"):
        for place in places(cuda.gridDim):
            cuda.blockIdx, cuda.arrays = place, []
            try:
                (_together if function.waits else _apart)(function, args)
            except (IndexError, TypeError, Divergence) as error:
                at, t = cuda.blockIdx, cuda.threadIdx
                error.args = (f"{function.name}, block ({at.x}, {at.y}), thread ({t.x}, {t.y}): {error}",)
                raise


def axis(n) -> Axis:
    """Sizes from an int or a tuple."""
    return Axis(*n) if isinstance(n, tuple) else Axis(n)


def places(sizes: Axis):
    """Every place along three axes, `x` fastest."""
    for z in range(sizes.z):
        for y in range(sizes.y):
            for x in range(sizes.x):
                yield Axis(x, y, z)


def _apart(function, args):
    """No thread waits: one after the other."""
    cuda, python = function.cuda, function.python
    for place in places(cuda.blockDim):
        cuda.threadIdx, cuda.asked = place, 0
        python(*args)


class _Thread:
    __slots__ = ("place", "steps", "wish", "answer", "asked")

    def __init__(self, place, steps):
        self.place, self.steps, self.wish, self.answer, self.asked = place, steps, None, None, 0


def _together(function, args):
    """The threads of a block, from one meeting to the next."""
    cuda = function.cuda
    threads = [_Thread(place, function.python(*args)) for place in places(cuda.blockDim)]
    warps = [threads[k : k + 32] for k in range(0, len(threads), 32)]

    def go(those):
        for thread in those:
            cuda.threadIdx, cuda.asked = thread.place, thread.asked
            try:
                thread.wish = thread.steps.send(thread.answer)
            except StopIteration:
                thread.wish = None
            thread.asked = cuda.asked

    go(threads)
    while any(thread.wish for thread in threads):
        moved = False
        for warp in warps:
            if warp[0].wish and warp[0].wish[0] != "syncthreads":
                _meet(warp, "warp")
                _exchange(warp)
                go(warp)
                moved = True
        if not moved:
            _meet(threads, "block")
            for thread in threads:
                thread.answer = None
            go(threads)


def _meet(threads, whole):
    """All of them wait at the same line, or it is an error."""
    wishes = {thread.wish and thread.wish[:2] for thread in threads}
    if len(wishes) > 1:
        told = ", ".join(sorted("at its end" if w is None else f"in {w[0]} (line {w[1]})" for w in wishes))
        raise Divergence(f"the threads of a {whole} part: {told}")


def _exchange(warp):
    """Give each thread of a warp the value its shuffle asks for; its own where there is no such lane."""
    kind = warp[0].wish[0]
    for lane, thread in enumerate(warp):
        if kind != "syncwarp":
            _, _, _, value, k = thread.wish
            source = {"shfl_sync": k, "shfl_xor_sync": lane ^ k, "shfl_down_sync": lane + k, "shfl_up_sync": lane - k}
            other = source[kind]
            thread.answer = warp[other].wish[3] if 0 <= other < len(warp) else value
