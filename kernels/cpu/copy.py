"""Copies of strided arrays, and rows taken by index; `T` is an unsigned integer of an element's size."""

from ..prelude import int64, pointer, uint32

T = uint32
WAY = 1


def strips(lo, hi, a):
    """`y[i, j, k] = x[i, j, k]`; along the last axis y has stride 1 and x has `WAY`: 1, -1 or 0.

    Parallel index: strips of `step` elements (the last of a line may be shorter), line by line.
    a: 0 source, 1 target, 2 length of a line, 3 step, 4 size of the middle axis, 5 and 6 strides of the source along
    the first and the middle axis, 7 and 8 of the target, in elements.
    """
    n, step, middle = a[2], a[3], a[4]
    x, y = pointer(a[0], T), pointer(a[1], T)
    per = (n + step - 1) // step
    for strip in range(lo, hi):
        line = strip // per
        k = (strip - line * per) * step
        i = line // middle
        j = line - i * middle
        at = i * a[5] + j * a[6] + k * WAY
        to = i * a[7] + j * a[8] + k
        for t in range(min(step, n - k)):
            y[to + t] = x[at + t * WAY]


def take(lo, hi, a):
    """`y[o, k, :] = x[o, index[k], :]`.

    Parallel index: o and k. Indices are int64 and in range.
    a: 0 source, 1 indices, 2 target, 3 size of the indexed axis, 4 number of indices, 5 elements of a row.
    """
    n, count, inner = a[3], a[4], a[5]
    x, index, y = pointer(a[0], T), pointer(a[1], int64), pointer(a[2], T)
    for r in range(lo, hi):
        o = r // count
        at, to = (o * n + index[r - o * count]) * inner, r * inner
        for t in range(inner):
            y[to + t] = x[at + t]
