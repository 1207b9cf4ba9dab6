"""The operators and methods of ndarray: promotion, reflected and in-place forms, conversions, NumPy's protocols."""

import copy
import operator
import pickle

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import broadcastable, generator, values

from numblocks import cpu, gpu, nd, np
from numblocks.errors import MXNetError

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod, operator.floordiv, operator.pow]
COMPARE = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
DTYPES = ["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"]


def promoted(a, b, division=False):
    """The table of numblocks/dtype.py, said again."""
    a, b = numpy.dtype(a), numpy.dtype(b)
    floats = [d for d in (a, b) if d.kind == "f"]
    if floats:
        return max(floats, key=lambda d: d.itemsize)
    return numpy.dtype("float32") if division else numpy.promote_types(a, b)


@pytest.mark.parametrize("op", [*BINARY[:4], *COMPARE])
@given(st.data())
def test_binary_against_numpy(op, data):
    kinds = [d for d in DTYPES if not (op is operator.sub and d == "bool")]
    da, db = data.draw(st.sampled_from(kinds)), data.draw(st.sampled_from(kinds))
    rng, shapes = generator(data.draw), data.draw(broadcastable(2))
    a, b = (values(rng, s, (1, 4), d) for s, d in zip(shapes, (da, db), strict=True))
    if op is operator.truediv and b.dtype.kind == "b":
        b = numpy.ones_like(b)
    y = op(np.array(a), np.array(b))
    common = promoted(da, db, op is operator.truediv)
    assert y.dtype == (bool if op in COMPARE else common)
    wanted = numpy.asarray(op(numpy.asarray(a, common), numpy.asarray(b, common)))
    assert y.shape == wanted.shape
    numpy.testing.assert_allclose(
        y.asnumpy().astype("f8"), wanted.astype("f8"), rtol=1e-3 if "16" in common.name else 1e-6
    )


SCALARS = [
    ("float32", 2, "float32"),
    ("float32", 2.5, "float32"),
    ("float32", True, "float32"),
    ("float64", 2.5, "float64"),
    ("int32", 2, "int32"),
    ("int32", 2.5, "float32"),
    ("int8", 2, "int8"),
    ("int64", 2.5, "float32"),
    ("bool", 2, "int64"),
    ("bool", 2.5, "float32"),
    ("float16", 2.5, "float16"),
]


@pytest.mark.parametrize(("dtype", "scalar", "wanted"), SCALARS)
def test_python_numbers_are_weak(dtype, scalar, wanted):
    x = np.array([1, 2], dtype=dtype)
    for y in (x + scalar, scalar + x, x * scalar, np.maximum(x, scalar)):
        assert y.dtype == wanted


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_reflected_and_in_place(op, dtype):
    a = numpy.array([1, 2, 3], dtype)
    x = np.array(a)
    result = "float32" if op is operator.truediv else dtype
    for y, wanted in ((op(x, 2), op(a, 2)), (op(2, x), op(2, a)), (op(x, x), op(a, a))):
        assert y.dtype == result and numpy.allclose(y.asnumpy(), wanted.astype(result))
    same = x
    inplace = getattr(operator, "i" + op.__name__.strip("_"))
    x = inplace(x, 2)
    assert x is same and x.dtype == dtype and numpy.allclose(x.asnumpy(), op(a, 2).astype(dtype))


def test_in_place_keeps_the_shape():
    x = np.ones((2,))
    with pytest.raises(ValueError, match="shape"):
        x += np.ones((3, 2))


@pytest.mark.parametrize("power", [-1, 0, 0.5, 1, 2, 3, 2.5])
def test_powers(power):
    a = numpy.array([0.5, 1, 4], "f4")
    y = np.array(a) ** power
    assert y.dtype == "float32" and numpy.allclose(y.asnumpy(), a**power)


def test_unary_and_logic():
    x = np.array([-1.0, 2.0])
    assert (-x).tolist() == [1, -2] and abs(x).tolist() == [1, 2] and (+x).tolist() == [-1, 2]
    assert (~(x > 0)).tolist() == [True, False]
    i = np.array([5, 6], dtype="int32")
    assert (
        (i & 3).tolist() == [1, 2]
        and (i | 8).tolist() == [13, 14]
        and (i ^ 1).tolist() == [4, 7]
        and (~i).tolist() == [-6, -7]
    )
    assert ((x > 0) & (x < 3)).tolist() == [False, True]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (5, 3, 2)),
        ((5, 2, 3), (3, 2)),
        ((3,), (5, 3, 2)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
    ],
)
def test_matmul(a, b):
    rng = numpy.random.default_rng(0)
    x, w = rng.standard_normal(a), rng.standard_normal(b)
    assert (
        numpy.allclose((np.array(x) @ np.array(w)).asnumpy(), x @ w)
        and (np.array(x) @ np.array(w)).shape == (x @ w).shape
    )
    assert numpy.allclose(np.dot(np.array(x), np.array(w)).asnumpy(), numpy.dot(x, w))


def test_foreign_operands():
    x = np.ones((2,))
    for bad in ("a", [1, 2], None, object()):
        with pytest.raises(TypeError):
            x + bad
        with pytest.raises(TypeError):
            bad - x
    assert (x == None) is False or not (x == "a")  # noqa: E711  as Python's own objects answer
    with pytest.raises(MXNetError, match=r"broadcast together with shapes \(2,\) \(3,\)"):
        x + np.ones((3,))


def test_numpy_operands():
    x, a = np.ones((2,)), numpy.array([1.0, 2.0], "f4")
    for y in (x + a, a + x, x + numpy.float32(2), numpy.float32(2) + x, numpy.multiply(x, 2), numpy.add(a, x)):
        assert type(y) is type(x)
    assert (a + x).tolist() == [2, 3] and numpy.tanh(x).tolist() == np.tanh(x).tolist()


def test_conversions():
    x = np.array([[1.5]])
    assert (
        float(x) == 1.5 and int(x) == 1 and bool(x) and x.item() == 1.5 and x.asscalar() == 1.5 and f"{x:.2f}" == "1.50"
    )
    assert [1, 2, 3][np.array(1, dtype="int64")] == 2
    y = np.ones((2,))
    for bad in (float, int, lambda y: y.item(), lambda y: y.asscalar(), bool):
        with pytest.raises((TypeError, ValueError)):
            bad(y)
    with pytest.raises(TypeError):
        [1, 2][np.array(1.0)]


def test_values_out():
    x = np.array([1.0, 2.0])
    a = x.asnumpy()
    a[0] = 9
    assert x.tolist() == [1, 2] and numpy.asarray(x).dtype == "float32" and numpy.array(x, "f8").dtype == "float64"


@pytest.mark.parametrize("cls", [np, nd])
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)), lambda x: x.copy()])
def test_copies(how, cls):
    x = cls.array([[1.0, 2.0]])
    y = how(x)
    y[0, 0] = 7
    assert x[0, 0].item() == 1 and type(y) is type(x) and y.ctx is x.ctx and y.dtype == x.dtype


def test_casts():
    x = np.array([1.7, -1.7])
    assert (
        x.astype("int32").tolist() == [1, -1]
        and x.astype("bool").dtype == bool
        and x.astype(numpy.float64).dtype == "float64"
    )
    assert x.astype("float32", copy=False) is x and x.astype("float32") is not x
    for bad in ("float12", "complex64", object):
        with pytest.raises(TypeError, match="not supported"):
            x.astype(bad)


def test_devices():
    x = np.ones((2,), ctx=cpu(0))
    y = x.as_in_ctx(cpu(1))
    assert y.ctx is cpu(1) and x.as_in_ctx(cpu(0)) is x and x.copyto(cpu(1)).ctx is cpu(1)
    with pytest.raises(MXNetError, match="gpu"):
        x.as_in_ctx(gpu(64))
    with pytest.raises(MXNetError, match="gpu"):
        np.ones((2,), ctx=gpu(65))
    z = np.zeros((2,))
    assert x.copyto(z) is z and z.tolist() == [1, 1]
    with pytest.raises(ValueError, match="shapes"):
        x.copyto(np.zeros((3,)))


def test_shapes_of_methods():
    x = np.array(numpy.arange(24.0).reshape(2, 3, 4))
    assert x.reshape(4, -1).shape == (4, 6) and x.reshape((6, 4)).shape == (6, 4) and x.T.shape == (4, 3, 2)
    assert (
        x.transpose(1, 0, 2).shape == (3, 2, 4) and x.flatten().shape == (24,) and x.swapaxes(0, 2).shape == (4, 3, 2)
    )
    assert (
        x.sum().shape == () and x.sum(axis=(0, 2)).shape == (3,) and x.mean(axis=-1, keepdims=True).shape == (2, 3, 1)
    )
    assert x.expand_dims(1).shape == (2, 1, 3, 4) and x[:, :1].squeeze(1).shape == (2, 4)
    with pytest.raises(MXNetError, match="24 elements"):
        x.reshape(5, 5)
    with pytest.raises(ValueError, match="axis 3"):
        x.sum(axis=3)
    with pytest.raises(ValueError, match="twice"):
        x.sum(axis=(0, 0))


@given(st.data())
def test_printing_shows_values_and_shape(data):
    x = values(generator(data.draw), data.draw(broadcastable(1))[0])
    text = repr(np.array(x.astype("f4")))
    assert text.startswith("array(") and "Traceback" not in text


def test_hash_and_identity():
    x = np.ones((2,))
    assert hash(x) == hash(x) and x in [x] and {x: 1}[x] == 1
