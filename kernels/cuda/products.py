"""Matrix products: one text for every shape, stride and dtype. A block computes a tile of the answer.

Its threads copy a tile of each operand into shared memory, side by side, and each adds up one element. That reads
every element `tile` times less from the device's memory than a thread for itself would; NVIDIA's libraries do several
times better still and will stand in for it (reference: gpu.md section 4). Products of float16 add up in float32.
"""

from __future__ import annotations

import functools
import math

from .. import loops
from ..emit_cuda import Text, storage
from ..sources import digest
from ..statements import held
from . import launch

PLACES = (5, 9, 13)  # of the addresses among the parameters
_TEXT = '''"""{name}: y[batch, row, col] = sum over k of a[batch, row, k] * b[batch, k, col], in tiles of {tile}."""


def {name}(
    n: {I}, m: {I}, k: {I}, across: {I}, down: {I},
    a_p: pointer({T}), a_s0: {I}, a_s1: {I}, a_s2: {I},
    b_p: pointer({T}), b_s0: {I}, b_s1: {I}, b_s2: {I},
    y_p: pointer({T}),
):
    a_tile = cuda.shared.array(({tile}, {tile}), {A})
    b_tile = cuda.shared.array(({tile}, {tile}), {A})
    t = {I}(cuda.threadIdx.x)
    x = {I}(t % {tile})
    y = {I}(t // {tile})
    number = {I}(cuda.blockIdx.x)
    rest = {I}(number // across)
    col = {I}({I}({I}(number % across) * {tile}) + x)
    row = {I}({I}({I}(rest % down) * {tile}) + y)
    batch = {I}(rest // down)
    a_at = {I}({I}(batch * a_s0) + {I}(row * a_s1))
    b_at = {I}({I}(batch * b_s0) + {I}(col * b_s2))
    total = {A}(0)
    start = {I}(0)
    while start < k:
        i = {I}(start + x)
        j = {I}(start + y)
        a_tile[y, x] = {A}(a_p[{I}(a_at + {I}(i * a_s2))]) if (row < n) & (i < k) else {A}(0)
        b_tile[y, x] = {A}(b_p[{I}(b_at + {I}(j * b_s1))]) if (col < m) & (j < k) else {A}(0)
        cuda.syncthreads()
        for c in range({tile}):
            total = {A}(total + a_tile[y, c] * b_tile[c, x])
        cuda.syncthreads()
        start = {I}(start + {tile})
    if (row < n) & (col < m):
        y_p[{I}({I}({I}({I}(batch * n) + row) * m) + col)] = {T}(total)
'''


@functools.cache
def emit(dtype: str, tile: int, wide: bool) -> Text:
    """The kernel of products of `dtype`.

    >>> emit("float32", 16, False).name[:18]
    'matmul_float32_16_'
    """
    index = "int64" if wide else "uint32"
    facts = {"I": index, "T": storage(dtype), "A": held(dtype), "tile": tile}
    name = f"matmul_{'wide_' if wide else ''}{dtype}_{tile}_{digest(_TEXT, repr(facts))}"
    return Text(name, _TEXT.format(name=name, **facts), True, "tile")


@functools.cache
def _function(device, dtype, tile, wide):
    return device.load(emit(dtype, tile, wide))


def steps(shape, strides, lead) -> tuple[int, int, int] | None:
    """Strides in elements from one matrix, row and column to the next of an array that is broadcast over the axes
    `lead`; None where the matrices do not lie at equal distances.

    >>> steps((5, 1, 2, 3), (6, 6, 3, 1), (5, 1)), steps((2, 3), (3, 1), (5, 1)), steps((5, 2, 3), (6, 3, 1), (4, 5))
    ((6, 3, 1), (0, 3, 1), None)
    """
    own, inner = tuple(shape[:-2]), tuple(strides[-2:])
    if math.prod(own) == 1:  # one matrix for all
        return (0, *inner)
    if own != tuple(lead):
        return None
    far = [(n, s) for n, s in zip(own, strides[:-2], strict=True) if n != 1]
    if any(s != n * t for (_, s), (n, t) in zip(far, far[1:], strict=False)):
        return None
    return far[-1][1], *inner


def run(device, dtype: str, sizes, a, b, out: int) -> None:
    """Fill the answer `(batch, n, m)` with the products of `a` `(batch, n, k)` and `b` `(batch, k, m)`.

    Args:
        sizes: `(batch, n, k, m)`.
        a, b: each an address and three strides in elements (a stride of 0 repeats a matrix).
        out: address of the C-contiguous answer.
    """
    function, grid, words = prepare(device, dtype, sizes, a[1], b[1])
    if function is not None:
        words = words.copy()
        for place, address in zip(PLACES, (a[0], b[0], out), strict=True):
            words[place] = address
        device.launch(function, grid, device.tile**2, words)


@functools.lru_cache(maxsize=4096)
def prepare(device, dtype, sizes, a, b):
    """Function (None: nothing to do), grid, and words but for the addresses, which are those numbered `PLACES`."""
    (batch, n, k, m), tile = sizes, device.tile
    across, down = -(-m // tile), -(-n // tile)
    if not batch * across * down:
        return None, 0, []
    shapes = [(batch, n, k), (batch, k, m), (batch, n, m)]
    steps = [a, b, loops.natural_strides(shapes[2])]
    wide = any(launch.too_wide(shape, [s]) for shape, s in zip(shapes, steps, strict=True))
    function = _function(device, dtype, tile, wide)
    return function, batch * across * down, [n, m, k, across, down, 0, *a, 0, *b, 0]
