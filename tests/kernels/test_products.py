"""Products cut into pieces, batched, transposed, strided: what NumPy says."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.kernels import build, native, products


@pytest.fixture(autouse=True, scope="module")
def three_threads():
    before = build.threads()
    build.set_threads(3)
    yield
    build.set_threads(before)


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.tuples(*[st.sampled_from([1, 2, 15, 16, 17, 90, 130, 200])] * 3),
    lead=st.sampled_from([(), (), (3,), (2, 5), (4, 1)]),
    turned=st.tuples(st.booleans(), st.booleans()),
    gap=st.integers(0, 2),
    dtype=st.sampled_from(["float32", "float64"]),
    given_out=st.booleans(),
)
def test_equals_numpy(sizes, lead, turned, gap, dtype, given_out):
    m, n, k = sizes
    rng = numpy.random.default_rng(0)

    def operand(rows, columns, turn):
        shape = (columns, rows + gap) if turn else (rows, columns + gap)
        x = rng.standard_normal((*lead, *shape)).astype(dtype)
        x = x[..., : shape[1] - gap]
        return x.swapaxes(-1, -2) if turn else x

    a, b = operand(m, k, turned[0]), operand(k, n, turned[1])
    out = numpy.full((*lead, m, n), 7, dtype) if given_out else None
    small, products.SMALL = products.SMALL, 1  # everything goes our way
    shared, native.SHARED = native.SHARED, 1 << 12
    try:
        y = products.matmul(a, b, out)
    finally:
        products.SMALL, native.SHARED = small, shared
    assert out is None or y is out
    numpy.testing.assert_allclose(y, numpy.matmul(a, b), rtol=1e-3 if dtype == "float32" else 1e-10, atol=1e-4)


@pytest.mark.skipif(native.alone() is None, reason="NumPy's BLAS has no switch for its threads")
def test_numpy_keeps_its_threads():
    library, pattern, _ = native._blas()
    count = getattr(library, pattern.format("").replace("cblas_", "openblas_get_num_threads", 1))
    before = count()
    x = numpy.ones((400, 400), numpy.float32)
    assert products.matmul(x, x)[0, 0] == 400
    assert count() == before
