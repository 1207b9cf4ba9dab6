"""What the public functions give by the short ways of `shortcut.arrays` they give by the long ways, too."""

import contextlib
import warnings

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, cpu, nd, np, npx
from numblocks.array import ndarray, wrap
from numblocks.op import REGISTRY
from numblocks.shortcut import concrete

DTYPES = ("float32", "float64", "float32", "float16", "int64", "int32", "uint8", "bool")
VALUES = (0.0, -0.0, 1.0, -1.0, 2.0, 2.0, 3.5, -7.25, 100.0, numpy.inf, -numpy.inf, numpy.nan)
AXES = st.sampled_from([0, 1, 2, -1, -2, 0, -1, 3, -4, None, True, 1.0, numpy.int64(1), (0,), "0"])


@contextlib.contextmanager
def long_ways():
    concrete.enable(False)
    try:
        yield
    finally:
        concrete.enable(True)


@st.composite
def arrays(draw, dtypes=DTYPES, shape=None, values=VALUES):
    """Of few elements, in any layout, of both classes, on two devices, some tracked."""
    shape = draw(st.lists(st.integers(0, 5), max_size=3)) if shape is None else list(shape)
    dtype = draw(st.sampled_from(dtypes))
    count = int(numpy.prod(shape))
    flat = numpy.array(draw(st.lists(st.sampled_from(values), min_size=count, max_size=count)))
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        data = flat.reshape(shape).astype(dtype)
    layout = draw(st.sampled_from("CCFR"))
    if layout == "F":
        data = numpy.asfortranarray(data)
    elif layout == "R" and data.ndim:
        data = numpy.ascontiguousarray(data[::-1])[::-1]
    x = wrap(data, cpu(draw(st.sampled_from([0, 0, 0, 1]))), draw(st.sampled_from([ndarray, ndarray, nd.NDArray])))
    if dtype.startswith("float") and draw(st.booleans()):
        x.attach_grad()
    return x


def outcome(call, xs):
    """What a call gives, and the gradients it gives; or the kind of its error."""
    tracked = [x for x in xs if isinstance(x, ndarray) and x._node is not None]
    with autograd.record():
        try:
            ys = call(*xs)
        except Exception as error:
            return type(error)
        ys = ys if isinstance(ys, list) else [ys]
        described = [(type(y), y.dtype, y.shape, y._device, y._node is None) for y in ys]
        values = [y.asnumpy() for y in ys]
        y = ys[0]
        if y._node is not None:
            total = (y * np.arange(y.size, ctx=y.ctx).reshape(y.shape).astype(y.dtype)).sum()
            for x in tracked:
                x.grad[...] = 0
            total.backward()
            values += [x.grad.asnumpy() for x in tracked]
    return described, values


def same(call, *xs):
    short = outcome(call, xs)
    with long_ways():
        long = outcome(call, xs)
    if isinstance(short, type) or isinstance(long, type):
        assert short == long
        return
    assert short[0] == long[0]
    for a, b in zip(short[1], long[1], strict=True):
        numpy.testing.assert_array_equal(a, b)


ALONG = {
    "argmax": lambda x, axis: np.argmax(x, axis), "argmin": lambda x, axis: x.argmin(axis=axis),
    "max": lambda x, axis: np.max(x, axis), "min": lambda x, axis: x.min(axis=axis),
    "max keepdims": lambda x, axis: x.max(axis, keepdims=True), "prod": lambda x, axis: np.prod(x, axis),
    "cumsum": lambda x, axis: np.cumsum(x, axis), "sort": lambda x, axis: np.sort(x, axis),
    "argsort": lambda x, axis: np.argsort(x, axis), "descending": lambda x, axis: np.argsort(x, axis, descending=True),
    "flip": lambda x, axis: np.flip(x, axis), "flip copy": lambda x, axis: np.flip(x, axis).copy(),
    "swapaxes": lambda x, axis: np.swapaxes(x, axis, -1), "transpose": lambda x, axis: np.transpose(x, (axis, 0)),
    "reversed": lambda x, axis: np.transpose(x), "expand_dims": lambda x, axis: np.expand_dims(x, axis),
    "split": lambda x, axis: np.array_split(x, 2, axis), "repeat": lambda x, axis: np.repeat(x, 2, axis),
    "roll": lambda x, axis: np.roll(x, 2, axis), "roll back": lambda x, axis: np.roll(x, -7, axis),
    "squeeze": lambda x, axis: np.squeeze(x, axis), "squeeze one": lambda x, axis: np.squeeze(x[:, None], axis),
    "moveaxis": lambda x, axis: np.moveaxis(x, axis, -1), "moveaxis 0": lambda x, axis: np.moveaxis(x, 0, axis),
    "repeat none": lambda x, axis: np.repeat(x, 0, axis),
    "copy": lambda x, axis: x.copy(), "transposed copy": lambda x, axis: x.T.copy(),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONG)
@settings(max_examples=40, deadline=None)
@given(x=arrays(), axis=AXES)
def test_along_an_axis(name, x, axis):
    same(lambda x: ALONG[name](x, axis), x)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_joins(data):
    shape = data.draw(st.lists(st.integers(0, 3), max_size=3))
    axis = data.draw(AXES)
    dtypes = data.draw(st.sampled_from([DTYPES, ("float32",), ("float32",), ("int64",), ("bool",)]))
    xs = []
    for _ in range(data.draw(st.integers(0, 4))):
        other = list(shape)
        if other and data.draw(st.integers(0, 3)) == 0:
            other[data.draw(st.integers(0, len(other) - 1))] = data.draw(st.integers(0, 3))
        xs.append(data.draw(arrays(dtypes, other)))
    kind = data.draw(st.sampled_from([list, tuple]))
    same(lambda *xs: np.concatenate(kind(xs), axis), *xs)
    same(lambda *xs: np.stack(kind(xs), axis), *xs)
    same(lambda *xs: np.vstack(kind(xs)), *xs)
    same(lambda *xs: np.hstack(kind(xs)), *xs)


WIDTHS = st.integers(0, 2)


@settings(max_examples=60, deadline=None)
@given(
    x=arrays(),
    widths=WIDTHS | st.tuples(WIDTHS, WIDTHS) | st.lists(st.tuples(WIDTHS, WIDTHS), min_size=1, max_size=3).map(tuple)
    | st.lists(WIDTHS, min_size=2, max_size=2),
    value=st.sampled_from([0, 0.0, 1, 2.5, -3, numpy.nan, True]),
)  # fmt: skip
def test_pad(x, widths, value):
    same(lambda x: np.pad(x, widths, constant_values=value), x)


@settings(max_examples=150, deadline=None)
@given(x=arrays(), shape=st.lists(st.sampled_from([0, 1, 2, 3, 3, -1]), max_size=4).map(tuple), same_axes=st.booleans())
def test_broadcast(x, shape, same_axes):
    """As NumPy does it, or refuses it: a view that cannot be written."""
    if same_axes:
        shape += tuple(n if n > 1 else 3 for n in x.shape)
    try:
        want = numpy.broadcast_to(x._data, shape)
    except ValueError:
        with pytest.raises(RuntimeError):
            np.broadcast_to(x, shape)
        return
    y = np.broadcast_to(x, shape)
    numpy.testing.assert_array_equal(y.asnumpy(), want)
    assert y._data.strides == want.strides and not y._data.flags.writeable
    assert not x.size or numpy.shares_memory(y._data, x._data) or not y.size


REPEATS = st.integers(0, 3)


@settings(max_examples=60, deadline=None)
@given(x=arrays(), reps=REPEATS | st.lists(REPEATS, max_size=4) | st.lists(REPEATS, max_size=4).map(tuple)
       | st.sampled_from([(2.0, 1), (True, 2), True]))  # fmt: skip
def test_tile(x, reps):
    same(lambda x: np.tile(x, reps), x)


@settings(max_examples=120, deadline=None)
@given(
    x=arrays(), axis=AXES, mode=st.sampled_from(["raise", "raise", "clip", "wrap", "strict", "own"]), data=st.data()
)
def test_take(x, axis, mode, data):
    index = data.draw(arrays(("int64", "int64", "int32", "float32"), values=(0, 1, 2, -1, -2, 4, -6)))
    same(lambda x, i: np.take(x, i, axis, mode), x, index)


@settings(max_examples=100, deadline=None)
@given(x=arrays(), axis=st.integers(-1, 2), mode=st.sampled_from(["raise", "clip", "wrap", "strict"]), data=st.data())
def test_rows(x, axis, mode, data):
    dtypes, values = ("int64", "int64", "int32", "float32", "bool"), (0, 1, 2, -1, -2, 4, 1.5)
    index = data.draw(arrays(dtypes, values=values[: data.draw(st.sampled_from([3, 6, 7]))]))
    same(lambda x, i: x[i], x, index)
    same(lambda x, i: npx.embedding(i, x), x, index)
    same(lambda x, i: REGISTRY["take"](x, i, axis=axis, mode=mode), x, index)


@settings(max_examples=80, deadline=None)
@given(x=arrays(), dtype=st.sampled_from([*DTYPES, numpy.float32, None, "complex64"]))
def test_casts(x, dtype):
    same(lambda x: x.astype(dtype), x)


@settings(max_examples=120, deadline=None)
@given(x=arrays(), mode=st.sampled_from(["clip", "clip", "wrap", "raise"]), keepdims=st.booleans(), data=st.data())
def test_pick(x, mode, keepdims, data):
    shape = list(x.shape)[:-1] if data.draw(st.integers(0, 5)) else data.draw(st.lists(st.integers(0, 3), max_size=2))
    index = data.draw(
        arrays(("int64", "int32", "float32", "float64"), shape, (0, 1, 2, 3, -1, -9, 9, 1.5, numpy.nan)[: 7 + 2 * (
            mode == "raise")])
    )  # fmt: skip
    same(lambda x, i: npx.pick(x, i, keepdims=keepdims, mode=mode), x, index)


@settings(max_examples=80, deadline=None)
@given(x=arrays(), depth=st.integers(0, 6) | st.sampled_from([3.0, -1]),
       dtype=st.sampled_from(["float32", "float64", "int32", numpy.float32, None]))  # fmt: skip
def test_one_hot(x, depth, dtype):
    same(lambda x: npx.one_hot(x, depth, **({} if dtype is None else {"dtype": dtype})), x)


@settings(max_examples=150, deadline=None)
@given(
    x=arrays(), axis=AXES, k=st.integers(-1, 6), what=st.sampled_from(["indices", "value", "both", "mask", "own"]),
    ascending=st.booleans(),
)
def test_topk(x, axis, k, what, ascending):
    same(lambda x: npx.topk(x, axis=axis, k=k, ret_typ=what, is_ascend=ascending), x)


def test_warnings_are_not_for_arrays():
    x = np.array([[numpy.inf, -numpy.inf, numpy.nan, 3e38, 3e38]])
    before = numpy.geterr()
    with warnings.catch_warnings(), numpy.errstate(all="raise"):
        warnings.simplefilter("error")
        for f in (
            lambda: np.cumsum(x, 1), lambda: x.prod(1), lambda: x.max(1), lambda: np.sort(x, 1), lambda: x.T.copy(),
            lambda: np.argsort(x, 1), lambda: npx.topk(x, k=2), lambda: x.argmax(1),
        ):  # fmt: skip
            f()
    assert numpy.geterr() == before


SUBSCRIPTS = {
    "ij,jk->ik": ((2, 3), (3, 4)), "bij,bkj->bik": ((2, 3, 4), (2, 5, 4)), "ii->i": ((3, 3),), "ii": ((3, 3),),
    "ij->ji": ((2, 3),), "i,j": ((2,), (3,)), "...i,...i->...": ((2, 3, 4), (3, 4)), "iii->i": ((2, 2, 2),),
    "ij,jk,kl->il": ((2, 3), (3, 4), (4, 2)), "iij,j->ij": ((2, 2, 3), (3,)), "ij->": ((2, 3),), "ij->ij": ((2, 3),),
    "a,b,c->cab": ((2,), (3,), (4,)), "ijk,jil->kl": ((3, 4, 2), (4, 3, 2)), "ij,j->i": ((0, 3), (3,)),
    "iijj->ij": ((2, 2, 3, 3),), "ab,bc,cd,de->ae": ((2, 3), (3, 4), (4, 2), (2, 3)), "ij,i->j": ((3, 2), (3,)),
}  # fmt: skip


@pytest.mark.parametrize("subscripts", SUBSCRIPTS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_einsum(subscripts, data):
    """Planned once and run again, with the values and gradients of NumPy's sum over all letters."""
    xs = [data.draw(arrays(("float64",), s, range(-3, 4))) for s in SUBSCRIPTS[subscripts]]
    xs = [wrap(x._data, cpu(0)) for x in xs]
    for x in xs:
        x.attach_grad()
    for optimize in (False, True, "greedy"):
        with autograd.record():
            y = np.einsum(subscripts, *xs, optimize=optimize)
        want = numpy.einsum(subscripts, *[x._data for x in xs])
        numpy.testing.assert_array_equal(y.asnumpy(), want)
        y.backward()
        total = lambda *raw: numpy.einsum(subscripts, *raw).sum()
        for k, x in enumerate(xs):  # linear in each operand
            for place in numpy.ndindex(x.shape):
                step = numpy.zeros(x.shape)
                step[place] = 1.0
                raw = [step if j == k else z._data for j, z in enumerate(xs)]
                assert x.grad[place].item() == total(*raw)


MATRICES = {
    "inv": lambda a, b: np.linalg.inv(a), "cholesky": lambda a, b: np.linalg.cholesky(a),
    "solve": np.linalg.solve, "matmul": np.matmul,
}  # fmt: skip


@pytest.mark.parametrize("name", MATRICES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_matrices(name, data):
    n = data.draw(st.integers(0, 4))
    lead = data.draw(st.sampled_from([(), (), (2,), (1, 2)]))
    values = (0.0, 1.0, -1.0, 2.0, 5.0, 0.5, numpy.inf)[: data.draw(st.sampled_from([6, 6, 6, 7]))]
    dtypes = ("float32", "float64", "float32", "float64", "int64", "float16")
    a = data.draw(arrays(dtypes, (*lead, n, n + (data.draw(st.integers(0, 9)) == 0)), values))
    b = data.draw(arrays(dtypes, (*data.draw(st.sampled_from([lead, (2,)])), n, 2), values))
    if name == "cholesky" and a.dtype.kind == "f" and data.draw(st.integers(0, 3)):
        a._data += 20 * numpy.eye(*a.shape[-2:], dtype=a.dtype)
    same(MATRICES[name], a, b)
