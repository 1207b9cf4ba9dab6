"""What a convolution and its gradients launch: worked out once for a geometry, since it depends on nothing else.

Images are taken a chunk at a time, so that their packed form stays small.
"""

import functools
import math

import numpy

from . import library, tile
from .convolve_gradient_plan import spread_plan, weight_plan
from .convolve_plan import Geometry, data_plan, forward_plan
from .launches import Launches, Place

CHUNK = 16 << 20  # bytes of packed images at a time
PASS = 1 << 20  # bytes of images that one pass of the weight gradient should stay within
GRAIN = 1 << 18  # multiply-adds worth another thread that is awake: about 5 us
COPIED = 1 << 14  # elements copied that are
FEW = 16  # items of a weight gradient below which images are dealt out, too
PARTS = 4  # so many ways
ROOM = 1024  # zeroed elements behind packed images: the last tile may reach beyond a short plane
SEGMENT = 1024  # most positions of one work item; the kernel's staging buffer holds two tiles more
_START = numpy.zeros(1, numpy.int64)
KEPT = 512  # geometries whose launches are remembered, of each kind


def _kernel(name, T, shape=None):
    if shape is None:
        return library.get("conv." + name, T=T)
    return library.get("conv." + name, T=T, M=str(shape[0]), V=str(shape[1]), LANES=str(tile.lanes(T)))


def _item(T):
    return numpy.dtype(T).itemsize


def _packed(made, slot, x, images, channels, size, layout, stride, T) -> Place:
    """The images at `x` in `layout`, with zeroed room behind for the last tile."""
    if not layout.copied:
        return x
    planes = images * channels
    target = made.scratch(slot, planes * layout.plane + ROOM, T)
    phases = made.table(layout.phases)
    words = (x, target, *size, *layout.size, *stride, *layout.front, len(layout.phases), phases)
    made.add(_kernel("pack", T), planes, COPIED / layout.plane, (*words, layout.plane, planes, ROOM))
    return target


def _weights(made, slot, one, outputs, inputs, groups, strides, T, bias=0) -> Place | tuple[Place, Place]:
    """The weights, and the bias if there is one, as the tiles read them."""
    M, taps = one.shape[0], len(one.taps)
    blocks = -(-outputs // M)
    target = made.scratch(slot, groups * blocks * inputs * taps * M, T)
    biases = made.scratch("conv_b", groups * blocks * M, T) if bias else 0
    words = (Place(1), target, outputs, blocks, inputs, taps, made.table(one.taps), *strides, M, bias, biases)
    made.add(_kernel("pack_weight", T), groups * blocks, COPIED / max(inputs * taps * M, 1), words)
    return (target, biases) if bias else target


def _images(layout, channels, images, T) -> int:
    """Images per chunk, so that their packed form stays within CHUNK."""
    return max(1, CHUNK // max(layout.plane * channels * _item(T), 1)) if layout.copied else max(images, 1)


@functools.cache
def _ones(T):
    """What a bias is multiplied by: a row of the widest tile."""
    return numpy.ones(max(V for _, V in tile.sizes()) * tile.lanes(T), T)


def _add_forward(made, source, weights, target, images, one, groups, inputs, outputs, image, plane, T, biases=0):
    """One pass over images.

    Args:
        inputs, outputs: channels per group.
        image: elements of an image at `source`.
        plane: of an output channel.
    """
    M, V = one.shape
    span = V * tile.lanes(T)
    K, blocks, L = len(one.offset), -(-outputs // M), one.positions
    # a segment's input should lie in half of the second-level cache, and its output in the staging buffer
    fit = min(SEGMENT, (1 << 19) // max(image // groups * _item(T) // max(L, 1), 1))
    segments = math.ceil(L / max(fit, 4 * span))
    each = math.ceil(math.ceil(L / segments) / span) * span
    segments = -(-L // each)
    made.add(
        _kernel("forward", T, one.shape),
        images * groups * segments * blocks,
        GRAIN / max(M * min(each, L) * K, 1),
        (
            source,
            weights,
            made.table(one.offset),
            target,
            groups,
            segments,
            each,
            blocks,
            L,
            K,
            outputs,
            image,
            image // groups,
            outputs * groups * plane,
            plane,
            *one.rows,
            *one.strides,
            one.first,
            biases,
            made.table(_ones(T)),
        ),
    )


@functools.lru_cache(maxsize=KEPT)
def forward(geo: Geometry, T, biased: bool) -> Launches:
    """Of operands x, w, out, and the bias if there is one."""
    made = Launches(3 + biased)
    layout, one = forward_plan(geo._replace(N=0), tile.lanes(T))
    inputs, outputs, taps = geo.C // geo.groups, geo.O // geo.groups, math.prod(geo.kernel)
    strides = (outputs * inputs * taps, inputs * taps, taps)
    weights = _weights(made, "conv_w", one, outputs, inputs, geo.groups, strides, T, Place(3) if biased else 0)
    weights, biases = weights if biased else (weights, 0)
    own, plane, step = geo.C * math.prod(geo.size), math.prod(geo.out), _images(layout, geo.C, geo.N, T)
    image = geo.C * layout.plane if layout.copied else own
    for n in range(0, geo.N, step):
        count = min(step, geo.N - n)
        source = _packed(made, "conv_x", Place(0, n * own * _item(T)), count, geo.C, geo.size, layout, geo.stride, T)
        target = Place(2, n * geo.O * plane * _item(T))
        _add_forward(made, source, weights, target, count, one, geo.groups, inputs, outputs, image, plane, T, biases)
    return made


@functools.lru_cache(maxsize=KEPT)
def data(geo: Geometry, T) -> tuple[Launches, bool]:
    """Of operands g, w, out; and whether some elements of out are left as they were, to be 0."""
    made = Launches(3)
    plan = spread_plan(geo._replace(N=0), tile.lanes(T), SEGMENT)
    if plan is not None:
        _add_spread(made, geo, plan, T)
        return made, False
    layout, passes, gaps = data_plan(geo._replace(N=0), tile.lanes(T))
    inputs, outputs, taps = geo.O // geo.groups, geo.C // geo.groups, math.prod(geo.kernel)
    strides = (outputs * inputs * taps, taps, outputs * taps)
    turned = [
        _weights(made, f"conv_w{i}", one, outputs, inputs, geo.groups, strides, T) for i, one in enumerate(passes)
    ]
    own, plane, step = geo.O * math.prod(geo.out), math.prod(geo.size), _images(layout, geo.O, geo.N, T)
    image = geo.O * layout.plane if layout.copied else own
    for n in range(0, geo.N, step):
        count = min(step, geo.N - n)
        source = _packed(made, "conv_x", Place(0, n * own * _item(T)), count, geo.O, geo.out, layout, (1, 1, 1), T)
        target = Place(2, n * geo.C * plane * _item(T))
        for one, weights in zip(passes, turned, strict=True):
            _add_forward(made, source, weights, target, count, one, geo.groups, inputs, outputs, image, plane, T)
    return made, gaps


def _add_spread(made, geo, plan, T) -> None:
    inputs, outputs, taps = geo.C // geo.groups, geo.O // geo.groups, math.prod(geo.kernel)
    M, V = plan.shape
    blocks = -(-inputs // M)
    weights = made.scratch("conv_w", geo.groups * blocks * taps * outputs * M, T)
    words = (inputs, blocks, taps, outputs, made.table(plan.outputs), outputs * inputs * taps, taps, 1, M, 0, 0)
    many = COPIED / (taps * outputs * M)
    made.add(_kernel("pack_weight", T), geo.groups * blocks, many, (Place(1), weights, *words))
    own, plane, step = geo.O * math.prod(geo.out), math.prod(geo.size), _images(plan.cotangent, geo.O, geo.N, T)
    for n in range(0, geo.N, step):
        count = min(step, geo.N - n)
        first = Place(0, n * own * _item(T))
        made.add(
            _kernel("spread", T, plan.shape),
            count * geo.groups * blocks,
            GRAIN / (M * plan.places * taps * outputs),
            (
                _packed(made, "conv_x", first, count, geo.O, geo.out, plan.cotangent, (1, 1, 1), T),
                weights,
                made.table(plan.offset),
                Place(2, n * geo.C * plane * _item(T)),
                geo.groups,
                blocks,
                taps,
                outputs,
                inputs,
                plan.places,
                plan.cotangent.plane,
                plan.reach,
                *geo.size,
                *plan.steps,
            ),
        )


@functools.lru_cache(maxsize=KEPT)
def weight(geo: Geometry, T, threads: int, biased: bool) -> Launches:
    """Of operands g, x, out, and the gradient of the bias if that is wanted."""
    made = Launches(3 + biased)
    plan = weight_plan(geo._replace(N=0), tile.lanes(T))
    (M, V), cotangent, layout = plan.shape, plan.cotangent, plan.input
    rows, columns = geo.O // geo.groups, geo.C // geo.groups * math.prod(geo.kernel)
    blocks, strips = -(-rows // M), -(-columns // V)
    items = geo.groups * blocks * strips
    image = (layout.plane * geo.C + cotangent.plane * geo.O) * _item(T)
    step = max(1, CHUNK // image) if layout.copied or cotangent.copied else geo.N
    own = [k * math.prod(size) * _item(T) for k, size in ((geo.O, geo.out), (geo.C, geo.size))]
    totals = [(Place(2), geo.O * columns)] + [(Place(3), geo.O)] * biased
    for n in range(0, geo.N, step):
        count = min(step, geo.N - n)
        a = _packed(made, "conv_g", Place(0, n * own[0]), count, geo.O, geo.out, cotangent, (1, 1, 1), T)
        b = _packed(made, "conv_x", Place(1, n * own[1]), count, geo.C, geo.size, layout, geo.stride, T)
        parts = 1 if items >= FEW else min(count, PARTS)
        work = M * V * plan.positions * count
        sums = [place for place, _ in totals]
        if parts > 1:
            sums = [made.scratch(f"conv_s{k}", parts * size, T) for k, (_, size) in enumerate(totals)]
        made.add(
            _kernel("weight", T, plan.shape),
            items * parts,
            max(items * parts // threads, GRAIN * parts / work),  # each piece reads all images of its parts
            (
                a,
                b,
                made.table(plan.row),
                made.table(plan.column),
                sums[0],
                count,
                max(1, PASS // image, -(-512 // plan.positions)),
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
                int(n > 0 and parts == 1),
                sums[1] if biased else 0,
                made.table(_ones(T)),
                made.table(_START),
                parts,
                geo.groups,
            ),
            items * work / GRAIN,
        )
        if parts > 1:
            for source, (target, size) in zip(sums, totals, strict=True):
                made.add(_kernel("fold", T), size, COPIED, (source, target, parts, size, int(n > 0)))
    return made
