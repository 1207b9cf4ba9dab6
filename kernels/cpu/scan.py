"""Scans along an axis. The library binds `T`, the element type."""

from ..prelude import float32, pointer

T = float32


def recurrence(lo, hi, a):
    """`y[o, k, :] = p[o, k, :] * y[o, k - 1, :] + b[o, k, :]`, with 0 before the first.

    Parallel index: o.
    a: 0 factors p, 1 terms b, 2 answer, 3 n, 4 inner.
    """
    n, inner = a[3], a[4]
    p, b, y = pointer(a[0], T), pointer(a[1], T), pointer(a[2], T)
    for o in range(lo, hi):
        first = o * n * inner
        for i in range(first, first + inner):
            y[i] = b[i]
        for i in range(first + inner, first + n * inner):
            y[i] = p[i] * y[i - inner] + b[i]
