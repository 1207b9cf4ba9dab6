"""The first in order of arrays that threads share: NumPy's order, ties and NaN as of small arrays; rows taken."""

import numpy
import pytest

from numblocks import autograd, np, npx
from numblocks.kernels import few


@pytest.mark.parametrize("shape", [(127, 258), (129, 255), (200, 300), (3, 40, 200), (1, 20_000), (9000, 2)], ids=str)
@pytest.mark.parametrize("ascending", [False, True])
def test_topk(shape, ascending):
    assert 127 * 258 <= few.MANY < 129 * 255  # both sides of it are here
    x = numpy.random.default_rng(0).integers(-40, 40, shape).astype("float32")
    x.flat[::977] = numpy.nan
    for k in (1, 5, 40):
        values, places = npx.topk(np.array(x), k=k, ret_typ="both", is_ascend=ascending)
        keys = numpy.where(numpy.isnan(x), numpy.inf, x)
        order = numpy.argsort(keys if ascending else -keys, axis=-1, kind="stable")[..., :k]
        numpy.testing.assert_array_equal(places._data, order)
        numpy.testing.assert_array_equal(values._data, numpy.take_along_axis(x, order, -1))
    y = np.array(x).T
    found = npx.topk(y, axis=0, k=2, ret_typ="indices", is_ascend=ascending)
    numpy.testing.assert_array_equal(found._data, numpy.moveaxis(order[..., :2], -1, 0) if x.ndim == 2 else found._data)


def test_gradient():
    x = np.array(numpy.random.default_rng(1).standard_normal((150, 200)).astype("float32"))
    x.attach_grad()
    with autograd.record():
        y = npx.topk(x, k=3, ret_typ="value")
    y.backward()
    assert x.grad.sum() == 450 and ((x.grad._data == 1) == (x._data >= y._data[:, -1:])).all()


def test_rows_of_a_large_table():
    table = np.array(numpy.arange(300 * 400, dtype="float32").reshape(300, 400))
    for n in (1, 70, 500):
        index = numpy.random.default_rng(n).integers(-300, 300, n)
        i = np.array(index, dtype="int64")
        numpy.testing.assert_array_equal(np.take(table, i, axis=0)._data, table._data.take(index, 0))
        numpy.testing.assert_array_equal(np.take(table, i, axis=-1)._data, table._data.take(index, -1))
        wild = np.array(index * 3, dtype="int64")
        for mode in ("clip", "wrap"):
            numpy.testing.assert_array_equal(
                np.take(table, wild, axis=0, mode=mode)._data, table._data.take(index * 3, 0, mode=mode)
            )
    with pytest.raises(IndexError):
        np.take(table, np.array([300] * 80, dtype="int64"), axis=0)
    with pytest.raises(ValueError):
        np.take(table, np.array([3] * 80, dtype="int64"), axis=2)


def test_stacks_of_matrices():
    a, b = numpy.random.default_rng(2).standard_normal((2, 30, 40, 40)).astype("float32")
    numpy.testing.assert_allclose(npx.batch_dot(np.array(a), np.array(b))._data, a @ b, rtol=1e-4, atol=1e-4)
    x = np.array(a)
    x.attach_grad()
    with autograd.record():
        y = npx.batch_dot(x, np.array(b)).sum()
    y.backward()
    numpy.testing.assert_allclose(x.grad._data, numpy.ones_like(a) @ b.swapaxes(1, 2), rtol=1e-3, atol=1e-3)
    with pytest.raises(Exception, match="multiply"):
        npx.batch_dot(np.array(a), np.array(b[:, :7]))
