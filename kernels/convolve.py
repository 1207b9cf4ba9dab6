"""Convolution of NumPy arrays by the kernels of `cpu/conv.py`, a chunk of images at a time.

There is one way for all shapes. Against im2col and BLAS it needs no matrix of columns, keeps both threads
busy on small images, and its loop is as fast as BLAS on large ones.
"""

import functools
import math
from array import array

import numpy

from . import build, library, scratch, tile, workers
from .convolve_plan import Geometry, data_plan, forward_plan, geometry, weight_plan
from .scratch import NAMES, address

__all__ = ["data_gradient", "forward", "geometry", "weight_gradient"]

CHUNK = 16 << 20  # bytes of packed images at a time
PASS = 1 << 20  # bytes of images that one pass of the weight gradient should stay within
GRAIN = 1 << 18  # multiply-adds worth another thread that is awake: about 5 us
COPIED = 1 << 14  # elements copied that are
ROOM = 1024  # zeroed elements behind packed images: the last tile may reach beyond a short plane
_TAP = numpy.zeros(1, numpy.int64)
SEGMENT = 1024  # most positions of one work item; the kernel's staging buffer holds two tiles more


def _call(name, n, grain, arguments, grains=0.0, **bindings):
    """Pack the arguments (ints) and run the kernel over `[0, n)`; `grains` of work there are where `grain` hides it."""
    packed = array("q", arguments)
    kernel = library.get("conv." + name, **bindings)
    if grains >= workers.WORTH_WAKING and not build.interpreted():
        workers.call_up(build.load)
    build.run(kernel, n, packed.buffer_info()[0], max(int(grain), 1))


def _packed(slot, x, layout, stride, T):
    """The images `x: (n, C, D, H, W)` in `layout`, with zeroed room behind for the last tile."""
    if not layout.copied:
        return x
    planes = x.shape[0] * x.shape[1]
    target = scratch.take(slot, planes * layout.plane + ROOM, x.dtype)
    target[planes * layout.plane :] = 0
    _call(
        "pack",
        planes,
        COPIED / layout.plane,
        (
            address(x),
            address(target),
            *x.shape[2:],
            *layout.size,
            *stride,
            *layout.front,
            len(layout.phases),
            address(layout.phases),
            layout.plane,
        ),
        T=T,
    )
    return target


def _tiles(T, shape):
    return {"T": T, "M": str(shape[0]), "V": str(shape[1]), "LANES": str(tile.lanes(T))}


def _images(x, layout):
    """Images per chunk, so that their packed form stays within CHUNK."""
    return (
        max(1, CHUNK // max(layout.plane * x.shape[1] * x.itemsize, 1))
        if layout.copied
        else max(x.shape[0], 1)
    )


def _run(x, source, one, weights, out, geo, inputs, outputs, biases=None):
    """One pass over the packed images `source`; `inputs`, `outputs` are channels per group."""
    M, V = one.shape
    T, groups = NAMES[out.dtype], geo.groups
    span = V * tile.lanes(T)
    K, blocks, L = len(one.offset), -(-outputs // M), one.positions
    per_image = x.size // max(x.shape[0], 1)
    # a segment's input should lie in half of the second-level cache, and its output in the staging buffer
    fit = min(SEGMENT, (1 << 19) // max(per_image // groups * x.itemsize // max(L, 1), 1))
    segments = math.ceil(L / max(fit, 4 * span))
    each = math.ceil(math.ceil(L / segments) / span) * span
    segments = -(-L // each)
    items = out.shape[0] * groups * segments * blocks
    work = M * min(each, L) * K
    image = (x.size if source is x else len(source) - ROOM) // max(x.shape[0], 1)
    _call(
        "forward",
        items,
        GRAIN / max(work, 1),
        (
            address(source),
            address(weights),
            address(one.offset),
            address(out),
            groups,
            segments,
            each,
            blocks,
            L,
            K,
            outputs,
            image,
            image // groups,
            outputs * groups * math.prod(out.shape[2:]),
            math.prod(out.shape[2:]),
            *one.rows,
            *one.strides,
            one.first,
            0 if biases is None else address(biases),
            address(_ones(T)),
        ),
        **_tiles(T, one.shape),
    )


@functools.cache
def _ones(T):
    """What a bias is multiplied by: a row of the widest tile."""
    return numpy.ones(max(V for _, V in tile.sizes()) * tile.lanes(T), T)


def _biases(b, one, outputs, groups):
    """One for each row of the tiles, in the order of the packed weights: packed as weights of one tap each."""
    return _weights("conv_b", b, one._replace(taps=_TAP), outputs, 1, groups, (outputs, 1, 0))


def _weights(slot, w, one, outputs, inputs, groups, strides):
    M = one.shape[0]
    blocks = -(-outputs // M)
    target = scratch.take(slot, groups * blocks * inputs * len(one.taps) * M, w.dtype)
    _call(
        "pack_weight",
        groups * blocks,
        COPIED / max(inputs * len(one.taps) * M, 1),
        (address(w), address(target), outputs, blocks, inputs, len(one.taps), address(one.taps), *strides, M),
        T=NAMES[w.dtype],
    )
    return target


def forward(x, w, out, geo: Geometry, b=None):
    """`out[n, o] = sum_c,k x[n, c, ...] w[o, c, k] + b[o]`; all C-contiguous, of one dtype, float32 or float64."""
    T = NAMES[x.dtype]
    if out.size == 0 or x.size == 0 or w.size == 0:
        out[...] = 0 if b is None else b.reshape(-1, *(1,) * (out.ndim - 2))
        return out
    layout, one = forward_plan(geo._replace(N=0), tile.lanes(T))
    inputs, outputs, taps = geo.C // geo.groups, geo.O // geo.groups, math.prod(geo.kernel)
    weights = _weights(
        "conv_w", w, one, outputs, inputs, geo.groups, (outputs * inputs * taps, inputs * taps, taps)
    )
    biases = None if b is None else _biases(b, one, outputs, geo.groups)
    x, y = x.reshape(geo.N, geo.C, *geo.size), out.reshape(geo.N, geo.O, *geo.out)
    step = _images(x, layout)
    for n in range(0, geo.N, step):
        part = x[n : n + step]
        _run(
            part,
            _packed("conv_x", part, layout, geo.stride, T),
            one,
            weights,
            y[n : n + step],
            geo,
            inputs,
            outputs,
            biases,
        )
    return out


def data_gradient(g, w, out, geo: Geometry):
    """Gradient of `forward` by its input: `out: (N, C, *size)` from `g: (N, O, *out)`."""
    T = NAMES[g.dtype]
    if out.size == 0 or g.size == 0 or w.size == 0:
        out[...] = 0
        return out
    layout, passes, gaps = data_plan(geo._replace(N=0), tile.lanes(T))
    if gaps:
        out[...] = 0
    inputs, outputs, taps = geo.O // geo.groups, geo.C // geo.groups, math.prod(geo.kernel)
    g, y = g.reshape(geo.N, geo.O, *geo.out), out.reshape(geo.N, geo.C, *geo.size)
    turned = [
        _weights(
            f"conv_w{i}", w, one, outputs, inputs, geo.groups, (outputs * inputs * taps, taps, outputs * taps)
        )
        for i, one in enumerate(passes)
    ]
    step = _images(g, layout)
    for n in range(0, geo.N, step):
        part = g[n : n + step]
        source = _packed("conv_x", part, layout, (1, 1, 1), T)
        for one, weights in zip(passes, turned, strict=True):
            _run(part, source, one, weights, y[n : n + step], geo, inputs, outputs)
    return out


def weight_gradient(g, x, out, geo: Geometry):
    """Gradient of `forward` by its weight: `out: (O, C / groups, *kernel)`.

    An infinite or NaN input element may make NaN of every tap of its channel, also of taps that never met it.
    """
    T = NAMES[x.dtype]
    if out.size == 0 or g.size == 0 or x.size == 0:
        out[...] = 0
        return out
    plan = weight_plan(geo._replace(N=0), tile.lanes(T))
    (M, V), cotangent, layout = plan.shape, plan.cotangent, plan.input
    rows, columns = geo.O // geo.groups, math.prod(out.shape[1:])
    blocks, strips = -(-rows // M), -(-columns // V)
    items = geo.groups * blocks * strips
    x, g = x.reshape(geo.N, geo.C, *geo.size), g.reshape(geo.N, geo.O, *geo.out)
    image = (layout.plane * geo.C + cotangent.plane * geo.O) * x.itemsize
    step = max(1, CHUNK // image) if layout.copied or cotangent.copied else geo.N
    for n in range(0, geo.N, step):
        part = x[n : n + step]
        count = len(part)
        a = _packed("conv_g", g[n : n + step], cotangent, (1, 1, 1), T)
        b = _packed("conv_x", part, layout, geo.stride, T)
        each = max(1, PASS // image, -(-512 // plan.positions))
        work = M * V * plan.positions * count
        grain = max(items // build.threads(), GRAIN / work)  # each piece reads all images
        _call(
            "weight",
            items,
            grain,
            (
                address(a),
                address(b),
                address(plan.row),
                address(plan.column),
                address(out),
                count,
                each,
                blocks,
                strips,
                *plan.sizes,
                *plan.steps,
                rows,
                columns,
                geo.O * cotangent.plane,
                rows * cotangent.plane,
                geo.C * layout.plane,
                geo.C // geo.groups * layout.plane,
                int(n > 0),
            ),
            items * work / GRAIN,
            **_tiles(T, (M, V)),
        )
    return out
