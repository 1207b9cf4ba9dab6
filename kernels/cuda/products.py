"""Matrix products: one text for every shape, stride and dtype. A block computes a tile of the answer.

Its threads copy a tile of each operand into shared memory, side by side, and each adds up one element. That reads
every element `tile` times less from the device's memory than a thread for itself would; NVIDIA's libraries do several
times better still and will stand in for it (reference: gpu.md section 4). Products of float16 add up in float32.
"""

from __future__ import annotations

import functools

from .. import loops
from ..emit_cuda import Text, storage
from ..sources import digest
from ..statements import held
from . import launch

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


def run(device, a, b, out) -> None:
    """Fill `out` `(batch, n, m)` with the products of `a` `(batch, n, k)` and `b` `(batch, k, m)`.

    Args:
        a, b: arrays of the device, of one dtype and any strides (a stride of 0 repeats a matrix).
        out: C-contiguous.
    """
    (batch, n, k), m, tile = a.shape, b.shape[2], device.tile
    across, down = -(-m // tile), -(-n // tile)
    if not batch * across * down:
        return
    steps = [tuple(s // x.itemsize for s in x.strides) for x in (a, b)]
    spaces = [a.shape, b.shape, (batch, n, m)]
    natural = loops.natural_strides(spaces[2])
    wide = any(launch.too_wide(shape, [s]) for shape, s in zip(spaces, [*steps, natural], strict=True))
    function = _function(device, out.dtype.name, tile, wide)
    words = [n, m, k, across, down, a.address, *steps[0], b.address, *steps[1], out.address]
    device.launch(function, batch * across * down, tile * tile, words)

