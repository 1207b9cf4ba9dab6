"""Convolution of NumPy arrays by the kernels of `cpu/conv.py`: geometry worked out once a shape, images in chunks.

Axes are always three here; missing ones in front have length 1. See `cpu/conv.py` for the packed layout.
"""
import functools
import itertools
import math
from typing import NamedTuple

import numpy

from . import build, library, scratch, tile

CHUNK = 16 << 20      # bytes of packed images at a time
PASS = 1 << 20        # bytes of images that one pass of the weight gradient should stay within
GRAIN = 1 << 23       # multiply-adds worth another thread


class Geometry(NamedTuple):
    """Sizes of one convolution; three spatial axes each. `C` and `O` count all groups."""

    N: int
    C: int
    O: int                    # noqa: E741  (the usual letter for output channels)
    groups: int
    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilate: tuple[int, ...]

    @property
    def out(self) -> tuple[int, ...]:
        """Output sizes: `(size + 2 pad - dilate (kernel - 1) - 1) // stride + 1`."""
        return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in
                     zip(self.size, self.kernel, self.stride, self.pad, self.dilate, strict=True))


def geometry(x_shape, w_shape, stride, pad, dilate, groups) -> Geometry:
    """The geometry of `x: (N, C, *size)` with `w: (O, C / groups, *kernel)`."""
    lead = 5 - len(x_shape)
    return Geometry(x_shape[0], x_shape[1], w_shape[0], groups, (1,) * lead + tuple(x_shape[2:]),
                    (1,) * lead + tuple(w_shape[2:]), (1,) * lead + tuple(stride), (0,) * lead + tuple(pad),
                    (1,) * lead + tuple(dilate))


class Layout(NamedTuple):
    """How an operand is packed: sizes of one phase, padding in front, phases, elements per plane; copied at all?"""

    size: tuple[int, ...]
    front: tuple[int, ...]
    phases: numpy.ndarray
    plane: int
    copied: bool


class Pass(NamedTuple):
    """One call of the forward loop: a set of taps, and where its outputs go."""

    taps: numpy.ndarray       # flat index of each tap in the kernel
    offset: numpy.ndarray     # offset of each (channel, tap) in the packed input
    kept: tuple[int, ...]     # output sizes
    rows: tuple[int, ...]     # TH, TW, OH, OW of the store
    positions: int
    strides: tuple[int, ...]  # of the output, elements
    first: int
    shape: tuple[int, int]    # M, V


def _cycles(M, V):
    """Cycles of one step of a tile: two multiply-adds a cycle, two loads a cycle, vectors mostly straddling lines."""
    return max(M * V / 2, (M + 1.5 * V) / 2) + 0.5


def _tile(rows, columns, lanes):
    """The tile with the least work for `rows` outputs by `columns` positions, a vector being `lanes` positions."""
    return min(tile.sizes(), key=lambda mv: -(-rows // mv[0]) * -(-columns // (mv[1] * lanes)) * _cycles(*mv))


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
    at = numpy.array([f * area + (d * size[1] + h) * size[2] + w for f, (d, h, w) in zip(phase_of, places, strict=True)])
    offset = (numpy.arange(channels)[:, None] * (phases * area) + at).ravel()
    return Pass(numpy.array(taps, numpy.int64), offset.astype(numpy.int64), kept, rows, positions, strides, first,
                _tile(outputs, positions, lanes))


def _strides(size):
    return size[1] * size[2], size[2], 1


def _grid(kernel):
    return list(itertools.product(*(range(k) for k in kernel)))


@functools.lru_cache(maxsize=512)
def forward_plan(geo: Geometry, lanes: int) -> tuple[Layout, Pass]:
    """Layout of the input and the single pass of a convolution."""
    out = geo.out
    reach = [(k - 1) * d // s for k, d, s in zip(geo.kernel, geo.dilate, geo.stride, strict=True)]
    size = tuple(o + r for o, r in zip(out, reach, strict=True))
    used = [sorted({k * d % s for k in range(n)}) for n, d, s in zip(geo.kernel, geo.dilate, geo.stride, strict=True)]
    phases = list(itertools.product(*used))
    number = {phase: i for i, phase in enumerate(phases)}
    grid = _grid(geo.kernel)
    places = [tuple(k * d // s for k, d, s in zip(tap, geo.dilate, geo.stride, strict=True)) for tap in grid]
    phase_of = [number[tuple(k * d % s for k, d, s in zip(tap, geo.dilate, geo.stride, strict=True))] for tap in grid]
    one = _plan(geo, size, range(len(grid)), places, phase_of, len(phases), geo.C // geo.groups, geo.O // geo.groups,
                out, _strides(out), 0, lanes)
    plain = size == geo.size and not any(geo.pad) and set(geo.stride) == {1} and one.positions >= one.shape[1] * lanes
    return Layout(size, geo.pad, numpy.array(phases, numpy.int64), len(phases) * math.prod(size), not plain), one


@functools.lru_cache(maxsize=512)
def data_plan(geo: Geometry, lanes: int) -> tuple[Layout, tuple[Pass, ...], bool]:
    """Layout of the cotangent, one pass per phase of the input, and whether some phase receives nothing.

    Input element i lies at `u = i + pad = s t + r`; tap k with `k d = s e + r` brings cotangent element `t - e`.
    """
    axes = []       # per axis: [(r, first t, count, taps [(k, e)])]
    for n, k, s, p, d in zip(geo.size, geo.kernel, geo.stride, geo.pad, geo.dilate, strict=True):
        one = []
        for r in range(s):
            low, high = -((r - p) // s), (p + n - 1 - r) // s
            if high >= low:
                one.append((r, low, high - low + 1, [(i, i * d // s) for i in range(k) if i * d % s == r]))
        axes.append(one)
    reach = [(k - 1) * d // s for k, d, s in zip(geo.kernel, geo.dilate, geo.stride, strict=True)]
    low = [min(t for _, t, _, _ in one) for one in axes]
    size = tuple(max(t + c for _, t, c, _ in one) - t0 + e for one, t0, e in zip(axes, low, reach, strict=True))
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
        first = sum((s * t + r - p) * step for (r, t, _, _), s, p, step in zip(phase, geo.stride, geo.pad, steps, strict=True))
        passes.append(_plan(geo, size, taps, places, [0] * len(taps), 1, geo.O // geo.groups, geo.C // geo.groups,
                            tuple(c for _, _, c, _ in phase), tuple(s * t for s, t in zip(geo.stride, steps, strict=True)),
                            first, lanes))
    short = any(one.positions < one.shape[1] * lanes for one in passes)
    layout = Layout(size, front, numpy.zeros((1, 3), numpy.int64), math.prod(size),
                    any(front) or size != geo.out or short)
    return layout, tuple(passes), gaps


@functools.lru_cache(maxsize=512)
def weight_plan(geo: Geometry, lanes: int):
    """Layouts of cotangent and input, their offset tables, positions and tile of the weight gradient."""
    layout, one = forward_plan(geo, lanes)
    positions = -(-one.positions // lanes) * lanes
    last = int(one.offset.max()) + positions
    layout = layout._replace(copied=layout.copied or last > layout.plane * (geo.C // geo.groups))
    size = (geo.out[0], *layout.size[1:])
    plane = -(-math.prod(size) // lanes) * lanes
    rows, columns = geo.O // geo.groups, len(one.offset)
    M, V = min(tile.sizes(), key=lambda mv: -(-rows // mv[0]) * -(-columns // mv[1]) * _cycles(*mv))
    row = numpy.minimum(numpy.arange(-(-rows // M) * M), rows - 1) * plane
    column = one.offset[numpy.minimum(numpy.arange(-(-columns // V) * V), columns - 1)]
    cotangent = Layout(size, (0, 0, 0), numpy.zeros((1, 3), numpy.int64), plane,
                       size != geo.out or plane != math.prod(size))
    return cotangent, layout, row, numpy.ascontiguousarray(column), positions, (M, V)


def _call(name, n, grain, arguments, **bindings):
    """Pack the arguments and run the kernel over `[0, n)`."""
    packed = numpy.array([a.ctypes.data if isinstance(a, numpy.ndarray) else a for a in arguments], numpy.int64)
    build.run(library.get("conv." + name, **bindings), n, packed.ctypes.data, max(int(grain), 1))


def _packed(slot, x, layout, stride, T):
    """The images `x: (n, C, D, H, W)` in `layout`, with zeroed room behind for the last tile."""
    if not layout.copied:
        return x
    planes = x.shape[0] * x.shape[1]
    room = 1024
    target = scratch.take(slot, planes * layout.plane + room, x.dtype)
    target[planes * layout.plane:] = 0
    _call("pack", planes, (1 << 18) / layout.plane,
          (x, target, *x.shape[2:], *layout.size, *stride, *layout.front, len(layout.phases), layout.phases, layout.plane), T=T)
    return target


def _tiles(T, shape):
    return {"T": T, "M": str(shape[0]), "V": str(shape[1]), "LANES": str(tile.lanes(T))}


def _images(x, layout):
    """Images per chunk, so that their packed form stays within CHUNK."""
    return max(1, CHUNK // max(layout.plane * x.shape[1] * x.itemsize, 1)) if layout.copied else max(x.shape[0], 1)


def _run(x, source, one, weights, out, geo, inputs, outputs):
    """One pass over the packed images `source`; `inputs`, `outputs` are channels per group."""
    M, V = one.shape
    T, groups = out.dtype.name, geo.groups
    span = V * tile.lanes(T)
    K, blocks, L = len(one.offset), -(-outputs // M), one.positions
    per_image = x.size // max(x.shape[0], 1)
    # a segment's input should lie in half of the second-level cache, and its output in the staging buffer
    fit = min(1024, (1 << 19) // max(per_image // groups * x.itemsize // max(L, 1), 1))
    segments = -(-L // max(fit, 4 * span))
    each = -(-(-(-L // segments)) // span) * span
    segments = -(-L // each)
    items = out.shape[0] * groups * segments * blocks
    work = M * min(each, L) * K
    image = (x.size if source is x else len(source) - 1024) // max(x.shape[0], 1)
    _call("forward", items, GRAIN / max(work, 1),
          (source, weights, one.offset, out, groups, segments, each, blocks, L, K, outputs, image, image // groups,
           outputs * groups * math.prod(out.shape[2:]), math.prod(out.shape[2:]), *one.rows, *one.strides, one.first),
          **_tiles(T, one.shape))


def _weights(slot, w, one, outputs, inputs, groups, strides):
    M = one.shape[0]
    blocks = -(-outputs // M)
    target = scratch.take(slot, groups * blocks * inputs * len(one.taps) * M, w.dtype)
    _call("pack_weight", groups * blocks, (1 << 18) / max(inputs * len(one.taps) * M, 1),
          (w, target, outputs, blocks, inputs, len(one.taps), one.taps, *strides, M), T=w.dtype.name)
    return target


def forward(x, w, out, geo: Geometry):
    """`out[n, o] = sum_c,k x[n, c, ...] w[o, c, k]`; all C-contiguous, of one dtype, float32 or float64."""
    T = x.dtype.name
    if out.size == 0 or x.size == 0 or w.size == 0:
        out[...] = 0
        return out
    layout, one = forward_plan(geo._replace(N=0), tile.lanes(T))
    inputs, outputs, taps = geo.C // geo.groups, geo.O // geo.groups, math.prod(geo.kernel)
    weights = _weights("conv_w", w, one, outputs, inputs, geo.groups, (outputs * inputs * taps, inputs * taps, taps))
    x, y = x.reshape(geo.N, geo.C, *geo.size), out.reshape(geo.N, geo.O, *geo.out)
    step = _images(x, layout)
    for n in range(0, geo.N, step):
        part = x[n:n + step]
        _run(part, _packed("conv_x", part, layout, geo.stride, T), one, weights, y[n:n + step], geo, inputs, outputs)
    return out


def data_gradient(g, w, out, geo: Geometry):
    """Gradient of `forward` by its input: `out: (N, C, *size)` from `g: (N, O, *out)`."""
    T = g.dtype.name
    if out.size == 0 or g.size == 0 or w.size == 0:
        out[...] = 0
        return out
    layout, passes, gaps = data_plan(geo._replace(N=0), tile.lanes(T))
    if gaps:
        out[...] = 0
    inputs, outputs, taps = geo.O // geo.groups, geo.C // geo.groups, math.prod(geo.kernel)
    g, y = g.reshape(geo.N, geo.O, *geo.out), out.reshape(geo.N, geo.C, *geo.size)
    turned = [_weights(f"conv_w{i}", w, one, outputs, inputs, geo.groups, (outputs * inputs * taps, taps, outputs * taps))
              for i, one in enumerate(passes)]
    step = _images(g, layout)
    for n in range(0, geo.N, step):
        part = g[n:n + step]
        source = _packed("conv_x", part, layout, (1, 1, 1), T)
        for one, weights in zip(passes, turned, strict=True):
            _run(part, source, one, weights, y[n:n + step], geo, inputs, outputs)
    return out


def weight_gradient(g, x, out, geo: Geometry):
    """Gradient of `forward` by its weight: `out: (O, C / groups, *kernel)`.

    An infinite or NaN input element may make NaN of every tap of its channel, also of taps that never met it.
    """
    T = x.dtype.name
    if out.size == 0 or g.size == 0 or x.size == 0:
        out[...] = 0
        return out
    cotangent, layout, row, column, positions, (M, V) = weight_plan(geo._replace(N=0), tile.lanes(T))
    rows, columns = geo.O // geo.groups, math.prod(out.shape[1:])
    blocks, strips = -(-rows // M), -(-columns // V)
    items = geo.groups * blocks * strips
    x, g = x.reshape(geo.N, geo.C, *geo.size), g.reshape(geo.N, geo.O, *geo.out)
    image = (layout.plane * geo.C + cotangent.plane * geo.O) * x.itemsize
    step = max(1, CHUNK // image) if layout.copied or cotangent.copied else geo.N
    for n in range(0, geo.N, step):
        part = x[n:n + step]
        count = len(part)
        a = _packed("conv_g", g[n:n + step], cotangent, (1, 1, 1), T)
        b = _packed("conv_x", part, layout, geo.stride, T)
        each = max(1, PASS // image, -(-512 // positions))
        grain = max(-(-items // build.threads()), GRAIN / (M * V * positions * count))
        _call("weight", items, grain,
              (a, b, row, column, out, count, each, blocks, strips, positions, rows, columns,
               geo.O * cotangent.plane, rows * cotangent.plane, geo.C * layout.plane, geo.C // geo.groups * layout.plane,
               int(n > 0)), **_tiles(T, (M, V)))
    return out
