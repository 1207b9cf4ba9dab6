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


def cumsum(lo, hi, a):
    """`y[r, k] = x[r, 0] + ... + x[r, k]`, in this order; eight rows at a time, since each sum waits for the last.

    Parallel index: groups of eight rows.
    a: 0 source, 1 target, 2 rows, 3 n.
    """
    rows, n = a[2], a[3]
    x, y = pointer(a[0], T), pointer(a[1], T)
    for group in range(lo, hi):
        i = group * 8 * n
        if group * 8 + 8 <= rows:
            s0, s1, s2, s3 = T(0), T(0), T(0), T(0)
            s4, s5, s6, s7 = T(0), T(0), T(0), T(0)
            for k in range(i, i + n):
                s0 += x[k]
                s1 += x[k + n]
                s2 += x[k + 2 * n]
                s3 += x[k + 3 * n]
                s4 += x[k + 4 * n]
                s5 += x[k + 5 * n]
                s6 += x[k + 6 * n]
                s7 += x[k + 7 * n]
                y[k] = s0
                y[k + n] = s1
                y[k + 2 * n] = s2
                y[k + 3 * n] = s3
                y[k + 4 * n] = s4
                y[k + 5 * n] = s5
                y[k + 6 * n] = s6
                y[k + 7 * n] = s7
        else:
            for row in range(group * 8, rows):
                total = T(0)
                for k in range(row * n, row * n + n):
                    total += x[k]
                    y[k] = total


def cumsum_across(lo, hi, a):
    """`y[o, k, :] = x[o, 0, :] + ... + x[o, k, :]`, in this order.

    Parallel index: o.
    a: 0 source, 1 target, 2 n, 3 inner.
    """
    n, inner = a[2], a[3]
    x, y = pointer(a[0], T), pointer(a[1], T)
    for o in range(lo, hi):
        first = o * n * inner
        for i in range(first, first + inner):
            y[i] = x[i]
        for k in range(1, n):
            start = first + k * inner
            for i in range(inner):
                y[start + i] = y[start - inner + i] + x[start + i]
