"""Order by packed numbers, and running sums eight rows at a time, against NumPy's stable and sequential ones."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.ops import scan, sorting

DTYPES = ["float32", "float16", "int32", "int16", "int8", "uint8", "uint16", "bool"]


@settings(deadline=None, max_examples=60)
@given(
    dtype=st.sampled_from(DTYPES),
    shape=st.sampled_from([(70, 80), (5000,), (9, 31, 20)]),
    axis=st.integers(-1, 0),
    descending=st.booleans(),
    first=st.sampled_from([None, 0, 1, 5, 60, 9000]),
    odd=st.booleans(),
    seed=st.integers(0, 99),
)
def test_packed_order_is_the_stable_one(dtype, shape, axis, descending, first, odd, seed):
    rng = numpy.random.default_rng(seed)
    x = rng.integers(-4, 5, shape).astype(dtype)  # many equal values
    if odd and x.dtype.kind == "f":
        x = numpy.where(x == 1, numpy.array(-0.0, x.dtype), x)
        x.flat[:6] = [numpy.nan, numpy.inf, -numpy.inf, -numpy.nan, numpy.nan, -numpy.inf]
    axis %= x.ndim
    assert x.size >= sorting.PACKED
    found = sorting.argsort.run(x, axis=axis, descending=descending, first=first)
    if descending:
        order = (
            x.shape[axis] - 1 - numpy.flip(numpy.argsort(numpy.flip(x, axis), axis=axis, kind="stable"), axis)
        )
    else:
        order = numpy.argsort(x, axis=axis, kind="stable")
    numpy.testing.assert_array_equal(
        found, order if first is None else numpy.take(order, range(min(first, x.shape[axis])), axis)
    )


@pytest.mark.parametrize("shape", [(2048, 40), (83, 301), (8, 4096), (3, 5, 1200), (40, 1, 1000)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_running_sums_add_in_order(shape, dtype):
    x = numpy.random.default_rng(0).standard_normal(shape).astype(dtype)
    want = numpy.cumsum(x, axis=-1)
    axis = len(shape) - 1
    numpy.testing.assert_array_equal(scan.cumsum.run(x, axis=axis), want)
    out = numpy.empty_like(x)
    assert scan.cumsum.run(x, axis=axis, out=out) is out
    numpy.testing.assert_array_equal(out, want)
    turned = numpy.asfortranarray(x)
    numpy.testing.assert_array_equal(scan.cumsum.run(turned, axis=axis), want)
