"""Plans of a convolution's gradients that are no convolutions: the input's added up tap by tap, and the weight's."""

import functools
import math
from typing import NamedTuple

import numpy

from . import tile
from .convolve_plan import Geometry, Layout, cycles, data_plan, every_tap, forward_plan


class Spread(NamedTuple):
    """How the gradient of the input is added up tap by tap."""

    cotangent: Layout
    outputs: numpy.ndarray  # offset of each output channel in the weights
    offset: numpy.ndarray  # of each tap in the padded input
    places: int  # of a channel of the cotangent, in whole tiles
    reach: int  # elements of the padded input
    steps: tuple[int, ...]  # of planes and rows of the padded input, and where the input begins in it
    shape: tuple[int, int]  # M, V


PACKING = 30  # multiply-adds that packing an element takes as long as
ROW = 0.75  # vectors that beginning a row takes as long as
ADDING = 4  # multiply-adds that adding to memory takes as long as


@functools.lru_cache(maxsize=512)
def spread_plan(geo: Geometry, lanes: int, room: int) -> Spread | None:
    """How to add the gradient of the input up tap by tap; None where that takes longer than `data_plan`.

    Args:
        room: elements of one channel of the padded input that may be reached.
    """
    if set(geo.stride) != {1}:
        return None
    OD, OH, OW = geo.out
    FD, FH, FW = (n + 2 * p for n, p in zip(geo.size, geo.pad, strict=True))
    taps, rows, inner = math.prod(geo.kernel), geo.C // geo.groups, geo.O // geo.groups
    used = ((OD - 1) * FH + OH - 1) * FW + OW

    def effort(mv):
        M, V = mv
        tiles = -(-rows // M) * -(-used // (V * lanes))
        return tiles * taps * (inner * cycles(M, V) + ADDING * M * V / 2)

    shape = min(((M, V) for M, most in tile.sizes() for V in (most, most - 1) if V), key=effort)
    span = shape[1] * lanes
    places = -(-used // span) * span
    packed = (OD, FH if OD > 1 else OH, FW)
    plane = max(math.prod(packed), places)
    offset = numpy.array([sum(k * d * s for k, d, s in zip(tap, geo.dilate, (FH * FW, FW, 1), strict=True))
                          for tap in every_tap(geo.kernel)], numpy.int64)  # fmt: skip
    reach = max(int(offset.max()) + places, FD * FH * FW)
    layout, passes, _ = data_plan(geo, lanes)
    (one,) = passes
    M, V = one.shape
    tiles = -(-rows // M) * -(-one.positions // (V * lanes))
    other = tiles * taps * inner * cycles(M, V) + inner * math.prod(layout.size) * layout.copied * PACKING / lanes / 2
    if reach > room or effort(shape) + inner * plane * PACKING / lanes / 2 >= other:
        return None
    cotangent = Layout(packed, (0, 0, 0), numpy.zeros((1, 3), numpy.int64), plane, True)
    begin = (geo.pad[0] * FH + geo.pad[1]) * FW + geo.pad[2]
    outputs = numpy.arange(inner, dtype=numpy.int64) * (rows * taps)
    return Spread(cotangent, outputs, offset, places, reach, (FH * FW, FW, begin), shape)


class Correlation(NamedTuple):
    """How the gradient of the weight reads cotangent and input: row by row, or packed as one long row."""

    cotangent: Layout
    input: Layout
    row: numpy.ndarray  # offset of each output channel
    column: numpy.ndarray  # offset of each (channel, tap)
    sizes: tuple[int, ...]  # planes, rows and elements of a row
    steps: tuple[int, ...]  # of planes and rows, of the cotangent, then of the input
    shape: tuple[int, int]  # M, V

    @property
    def positions(self) -> int:
        """Elements of one channel of the cotangent that are read."""
        return math.prod(self.sizes)


@functools.lru_cache(maxsize=512)
def weight_plan(geo: Geometry, lanes: int) -> Correlation:
    """How to read cotangent and input, and the tile of the weight gradient.

    The rows of the cotangent are cut into vectors, of which the last is short; or they are packed as wide as the
    input's rows, which makes one long row of all. That is less to multiply where rows are short, and more to copy.
    """
    layout, one = forward_plan(geo, lanes)
    rows, columns = geo.O // geo.groups, len(one.offset)
    M, V = min(tile.sizes(), key=lambda mv: -(-rows // mv[0]) * -(-columns // mv[1]) * cycles(*mv))
    positions = -(-one.positions // lanes) * lanes
    OD, OH, OW = geo.out
    _, TH, TW = layout.size
    by_rows = OD * OH * (-(-OW // lanes) + ROW) * lanes
    if by_rows * columns <= positions * (columns + PACKING):
        moved = layout.size != geo.size or any(geo.pad) or set(geo.stride) != {1}
        layout = layout._replace(copied=moved)
        plane, packed = OD * OH * OW, geo.out
        sizes, steps = geo.out, (OH * OW, OW, TH * TW, TW)
    else:
        last = int(one.offset.max()) + positions
        layout = layout._replace(copied=layout.copied or last > layout.plane * (geo.C // geo.groups))
        packed = (OD, TH, TW)
        plane = -(-math.prod(packed) // lanes) * lanes
        sizes, steps = (1, 1, positions), (0, 0, 0, 0)
    row = numpy.minimum(numpy.arange(-(-rows // M) * M), rows - 1) * plane
    column = one.offset[numpy.minimum(numpy.arange(-(-columns // V) * V), columns - 1)]
    copied = packed != geo.out or plane != math.prod(packed)
    cotangent = Layout(packed, (0, 0, 0), numpy.zeros((1, 3), numpy.int64), plane, copied)
    return Correlation(cotangent, layout, row, numpy.ascontiguousarray(column), sizes, steps, (M, V))
