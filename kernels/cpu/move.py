"""Matrices transposed block by block (an element-wise loop touches a cache line for each), and arrays joined."""

from ..prelude import float32, pointer
from ..tile import turn

T = float32
LANES = 16


def transpose(lo, hi, a):
    """`y[c, r] = x[r, c]`; both have rows of contiguous elements.

    Parallel index: bands of `LANES` columns of the source.
    a: 0 source, 1 target, 2 rows, 3 columns, 4 row stride of the source, 5 of the target, in elements.
    """
    rows, columns, across, down = a[2], a[3], a[4], a[5]
    x, y = pointer(a[0], T), pointer(a[1], T)
    for band in range(lo, hi):
        c = band * LANES
        for k in range((rows + LANES - 1) // LANES):
            r = k * LANES
            turn(y, c * down + r, down, x, r * across + c, across, min(rows - r, LANES), min(columns - c, LANES))


def join(lo, hi, a):
    """`y[o, k, :] = x_k[o, :]`: arrays of one shape side by side.

    Parallel index: o. `T` has the size of an element; it is only moved.
    a: 0 target, 1 number of sources, 2 elements of a row of each, 3 the sources.
    """
    count, n = a[1], a[2]
    y = pointer(a[0], T)
    for k in range(count):
        x = pointer(a[3 + k], T)
        for o in range(lo, hi):
            for i in range(n):
                y[(o * count + k) * n + i] = x[o * n + i]
