"""Triangles of square matrices."""

from ..prelude import float32, pointer

T = float32


def lower(lo, hi, a):
    """Zeros above the diagonal. Parallel index: rows. a: 0 the matrix, in C order, 1 rows."""
    n = a[1]
    x = pointer(a[0], T)
    for r in range(lo, hi):
        for c in range(r + 1, n):
            x[r * n + c] = T(0)
