"""The short way through an op gives what the long way gives: values, dtypes, classes, places on the tape, errors."""

import itertools
import warnings

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numblocks import autograd, cpu, nd, np, npx, tape
from numblocks.array import wrap
from numblocks.op import REGISTRY, bind, current

DTYPES = ("float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool")
FILL = [[0, 1, 2], [3, 1, 5]]
ONE = sorted(op.name for op in REGISTRY.values() if op.kind == "elementwise" and op.nin == 1 and op.numpy is not None)
TWO = sorted(op.name for op in REGISTRY.values() if op.kind == "elementwise" and op.nin == 2 and op.numpy is not None)


def outcome(call):
    """What a call gives: data, dtype, class and whether it is on the tape, or the kind of its error."""
    try:
        y = call()
    except Exception as error:
        return type(error)
    return type(y), y.dtype, y.shape, y._data.tobytes(), type(y._node)


def same(op, args, spec=None):
    spec = spec or {}
    assert outcome(lambda: op(*args, **spec)) == outcome(lambda: bind(op, args, spec)), (op, args)


def operands():
    """Arrays of every dtype, small and 0-d, of both classes, on two devices, on the tape and off it; and numbers."""
    found = [wrap(numpy.array(FILL, d), cpu(0)) for d in DTYPES]
    found += [wrap(numpy.array(3, d), cpu(0)) for d in ("float32", "int64", "bool")]
    found += [nd.array(FILL), wrap(numpy.array(FILL, "float32"), cpu(1)), wrap(numpy.zeros((0, 3), "float32"), cpu(0))]
    found += [wrap(numpy.array([[numpy.nan, numpy.inf, -numpy.inf]], "float32"), cpu(0))]
    found += [2, 2.5, -1, True, numpy.float64(2)]
    tracked = np.array(FILL)
    tracked.attach_grad()
    return [*found, tracked]


@pytest.mark.parametrize("name", ONE)
def test_one_operand(name):
    for x in operands():
        if hasattr(x, "_data"):
            with autograd.record():
                same(REGISTRY[name], (x,))


@pytest.mark.parametrize("name", TWO)
def test_two_operands(name):
    for a, b in itertools.product(operands(), repeat=2):
        if hasattr(a, "_data") or hasattr(b, "_data"):
            with autograd.record():
                same(REGISTRY[name], (a, b))


def test_choice():
    conditions = [np.array(FILL) > 1, np.array(FILL), wrap(numpy.array(True), cpu(0))]
    for c, a, b in itertools.product(conditions, operands(), operands()):
        same(REGISTRY["where"], (c, a, b))


@pytest.mark.parametrize("symbol", "add sub mul truediv pow mod floordiv eq ne lt le gt ge".split())
def test_operators(symbol):
    names = {"sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power", "floordiv": "floor_divide",
             "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
             "ge": "greater_equal"}  # fmt: skip
    op = REGISTRY[names.get(symbol, symbol)]
    for a, b in itertools.product(operands(), repeat=2):
        if type(a) is np.ndarray and not (symbol == "pow" and type(b) in (int, float)):
            if isinstance(b, nd.NDArray):
                continue  # its own operator has the first word
            operator = getattr(a, f"__{symbol}__")
            assert outcome(lambda f=operator, b=b: f(b)) == outcome(lambda a=a, b=b: bind(op, (a, b), {}))
            if not hasattr(b, "_data") and hasattr(a, f"__r{symbol}__"):
                operator = getattr(a, f"__r{symbol}__")
                assert outcome(lambda f=operator, b=b: f(b)) == outcome(lambda a=a, b=b: bind(op, (b, a), {}))


@pytest.mark.parametrize("name", ["sum", "max", "min", "mean"])
def test_reductions(name):
    for x in operands():
        if hasattr(x, "_data"):
            for axis, keepdims in itertools.product([tuple(range(x.ndim)), (0,)][: 1 + (x.ndim > 0)], [False, True]):
                spec = {"axis": axis, "keepdims": keepdims}
                same(REGISTRY[name], (x,), spec)


def test_products():
    arrays = [x for x in operands() if hasattr(x, "_data") and x.ndim == 2]
    for a, b in itertools.product(arrays, repeat=2):
        long = outcome(lambda a=a, b=b: bind(REGISTRY["matmul"], (a, b.T), {}))
        assert outcome(lambda a=a, b=b: a @ b.T)[:3] == long[:3]
        assert isinstance(outcome(lambda a=a, b=b: a @ b), type) or b.shape[0] == 3


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from(["float32", "float64"]), st.randoms(use_true_random=False))
def test_rows_in_one_go(n, m, dtype, random):
    """Softmax and its logarithm as one function are their parts, up to rounding; the mean is to the bit."""
    x = np.array([[random.uniform(-50, 50) for _ in range(m)] for _ in range(n)], dtype=dtype)
    for name, axis in itertools.product(["softmax", "log_softmax"], [0, 1]):
        short, long = REGISTRY[name](x, axis=axis), bind(REGISTRY[name], (x,), {"axis": axis})
        assert short.dtype == long.dtype and type(short) is type(long)
        numpy.testing.assert_allclose(short.asnumpy(), long.asnumpy(), 4 * numpy.finfo(dtype).eps, 1e-37)
    same(REGISTRY["mean"], (x,), {"axis": (0, 1), "keepdims": False})


def test_nothing_warns():
    x = np.array([[numpy.inf, -numpy.inf, numpy.nan, 0.0, 3e38, -3e38]])
    y = np.array([[numpy.inf, numpy.inf, 0.0, 0.0, 3e38, 1.0]])
    before = numpy.geterr()
    with warnings.catch_warnings(), numpy.errstate(all="raise"):
        warnings.simplefilter("error")
        for f in (
            lambda: x - y, lambda: x * y, lambda: x / y, lambda: x @ y.T, lambda: x.sum(), lambda: np.exp(x * 9),
            lambda: x > y, lambda: 1.0 / y, lambda: npx.relu(x), lambda: npx.softmax(x), lambda: npx.log_softmax(x),
            lambda: x.max(1), lambda: np.maximum(x, y), lambda: np.where(x > 0, x, 0.0), lambda: x.mean(), lambda: -x,
            lambda: abs(x),
        ):  # fmt: skip
            f()
    assert numpy.geterr() == before


def test_unknown_operands():
    class Own:
        def __radd__(self, other):
            return "own"

        def __rmatmul__(self, other):
            return "own"

    assert np.ones((2, 2)) + Own() == "own" and np.ones((2, 2)) @ Own() == "own"
    with pytest.raises(TypeError):
        np.ones((2,)) + "1"
    with pytest.raises(TypeError):
        np.exp(np.ones((2,)), unknown=1)


def test_views_are_on_the_tape_where_they_should_be():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    x.attach_grad()
    assert x[0]._node is None and x.T._node is None  # nothing records
    with autograd.record():
        y = x[0, ::-1] * x.T[1] + x.reshape(4)[1:3] + x[..., None][1, :, 0]
        assert type(y._node) is tape.Step
        total = y.sum()
    total.backward()
    # y = (x01 x01 + x01 + x10, x00 x11 + x10 + x11), each with its share
    numpy.testing.assert_allclose(x.grad.asnumpy(), [[4.0, 2 * 2.0 + 1.0], [2.0, 1.0 + 1.0]])
    assert numpy.shares_memory(x[0]._data, x._data) and numpy.shares_memory(x.T._data, x._data)
    with pytest.raises(IndexError, match="array of shape"):
        x[5]


def test_linear_to_the_second_order():
    """Every second derivative of `linear`, against those of its parts."""
    rng = numpy.random.default_rng(0)
    values = [rng.standard_normal(s) for s in ((4, 3), (2, 3), (2,))]
    found = []
    for f in (REGISTRY["linear"], lambda x, w, b: x @ w.T + b):
        xs = [np.array(v) for v in values]
        for x in xs:
            x.attach_grad()
        with autograd.record():
            y = (f(*xs) ** 3).sum()
            first = autograd.grad(y, xs, create_graph=True)
            total = sum([(g**2).sum() for g in first])
        total.backward()
        found.append([x.grad.asnumpy() for x in xs])
    for a, b in zip(*found, strict=True):
        numpy.testing.assert_allclose(a, b, rtol=1e-10)


def test_records_nothing_off_the_tape():
    with autograd.record():
        y = np.ones((2,)) + np.ones((2,))
        z = np.exp(y).sum()
    assert y._node is None and z._node is None and current.record is None
