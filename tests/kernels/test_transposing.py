"""The transposing kernel: any shape, strided rows, and nothing written beside the target."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import gluon, np
from numblocks.kernels import native, prelude, tile, transposing
from numblocks.kernels.cpu import move as plain


@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(0, 40),
    columns=st.integers(0, 40),
    gaps=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_transpose(rows, columns, gaps, dtype):
    x = numpy.arange(rows * (columns + gaps[0]), dtype=dtype).reshape(rows, -1 if rows else columns)[:, :columns]
    room = numpy.full((columns + 1, rows + gaps[1]), -1, dtype)
    transposing.transpose(x, room[:columns, :rows])
    want = numpy.full_like(room, -1)
    want[:columns, :rows] = x.T
    numpy.testing.assert_array_equal(room, want)


def test_the_same_in_plain_python():
    x, y = numpy.arange(12.0, dtype="float32").reshape(3, 4), numpy.zeros((4, 3), "float32")
    packed = numpy.array([x.ctypes.data, y.ctypes.data, 3, 4, 4, 3])
    plain.transpose(0, 1, prelude.pointer(packed.ctypes.data, prelude.int64))
    numpy.testing.assert_array_equal(y, x.T)
    assert plain.LANES == tile.lanes("float32")


@pytest.mark.parametrize("n", [64, 128])
def test_a_layer_that_transposes_its_weight_first_is_right(n):
    assert native.transpose_first(48, n, 64, numpy.dtype("float32"))
    net = gluon.nn.Dense(n, in_units=64)
    net.initialize()
    rng = numpy.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype("float32") for s in ((48, 64), (n, 64)))
    net.weight.set_data(np.array(w))
    net.hybridize()
    for scale in (1, 2):  # the copy follows the weight
        net.weight.set_data(np.array(scale * w))
        want = x.astype("float64") @ (scale * w.astype("float64")).T
        numpy.testing.assert_allclose(net(np.array(x)).asnumpy(), want, rtol=1e-4, atol=1e-4)
