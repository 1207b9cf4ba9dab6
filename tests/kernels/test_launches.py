"""Launches that are worked out once: other arrays of the same shapes, scratch memory that moves, noting them down."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.kernels import build, convolve, convolve_launches, library, pooling, scratch
from numblocks.kernels.launches import Launches, Place

quick = settings(deadline=None, max_examples=20)


def folding(parts: int, size: int) -> Launches:
    """The sum of the rows of `(parts, size)`, twice: into scratch memory, and from there into the second operand."""
    made = Launches(2)
    kernel = library.get("conv.fold", T="float64")
    place = made.scratch("folded", size, "float64")
    made.add(kernel, size, 1e9, (Place(0), place, parts, size, 0))
    made.add(kernel, size, 1, (place, Place(1), 1, size, 0))
    return made


@quick
@given(st.integers(1, 5), st.integers(1, 400), st.integers(1, 3))
def test_any_arrays_of_the_shapes(parts, size, times):
    made = folding(parts, size)
    rng = numpy.random.default_rng(size)
    for _ in range(times):
        x, y = rng.standard_normal((parts, size)), numpy.full(size, numpy.nan)
        scratch.release()  # it lies elsewhere now
        made.run(x, y)
        assert numpy.allclose(y, x.sum(0))


def test_a_place_inside_an_operand():
    made = Launches(2)
    made.add(library.get("conv.fold", T="float64"), 3, 1, (Place(0, 16), Place(1, 8), 1, 3, 1))
    x, y = numpy.arange(6.0), numpy.ones(5)
    made.run(x, y)
    assert y.tolist() == [1, 3, 4, 5, 1]


def test_a_slot_is_as_large_as_the_largest_wish():
    made = Launches(1)
    assert made.scratch("wished", 10, "float32") == made.scratch("wished", 5, "float32") == Place(1)
    made.scratch("wished", 20, "float32")
    seen, before = [], scratch.watching
    try:
        scratch.watching = seen
        made.run(numpy.zeros(1))
    finally:
        scratch.watching = before
    assert [x.size for x in seen] == [1, 20]


@pytest.mark.parametrize("shape", [(2, 3, 12, 12), (1, 1, 6, 9)])
def test_one_plan_for_all_arrays_of_a_shape(shape):
    x, w = (numpy.random.default_rng(k).standard_normal(s) for k, s in enumerate((shape, (4, shape[1], 3, 3))))
    geo = convolve.geometry(x.shape, w.shape, (1, 1), (1, 1), (1, 1), 1)
    out = numpy.empty((geo.N, geo.O, *geo.out[1:]))
    convolve.forward(x, w, out, geo)
    before, found = convolve_launches.forward.cache_info().misses, build.cache_info().launches
    again = convolve.forward(x.copy(), 2 * w, numpy.empty_like(out), geo)
    assert convolve_launches.forward.cache_info().misses == before and build.cache_info().launches > found
    assert numpy.allclose(again, 2 * out)


def test_tables_are_told_to_who_writes_launches_down():
    win = pooling.windows((4, 4), (2, 2), (2, 2), (2, 2), (0, 0), "padded")
    x, y = numpy.ones((1, 1, 4, 4)), numpy.empty((1, 1, 2, 2))
    pooling.total(x, y, win)
    seen, before = [], scratch.watching
    try:
        scratch.watching = seen
        pooling.total(x, y, win)
    finally:
        scratch.watching = before
    assert len(seen) == 2 + 1 + 3  # operands, edges, a count for each axis
    assert y.tolist() == [[[[1, 1], [1, 1]]]]
