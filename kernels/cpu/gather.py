"""Sums into rows by index (taking rows is as fast in NumPy), one element of each row, and rows with a 1 at an index.

For sums an array is seen as `(outer, n, inner)`, the indexed axis in the middle; indices are int64 and already in
range. The library binds `T`, the element type, and `I`, the type of the indices.
"""

from ..prelude import float32, int64, pointer

T = float32
I = int64
WRAPS = 0


def add(lo, hi, a):
    """`y[o, r, :] = sum of g[o, k, :] over the k with index[k] == r`, in the order of k.

    Parallel index: r. Each call reads all indices and writes its own rows only, so the sum does not depend
    on threads.
    a: 0 source, 1 indices, 2 target, 3 n, 4 number of indices, 5 inner, 6 outer.
    """
    n, count, inner = a[3], a[4], a[5]
    g, index, y = pointer(a[0], T), pointer(a[1], int64), pointer(a[2], T)
    for o in range(a[6]):
        for i in range((o * n + lo) * inner, (o * n + hi) * inner):
            y[i] = T(0)
        for k in range(count):
            r = index[k]
            if lo <= r < hi:
                i, j = (o * n + r) * inner, (o * count + k) * inner
                for t in range(inner):
                    y[i + t] += g[j + t]


def pick(lo, hi, a):
    """`y[r] = x[r, index[r]]`; an index out of range is cut off, or taken modulo n where `WRAPS`.

    Parallel index: r. `T` has the size of an element; it is only moved.
    a: 0 source, 1 indices, 2 target, 3 n.
    """
    n = a[3]
    x, index, y = pointer(a[0], T), pointer(a[1], I), pointer(a[2], T)
    for r in range(lo, hi):
        k = int64(index[r])
        if WRAPS == 1:
            k = k % n
        y[r] = x[r * n + min(max(k, 0), n - 1)]


def one_hot(lo, hi, a):
    """`y[r, k] = 1 if k == index[r] else 0`.

    Parallel index: r.
    a: 0 indices, 1 target, 2 depth.
    """
    depth = a[2]
    index, y = pointer(a[0], I), pointer(a[1], T)
    for i in range(lo * depth, hi * depth):
        y[i] = T(0)
    for r in range(lo, hi):
        k = int64(index[r])
        if k >= 0 and k < depth:
            y[r * depth + k] = T(1)
