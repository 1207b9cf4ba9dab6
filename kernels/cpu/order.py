"""The first elements of a row in order. The library binds `T`, the element type, and the direction."""

from ..prelude import float32, int64, pointer

T = float32
DESCENDING = 1


def before(v, w):
    """Whether `v` goes before `w`; NaN is above all numbers."""
    if DESCENDING == 1:
        return v > w or (v != v and w == w)
    return v < w or (w != w and v == v)


def top(lo, hi, a):
    """The first `k` values of each row and their places; equal ones keep their order.

    Parallel index: rows.
    a: 0 source, 1 values, 2 places, 3 n, 4 k <= n.
    """
    n, k = a[3], a[4]
    x, values, places = pointer(a[0], T), pointer(a[1], T), pointer(a[2], int64)
    for row in range(lo, hi):
        i, o = row * n, row * k
        for j in range(n):
            v = x[i + j]
            p = min(j, k)
            if p == k and not before(v, values[o + k - 1]):
                continue
            p = min(p, k - 1)
            while p > 0:
                if not before(v, values[o + p - 1]):
                    break
                values[o + p] = values[o + p - 1]
                places[o + p] = places[o + p - 1]
                p -= 1
            values[o + p] = v
            places[o + p] = j
