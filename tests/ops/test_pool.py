"""Pooling against loops over windows written here."""

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, np
from numblocks.base import MXNetError
from numblocks.kernels import build
from numblocks.ops import pool as pl

quick = settings(deadline=None, max_examples=60)


def each_window(size, kernel, stride, pad, ceil):
    """`(place, slices)` of every window, cut to the input."""
    out = pl.out_size(size, kernel, stride, pad, ceil)
    for place in numpy.ndindex(*out):
        start = [o * s - p for o, s, p in zip(place, stride, pad, strict=True)]
        yield (
            place,
            start,
            tuple(
                slice(max(a, 0), max(min(a + k, n), 0)) for a, k, n in zip(start, kernel, size, strict=True)
            ),
        )


def reference(x, how, kernel, stride, pad, ceil, divide="none"):
    size = x.shape[2:]
    y = numpy.zeros((*x.shape[:2], *pl.out_size(size, kernel, stride, pad, ceil)))
    for place, start, cut in each_window(size, kernel, stride, pad, ceil):
        part = x[(slice(None), slice(None), *cut)].reshape(*x.shape[:2], -1).astype("f8")
        if how == "max":
            value = part.max(2)
        else:
            padded = math.prod(
                min(a + k, n + p) - a for a, k, n, p in zip(start, kernel, size, pad, strict=True)
            )
            value = part.sum(2) / {"none": 1, "inside": part.shape[2], "padded": padded}[divide]
        y[(slice(None), slice(None), *place)] = value
    return y


@st.composite
def cases(draw, dtypes=("float32", "float64"), longest=20):
    axes = draw(st.integers(1, 3))
    per = lambda low, high: tuple(draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))
    kernel, stride = per(1, 4), per(1, 4)
    pad = tuple(draw(st.integers(0, k - 1)) for k in kernel)
    size = tuple(
        max(1, k - 2 * p) + draw(st.integers(0, longest if axes < 3 else 5))
        for k, p in zip(kernel, pad, strict=True)
    )
    rng = numpy.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.standard_normal((draw(st.integers(1, 2)), draw(st.integers(1, 3)), *size))
    if draw(st.booleans()):
        x = x.round()  # many equal maxima
    return x.astype(draw(st.sampled_from(dtypes))), {
        "kernel": kernel,
        "stride": stride,
        "pad": pad,
        "ceil": draw(st.booleans()),
    }


@quick
@given(cases())
def test_maximum(case):
    x, spec = case
    y = pl.max_pool(np.array(x), **spec)
    assert y.dtype == x.dtype and (y.asnumpy() == reference(x, "max", **spec)).all()


@quick
@given(cases(), st.sampled_from([True, False]))
def test_average_and_sum(case, padded):
    x, spec = case
    y = pl.avg_pool(np.array(x), count_include_pad=padded, **spec).asnumpy()
    assert numpy.allclose(y, reference(x, "sum", **spec, divide="padded" if padded else "inside"), atol=1e-5)
    assert numpy.allclose(pl.sum_pool(np.array(x), **spec).asnumpy(), reference(x, "sum", **spec), atol=1e-5)


@quick
@given(cases())
def test_maximum_gradient_goes_to_the_first(case):
    x, spec = case
    a = np.array(x)
    a.attach_grad()
    with autograd.record():
        y = pl.max_pool(a, **spec)
    g = numpy.arange(1, y.size + 1, dtype=x.dtype).reshape(y.shape)
    y.backward(np.array(g))
    want = numpy.zeros_like(x)
    for place, _, cut in each_window(x.shape[2:], **spec):
        for n, c in numpy.ndindex(*x.shape[:2]):
            part = x[(n, c, *cut)]
            at = numpy.unravel_index(part.argmax(), part.shape)
            want[(n, c, *(s.start + i for s, i in zip(cut, at, strict=True)))] += g[(n, c, *place)]
    assert (a.grad.asnumpy() == want).all()


@quick
@given(cases(dtypes=("float64",), longest=8), st.sampled_from(["none", "inside", "padded"]))
def test_sum_gradient_is_adjoint(case, divide):
    x, spec = case
    y = reference(x, "sum", **spec, divide=divide)
    g = numpy.cos(numpy.arange(y.size)).reshape(y.shape)
    got = pl.window_sum_grad(np.array(g), size=x.shape[2:], divide=divide, **spec).asnumpy()
    assert numpy.isclose((got * x).sum(), (g * y).sum())


@st.composite
def pairs(draw):
    """Windows two columns wide that cut the rows into pairs, which the kernels take all at once; rows longer than what
    they stage, planes with rows behind the last window, and windows that overlap from row to row, too.
    """
    lead = draw(st.integers(0, 2))
    width = draw(st.sampled_from([1, 2, 5, 14, 17, 600, 2048, 2049]))
    kernel = (*draw(st.lists(st.integers(1, 4), min_size=lead, max_size=lead)), 2)
    stride = (*[draw(st.sampled_from([k, k, 1, 2, 3])) for k in kernel[:-1]], 2)
    count = [draw(st.integers(1, 4 if width < 100 else 2)) for _ in range(lead)]
    size = [(n - 1) * s + k + draw(st.integers(0, 2)) for n, s, k in zip(count, stride, kernel, strict=False)]
    x = numpy.random.default_rng(draw(st.integers(0, 9))).standard_normal((2, 2, *size, 2 * width))
    spec = {"kernel": kernel, "stride": stride, "pad": (0,) * (lead + 1), "ceil": draw(st.booleans())}
    return x.astype(draw(st.sampled_from(["float32", "float64"]))), spec


@quick
@given(pairs(), st.sampled_from(["none", "inside", "padded"]))
def test_pairs_of_columns(case, divide):
    x, spec = case
    want = reference(x, "sum", **spec, divide=divide)
    got = pl.window_sum(np.array(x), divide=divide, **spec).asnumpy()
    assert got.dtype == x.dtype and numpy.allclose(got, want, rtol=1e-5, atol=1e-5)
    g = numpy.cos(numpy.arange(want.size)).reshape(want.shape).astype(x.dtype)
    back = numpy.full_like(x, numpy.nan)  # what is not written stays NaN
    pl.window_sum_grad.run(g, out=back, size=x.shape[2:], divide=divide, **spec)
    assert numpy.isclose((back.astype("f8") * x).sum(), (g.astype("f8") * want).sum(), rtol=1e-4, atol=1e-3)


@quick
@given(cases(dtypes=("float64",), longest=6))
def test_second_order(case):
    """The gradient of <grad(g), h> by g is the pooling of h (for max: h read at the places of the maxima)."""
    x, spec = case
    x = np.array(x)
    g = np.array(numpy.sin(numpy.arange(pl.max_pool(x, **spec).size)).reshape(pl.max_pool(x, **spec).shape))
    h = np.array(numpy.cos(numpy.arange(x.size)).reshape(x.shape))
    g.attach_grad()
    with autograd.record():
        total = (pl.max_pool_grad(g, x, **spec) * h).sum()
    total.backward()
    assert numpy.allclose(g.grad.asnumpy(), pl.max_pool_gather(h, x, **spec).asnumpy())
    assert numpy.isclose((g.grad * g).sum().item(), total.item())
    with autograd.record():
        total = (pl.window_sum_grad(g, size=x.shape[2:], divide="inside", **spec) * h).sum()
    total.backward()
    assert numpy.allclose(g.grad.asnumpy(), reference(h.asnumpy(), "sum", **spec, divide="inside"))
    g2 = np.array(g.asnumpy())
    h.attach_grad()
    with autograd.record():
        total = (pl.max_pool_gather(h, x, **spec) * g2).sum()
    total.backward()
    assert numpy.allclose(h.grad.asnumpy(), pl.max_pool_grad(g2, x, **spec).asnumpy())


@pytest.mark.parametrize("width", [2, 15, 16, 17, 600, 1100])
@pytest.mark.parametrize("kernel, stride", [(2, 2), (3, 1), (3, 2), (3, 3)])
def test_long_rows(width, kernel, stride):
    """Rows longer than the kernels' staging buffers, and every special case of the stride."""
    if width < kernel:
        return
    x = numpy.random.default_rng(0).standard_normal((2, 1, 4, width)).astype("f4")
    spec = {
        "kernel": (2, kernel),
        "stride": (2, stride),
        "pad": (0, kernel // 2 if kernel > 2 else 0),
        "ceil": False,
    }
    assert (pl.max_pool.run(x, **spec) == reference(x, "max", **spec)).all()
    y = reference(x, "sum", **spec, divide="inside")
    assert numpy.allclose(pl.window_sum.run(x, divide="inside", **spec), y, atol=1e-5)
    g = numpy.ones(y.shape, "f4")
    got = pl.window_sum_grad.run(g, size=x.shape[2:], divide="inside", **spec).astype("f8")
    assert numpy.isclose((got * x).sum(), y.sum(), rtol=1e-3, atol=1e-2)
    assert pl.max_pool_grad.run(g, x, **spec).sum() == y.size


def test_nan_and_infinity():
    x = numpy.array([[[1.0, numpy.nan, 3.0, -numpy.inf, -numpy.inf, 2.0, numpy.inf, 5.0]]])
    spec = {"kernel": (2,), "stride": (2,), "pad": (0,), "ceil": False}
    y = pl.max_pool.run(x, **spec)
    assert numpy.isnan(y[0, 0, 0]) and y[0, 0, 1:].tolist() == [3, 2, numpy.inf]
    x = numpy.full((1, 1, 4), -numpy.inf)
    assert numpy.isneginf(pl.max_pool.run(x, **spec)).all()
    assert pl.max_pool_grad.run(numpy.ones((1, 1, 2)), x, **spec).tolist() == [[[1, 0, 1, 0]]]
    x = numpy.array([[[numpy.nan, 9.0, 1.0, numpy.nan]]])
    assert pl.max_pool_grad.run(numpy.ones((1, 1, 2)), x, **spec).tolist() == [[[1, 0, 0, 1]]]


def test_out_size_conventions():
    assert pl.out_size((6,), (3,), (2,), (0,)) == (2,) and pl.out_size((6,), (3,), (2,), (0,), ceil=True) == (
        3,
    )
    assert pl.out_size((3,), (2,), (2,), (1,), ceil=True) == (2,)  # the third would see padding only


def test_dtypes_out_and_views():
    spec = {"kernel": (2,), "stride": (2,), "pad": (0,), "ceil": False}
    x = numpy.arange(8).reshape(1, 2, 4)
    assert pl.max_pool(np.array(x.astype("int32")), **spec).asnumpy().tolist() == [[[1, 3], [5, 7]]]
    assert pl.max_pool(np.array(x.astype("int32")), **spec).dtype == "int32"
    assert pl.avg_pool(np.array(x.astype("int32")), **spec).dtype == "float32"
    assert pl.avg_pool(np.array(x.astype("float16")), **spec).dtype == "float16"
    out = numpy.empty((1, 2, 2))
    assert pl.max_pool.run(x.astype("f8")[:, :, ::-1], out=out, **spec) is out
    assert out.tolist() == [[[3, 1], [7, 5]]]
    assert pl.max_pool.run(numpy.zeros((0, 2, 4)), **spec).shape == (0, 2, 2)


def test_threads_do_not_change_the_answer():
    x = numpy.random.default_rng(0).standard_normal((16, 8, 40, 40)).astype("f4")
    spec = {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1), "ceil": False}
    before, found = build.threads(), []
    try:
        for count in (1, 3):
            build.set_threads(count)
            y = pl.max_pool.run(x, **spec)
            found.append(
                (y, pl.max_pool_grad.run(y, x, **spec), pl.window_sum.run(x, divide="padded", **spec))
            )
    finally:
        build.set_threads(before)
    assert all((a == b).all() for a, b in zip(*found, strict=True))


@pytest.mark.parametrize(
    "shape, changes, words",
    [
        ((2, 4), {}, "(2, 4)"),
        ((2, 4, 5), {}, "spatial axes"),
        ((2, 4, 5, 5), {"pad": (2, 0)}, "smaller than the kernel"),
        ((2, 4, 5, 5), {"stride": (0, 1)}, "stride"),
        ((2, 4, 1, 5), {}, "Not one window fits"),
    ],
)
def test_errors_name_what_is_wrong(shape, changes, words):
    spec = {"kernel": (2, 2), "stride": (1, 1), "pad": (0, 0), **changes}
    for function in (pl.max_pool, pl.avg_pool):
        with pytest.raises(MXNetError) as error:
            function(np.ones(shape), **spec)
        assert words in str(error.value)
