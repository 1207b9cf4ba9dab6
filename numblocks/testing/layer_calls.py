"""Valid calls of the ops of regions, boxes and CTC: `calls.CASES` takes them in."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from .strategies import generators


def regions(rng, batch):
    """int64 `(count, 5)`: some of them reach over the edge, some are empty."""
    corner = rng.integers(-2, 9, (3, 2))
    return np.concatenate([rng.integers(0, batch, (3, 1)), corner, corner + rng.integers(-1, 9, (3, 2))], 1)


@st.composite
def _roi_places(draw):
    rng = draw(generators())
    return [rng.permutation(2 * 2 * 5 * 6).reshape(2, 2, 5, 6) / 7.0, regions(rng, 2)], {
        "size": draw(st.sampled_from([(2, 2), (1, 3)])), "scale": draw(st.sampled_from([1.0, 0.5]))}  # fmt: skip


@st.composite
def _roi_align(draw, transposed=False):
    rng, shape = draw(generators()), (2, 2, 5, 6)
    spec = {"size": draw(st.sampled_from([(2, 2), (1, 3)])), "scale": draw(st.sampled_from([1.0, 0.5])),
            "ratio": draw(st.sampled_from([1, 2, -1])), "aligned": draw(st.booleans())}  # fmt: skip
    if transposed:
        return [rng.uniform(-3, 3, (3, 2, *spec["size"])), regions(rng, 2)], {**spec, "shape": shape}
    return [rng.uniform(-3, 3, shape), regions(rng, 2)], spec


@st.composite
def _nms(draw):
    rng = draw(generators())
    x = rng.uniform(0, 1, (2, draw(st.integers(0, 6)), 6))
    x[..., 0] = rng.integers(0, 3, x.shape[:2])
    x[..., 4:] += x[..., 2:4] * draw(st.booleans())
    return [x], {"threshold": draw(st.sampled_from([0.1, 0.5])), "lowest": 0.1, "topk": draw(st.sampled_from([-1, 3])),
                 "coords": 2, "scores": 1, "ids": draw(st.sampled_from([-1, 0])),
                 "background": draw(st.sampled_from([-1, 1])),
                 "together": draw(st.booleans()), "form": draw(st.sampled_from(["corner", "center"]))}  # fmt: skip


@st.composite
def _detection(draw):
    rng, n = draw(generators()), draw(st.integers(1, 6))
    low = rng.uniform(0, 0.6, (1, n, 2))
    anchors = np.concatenate([low, low + rng.uniform(0.1, 0.4, (1, n, 2))], 2)
    return [rng.uniform(0, 1, (2, 3, n)), rng.uniform(-1, 1, (2, 4 * n)), anchors], {
        "clip": draw(st.booleans()), "threshold": 0.4, "background": draw(st.integers(0, 2)), "nms": 0.3,
        "together": draw(st.booleans()), "variances": (0.1, 0.1, 0.2, 0.2),
        "topk": draw(st.sampled_from([-1, 3]))}  # fmt: skip


@st.composite
def _ctc(draw):
    rng, classes, batch = draw(generators()), 3, 2
    blank = draw(st.sampled_from([0, classes - 1]))
    counts = rng.integers(0, 3, batch)
    labels = rng.integers(0, classes - 1, (batch, 2)) + (blank == 0)
    lengths = np.array([draw(st.integers(int(2 * c) if c else 1, 4)) for c in counts])  # room for a repeated label
    return [rng.uniform(-3, 3, (4, batch, classes)), labels, lengths, counts], {"blank": blank}


CASES = {"roi_places": _roi_places(), "roi_align": _roi_align(), "roi_align_grad": _roi_align(True),
"nms_places": _nms(),
         "multibox_detection": _detection(), "ctc_loss": _ctc(), "ctc_loss_grad": _ctc()}  # fmt: skip
