"""Batch and layer normalization by one kernel, against the same composed of ops."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, cpu, nd, np, npx
from numblocks.array import wrap
from numblocks.ops import channels as ch
from numblocks.shortcut import concrete


class Composed:
    """While open, nothing takes a short way."""

    def __enter__(self):
        concrete.enable(False)

    def __exit__(self, *exc):
        concrete.enable(True)


def arrays(shape, axis, dtype, seed):
    rng = numpy.random.default_rng(seed)
    x = rng.standard_normal(shape) * 2 + 1
    lines = [rng.standard_normal(shape[axis]) for _ in range(3)] + [rng.random(shape[axis]) + 0.5]
    return [np.array(v, dtype=dtype) for v in (x, *lines)]


def run(values, train, weights, second=False, **spec):
    """Answer, gradients and running statistics of a batch normalization; gradients of their squares for `second`."""
    x, gamma, beta, mean, var = [v.copy() for v in values]
    for v in (x, gamma, beta):
        v.attach_grad()
    with autograd.record(train):
        y = npx.batch_norm(x, gamma, beta, mean, var, **spec)
        if second:
            wanted = [x, beta] if spec.get("fix_gamma", True) else [x, gamma]
            first = autograd.grad((y * weights).sum() + (y**3).sum(), wanted, create_graph=True)
            total = sum([(g**2).sum() for g in first])
        else:
            total = (y * weights).sum()
    total.backward()
    return [v.asnumpy() for v in (y, x.grad, gamma.grad, beta.grad, mean, var)]


@settings(deadline=None, max_examples=40)
@given(st.data(), st.lists(st.integers(1, 5), min_size=1, max_size=5), st.booleans(), st.booleans(), st.booleans(),
       st.booleans(), st.sampled_from(["float32", "float64"]))  # fmt: skip
def test_batch_norm(data, shape, train, fixed, global_stats, second, dtype):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    values = arrays(shape, axis, dtype, len(shape))
    weights = np.array(numpy.random.default_rng(5).standard_normal(shape), dtype=dtype)
    spec = {"axis": axis, "eps": 0.5, "momentum": 0.75, "fix_gamma": fixed, "use_global_stats": global_stats}
    found = run(values, train, weights, second and dtype == "float64", **spec)
    with Composed():
        wanted = run(values, train, weights, second and dtype == "float64", **spec)
    near = {"rtol": 2e-4, "atol": 2e-4} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-9}
    for a, b in zip(found, wanted, strict=True):
        assert a.dtype == b.dtype
        numpy.testing.assert_allclose(a, b, **near)


def test_it_is_one_step_on_the_tape():
    values = arrays((4, 3, 2), 1, "float32", 0)
    values[0].attach_grad()
    with autograd.record():
        y = npx.batch_norm(*values)
    assert y._node.op.name == "batch_norm" and y._node.parents[0] is values[0]._node
    with autograd.predict_mode():
        assert npx.batch_norm(*values)._node is None


@pytest.mark.parametrize("train", [False, True])
def test_what_does_not_fit_is_composed(train):
    x, *lines = arrays((4, 3, 2), 1, "float32", 0)
    half = [np.array(x.asnumpy(), dtype="float16"), *lines]
    turned = [x.transpose(2, 1, 0), *lines]
    mixed = [np.array(x.asnumpy(), dtype="float64"), *lines]
    empty = [np.zeros((0, 3)), *lines]
    for values in (half, turned, mixed, empty):
        with autograd.train_mode() if train else autograd.predict_mode():
            y = npx.batch_norm(*[v.copy() for v in values])
            with Composed():
                z = npx.batch_norm(*[v.copy() for v in values])
        assert y.dtype == z.dtype and y.shape == x.shape or y.size == 0 or y.shape == (2, 3, 4)
        numpy.testing.assert_allclose(y.asnumpy(), z.asnumpy(), rtol=1e-3, atol=1e-3)
    assert not ch.plain(1, half[0], *lines) and not ch.plain(1, turned[0], *lines) and not ch.plain(1, empty[0])
    assert ch.plain(1, x, *lines)


def test_class_and_device_are_the_data_s():
    values = [wrap(v._data, cpu(1), nd.NDArray) for v in arrays((4, 3), 1, "float32", 0)]
    y = npx.batch_norm(*values)
    assert type(y) is nd.NDArray and y.ctx == cpu(1)


def test_nobody_writes_to_the_ones():
    values = arrays((4, 3), 1, "float32", 0)
    for _ in range(2):
        run(values, True, np.ones((4, 3)), fix_gamma=True)
    assert (ch.ones_like(values[1]).asnumpy() == 1).all()


@settings(deadline=None, max_examples=30)
@given(st.data(), st.lists(st.integers(1, 6), min_size=1, max_size=4), st.booleans(),
       st.sampled_from(["float32", "float64"]))  # fmt: skip
def test_layer_norm_back(data, shape, second, dtype):
    axis = data.draw(st.integers(0, len(shape) - 1))
    values = arrays(shape, axis, dtype, 3)[:3]

    def gradients():
        xs = [v.copy() for v in values]
        for v in xs:
            v.attach_grad()
        with autograd.record():
            y = (npx.layer_norm(*xs, axis=axis, eps=0.5) ** 3).sum()
            if second:
                y = sum([(g**2).sum() for g in autograd.grad(y, xs, create_graph=True)])
        y.backward()
        return [v.grad.asnumpy() for v in xs]

    found = gradients()
    with Composed():
        wanted = gradients()
    near = {"rtol": 1e-3, "atol": 1e-2 if second else 1e-3} if dtype == "float32" else {"rtol": 1e-8, "atol": 1e-8}
    for a, b in zip(found, wanted, strict=True):
        numpy.testing.assert_allclose(a, b, **near)
