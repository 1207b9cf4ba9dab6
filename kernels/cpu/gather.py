"""Sums into rows by index; taking rows by index is as fast in NumPy. Indices are int64 and already in range.

An array is seen as `(outer, n, inner)`, the indexed axis in the middle. The library binds `T`, the element
type.
"""

from ..prelude import float32, int64, pointer

T = float32


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
