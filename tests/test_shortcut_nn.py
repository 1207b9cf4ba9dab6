"""Replayed ops give what the long way gives, the first time and later: values, dtypes, classes, tape, errors."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, cpu, gluon, nd, np, npx
from numblocks.array import wrap
from numblocks.op import REGISTRY, bind
from numblocks.shortcut import concrete, replayed

FLOATS = ["float32", "float64"]
POOL = {"kernel": (2, 3), "stride": (2, 1), "pad": (1, 0), "ceil": True}
CONV = {"stride": (2, 1), "pad": (1, 0), "dilate": (1, 2), "groups": 2}
X, W, Y = (2, 4, 6, 5), (6, 2, 3, 2), (2, 6, 3, 3)
CASES = {
    "conv": ((X, W), CONV),
    "conv_bias": ((X, W, (6,)), CONV),
    "conv_grad_data": ((Y, W), {"size": (6, 5), **CONV}),
    "conv_grad_weight": ((Y, X), {"kernel": (3, 2), **CONV}),
    "max_pool": ((X,), POOL),
    "max_pool_grad": (((2, 4, 4, 3), X), POOL),
    "window_sum": ((X,), {**POOL, "divide": "inside"}),
    "window_sum_grad": (((2, 4, 4, 3),), {"size": (6, 5), "divide": "padded", **POOL}),
    "softmax": (((5, 7),), {"axis": 1}),
    "log_softmax": (((5, 7),), {"axis": 0}),
    "layer_norm": (((5, 7), (7,), (7,)), {"axis": 1, "eps": 1e-5}),
    "var": (((5, 7),), {"axis": (1,), "keepdims": False, "ddof": 1}),
    "mean": (((5, 7),), {"axis": (0,), "keepdims": True}),
    "unbiased": (((5, 7), (3, 7)), {}),
    "linear": (((5, 7), (3, 7), (3,)), {}),
}


def outcome(call):
    """What a call gives: data, dtype, class, device and place on the tape, or the kind of its error."""
    try:
        y = call()
    except Exception as error:
        return type(error), str(error)
    return type(y), y.dtype, y.shape, y._data.tobytes(), y.ctx, type(y._node)


def same(op, args, spec, times=4):
    wanted = outcome(lambda: bind(op, args, spec))
    for _ in range(times):  # the second call makes the replay, the third takes it
        assert outcome(lambda: op(*args, **spec)) == wanted, (op, spec)


def arrays(shapes, dtype, seed=0, cls=np.ndarray, device=None):
    rng = numpy.random.default_rng(seed)
    return [wrap(rng.standard_normal(s).astype(dtype), device or cpu(0), cls) for s in shapes]


@pytest.mark.parametrize("name", CASES)
def test_as_the_long_way(name):
    op, (shapes, spec) = REGISTRY[name], CASES[name]
    for dtype in (*FLOATS, "float16", "int32"):
        same(op, arrays(shapes, dtype), spec)
    for seed in range(3):
        same(op, arrays(shapes, "float32", seed), spec, 1)
    same(op, arrays(shapes, "float32", cls=nd.NDArray, device=cpu(1)), spec)
    mixed = arrays(shapes, "float32")
    mixed[-1] = arrays(shapes[-1:], "float64", cls=nd.NDArray)[0]
    same(op, mixed, spec)
    turned = [wrap(x._data[..., ::-1], cpu(0)) for x in arrays(shapes, "float32")]
    same(op, turned, spec)
    special = arrays(shapes, "float32")
    special[0]._data.flat[::3] = numpy.nan
    special[0]._data.flat[1::3] = numpy.inf
    same(op, special, spec)


@pytest.mark.parametrize("name", CASES)
def test_on_the_tape(name):
    op, (shapes, spec) = REGISTRY[name], CASES[name]
    xs = arrays(shapes, "float64")
    for x in xs:
        x.attach_grad()
    found = []
    for call in [lambda: bind(op, xs, spec)] + 4 * [lambda: op(*xs, **spec)]:
        with autograd.record():
            y = call()
        assert y._node.op is op and all(a is b for a, b in zip(y._node.args, xs, strict=True))
        y.backward()
        found.append([x.grad.asnumpy() for x in xs])
    for later in found[1:]:
        for a, b in zip(found[0], later, strict=True):
            numpy.testing.assert_array_equal(a, b)
    assert op(*xs, **spec)._node is None


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.data(), st.sampled_from(FLOATS))
def test_rows_of_any_shape(shape, data, dtype):
    (x,) = arrays([tuple(shape)], dtype)
    axis = data.draw(st.integers(0, len(shape) - 1))
    for name in ("softmax", "log_softmax"):
        same(REGISTRY[name], (x,), {"axis": axis})
    same(REGISTRY["var"], (x,), {"axis": (axis,), "keepdims": True, "ddof": 0})
    same(REGISTRY["mean"], (x,), {"axis": tuple(range(axis + 1)), "keepdims": False})
    p, q = arrays([(shape[axis],)] * 2, dtype)
    same(REGISTRY["layer_norm"], (x, p, q), {"axis": axis, "eps": 1e-3})


def test_errors_are_those_of_the_long_way():
    x, w = arrays([X, (6, 3, 3, 2)], "float32")
    same(REGISTRY["conv"], (x, w), CONV)
    same(REGISTRY["max_pool"], (x,), {**POOL, "kernel": (9, 9)})
    same(REGISTRY["layer_norm"], (*arrays([(5, 7), (6,), (7,)], "float32"),), {"axis": 1, "eps": 1e-5})
    same(REGISTRY["unbiased"], (*arrays([(5, 7), (3, 6)], "float32"),), {})
    for wrong in (numpy.ones(X, "float32"), 3.0, None):
        assert outcome(lambda v=wrong: REGISTRY["max_pool"](v, **POOL))[0] is outcome(
            lambda v=wrong: bind(REGISTRY["max_pool"], (v,), POOL)
        )[0]
    with pytest.raises(TypeError):
        REGISTRY["max_pool"](x, kernel=[2, 3])


def test_embedding_as_the_long_way():
    (w,) = arrays([(6, 3)], "float32")
    w.attach_grad()
    for index in ([[0, 5], [2, 2]], [], 3, [-1, 0], [6], [1.5], [[2.0]]):
        for dtype in ("int64", "int32", "float32", None):
            i = np.array(index, dtype=dtype)
            with autograd.record():
                found, wanted = (
                    outcome(lambda i=i: npx.embedding(i, w)),
                    outcome(lambda i=i: bind(REGISTRY["take"], (w, i), {"axis": 0, "mode": "raise"})),
                )
            assert found == wanted, index


def test_the_replay_is_taken():
    op, spec = REGISTRY["max_pool"], POOL
    call = replayed.fixed(op, spec)
    assert call is replayed.fixed(op, dict(reversed(spec.items())))
    xs = arrays([(3, 2, 7, 5)], "float32")
    before = op.eager
    seen = []
    op.eager = lambda *args: seen.append(1) or before(*args)
    try:
        for _ in range(5):
            call(*xs)
        taken = len(seen)
        concrete.enable(False)
        call(*xs)
    finally:
        op.eager = before
        concrete.enable(True)
    assert taken == 2 and len(seen) == 3  # and a profiler sees them all


def test_answers_do_not_share_memory():
    x, y = arrays([X, X], "float32")
    a = [npx.pooling(x, kernel=(2, 2)) for _ in range(4)]
    b = npx.pooling(y, kernel=(2, 2))
    for p in a:
        assert not numpy.shares_memory(p._data, b._data)
        numpy.testing.assert_array_equal(p.asnumpy(), a[0].asnumpy())


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3), st.integers(1, 2), st.integers(0, 1), st.sampled_from([None, "NCHW", "NHWC"]), st.booleans(),
       st.sampled_from([int, list, tuple]))  # fmt: skip
def test_arguments_of_layers_in_any_form(stride, dilate, pad, layout, bias, form):
    def given_as(v):
        return v if form is int else form((v, v))

    shapes = [(2, 7, 6, 4), (6, 3, 2, 4)] if layout == "NHWC" else [(2, 4, 7, 6), (6, 4, 3, 2)]
    x, w, b = arrays([*shapes, (6,)], "float32")
    y = npx.convolution(x, w, b, kernel=(3, 2), stride=given_as(stride), dilate=given_as(dilate), pad=given_as(pad),
                        num_filter=6, no_bias=not bias, layout=layout, name="conv")  # fmt: skip
    spec = {"stride": (stride,) * 2, "pad": (pad,) * 2, "dilate": (dilate,) * 2, "groups": 1}
    if layout == "NHWC":
        x, w = x.transpose(0, 3, 1, 2), w.transpose(0, 3, 1, 2)
    z = bind(REGISTRY["conv_bias"], (x, w, b), spec) if bias else bind(REGISTRY["conv"], (x, w), spec)
    if layout == "NHWC":
        z = z.transpose(0, 2, 3, 1)
    numpy.testing.assert_array_equal(y.asnumpy(), z.asnumpy())
    out = np.zeros(y.shape)
    assert npx.convolution(x, w, None if not bias else b, kernel=(3, 2), stride=stride, dilate=dilate, pad=pad,
                           no_bias=not bias, out=out if layout != "NHWC" else None) is not None  # fmt: skip


def test_pools_of_all_kinds():
    (x,) = arrays([(2, 3, 6, 6)], "float32")
    for kind in ("max", "avg", "sum", "lp"):
        for whole in (False, True):
            with autograd.predict_mode():
                spec = {"kernel": 2, "stride": [2, 2], "pool_type": kind, "p_value": 2, "global_pool": whole}
                y = npx.pooling(x, **spec) if not (kind == "lp" and whole) else None
            if y is not None:
                last = npx.pooling(x.transpose(0, 2, 3, 1), layout="NHWC", **spec).transpose(0, 3, 1, 2)
                numpy.testing.assert_allclose(y.asnumpy(), last.asnumpy(), rtol=1e-6)
    with pytest.raises(ValueError, match="unknown"):
        npx.pooling(x, kernel=2, pool_type="median")
    with pytest.raises(TypeError):
        npx.pooling(x)


@pytest.mark.parametrize("axes", [(), (0,), (1, 2)])
def test_dropout_is_the_mask_times_the_scale(axes):
    import numblocks as mx

    class Net(gluon.HybridBlock):
        def forward(self, x):
            return npx.dropout(x, p=0.3, axes=axes)

    x = arrays([(4, 5, 6)], "float32")[0]
    x.attach_grad()
    found = []
    for hybrid in (False, True):
        net = Net()
        if hybrid:
            net.hybridize()
        mx.random.seed(3)
        with autograd.record():
            y = net(x)
        y.backward()
        found += [y.asnumpy(), x.grad.asnumpy()]
    mx.random.seed(3)
    u = np.random.uniform(size=tuple(1 if k in axes else n for k, n in enumerate(x.shape))).asnumpy()
    scale = numpy.float32(1 / 0.7)
    kept = numpy.broadcast_to(u < numpy.float32(0.7), x.shape)
    for y in found[::2]:
        numpy.testing.assert_array_equal(y, numpy.where(kept, x.asnumpy() * scale, 0))
    for g in found[1::2]:
        numpy.testing.assert_array_equal(g, numpy.where(kept, scale, 0))
