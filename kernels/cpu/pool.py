"""Windows over up to three axes: maximum, sum and average, and their gradients.

All kernels run over planes (image times channel) and take the same geometry:
2-4 input sizes D H W, 5-7 output sizes, 8-10 window, 11-13 stride, 14-16 padding in front, 17 for each
column k of the window the first and one past the last output whose column k lies in the input (int64
pairs). Windows are cut at the input's edges. Whole output rows are folded at once, one tap after the other,
so the inner loop runs along a row.
"""

import math

from ..prelude import float32, int32, int64, pointer, stack
from ..tile import copy

T = float32
CHUNK = 512  # outputs of a row whose shares or places are staged at once
BAND = 4096  # elements of rows that are staged at once where windows lie in pairs of columns


def larger(v, m):
    """`max(m, v)`, NaN winning."""
    return v if v > m or v != v else m


def fold_max(y, i, x, j, step, edges, K):
    """`y[i + o] = max(y[i + o], x[j + k + o * step])` for each column k of the window."""
    if K == 2 and step == 2 and edges[0] == edges[2] and edges[1] == edges[3]:
        for o in range(edges[0], edges[1]):
            y[i + o] = larger(larger(x[j + 2 * o + 1], x[j + 2 * o]), y[i + o])
        return
    for k in range(K):
        first, last = edges[2 * k], edges[2 * k + 1]
        if step == 1:
            for o in range(first, last):
                y[i + o] = larger(x[j + k + o], y[i + o])
        elif step == 2:
            for o in range(first, last):
                y[i + o] = larger(x[j + k + 2 * o], y[i + o])
        else:
            for o in range(first, last):
                y[i + o] = larger(x[j + k + o * step], y[i + o])


def fold_sum(y, i, x, j, step, edges, K):
    """`y[i + o] += x[j + k + o * step]` for each column k of the window."""
    if K == 2 and step == 2 and edges[0] == edges[2] and edges[1] == edges[3]:
        for o in range(edges[0], edges[1]):
            y[i + o] += x[j + 2 * o] + x[j + 2 * o + 1]
        return
    for k in range(K):
        first, last = edges[2 * k], edges[2 * k + 1]
        if step == 1:
            for o in range(first, last):
                y[i + o] += x[j + k + o]
        elif step == 2:
            for o in range(first, last):
                y[i + o] += x[j + k + 2 * o]
        else:
            for o in range(first, last):
                y[i + o] += x[j + k + o * step]


def max_forward(lo, hi, a):
    """Maximum of each window; NaN wins over all, and an empty window gives -inf. a: 0 input, 1 output."""
    D, H, W, OD, OH, OW = a[2], a[3], a[4], a[5], a[6], a[7]
    KD, KH, KW, sd, sh, sw, pd, ph, pw = a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16]
    x, y, edges = pointer(a[0], T), pointer(a[1], T), pointer(a[17], int64)
    for plane in range(lo, hi):
        for od in range(OD):
            for oh in range(OH):
                i = ((plane * OD + od) * OH + oh) * OW
                d0, h0 = od * sd - pd, oh * sh - ph
                for o in range(OW):
                    y[i + o] = T(-math.inf)
                for d in range(max(d0, 0), min(d0 + KD, D)):
                    for h in range(max(h0, 0), min(h0 + KH, H)):
                        fold_max(y, i, x, ((plane * D + d) * H + h) * W - pw, sw, edges, KW)


def in_pairs(a):
    """Whether each row is cut into pairs of columns, without padding: then rows one after the other are, too."""
    return (a[10] == 2) & (a[13] == 2) & (a[16] == 0) & (a[4] == 2 * a[7]) & (a[4] <= BAND)


def uncut(a):
    """Whether no window is cut at an edge, so that all have one count."""
    deep = (a[14] == 0) & ((a[5] - 1) * a[11] + a[8] <= a[2])
    return deep & (a[15] == 0) & ((a[6] - 1) * a[12] + a[9] <= a[3])


def add_pairs(y, i, x, n, factor):
    """`y[i + k] = (x[2 k] + x[2 k + 1]) * factor`"""
    for k in range(n):
        y[i + k] = (x[2 * k] + x[2 * k + 1]) * factor


def spread_pairs(y, x, j, n, factor):
    """`y[2 k] = y[2 k + 1] = x[j + k] * factor`"""
    for k in range(n):
        v = x[j + k] * factor
        y[2 * k] = v
        y[2 * k + 1] = v


def sum_forward(lo, hi, a):
    """Sum of each window over its count. a: 0 input, 1 output, 18-20 counts per axis (`T`), multiplied for
    a window.
    """
    if in_pairs(a) & uncut(a):
        sum_paired(lo, hi, a)
        return
    D, H, W, OD, OH, OW = a[2], a[3], a[4], a[5], a[6], a[7]
    KD, KH, KW, sd, sh, sw, pd, ph, pw = a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16]
    x, y, edges = pointer(a[0], T), pointer(a[1], T), pointer(a[17], int64)
    cd, ch, cw = pointer(a[18], T), pointer(a[19], T), pointer(a[20], T)
    for plane in range(lo, hi):
        for od in range(OD):
            for oh in range(OH):
                i = ((plane * OD + od) * OH + oh) * OW
                d0, h0, rows = od * sd - pd, oh * sh - ph, cd[od] * ch[oh]
                for o in range(OW):
                    y[i + o] = T(0)
                for d in range(max(d0, 0), min(d0 + KD, D)):
                    for h in range(max(h0, 0), min(h0 + KH, H)):
                        fold_sum(y, i, x, ((plane * D + d) * H + h) * W - pw, sw, edges, KW)
                for o in range(OW):
                    y[i + o] /= rows * cw[o]


def sum_paired(lo, hi, a):
    """`sum_forward` in bands of rows: the rows of the windows are added up, then their columns, all rows at once."""
    D, H, W, OD, OH, OW = a[2], a[3], a[4], a[5], a[6], a[7]
    KD, KH, sd, sh = a[8], a[9], a[11], a[12]
    x, y = pointer(a[0], T), pointer(a[1], T)
    cd, ch, cw = pointer(a[18], T), pointer(a[19], T), pointer(a[20], T)
    factor = T(1) / (cd[0] * ch[0] * cw[0])
    band = min(BAND // W, OH)
    rows = stack(BAND, T)
    for plane in range(lo, hi):
        for od in range(OD):
            first = 0
            while first < OH:
                count = min(band, OH - first)
                for r in range(count):
                    j = ((plane * D + od * sd) * H + (first + r) * sh) * W
                    i = r * W
                    if KH > 1:
                        for w in range(W):
                            rows[i + w] = x[j + w] + x[j + W + w]
                    else:
                        copy(rows, i, x, j, W)
                    for d in range(KD):
                        for h in range(2 if d == 0 else 0, KH):
                            for w in range(W):
                                rows[i + w] += x[j + (d * H + h) * W + w]
                add_pairs(y, ((plane * OD + od) * OH + first) * OW, rows, count * OW, factor)
                first += count


def sum_backward(lo, hi, a):
    """Each output's cotangent over its count, added to all elements of its window. a: 0 cotangent, 1
    gradient, 18-20 counts.
    """
    if in_pairs(a) & uncut(a) & (a[8] == a[11]) & (a[9] == a[12]):
        spread_paired(lo, hi, a)
        return
    D, H, W, OD, OH, OW = a[2], a[3], a[4], a[5], a[6], a[7]
    KD, KH, KW, sd, sh, sw, pd, ph, pw = a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16]
    g, y, edges = pointer(a[0], T), pointer(a[1], T), pointer(a[17], int64)
    cd, ch, cw = pointer(a[18], T), pointer(a[19], T), pointer(a[20], T)
    share = stack(CHUNK, T)
    even = KW == 2 and sw == 2 and edges[0] == edges[2] and edges[1] == edges[3]
    for plane in range(lo, hi):
        for i in range(plane * D * H * W, (plane + 1) * D * H * W):
            y[i] = T(0)
        for od in range(OD):
            for oh in range(OH):
                j = ((plane * OD + od) * OH + oh) * OW
                d0, h0, rows = od * sd - pd, oh * sh - ph, cd[od] * ch[oh]
                for part in range((OW + CHUNK - 1) // CHUNK):
                    o0 = part * CHUNK
                    o1 = min(o0 + CHUNK, OW)
                    for o in range(o0, o1):
                        share[o - o0] = g[j + o] / (rows * cw[o])
                    for d in range(max(d0, 0), min(d0 + KD, D)):
                        for h in range(max(h0, 0), min(h0 + KH, H)):
                            i = ((plane * D + d) * H + h) * W - pw
                            if even:
                                for o in range(max(edges[0], o0), min(edges[1], o1)):
                                    v = share[o - o0]
                                    y[i + 2 * o] += v
                                    y[i + 2 * o + 1] += v
                            else:
                                for k in range(KW):
                                    for o in range(max(edges[2 * k], o0), min(edges[2 * k + 1], o1)):
                                        y[i + k + o * sw] += share[o - o0]


def spread_paired(lo, hi, a):
    """`sum_backward` where windows do not overlap: each element is written once, but those behind the last window."""
    D, H, W, OD, OH, OW, KD, KH = a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]
    g, y = pointer(a[0], T), pointer(a[1], T)
    cd, ch, cw = pointer(a[18], T), pointer(a[19], T), pointer(a[20], T)
    factor = T(1) / (cd[0] * ch[0] * cw[0])
    band = min(BAND // W, OH)
    rows = stack(BAND, T)
    for plane in range(lo, hi):
        if (D != OD * KD) | (H != OH * KH):
            for i in range(plane * D * H * W, (plane + 1) * D * H * W):
                y[i] = T(0)
        for od in range(OD):
            first = 0
            while first < OH:
                count = min(band, OH - first)
                spread_pairs(rows, g, ((plane * OD + od) * OH + first) * OW, count * OW, factor)
                for r in range(count):
                    i = ((plane * D + od * KD) * H + (first + r) * KH) * W
                    for d in range(KD):
                        for h in range(KH):
                            copy(y, i + (d * H + h) * W, rows, r * W, W)
                first += count


def challenge(best, place, j, x, base, i, step, n):
    """Where element `i + o * step` beats `best[j + o]` or is the first NaN, it takes the place; written to
    vectorize.
    """
    for o in range(n):
        v, m, p = x[base + i + o * step], best[j + o], place[j + o]
        better = (v > m) | ((v != v) & (m == m)) | (p < 0)
        best[j + o] = v if better else m
        place[j + o] = int32(i + o * step) if better else p


def first_max(x, plane, od, oh, o0, o1, best, place, a):
    """For outputs `o0 <= o < o1` of a row, `place[o - o0]`: where in the plane its window has its first
    maximum (or NaN).
    """
    H, W, step, edges = a[3], a[4], a[13], pointer(a[17], int64)
    d0, h0 = od * a[11] - a[14], oh * a[12] - a[15]
    base = plane * a[2] * H * W
    for o in range(o1 - o0):
        best[o] = T(-math.inf)
        place[o] = int32(-1)
    for d in range(max(d0, 0), min(d0 + a[8], a[2])):
        for h in range(max(h0, 0), min(h0 + a[9], H)):
            for k in range(a[10]):
                first, last = max(edges[2 * k], o0), min(edges[2 * k + 1], o1)
                i = (d * H + h) * W - a[16] + k + first * step
                if step == 1:
                    challenge(best, place, first - o0, x, base, i, 1, last - first)
                elif step == 2:
                    challenge(best, place, first - o0, x, base, i, 2, last - first)
                else:
                    challenge(best, place, first - o0, x, base, i, step, last - first)


def max_backward(lo, hi, a):
    """Each output's cotangent, added at the first maximum of its window. a: 0 input, 1 gradient, 18
    cotangent.
    """
    x, y, g = pointer(a[0], T), pointer(a[1], T), pointer(a[18], T)
    size, OD, OH, OW = a[2] * a[3] * a[4], a[5], a[6], a[7]
    best, place = stack(CHUNK, T), stack(CHUNK, int32)
    for plane in range(lo, hi):
        for i in range(plane * size, (plane + 1) * size):
            y[i] = T(0)
        for od in range(OD):
            for oh in range(OH):
                j = ((plane * OD + od) * OH + oh) * OW
                for part in range((OW + CHUNK - 1) // CHUNK):
                    o0 = part * CHUNK
                    o1 = min(o0 + CHUNK, OW)
                    first_max(x, plane, od, oh, o0, o1, best, place, a)
                    for o in range(o1 - o0):
                        y[plane * size + max(place[o], 0)] += g[j + o0 + o] if place[o] >= 0 else T(0)


def max_gather(lo, hi, a):
    """For each window, the element of another array at the place of the first maximum. a: 0 input, 1
    output, 18 other.
    """
    x, y, other = pointer(a[0], T), pointer(a[1], T), pointer(a[18], T)
    size, OD, OH, OW = a[2] * a[3] * a[4], a[5], a[6], a[7]
    best, place = stack(CHUNK, T), stack(CHUNK, int32)
    for plane in range(lo, hi):
        for od in range(OD):
            for oh in range(OH):
                j = ((plane * OD + od) * OH + oh) * OW
                for part in range((OW + CHUNK - 1) // CHUNK):
                    o0 = part * CHUNK
                    o1 = min(o0 + CHUNK, OW)
                    first_max(x, plane, od, oh, o0, o1, best, place, a)
                    for o in range(o1 - o0):
                        y[j + o0 + o] = other[plane * size + max(place[o], 0)] if place[o] >= 0 else T(0)
