"""Windows over up to three axes: maximum, sum and average, and their gradients.

All kernels run over planes (image times channel) and take the same geometry, `a[2]` to `a[16]`:
2-4 input sizes D H W, 5-7 output sizes, 8-10 window, 11-13 stride, 14-16 padding in front. Windows are cut at the
input's edges. Whole output rows are folded at once, one tap after the other, so the inner loop runs along a row.
"""
import math

from ..prelude import float32, pointer, stack

T = float32
CHUNK = 512        # outputs of a row whose shares are staged at once


def bounds(n, stride, shift, limit):
    """First and one past the last o in `[0, n)` with `0 <= o * stride + shift < limit`."""
    first = min(max(-(shift // stride), 0), n)
    return first, max(min((limit - 1 - shift) // stride + 1, n), first)


def fold_max(y, i, x, j, stride, first, last):
    """`y[i + o] = max(y[i + o], x[j + o * stride])`; a NaN stays."""
    if stride == 1:
        for o in range(first, last):
            v, m = x[j + o], y[i + o]
            y[i + o] = v if v > m or v != v else m
    elif stride == 2:
        for o in range(first, last):
            v, m = x[j + 2 * o], y[i + o]
            y[i + o] = v if v > m or v != v else m
    else:
        for o in range(first, last):
            v, m = x[j + o * stride], y[i + o]
            y[i + o] = v if v > m or v != v else m


def fold_sum(y, i, x, j, stride, first, last):
    """`y[i + o] += x[j + o * stride]`."""
    if stride == 1:
        for o in range(first, last):
            y[i + o] += x[j + o]
    elif stride == 2:
        for o in range(first, last):
            y[i + o] += x[j + 2 * o]
    else:
        for o in range(first, last):
            y[i + o] += x[j + o * stride]


def max_forward(lo, hi, a):
    """Maximum of each window; NaN wins over all, and an empty window gives -inf. a: 0 input, 1 output."""
    D, H, W, OD, OH, OW = a[2], a[3], a[4], a[5], a[6], a[7]
    KD, KH, KW, sd, sh, sw, pd, ph, pw = a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16]
    x, y = pointer(a[0], T), pointer(a[1], T)
    for row in range(lo * OD * OH, hi * OD * OH):
        plane, d0, h0 = row // (OD * OH), row // OH % OD * sd - pd, row % OH * sh - ph
        for o in range(OW):
            y[row * OW + o] = T(-math.inf)
        for d in range(max(d0, 0), min(d0 + KD, D)):
            for h in range(max(h0, 0), min(h0 + KH, H)):
                for k in range(KW):
                    first, last = bounds(OW, sw, k - pw, W)
                    fold_max(y, row * OW, x, ((plane * D + d) * H + h) * W + k - pw, sw, first, last)


def sum_forward(lo, hi, a):
    """Sum of each window over its count. a: 0 input, 1 output, 17-19 counts per axis (`T`), multiplied for a window."""
    D, H, W, OD, OH, OW = a[2], a[3], a[4], a[5], a[6], a[7]
    KD, KH, KW, sd, sh, sw, pd, ph, pw = a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16]
    x, y = pointer(a[0], T), pointer(a[1], T)
    cd, ch, cw = pointer(a[17], T), pointer(a[18], T), pointer(a[19], T)
    for row in range(lo * OD * OH, hi * OD * OH):
        plane, od, oh = row // (OD * OH), row // OH % OD, row % OH
        d0, h0 = od * sd - pd, oh * sh - ph
        for o in range(OW):
            y[row * OW + o] = T(0)
        for d in range(max(d0, 0), min(d0 + KD, D)):
            for h in range(max(h0, 0), min(h0 + KH, H)):
                for k in range(KW):
                    first, last = bounds(OW, sw, k - pw, W)
                    fold_sum(y, row * OW, x, ((plane * D + d) * H + h) * W + k - pw, sw, first, last)
        rows = cd[od] * ch[oh]
        for o in range(OW):
            y[row * OW + o] /= rows * cw[o]


def sum_backward(lo, hi, a):
    """Each output's cotangent over its count, added to all elements of its window. a: 0 cotangent, 1 gradient, 17-19 counts."""
    D, H, W, OD, OH, OW = a[2], a[3], a[4], a[5], a[6], a[7]
    KD, KH, KW, sd, sh, sw, pd, ph, pw = a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16]
    g, y = pointer(a[0], T), pointer(a[1], T)
    cd, ch, cw = pointer(a[17], T), pointer(a[18], T), pointer(a[19], T)
    share = stack(CHUNK, T)
    for i in range(lo * D * H * W, hi * D * H * W):
        y[i] = T(0)
    for row in range(lo * OD * OH, hi * OD * OH):
        plane, od, oh = row // (OD * OH), row // OH % OD, row % OH
        d0, h0, rows = od * sd - pd, oh * sh - ph, cd[od] * ch[oh]
        for part in range((OW + CHUNK - 1) // CHUNK):
            o0 = part * CHUNK
            n = min(CHUNK, OW - o0)
            for o in range(n):
                share[o] = g[row * OW + o0 + o] / (rows * cw[o0 + o])
            for d in range(max(d0, 0), min(d0 + KD, D)):
                for h in range(max(h0, 0), min(h0 + KH, H)):
                    i = ((plane * D + d) * H + h) * W - pw + o0 * sw
                    if KW == 2 and sw == 2:
                        first, last = bounds(n, 2, o0 * 2 - pw, W)
                        _, whole = bounds(n, 2, o0 * 2 - pw + 1, W)
                        begin, _ = bounds(n, 2, o0 * 2 - pw + 1, W)
                        if begin < first:                     # a window whose first column is padding
                            y[i + 2 * begin + 1] += share[begin]
                        for o in range(first, whole):
                            y[i + 2 * o] += share[o]
                            y[i + 2 * o + 1] += share[o]
                        for o in range(max(whole, first), last):
                            y[i + 2 * o] += share[o]
                    else:
                        for k in range(KW):
                            first, last = bounds(n, sw, o0 * sw + k - pw, W)
                            for o in range(first, last):
                                y[i + k + o * sw] += share[o]


def first_max(x, plane, row, a):
    """Index of the first maximum (or NaN) of the window of output row `row // OW`, column `row % OW`; -1 for none."""
    D, H, W, OD, OH, OW = a[2], a[3], a[4], a[5], a[6], a[7]
    o = row % OW
    w0 = o * a[13] - a[16]
    h0, d0 = row // OW % OH * a[12] - a[15], row // (OW * OH) % OD * a[11] - a[14]
    w1, w2 = max(w0, 0), min(w0 + a[10], W)
    best, m = -1, T(-math.inf)
    for d in range(max(d0, 0), min(d0 + a[8], D)):
        for h in range(max(h0, 0), min(h0 + a[9], H)):
            i = ((plane * D + d) * H + h) * W
            for w in range(w1, w2):
                v = x[i + w]
                better = (v > m or v != v or best < 0) and m == m
                best = i + w if better else best
                m = v if better else m
    return best


def max_backward(lo, hi, a):
    """Each output's cotangent, added at the first maximum of its window. a: 0 input, 1 gradient, 17 cotangent."""
    x, y, g = pointer(a[0], T), pointer(a[1], T), pointer(a[17], T)
    size, count = a[2] * a[3] * a[4], a[5] * a[6] * a[7]
    for i in range(lo * size, hi * size):
        y[i] = T(0)
    for plane in range(lo, hi):
        for o in range(count):
            i = first_max(x, plane, o, a)
            if i >= 0:
                y[i] += g[plane * count + o]


def max_gather(lo, hi, a):
    """For each window, the element of another array at the place of the first maximum. a: 0 input, 1 output, 17 other."""
    x, y, other = pointer(a[0], T), pointer(a[1], T), pointer(a[17], T)
    count = a[5] * a[6] * a[7]
    for plane in range(lo, hi):
        for o in range(count):
            i = first_max(x, plane, o, a)
            y[plane * count + o] = other[i] if i >= 0 else T(0)
