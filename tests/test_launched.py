"""Medium arrays, by a launch decided in advance: values, dtypes, places on the tape are those of the long way."""

import numpy
import pytest

from numblocks import autograd, cpu, nd, np, npx
from numblocks.array import wrap
from numblocks.eager import small_for
from numblocks.kernels import build
from numblocks.op import REGISTRY, bind

OPS = sorted(op.name for op in REGISTRY.values() if op.kind == "elementwise" and op.scalar is not None)


@pytest.fixture(autouse=True, scope="module")
def two_threads():
    old = build.threads()
    build.set_threads(2)
    yield
    build.set_threads(old)


def draw(op, k, shape, dtype, seed=0):
    """Values in the domain of argument `k`, with NaN, infinities and zeros of both signs among them."""
    low, high = op.domain[k] if isinstance(op.domain[0], tuple) else op.domain
    x = numpy.random.default_rng(seed + k).uniform(low, high, shape).astype(dtype)
    if op.result == "where" and k == 0:
        return x > 0
    if x.size > 40:
        x.reshape(-1)[7:40:6] = [numpy.nan, numpy.inf, -numpy.inf, 0.0, -0.0, 1.0]
    return x


def outcome(call):
    try:
        y = call()
    except Exception as error:
        return type(error)
    return type(y), y.dtype, y.shape, y._data.tobytes(), type(y._node)


def same(op, args):
    with autograd.record():
        assert outcome(lambda: op(*args)) == outcome(lambda: bind(op, args, {})), (op, args)


def arrays(op, shape, dtype="float32", cls=np.ndarray):
    found = [wrap(draw(op, k, shape, dtype), cpu(0), cls) for k in range(op.nin)]
    if op.vjp is not None:
        found[-1].attach_grad()
    return found


@pytest.mark.parametrize("name", OPS)
def test_both_sides_of_the_threshold(name):
    op = REGISTRY[name]
    for size in (small_for(op) - 1, small_for(op), small_for(op) + 1, 40_000):
        same(op, arrays(op, (size,)))
    same(op, arrays(op, (100, 101), "float64"))


@pytest.mark.parametrize("name", ["add", "exp", "less", "maximum", "where", "clip", "sign", "power", "leaky_relu"])
def test_what_does_not_fit_goes_the_long_way(name):
    op = REGISTRY[name]
    shape = (130, 140)
    same(op, [wrap(x._data[::2, ::3], cpu(0)) for x in arrays(op, (260, 420))])
    same(op, [wrap(x._data.T, cpu(0)) for x in arrays(op, shape)])
    same(op, arrays(op, shape, cls=nd.NDArray))
    same(op, arrays(op, shape, "float16"))
    whole = [numpy.nan_to_num(x._data, posinf=9) for x in arrays(op, shape)]
    same(op, [wrap(x.astype(x.dtype if x.dtype == bool else "int32"), cpu(0)) for x in whole])
    same(op, arrays(op, (0, 9000)))
    same(op, arrays(op, ()))
    if op.nin > 1:
        x, *rest = arrays(op, shape)
        for other in (2.5, 2, True, 10**400, numpy.float64(0.5)):
            same(op, [x, *[other] * len(rest)])
        if op.result != "where":
            same(op, [2.5, *rest])
        same(op, [x, *[wrap(r._data.astype("float64"), cpu(0)) for r in rest]])
        same(op, [x, *[wrap(r._data, cpu(1)) for r in rest]])
        same(op, [x, *[wrap(r._data[:1], cpu(0)) for r in rest]])
        same(op, [x, *[wrap(r._data[:, :1], cpu(0)) for r in rest]])
        same(op, [x, *[wrap(r._data[0], cpu(0)) for r in rest]])
        same(op, [x, *[wrap(r._data[:, :3], cpu(0)) for r in rest]])  # an error


@pytest.mark.parametrize("shapes", [((150, 100), (100,)), ((150, 1), (1, 100)), ((5, 1, 90), (30, 90)), ((9000,), ())])
def test_pairs_that_broadcast(shapes):
    op = REGISTRY["subtract"]
    for _ in range(2):
        a, b = (wrap(draw(op, k, s, "float32"), cpu(0)) for k, s in enumerate(shapes))
        same(op, (a, b))
        same(op, (b, a))
        with numpy.errstate(all="ignore"):
            numpy.testing.assert_array_equal((a - b)._data, a._data - b._data)


def test_numbers_on_the_left():
    x = np.array(numpy.random.default_rng(1).uniform(1, 2, 20_000).astype("float32"))
    x.attach_grad()
    with autograd.record():
        y = (2 - x) / (3.0 / x)
    y.backward()
    numpy.testing.assert_allclose(y._data, (2 - x._data) * x._data / 3, rtol=1e-6)
    numpy.testing.assert_allclose(x.grad._data, (2 - 2 * x._data) / 3, rtol=1e-5, atol=1e-6)


def test_long_loops_leave_the_interpreter_to_others():
    x = np.array(numpy.ones((2000, 1500), "float32"))
    numpy.testing.assert_array_equal(npx.relu(x - 2.0)._data, 0)
    numpy.testing.assert_array_equal((x + x)._data, 2)
