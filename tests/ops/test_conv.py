"""Convolution against a sum over taps written here, and its gradients against the adjoint identity."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from numblocks import autograd, np
from numblocks.base import MXNetError
from numblocks.kernels import build, convolve_gradient_plan, scratch
from numblocks.kernels import convolve_launches as launches
from numblocks.kernels.convolve_gradient_plan import spread_plan, weight_plan
from numblocks.ops import conv as cv

quick = settings(deadline=None, max_examples=60)
TOLERANCE = {"float32": 2e-4, "float64": 1e-11}


def reference(x, w, stride, pad, dilate, groups):
    """One einsum per tap, in float64."""
    x, w = x.astype("f8"), w.astype("f8")
    x = numpy.pad(x, [(0, 0), (0, 0), *((p, p) for p in pad)])
    out = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilate, strict=True)
    ]
    y = numpy.zeros((x.shape[0], w.shape[0], *out))
    ins, outs = w.shape[1], w.shape[0] // groups
    for tap in numpy.ndindex(*w.shape[2:]):
        cut = [
            slice(k * d, k * d + s * (o - 1) + 1, s)
            for k, d, s, o in zip(tap, dilate, stride, out, strict=True)
        ]
        part = x[(slice(None), slice(None), *cut)]
        for g in range(groups):
            rows = slice(g * outs, (g + 1) * outs)
            y[:, rows] += numpy.einsum(
                "nc...,oc->no...", part[:, g * ins : (g + 1) * ins], w[(rows, slice(None), *tap)]
            )
    return y


@st.composite
def cases(draw, dtypes=("float32", "float64"), longest=40):
    """Operands and geometry of a small convolution."""
    axes = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    per = lambda low, high: tuple(draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))
    kernel, stride, pad, dilate = per(1, 4), per(1, 3), per(0, 4), per(1, 3)
    extra = per(0, {1: 5 * longest, 2: longest, 3: 6}[axes])
    size = tuple(
        max(1, d * (k - 1) + 1 - 2 * p) + e for k, p, d, e in zip(kernel, pad, dilate, extra, strict=True)
    )
    batch, ins, outs = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 9))
    rng = numpy.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from(dtypes))
    x = rng.standard_normal((batch, groups * ins, *size)).astype(dtype)
    w = rng.standard_normal((groups * outs, ins, *kernel)).astype(dtype)
    return x, w, {"stride": stride, "pad": pad, "dilate": dilate, "groups": groups}, rng


def close(got, want, dtype, scale=1.0):
    return numpy.allclose(got, want, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * max(scale, 1.0))


@quick
@given(cases())
def test_forward(case):
    x, w, spec, _ = case
    y = cv.conv(np.array(x), np.array(w), **spec)
    assert y.dtype == x.dtype
    assert close(y.asnumpy(), reference(x, w, **spec), x.dtype.name)


@quick
@given(cases(), st.booleans())
def test_bias_is_a_convolution_and_a_sum(case, half):
    """Values, and the gradients of all three operands, against the op's parts."""
    x, w, spec, rng = case
    b = rng.standard_normal(w.shape[0]).astype("f2" if half else x.dtype)
    y = cv.conv_bias(np.array(x), np.array(w), np.array(b, dtype=b.dtype), **spec)
    tail = (1,) * (w.ndim - 2)
    assert y.dtype == x.dtype
    assert close(y.asnumpy(), reference(x, w, **spec) + b.reshape(-1, *tail), x.dtype.name)
    g = rng.standard_normal(y.shape).astype(x.dtype)
    found = []
    for whole in (True, False):
        operands = [np.array(v, dtype=v.dtype) for v in (x, w, b)]
        for v in operands:
            v.attach_grad()
        with autograd.record():
            u, v, c = operands
            y = cv.conv_bias(u, v, c, **spec) if whole else cv.conv(u, v, **spec) + c.reshape(-1, *tail)
        y.backward(np.array(g))
        found.append([v.grad.asnumpy().astype("f8") for v in operands])
    for k, (one, other) in enumerate(zip(*found, strict=True)):
        assert numpy.allclose(one, other, rtol=2e-3, atol=2e-3 if half and k == 2 else 1e-4 * g.size**0.5)


def test_bias_of_another_length_is_refused():
    x, w = np.ones((1, 2, 5)), np.ones((3, 2, 2))
    with pytest.raises(MXNetError, match=r"bias has shape \(2,\).*\(3, 2, 2\) gives 3"):
        cv.conv_bias(x, w, np.ones(2), stride=(1,), pad=(0,), dilate=(1,), groups=1)


@quick
@given(cases())
def test_gradients_are_adjoint(case):
    """<g, conv(v, w)> = <grad_data(g, w), v> and <g, conv(x, u)> = <grad_weight(g, x), u> for any v, u."""
    x, w, spec, rng = case
    g = rng.standard_normal(reference(x, w, **spec).shape).astype(x.dtype)
    v, u = rng.standard_normal(x.shape), rng.standard_normal(w.shape)
    data = cv.conv_grad_data(np.array(g), np.array(w), size=x.shape[2:], **spec).asnumpy()
    weight = cv.conv_grad_weight(np.array(g), np.array(x), kernel=w.shape[2:], **spec).asnumpy()
    assert data.shape == x.shape and weight.shape == w.shape
    scale = x.size**0.5 * w.size**0.5
    assert close((data * v).sum(), (g * reference(v, w, **spec)).sum(), x.dtype.name, scale)
    assert close((weight * u).sum(), (g * reference(x, u, **spec)).sum(), x.dtype.name, scale)


def test_correlation_as_scipy():
    rng = numpy.random.default_rng(0)
    x, w = rng.standard_normal((1, 1, 33, 21)), rng.standard_normal((1, 1, 5, 4))
    y = cv.conv(np.array(x), np.array(w), stride=(1, 1), pad=(0, 0), dilate=(1, 1), groups=1)
    assert numpy.allclose(y.asnumpy()[0, 0], signal.correlate(x[0, 0], w[0, 0], "valid"))


@pytest.mark.parametrize(
    "shapes",
    [
        ((3, 1, 28, 28), (6, 1, 5, 5), 2),
        ((3, 6, 14, 14), (16, 6, 5, 5), 0),
        ((2, 40, 33, 35), (24, 40, 3, 3), 1),
        ((2, 64, 9, 9), (33, 64, 1, 1), 0),
        ((1, 3, 130, 70), (9, 3, 3, 3), 1),
    ],
)
def test_sizes_of_real_layers(shapes):
    """More than one tile, block and segment; rows longer than a vector; nothing copied for 1x1."""
    rng = numpy.random.default_rng(1)
    x, w = (rng.standard_normal(s).astype("f4") for s in shapes[:2])
    spec = {"stride": (1, 1), "pad": (shapes[2],) * 2, "dilate": (1, 1), "groups": 1}
    want = reference(x, w, **spec)
    assert numpy.allclose(cv.conv.run(x, w, **spec), want, rtol=1e-3, atol=1e-3)
    g, v, u = (rng.standard_normal(s).astype("f4") for s in (want.shape, x.shape, w.shape))
    data = cv.conv_grad_data.run(g, w, size=x.shape[2:], **spec).astype("f8")
    assert numpy.isclose((data * v).sum(), (g * reference(v, w, **spec)).sum(), rtol=1e-3, atol=0.5)
    weight = cv.conv_grad_weight.run(g, x, kernel=w.shape[2:], **spec).astype("f8")
    assert numpy.isclose((weight * u).sum(), (g * reference(x, u, **spec)).sum(), rtol=1e-3, atol=0.5)


@quick
@given(cases(dtypes=("float64",), longest=6))
def test_derivatives_of_derivatives(case):
    """Gradients of gradients: the trilinear form seen from every side."""
    x, w, spec, rng = case
    x, w = np.array(x), np.array(w)
    g = np.array(rng.standard_normal(cv.conv(x, w, **spec).shape))
    a, b = np.array(rng.standard_normal(x.shape)), np.array(rng.standard_normal(w.shape))
    for v in (x, w, g):
        v.attach_grad()
    with autograd.record():
        total = (cv.conv_grad_data(g, w, size=x.shape[2:], **spec) * a).sum()
        total = total + (cv.conv_grad_weight(g, x, kernel=w.shape[2:], **spec) * b).sum()
    total.backward()
    assert numpy.allclose(g.grad.asnumpy(), (cv.conv(a, w, **spec) + cv.conv(x, b, **spec)).asnumpy())
    assert numpy.allclose(w.grad.asnumpy(), cv.conv_grad_weight(g, a, kernel=w.shape[2:], **spec).asnumpy())
    assert numpy.allclose(x.grad.asnumpy(), cv.conv_grad_data(g, b, size=x.shape[2:], **spec).asnumpy())


def test_numerical_gradient():
    rng = numpy.random.default_rng(2)
    x, w = rng.standard_normal((2, 4, 6, 5)), rng.standard_normal((6, 2, 3, 2))
    spec = {"stride": (2, 1), "pad": (1, 0), "dilate": (1, 2), "groups": 2}
    operands = [np.array(x), np.array(w)]
    for v in operands:
        v.attach_grad()
    with autograd.record():
        y = cv.conv(*operands, **spec)
        loss = (y * y * y).sum()
    loss.backward()
    f = lambda x, w: (reference(x, w, **spec) ** 3).sum()
    for which, raw in enumerate((x, w)):
        for place in [tuple(rng.integers(0, n) for n in raw.shape) for _ in range(6)]:
            ends = []
            for step in (1e-5, -1e-5):
                moved = [x.copy(), w.copy()]
                moved[which][place] += step
                ends.append(f(*moved))
            assert numpy.isclose(operands[which].grad.asnumpy()[place], (ends[0] - ends[1]) / 2e-5, rtol=1e-5)


def test_out_is_filled_and_inputs_may_be_views():
    rng = numpy.random.default_rng(3)
    x, w = rng.standard_normal((2, 9, 8, 3)).transpose(0, 3, 2, 1), rng.standard_normal((4, 6, 3, 3))[:, ::2]
    spec = {"stride": (1, 1), "pad": (1, 1), "dilate": (1, 1), "groups": 1}
    out = numpy.full((2, 4, 8, 9), numpy.nan)
    assert cv.conv.run(x, w, out=out, **spec) is out
    assert numpy.allclose(out, reference(x, w, **spec))
    g = numpy.broadcast_to(numpy.float64(1), out.shape)
    assert numpy.allclose(
        cv.conv_grad_weight.run(g, x, kernel=(3, 3), **spec),
        cv.conv_grad_weight.run(g.copy(), x.copy(), kernel=(3, 3), **spec),
    )


def test_dtypes():
    spec = {"stride": (1,), "pad": (0,), "dilate": (1,), "groups": 1}
    x, w = numpy.ones((1, 1, 5)), numpy.ones((1, 1, 2))
    for a, b, wanted in [
        ("float16", "float16", "float16"),
        ("float32", "float16", "float32"),
        ("int32", "int8", "float32"),
        ("uint8", "float64", "float64"),
    ]:
        y = cv.conv(np.array(x.astype(a)), np.array(w.astype(b)), **spec)
        assert y.dtype == wanted and (y.asnumpy() == 2).all()


def test_threads_do_not_change_the_answer():
    rng = numpy.random.default_rng(4)
    x, w = rng.standard_normal((16, 8, 30, 30)).astype("f4"), rng.standard_normal((32, 8, 3, 3)).astype("f4")
    spec = {"stride": (1, 1), "pad": (1, 1), "dilate": (1, 1), "groups": 1}
    before, found = build.threads(), []
    try:
        for count in (1, 3):
            build.set_threads(count)
            y = cv.conv.run(x, w, **spec)
            found.append((y, cv.conv_grad_weight.run(y, x, kernel=(3, 3), **spec)))
    finally:
        build.set_threads(before)
    assert all((a == b).all() for a, b in zip(*found, strict=True))


def forget():
    """What is launched depends on constants that a test changes."""
    for made in (spread_plan, weight_plan, launches.forward, launches.data, launches.weight):
        made.cache_clear()


@quick
@given(cases(), st.sampled_from([-1e9, 1e9]), st.sampled_from([-1e9, 1e9]))
def test_every_way_there_is(case, adding, row):
    """Which way is shorter depends on sizes; here each is taken for all, whatever it takes."""
    x, w, spec, rng = case
    spec["stride"] = (1,) * len(spec["stride"])
    g = rng.standard_normal(reference(x, w, **spec).shape).astype(x.dtype)
    v, u = rng.standard_normal(x.shape), rng.standard_normal(w.shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolve_gradient_plan, "ADDING", adding)
        patch.setattr(convolve_gradient_plan, "ROW", row)
        forget()
        data = cv.conv_grad_data.run(g, w, size=x.shape[2:], **spec)
        weight = cv.conv_grad_weight.run(g, x, kernel=w.shape[2:], **spec)
    forget()
    scale = x.size**0.5 * w.size**0.5
    assert close((data * v).sum(), (g * reference(v, w, **spec)).sum(), x.dtype.name, scale)
    assert close((weight * u).sum(), (g * reference(x, u, **spec)).sum(), x.dtype.name, scale)


@pytest.mark.parametrize("frozen", [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
def test_gradients_of_some_operands(frozen):
    """Those of weight and bias come from one kernel where both are wanted."""
    rng = numpy.random.default_rng(6)
    shapes, spec = ((2, 4, 9, 7), (6, 2, 3, 2), (6,)), {"stride": (1, 2), "pad": (1, 0), "dilate": (1, 1), "groups": 2}
    operands = [np.array(rng.standard_normal(s), dtype="float64") for s in shapes]
    for k, v in enumerate(operands):
        if k not in frozen:
            v.attach_grad()
    with autograd.record():
        y = cv.conv_bias(*operands, **spec)
    g = rng.standard_normal(y.shape)
    y.backward(np.array(g))
    want = [
        cv.conv_grad_data.run(g, operands[1].asnumpy(), size=(9, 7), **spec),
        cv.conv_grad_weight.run(g, operands[0].asnumpy(), kernel=(3, 2), **spec),
        g.sum((0, 2, 3)),
    ]
    for k, v in enumerate(operands):
        assert (k in frozen) == (v.grad is None)
        assert k in frozen or numpy.allclose(v.grad.asnumpy(), want[k])


def test_images_in_chunks(monkeypatch):
    rng = numpy.random.default_rng(5)
    x, w = rng.standard_normal((5, 3, 9, 9)), rng.standard_normal((4, 3, 3, 3))
    spec = {"stride": (2, 2), "pad": (1, 1), "dilate": (1, 1), "groups": 1}
    y = cv.conv.run(x, w, **spec)
    weight, data = (
        cv.conv_grad_weight.run(y, x, kernel=(3, 3), **spec),
        cv.conv_grad_data.run(y, w, size=(9, 9), **spec),
    )
    monkeypatch.setattr(launches, "CHUNK", 10000)
    monkeypatch.setattr(launches, "PASS", 1)
    forget()
    assert (cv.conv.run(x, w, **spec) == y).all()
    assert (cv.conv_grad_data.run(y, w, size=(9, 9), **spec) == data).all()
    assert numpy.allclose(cv.conv_grad_weight.run(y, x, kernel=(3, 3), **spec), weight)
    forget()


def test_no_size_compiles_anything():
    spec = {"stride": (1, 1), "pad": (1, 1), "dilate": (1, 1), "groups": 1}
    w = numpy.ones((8, 3, 3, 3), "f4")
    for n in (2, 3, 7):
        cv.conv.run(numpy.ones((n, 3, 30, 30), "f4"), w, **spec)
        if n == 2:
            before = build.cache_info().kernels
    assert build.cache_info().kernels == before


def test_non_finite_values_stay_in_reach():
    x = numpy.zeros((1, 1, 40, 40), "f4")
    x[0, 0, 20, 20], x[0, 0, 2, 39] = numpy.inf, numpy.nan
    y = cv.conv.run(x, numpy.ones((2, 1, 3, 3), "f4"), stride=(1, 1), pad=(1, 1), dilate=(1, 1), groups=1)
    assert numpy.isposinf(y[0, :, 19:22, 19:22]).all() and numpy.isnan(y[0, :, 1:4, 38:]).all()
    assert numpy.isfinite(y).sum() == 2 * (1600 - 9 - 6)


def test_empty_batch():
    spec = {"stride": (1, 1), "pad": (1, 1), "dilate": (1, 1), "groups": 1}
    x, w = numpy.zeros((0, 3, 4, 4)), numpy.ones((2, 3, 3, 3))
    y = cv.conv.run(x, w, **spec)
    assert y.shape == (0, 2, 4, 4)
    assert cv.conv_bias.run(x, w, numpy.ones(2), **spec).shape == (0, 2, 4, 4)
    assert (cv.conv_grad_weight.run(y, x, kernel=(3, 3), **spec) == 0).all()


def test_transposed():
    rng = numpy.random.default_rng(6)
    x, w = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((3, 2, 3, 4))
    spec = {"stride": (2, 3), "pad": (1, 0), "dilate": (1, 1), "groups": 1}
    y = cv.conv_transpose(np.array(x), np.array(w), adj=(1, 2), **spec).asnumpy()
    want = numpy.zeros((2, 2, 2 * 4 + 3 + 1, 3 * 3 + 4 + 2))
    for i, j in numpy.ndindex(5, 4):
        want[:, :, 2 * i : 2 * i + 3, 3 * j : 3 * j + 4] += numpy.einsum("nc,cohw->nohw", x[:, :, i, j], w)
    assert y.shape == (2, 2, 10, 15)
    assert numpy.allclose(y, want[:, :, 1:11])


@pytest.mark.parametrize(
    "x, w, changes, words",
    [
        ((2, 4), (3, 4, 1, 1), {}, "(2, 4)"),
        ((2, 4, 5, 5), (3, 4, 1), {}, "NCW"),
        ((2, 5, 5, 5), (3, 4, 1, 1), {}, "5 channels"),
        ((2, 4, 5, 5), (3, 4, 7, 1), {}, "does not fit"),
        ((2, 4, 5, 5), (3, 2, 1, 1), {"groups": 2}, "groups=2"),
        ((2, 4, 5, 5), (3, 4, 1, 1), {"stride": (1, 0)}, "stride"),
        ((2, 4, 5, 5), (3, 4, 1, 1), {"pad": (1,)}, "pad"),
    ],
)
def test_errors_name_what_is_wrong(x, w, changes, words):
    spec = {"stride": (1, 1), "pad": (0, 0), "dilate": (1, 1), "groups": 1, **changes}
    with pytest.raises(MXNetError) as error:
        cv.conv(np.ones(x), np.ones(w), **spec)
    assert words in str(error.value) and str(error.value).startswith("convolution: ")


def test_scratch_is_bounded(monkeypatch):
    scratch.release()
    monkeypatch.setattr(scratch, "LIMIT", 1 << 12)
    kept = scratch.take("test", 100, "f4")
    assert scratch.take("test", 50, "f4").ctypes.data == kept.ctypes.data
    big = scratch.take("test", 1 << 12, "f8")
    assert big.ctypes.data % 64 == 0 and scratch.take("test", 100, "f4").ctypes.data == kept.ctypes.data
    scratch.release()
