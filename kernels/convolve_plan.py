"""Geometry of convolutions: how operands are packed and which offsets the kernels of `cpu/conv.py` add.

Axes are always three here; missing ones in front have length 1. A plan is worked out once a geometry and
kept; callers leave the number of images out of it (N = 0).
"""

import functools
import itertools
import math
from typing import NamedTuple

import numpy

from . import tile


class Geometry(NamedTuple):
    """Sizes of one convolution; three spatial axes each. `C` and `O` count all groups."""

    N: int
    C: int
    O: int  # noqa: E741  (the usual letter for output channels)
    groups: int
    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilate: tuple[int, ...]

    @property
    def out(self) -> tuple[int, ...]:
        """Output sizes: `(size + 2 pad - dilate (kernel - 1) - 1) // stride + 1`."""
        return tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(self.size, self.kernel, self.stride, self.pad, self.dilate, strict=True)
        )


def geometry(x_shape, w_shape, stride, pad, dilate, groups) -> Geometry:
    """The geometry of `x: (N, C, *size)` with `w: (O, C / groups, *kernel)`."""
    lead = 5 - len(x_shape)
    return Geometry(
        x_shape[0],
        x_shape[1],
        w_shape[0],
        groups,
        (1,) * lead + tuple(x_shape[2:]),
        (1,) * lead + tuple(w_shape[2:]),
        (1,) * lead + tuple(stride),
        (0,) * lead + tuple(pad),
        (1,) * lead + tuple(dilate),
    )


class Layout(NamedTuple):
    """How an operand is packed: sizes of one phase, padding in front, phases, elements per plane; copied at
    all?
    """

    size: tuple[int, ...]
    front: tuple[int, ...]
    phases: numpy.ndarray
    plane: int
    copied: bool


class Pass(NamedTuple):
    """One call of the forward loop: a set of taps, and where its outputs go."""

    taps: numpy.ndarray  # flat index of each tap in the kernel
    offset: numpy.ndarray  # offset of each (channel, tap) in the packed input
    kept: tuple[int, ...]  # output sizes
    rows: tuple[int, ...]  # TH, TW, OH, OW of the store
    positions: int
    strides: tuple[int, ...]  # of the output, elements
    first: int
    shape: tuple[int, int]  # M, V


def cycles(M, V):
    """Cycles of one step of a tile: two multiply-adds a cycle, two loads a cycle, vectors mostly straddling
    lines.
    """
    return max(M * V / 2, (M + 1.5 * V) / 2) + 0.5


def _tile(rows, columns, lanes):
    """The tile with the least work for `rows` outputs by `columns` positions, a vector being `lanes`
    positions.
    """
    return min(tile.sizes(), key=lambda mv: -(-rows // mv[0]) * -(-columns // (mv[1] * lanes)) * cycles(*mv))


def _rows(size, kept, strides):
    """TH, TW, OH, OW and the number of positions; rows kept whole and stored densely are joined into one."""
    positions = ((kept[0] - 1) * size[1] + kept[1] - 1) * size[2] + kept[2]
    if size[1:] == kept[1:] and strides == _strides(kept):
        return (1, positions, 1, positions), positions
    return (size[1], size[2], kept[1], kept[2]), positions


def _plan(geo, size, taps, places, phase_of, phases, channels, outputs, kept, strides, first, lanes):
    """A Pass: `places` are the three-axis places of the taps in the packed layout."""
    rows, positions = _rows(size, kept, strides)
    area = math.prod(size)
    at = numpy.array(
        [f * area + (d * size[1] + h) * size[2] + w for f, (d, h, w) in zip(phase_of, places, strict=True)]
    )
    offset = (numpy.arange(channels)[:, None] * (phases * area) + at).ravel()
    return Pass(
        numpy.array(taps, numpy.int64),
        offset.astype(numpy.int64),
        kept,
        rows,
        positions,
        strides,
        first,
        _tile(outputs, positions, lanes),
    )


def _strides(size):
    return size[1] * size[2], size[2], 1


def every_tap(kernel):
    """The places of a window, in C order."""
    return list(itertools.product(*(range(k) for k in kernel)))


@functools.lru_cache(maxsize=512)
def forward_plan(geo: Geometry, lanes: int) -> tuple[Layout, Pass]:
    """Layout of the input and the single pass of a convolution."""
    out = geo.out
    reach = [(k - 1) * d // s for k, d, s in zip(geo.kernel, geo.dilate, geo.stride, strict=True)]
    size = tuple(o + r for o, r in zip(out, reach, strict=True))
    used = [
        sorted({k * d % s for k in range(n)})
        for n, d, s in zip(geo.kernel, geo.dilate, geo.stride, strict=True)
    ]
    phases = list(itertools.product(*used))
    number = {phase: i for i, phase in enumerate(phases)}
    grid = every_tap(geo.kernel)
    places = [tuple(k * d // s for k, d, s in zip(tap, geo.dilate, geo.stride, strict=True)) for tap in grid]
    phase_of = [
        number[tuple(k * d % s for k, d, s in zip(tap, geo.dilate, geo.stride, strict=True))] for tap in grid
    ]
    one = _plan(
        geo,
        size,
        range(len(grid)),
        places,
        phase_of,
        len(phases),
        geo.C // geo.groups,
        geo.O // geo.groups,
        out,
        _strides(out),
        0,
        lanes,
    )
    plain = (
        size == geo.size
        and not any(geo.pad)
        and set(geo.stride) == {1}
        and one.positions >= one.shape[1] * lanes
    )
    return Layout(
        size, geo.pad, numpy.array(phases, numpy.int64), len(phases) * math.prod(size), not plain
    ), one


@functools.lru_cache(maxsize=512)
def data_plan(geo: Geometry, lanes: int) -> tuple[Layout, tuple[Pass, ...], bool]:
    """Layout of the cotangent, one pass per phase of the input, and whether some phase receives nothing.

    Input element i lies at `u = i + pad = s t + r`; tap k with `k d = s e + r` brings cotangent element `t
    - e`.
    """
    axes = []  # per axis: [(r, first t, count, taps [(k, e)])]
    for n, k, s, p, d in zip(geo.size, geo.kernel, geo.stride, geo.pad, geo.dilate, strict=True):
        one = []
        for r in range(s):
            low, high = -((r - p) // s), (p + n - 1 - r) // s
            if high >= low:
                one.append((r, low, high - low + 1, [(i, i * d // s) for i in range(k) if i * d % s == r]))
        axes.append(one)
    reach = [(k - 1) * d // s for k, d, s in zip(geo.kernel, geo.dilate, geo.stride, strict=True)]
    low = [min(t for _, t, _, _ in one) for one in axes]
    size = tuple(
        max(t + c for _, t, c, _ in one) - t0 + e for one, t0, e in zip(axes, low, reach, strict=True)
    )
    front = tuple(e - t0 for e, t0 in zip(reach, low, strict=True))
    steps = _strides(geo.size)
    passes, gaps = [], False
    for phase in itertools.product(*axes):
        chosen = list(itertools.product(*(taps for _, _, _, taps in phase)))
        if not chosen:
            gaps = True
            continue
        taps = [(c[0][0] * geo.kernel[1] + c[1][0]) * geo.kernel[2] + c[2][0] for c in chosen]
        places = [tuple(phase[a][1] - low[a] + reach[a] - c[a][1] for a in range(3)) for c in chosen]
        first = sum(
            (s * t + r - p) * step
            for (r, t, _, _), s, p, step in zip(phase, geo.stride, geo.pad, steps, strict=True)
        )
        passes.append(
            _plan(
                geo,
                size,
                taps,
                places,
                [0] * len(taps),
                1,
                geo.O // geo.groups,
                geo.C // geo.groups,
                tuple(c for _, _, c, _ in phase),
                tuple(s * t for s, t in zip(geo.stride, steps, strict=True)),
                first,
                lanes,
            )
        )
    short = any(one.positions < one.shape[1] * lanes for one in passes)
    layout = Layout(
        size, front, numpy.zeros((1, 3), numpy.int64), math.prod(size), any(front) or size != geo.out or short
    )
    return layout, tuple(passes), gaps
