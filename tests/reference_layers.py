"""Rows of the reference for recurrent scans, CTC, columns, regions and boxes; `reference.py` takes them in."""

import itertools
import math

import numpy as np
from scipy import special


def walk(z, axis, reverse):
    """The pre-activations of each time step in the order they are used, and where the answers go."""
    z = np.moveaxis(z, axis, 0)
    order = list(range(len(z)))[::-1] if reverse else list(range(len(z)))
    return z, order, lambda parts: np.moveaxis(np.array([parts[t] for t in range(len(z))]), 0, axis)


def rnn_scan(z, h, w, b, activation, axis, reverse):
    """Elman network, step by step."""
    z, order, gather = walk(z, axis, reverse)
    found = {}
    for t in order:
        h = z[t] + h @ w.T + b
        h = found[t] = np.tanh(h) if activation == "tanh" else h * (h > 0)
    return gather(found)


def lstm_scan(z, h, c, w, b, axis, reverse):
    """LSTM, step by step: hidden states, cells, gates."""
    z, order, gather = walk(z, axis, reverse)
    hs, cs, gates = {}, {}, {}
    for t in order:
        i, f, g, o = np.split(z[t] + h @ w.T + b, 4, -1)
        i, f, g, o = special.expit(i), special.expit(f), np.tanh(g), special.expit(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        hs[t], cs[t], gates[t] = h, c, np.concatenate([i, f, g, o], -1)
    return gather(hs), gather(cs), gather(gates)


def gru_scan(z, h, w, b, axis, reverse):
    """GRU, step by step: hidden states; gates and the candidate's hidden product."""
    z, order, gather = walk(z, axis, reverse)
    hs, gates = {}, {}
    for t in order:
        *bi, bh = np.split(b, 4)
        (zr, zu, zn), (ar, au, m) = np.split(z[t] + np.concatenate(bi), 3, -1), np.split(h @ w.T, 3, -1)
        m = m + bh
        r, u = special.expit(zr + ar), special.expit(zu + au)
        n = np.tanh(zn + r * m)
        h = (1 - u) * n + u * h
        hs[t], gates[t] = h, np.concatenate([r, u, n, m], -1)
    return gather(hs), gather(gates)


def taps(size, kernel, stride, dilate, pad):
    """`(tap number, output number, input position)` of a sliding window; None in the padding."""
    out = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, d, p in zip(size, kernel, stride, dilate, pad, strict=True)
    ]
    for (k, tap), (o, place) in itertools.product(enumerate(np.ndindex(*kernel)), enumerate(np.ndindex(*out))):
        at = tuple(a * s + b * d - p for a, b, s, d, p in zip(place, tap, stride, dilate, pad, strict=True))
        if all(0 <= i < n for i, n in zip(at, size, strict=True)):
            yield k, o, at, math.prod(out)


def im2col(x, kernel, stride, dilate, pad):
    """Element by element."""
    found = list(taps(x.shape[2:], kernel, stride, dilate, pad))
    y = np.zeros((*x.shape[:2], math.prod(kernel), found[0][3]), x.dtype)
    for k, o, at, _ in found:
        y[:, :, k, o] = x[(slice(None), slice(None), *at)]
    return y.reshape(x.shape[0], -1, y.shape[-1])


def col2im(g, size, kernel, stride, dilate, pad):
    """Element by element."""
    columns = g.reshape(g.shape[0], -1, math.prod(kernel), g.shape[2])
    y = np.zeros((*columns.shape[:2], *size), g.dtype)
    for k, o, at, _ in taps(size, kernel, stride, dilate, pad):
        y[(slice(None), slice(None), *at)] += columns[:, :, k, o]
    return y


def roi_places(data, rois, size, scale):
    """Every pixel of every bin."""
    y = np.full((len(rois), data.shape[1], *size), -1)
    near = lambda v: int(np.sign(v) * np.floor(abs(v) + 0.5))
    for r, c, i, j in np.ndindex(*y.shape):
        b, (x1, y1, x2, y2) = int(rois[r, 0]), (near(v * scale) for v in rois[r, 1:])
        spans = []
        for k, low, high, bins, n in ((i, y1, y2, size[0], data.shape[2]), (j, x1, x2, size[1], data.shape[3])):
            step = max(high - low + 1, 1) / bins
            spans.append(
                [p for p in range(math.floor(k * step) + low, math.ceil((k + 1) * step) + low) if 0 <= p < n]
            )
        pixels = list(itertools.product(*spans))
        if pixels:
            p = max(pixels, key=lambda at: data[(b, c, *at)])
            y[r, c, i, j] = np.ravel_multi_index((b, c, *p), data.shape)
    return y


def samples(data, rois, size, scale, ratio, aligned):
    """`(region, bin, weight, image, pixel)` of every contribution."""
    shift = 0.5 if aligned else 0.0
    for r, i, j in np.ndindex(len(rois), *size):
        x1, y1, x2, y2 = (float(v) * scale - shift for v in rois[r, 1:])
        h, w = (y2 - y1, x2 - x1) if aligned else (max(y2 - y1, 1), max(x2 - x1, 1))
        counts = [ratio if ratio > 0 else max(math.ceil(n / b), 1) for n, b in zip((h, w), size, strict=True)]
        for a, b in np.ndindex(*counts):
            py = y1 + (i + (a + 0.5) / counts[0]) * h / size[0]
            px = x1 + (j + (b + 0.5) / counts[1]) * w / size[1]
            if not (-1 <= py <= data[2] and -1 <= px <= data[3]):
                continue
            py, px = min(max(py, 0), data[2] - 1), min(max(px, 0), data[3] - 1)
            for qy, qx in itertools.product({math.floor(py), math.ceil(py)}, {math.floor(px), math.ceil(px)}):
                weight = (1 - abs(py - qy)) * (1 - abs(px - qx)) / math.prod(counts)
                yield r, (i, j), weight, int(rois[r, 0]), (qy, qx)


def roi_align(data, rois, **spec):
    """Sample by sample."""
    y = np.zeros((len(rois), data.shape[1], *spec["size"]))
    for r, at, weight, b, pixel in samples(data.shape, rois, **spec):
        y[(r, slice(None), *at)] += weight * data[(b, slice(None), *pixel)]
    return y


def roi_align_grad(g, rois, shape, **spec):
    """Sample by sample."""
    y = np.zeros(shape)
    for r, at, weight, b, pixel in samples(shape, rois, **spec):
        y[(b, slice(None), *pixel)] += weight * g[(r, slice(None), *at)]
    return y


def iou(a, b):
    """Of two boxes."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inside = max(w, 0) * max(h, 0)
    area = lambda x: max(x[2] - x[0], 0) * max(x[3] - x[1], 0)
    union = area(a) + area(b) - inside
    return inside / union if union > 0 else 0.0


def survivors(boxes, ids, threshold, together):
    """Numbers of the boxes that no better survivor of their class overlaps; boxes are sorted."""
    kept = []
    for k in range(len(boxes)):
        if all(
            iou(boxes[m], boxes[k]) <= threshold or not (together or ids is None or ids[m] == ids[k]) for m in kept
        ):
            kept.append(k)
    return kept


def nms_places(x, threshold, lowest, topk, coords, scores, ids, background, together, form):
    """Box by box."""
    y = np.full(x.shape[:-1], -1)
    for at in np.ndindex(*x.shape[:-2]):
        order = [
            k for k in range(x.shape[-2]) if x[at][k, scores] > lowest and (ids < 0 or x[at][k, ids] != background)
        ]
        order = sorted(order, key=lambda k: -x[at][k, scores])[: topk if topk > 0 else None]
        boxes = [x[at][k, coords : coords + 4] for k in order]
        if form == "center":
            boxes = [np.concatenate([b[:2] - b[2:] / 2, b[:2] + b[2:] / 2]) for b in boxes]
        classes = [x[at][k, ids] for k in order] if ids >= 0 else None
        for place, k in enumerate(survivors(boxes, classes, threshold, together)):
            y[at][place] = order[k]
    return y


def multibox_detection(p, offsets, anchors, clip, threshold, background, nms, together, variances, topk):
    """Anchor by anchor."""
    y = np.full((p.shape[0], anchors.shape[1], 6), -1.0)
    for b in range(len(y)):
        rows = []
        for k, (x1, y1, x2, y2) in enumerate(anchors[0]):
            d = offsets[b, 4 * k : 4 * k + 4] * variances
            cx, cy = (x1 + x2) / 2 + d[0] * (x2 - x1), (y1 + y2) / 2 + d[1] * (y2 - y1)
            w, h = math.exp(d[2]) * (x2 - x1) / 2, math.exp(d[3]) * (y2 - y1) / 2
            box = np.array([cx - w, cy - h, cx + w, cy + h])
            scores = [v for c, v in enumerate(p[b, :, k]) if c != background]
            if max(scores) >= threshold:
                rows.append([float(np.argmax(scores)), max(scores), *(np.clip(box, 0, 1) if clip else box)])
        rows.sort(key=lambda row: -row[1])
        rows = rows[: topk if topk > 0 else None]
        kept = survivors([r[2:] for r in rows], [r[0] for r in rows], nms, together)
        for k, row in enumerate(rows):
            y[b, k] = row if k in kept else [-1.0, *row[1:]]
    return y


def ctc_loss(scores, labels, lengths, label_lengths, blank):
    """Over all alignments, one by one; works on complex numbers, too."""
    found = []
    for b in range(scores.shape[1]):
        x = scores[: lengths[b], b]
        p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
        total, want = 0.0, [int(v) for v in labels[b, : label_lengths[b]]]
        for path in itertools.product(range(x.shape[1]), repeat=len(x)):
            merged = [c for c, _ in itertools.groupby(path) if c != blank]
            if merged == want:
                total = total + np.prod([p[t, c] for t, c in enumerate(path)])
        found.append(-np.log(total))
    return np.array(found)


def ctc_loss_grad(scores, labels, lengths, label_lengths, blank):
    """By a step into the complex plane: exact to rounding."""
    y = np.zeros(scores.shape)
    for at in np.ndindex(*scores.shape):
        moved = scores.astype(complex)
        moved[at] += 1e-30j
        y[at] = (ctc_loss(moved, labels, lengths, label_lengths, blank)[at[1]]).imag / 1e-30
    return y


ROWS = {
    "gammaln": special.gammaln, "gamma": special.gamma, "digamma": special.digamma, "erfinv": special.erfinv,
    "rnn_scan": rnn_scan, "lstm_scan": lstm_scan, "gru_scan": gru_scan,
    "rnn_scan_grad": None, "lstm_scan_grad": None, "gru_scan_grad": None,  # several answers: see gluon/test_rnn.py
    "im2col": im2col, "col2im": col2im, "roi_places": roi_places, "roi_align": roi_align,
    "roi_align_grad": roi_align_grad,
    "nms_places": nms_places, "multibox_detection": multibox_detection,
    "multibox_target": None,  # see ops/test_boxes.py
    "ctc_loss": ctc_loss, "ctc_loss_grad": ctc_loss_grad, "with_gradient": lambda x, d, alone: x,
}  # fmt: skip
