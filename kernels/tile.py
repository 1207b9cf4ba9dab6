"""A tile: `M` rows of `V` vectors that stay in registers while a kernel sums products into them.

A loop over scalars leaves the register blocking of a matrix product to LLVM, which does not find it (50-80
GF/s a core here); the same loop over tiles reaches 165-177, OpenBLAS 150 at best. A vector is always 64
bytes: 16 float32 or 8 float64. Where registers are narrower LLVM splits it, so kernels are written once and
`sizes()` says which tiles fit.

As in the prelude, these are plain Python; the compiler puts `tile_intrinsics.py` in their place. `M` and
`V` must be literals or constants of the text.
"""

import functools

import numpy

from . import machine

WIDE = ((8, 3), (6, 4), (4, 5), (2, 8), (1, 8))  # 32 registers of 64 bytes, as AVX-512 has
NARROW = ((6, 1), (4, 1), (2, 2), (1, 4))  # 16 registers of 32 bytes (AVX2), or 32 of 16 (NEON)


@functools.cache
def sizes() -> tuple[tuple[int, int], ...]:
    """`(M, V)` of the tiles that fit this CPU's registers, largest first."""
    return WIDE if machine.has("avx512f") else NARROW


def lanes(T) -> int:
    """Elements of dtype `T` in one vector.

    >>> lanes(numpy.float32), lanes(numpy.float64)
    (16, 8)
    """
    return 64 // numpy.dtype(T).itemsize


def _part(p, i, n):
    return numpy.array([p[i + k] for k in range(n)])


def tile(M, V, T):
    """A tile of zeros.

    >>> tile(2, 1, numpy.float64).shape
    (2, 1, 8)
    """
    return numpy.zeros((M, V, lanes(T)), T)


def outer(t, w, i, x, j):
    """`t[m, :] + w[i + m] * x[j : j + V * lanes]` for every row `m`: one step of a matrix product."""
    M, V, n = t.shape
    return t + _part(w, i, M)[:, None, None] * _part(x, j, V * n).reshape(V, n)


def dots(t, g, rows, i, p, x, columns, j, q):
    """`t[m, v] + g[p + rows[i + m] :][:lanes] * x[q + columns[j + v] :][:lanes]`: products kept apart by
    lane.
    """
    M, V, n = t.shape
    a = numpy.array([_part(g, p + rows[i + m], n) for m in range(M)])
    b = numpy.array([_part(x, q + columns[j + v], n) for v in range(V)])
    return t + a[:, None] * b


def dots_below(t, g, rows, i, p, x, columns, j, q, count):
    """`dots` of the first `count` lanes; reads nothing of the others."""
    M, V, n = t.shape
    a, b = numpy.zeros((M, n), t.dtype), numpy.zeros((V, n), t.dtype)
    a[:, :count] = [_part(g, p + rows[i + m], count) for m in range(M)]
    b[:, :count] = [_part(x, q + columns[j + v], count) for v in range(V)]
    return t + a[:, None] * b


def put(t, y, i, stride):
    """Store row `m` at `y[i + m * stride]` and on."""
    for m, row in enumerate(t.reshape(len(t), -1)):
        for k, value in enumerate(row):
            y[i + m * stride + k] = value


def more(t, y, i, stride):
    """Add row `m` to `y[i + m * stride]` and on."""
    for m, row in enumerate(t.reshape(len(t), -1)):
        for k, value in enumerate(row):
            y[i + m * stride + k] += value


def sums(t, y):
    """Store the sum over lanes of vector `(m, v)` at `y[m * V + v]`, adding halves to halves."""
    while t.shape[2] > 1:
        half = t.shape[2] // 2
        t = t[:, :, :half] + t[:, :, half:]
    for k, value in enumerate(t.ravel()):
        y[k] = value


def copy(y, i, x, j, n):
    """`y[i : i + n] = x[j : j + n]`, in whole vectors but for a masked last one; made for short rows."""
    for k in range(n):
        y[i + k] = x[j + k]


def window(y, i, x, j, first, last, n):
    """`y[i + k] = x[j + k]` for `first <= k < last`, 0 for the other `k` in `[0, n)`; reads nothing
    outside.
    """
    for k in range(n):
        y[i + k] = x[j + k] if first <= k < last else 0


def turn(y, i, down, x, j, across, rows, columns):
    """`y[i + c * down + r] = x[j + r * across + c]` for `r < rows` and `c < columns`, at most `lanes` of each; reads
    and writes nothing else.
    """
    for r in range(rows):
        for c in range(columns):
            y[i + c * down + r] = x[j + r * across + c]
