"""Transposing a matrix block by block: a loop over elements reads or writes one cache line for each of them."""

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
