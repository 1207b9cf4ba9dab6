"""Convolution without an im2col matrix.

The input is copied once into a padded layout in which every tap of the kernel is a constant offset: rows
have the padded width, and an axis of stride s is split into its s phases (position u = s*t + r goes to
phase r, place t). The output at flat position p is then `sum_k w[k] * packed[p + offset[k]]`, k running
over input channels and taps, for any stride, dilation and number of axes; positions beyond a row's end give
values that are computed and left out. So the loop is a matrix product whose right-hand matrix is never
written down. Tiles of M output channels times V vectors of positions stay in registers (`kernels/tile.py`).

The gradient of the input is the same loop over the packed cotangent, once per phase, with the weights
turned round; the gradient of the weight multiplies vectors of cotangent and input, and sums lanes at the
end.

The library binds `T` element type, `M` and `V` the tile, `LANES` elements per vector anew.
"""

from ..prelude import float32, int64, pointer, stack
from ..tile import copy, dots, dots_below, more, outer, put, sums, tile, window

T = float32
M = 8
V = 3
LANES = 16
SPAN = V * LANES  # positions in one tile
SEGMENT = 1536  # positions staged by one work item, with one tile before and one behind
STAGE = M * SEGMENT


def pack(lo, hi, a):
    """Copy planes into the padded, phase-split layout; what lies outside the input becomes 0.

    Parallel index: planes (image times channel).
    a: 0 source, 1 target, 2-4 source sizes D H W, 5-7 target sizes TD TH TW of one phase, 8-10 stride,
    11-13 padding in front (may be negative), 14 number of phases, 15 phases (int64, three each),
    16 length of a target plane (the rest behind the last phase becomes 0), 17 number of planes, 18 elements behind
    the last plane that become 0.
    """
    D, H, W, TD, TH, TW = a[2], a[3], a[4], a[5], a[6], a[7]
    sd, sh, sw, pd, ph, pw = a[8], a[9], a[10], a[11], a[12], a[13]
    phases, length = pointer(a[15], int64), a[16]
    x, y = pointer(a[0], T), pointer(a[1], T)
    for plane in range(lo, hi):
        i = plane * length
        end = i + length
        for phase in range(a[14]):
            rd, rh, rw = phases[3 * phase], phases[3 * phase + 1], phases[3 * phase + 2]
            first = min(max((pw - rw + sw - 1) // sw, 0), TW)  # columns of the row that exist
            last = max(min((W - 1 + pw - rw) // sw + 1, TW), first)
            for td in range(TD):
                d = sd * td + rd - pd
                for th in range(TH):
                    h = sh * th + rh - ph
                    j = ((plane * D + d) * H + h) * W + rw - pw
                    if d < 0 or d >= D or h < 0 or h >= H:
                        window(y, i, x, i, 0, 0, TW)
                    elif sw == 1:
                        window(y, i, x, j, first, last, TW)
                    else:
                        for t in range(first):
                            y[i + t] = T(0)
                        for t in range(first, last):
                            y[i + t] = x[j + sw * t]
                        for t in range(last, TW):
                            y[i + t] = T(0)
                    i += TW
        if plane == a[17] - 1:
            end += a[18]
        while i < end:
            y[i] = T(0)
            i += 1


def pack_weight(lo, hi, a):
    """Lay the weights out as the tiles read them: [block of M outputs][input channel][tap][M], short blocks
    filled with 0. Biases come in the order of the rows.

    Parallel index: group times block.
    a: 0 weights, 1 target, 2 outputs per group, 3 blocks per group, 4 input channels per group, 5 taps,
    6 element offset of each tap (int64), 7-9 element strides of group, output, input channel, 10 M, 11 biases or 0,
    12 where they go.
    """
    O, blocks, C, taps, rows = a[2], a[3], a[4], a[5], a[10]
    w, y, where = pointer(a[0], T), pointer(a[1], T), pointer(a[6], int64)
    b, biases = pointer(a[11], T), pointer(a[12], T)
    for item in range(lo, hi):
        group, block = item // blocks, item % blocks
        base = item * C * taps * rows
        for m in range(rows):
            o = block * rows + m
            row = group * a[7] + o * a[8]
            if a[11] != 0:
                biases[item * rows + m] = b[group * O + o] if o < O else T(0)
            for c in range(C):
                i = base + c * taps * rows + m
                for k in range(taps):
                    y[i + k * rows] = w[row + c * a[9] + where[k]] if o < O else T(0)


def forward(lo, hi, a):
    """Sum of weights times shifted planes, and a bias, into a cropped (and, for gradients, strided) output.

    Parallel index: ((image * groups + group) * segments + segment) * blocks + block, so that consecutive
    items share a segment of the input in cache.
    a: 0 packed input, 1 packed weights, 2 offset of each (channel, tap) (int64), 3 output, 4 groups, 5
    segments, 6 positions per segment, 7 blocks, 8 positions, 9 number of (channel, tap), 10 outputs per
    group, 11 input elements per image, 12 per group, 13 output elements per image, 14 per channel, 15 TH,
    16 TW (rows of the packed layout), 17 OH, 18 OW (what is kept), 19-21 output strides of the three axes,
    22 first output element, 23 address of the biases, as many as packed outputs, or 0, 24 a tile's row of ones.
    """
    groups, segments, each, blocks, L, K, O = a[4], a[5], a[6], a[7], a[8], a[9], a[10]
    TH, TW, OH, OW, yd, yh, yw = a[15], a[16], a[17], a[18], a[19], a[20], a[21]
    x, w, offset, y = pointer(a[0], T), pointer(a[1], T), pointer(a[2], int64), pointer(a[3], T)
    bias, ones = pointer(a[23], T), pointer(a[24], T)
    stage = stack(STAGE, T)
    for item in range(lo, hi):
        block, rest = item % blocks, item // blocks
        segment, rest = rest % segments, rest // segments
        group, image = rest % groups, rest // groups
        start, stop = segment * each, min((segment + 1) * each, L)
        source = image * a[11] + group * a[12]
        weights = (group * blocks + block) * K * M
        # whole rows and blocks go straight to the output; a moved tile writes the same values once more
        direct = TH == 1 and OW == TW and yw == 1 and L >= SPAN and O >= (block + 1) * M
        place = a[22] + image * a[13] + (group * O + block * M) * a[14]
        begin = start
        while begin < stop:
            p = max(min(begin, L - SPAN), 0)  # the last tile moves back rather than read beyond the plane
            t = tile(M, V, T)
            if a[23] != 0:
                t = outer(t, bias, (group * blocks + block) * M, ones, 0)
            for k in range(K):
                t = outer(t, w, weights + k * M, x, source + offset[k] + p)
            if direct:
                put(t, y, place + p, a[14])
            else:
                put(t, stage, SPAN + p - start, SEGMENT)
            begin = p + SPAN
        if direct:
            continue
        for m in range(min(M, O - block * M)):
            target = place + m * a[14]
            p = start
            row, column = p // TW, p % TW
            d, h = row // TH, row % TH
            while p < stop:
                run = min(TW - column, stop - p)
                keep = min(column + run, OW) - column
                if h < OH and keep > 0:
                    i = target + d * yd + h * yh + column * yw
                    j = m * SEGMENT + SPAN + p - start
                    if yw == 1:
                        copy(y, i, stage, j, keep)
                    else:
                        for q in range(keep):
                            y[i + q * yw] = stage[j + q]
                p += run
                h, column = h + 1, 0
                if h == TH:
                    d, h = d + 1, 0


def spread(lo, hi, a):
    """Gradient of the input where windows move by one place: what each tap sends back, summed over the output channels,
    is added where the tap looked. With few places per channel that is less than `forward` over a cotangent that
    is padded by the whole window.

    Parallel index: (image * groups + group) * blocks + block of M input channels.
    a: 0 packed cotangent, its rows as wide as the padded input's, 1 packed weights, [block][tap][output channel][M], 2
    offset of each tap in the padded input (int64), 3 gradient, 4 groups, 5 blocks, 6 taps, 7 outputs per group, 8
    inputs per group, 9 places of a channel (a multiple of SPAN), 10 cotangent elements per channel, 11 elements of the
    padded input that are reached, 12-14 sizes of the gradient, 15-16 steps from plane to plane and from row to row of
    the padded input, 17 where the gradient begins in it.
    """
    groups, blocks, K, O, C, L = a[4], a[5], a[6], a[7], a[8], a[9]
    D, H, W, sd, sh = a[12], a[13], a[14], a[15], a[16]
    g, w, offset, y = pointer(a[0], T), pointer(a[1], T), pointer(a[2], int64), pointer(a[3], T)
    stage = stack(STAGE, T)
    for item in range(lo, hi):
        block, rest = item % blocks, item // blocks
        for m in range(M):
            for p in range(a[11]):
                stage[m * SEGMENT + p] = T(0)
        for k in range(K):
            weights = ((rest % groups * blocks + block) * K + k) * O * M
            for s in range(L // SPAN):
                t = tile(M, V, T)
                for o in range(O):
                    t = outer(t, w, weights + o * M, g, (rest * O + o) * a[10] + s * SPAN)
                more(t, stage, offset[k] + s * SPAN, SEGMENT)
        for m in range(min(M, C - block * M)):
            plane = rest * C + block * M + m
            for d in range(D):
                for h in range(H):
                    copy(y, ((plane * D + d) * H + h) * W, stage, m * SEGMENT + a[17] + d * sd + h * sh, W)


def weight(lo, hi, a):
    """Gradient of the weight: for each output channel and (channel, tap), cotangent times shifted input,
    summed.

    Parallel index: ((part * groups + group) * row blocks + row block) * column blocks + column block; an
    item owns its weights, and the order of summation does not depend on the number of threads. Each part
    sums some of the images into a gradient of its own.
    a: 0 cotangent, 1 input, 2 offset of each output channel (int64), 3 offset of each (channel, tap)
    (int64), 4 gradient, 5 images, 6 images per pass (so that a pass stays in cache), 7 row
    blocks, 8 column blocks, 9-11 planes, rows and elements of a row that are read of each channel, 12-13
    steps from plane to plane and from row to row in the cotangent, 14-15 in the input, 16 outputs per
    group, 17 number of (channel, tap), 18 cotangent elements per image, 19 per group, 20 input elements per
    image, 21 per group, 22 whether to add to what the gradient holds, 23 where the sums of the cotangent over
    each output channel go (the gradient of a bias), or 0, 24 a vector of ones, 25 a 0 (int64), 26 parts, 27
    groups.
    """
    N, each, blocks, strips, O, K = a[5], a[6], a[7], a[8], a[16], a[17]
    D, H, W, gd, gh, xd, xh = a[9], a[10], a[11], a[12], a[13], a[14], a[15]
    g, x, rows, columns, y = (
        pointer(a[0], T),
        pointer(a[1], T),
        pointer(a[2], int64),
        pointer(a[3], int64),
        pointer(a[4], T),
    )
    bias, ones, start = pointer(a[23], T), pointer(a[24], T), pointer(a[25], int64)
    total = stack(STAGE, T)
    whole, short, ga, xa = W // LANES, W % LANES, a[18], a[20]
    one = D * H == 1 and short == 0
    most = (N + a[26] - 1) // a[26]  # images of a part
    for n0 in range((most + each - 1) // each):
        for item in range(lo, hi):
            strip, rest = item % strips, item // strips
            block, rest = rest % blocks, rest // blocks
            group, part = rest % a[27], rest // a[27]
            i, j = block * M, strip * V
            first = part * most + n0 * each
            stop = min(first + each, (part + 1) * most, N)
            begin = first
            t = tile(M, V, T)
            if one:  # a loop of its own, in which the offsets stay in registers
                for n in range(first, stop):
                    p, q = n * ga + group * a[19], n * xa + group * a[21]
                    for s in range(whole):
                        t = dots(t, g, rows, i, p + s * LANES, x, columns, j, q + s * LANES)
                first = stop
            for n in range(first, stop):
                for d in range(D):
                    p, q = n * ga + group * a[19] + d * gd, n * xa + group * a[21] + d * xd
                    for h in range(H):  # noqa: B007
                        for s in range(whole):
                            t = dots(t, g, rows, i, p + s * LANES, x, columns, j, q + s * LANES)
                        if short > 0:
                            t = dots_below(t, g, rows, i, p + W - short, x, columns, j, q + W - short, short)
                        p, q = p + gh, q + xh
            sums(t, total)
            for m in range(min(M, O - i)):
                for v in range(min(V, K - j)):
                    k = (rest * O + i + m) * K + j + v
                    y[k] = total[m * V + v] + (y[k] if n0 + a[22] > 0 else T(0))
            if (a[23] != 0) & (strip == 0):
                c = tile(M, 1, T)
                for n in range(begin, stop):
                    for d in range(D):
                        for h in range(H):
                            p = n * a[18] + group * a[19] + d * gd + h * gh
                            for s in range(W // LANES):
                                c = dots(c, g, rows, i, p + s * LANES, ones, start, 0, 0)
                            if short > 0:
                                c = dots_below(c, g, rows, i, p + W - short, ones, start, 0, 0, short)
                sums(c, total)
                for m in range(min(M, O - i)):
                    k = rest * O + i + m
                    bias[k] = total[m] + (bias[k] if n0 + a[22] > 0 else T(0))


def fold(lo, hi, a):
    """The sum over parts. Parallel index: elements. a: 0 parts, one after the other, 1 target, 2 number of parts, 3
    elements of a part, 4 whether to add to what the target holds.
    """
    x, y = pointer(a[0], T), pointer(a[1], T)
    for i in range(lo, hi):
        total = y[i] if a[4] > 0 else T(0)
        for part in range(a[2]):
            total += x[part * a[3] + i]
        y[i] = total
