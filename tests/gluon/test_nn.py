"""Layers: reprs, values against NumPy, statistics. All layers are compared with MXNet in layers/test_layers.py."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, init, np
from numblocks.gluon import nn


def rand(*shape):
    return numpy.random.default_rng(0).normal(size=shape).astype("float32")


def run(layer, x):
    layer.initialize()
    return layer(np.array(x)).asnumpy()


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: nn.Dense(3, use_bias=False), "Dense(-1 -> 3, linear)"),
        (lambda: nn.Dense(3, activation="tanh", in_units=2), "Dense(2 -> 3, Activation(tanh))"),
        (
            lambda: nn.Conv2D(6, kernel_size=5, padding=2, activation="sigmoid"),
            "Conv2D(-1 -> 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2), Activation(sigmoid))",
        ),
        (
            lambda: nn.Conv2D(6, 3, strides=2, dilation=2, groups=2, use_bias=False, in_channels=2),
            "Conv2D(1 -> 6, kernel_size=(3, 3), stride=(2, 2), dilation=(2, 2), groups=2, bias=False)",
        ),
        (lambda: nn.Conv1D(3, 3), "Conv1D(-1 -> 3, kernel_size=(3,), stride=(1,))"),
        (
            lambda: nn.MaxPool2D(pool_size=3, strides=2, padding=1),
            "MaxPool2D(size=(3, 3), stride=(2, 2), padding=(1, 1), ceil_mode=False, global_pool=False,"
            " pool_type=max, layout=NCHW)",
        ),
        (
            lambda: nn.AvgPool2D(),
            "AvgPool2D(size=(2, 2), stride=(2, 2), padding=(0, 0), ceil_mode=False, global_pool=False,"
            " pool_type=avg, layout=NCHW)",
        ),
        (
            lambda: nn.GlobalAvgPool2D(),
            "GlobalAvgPool2D(size=(1, 1), stride=(1, 1), padding=(0, 0), ceil_mode=True, global_pool=True,"
            " pool_type=avg, layout=NCHW)",
        ),
        (
            lambda: nn.BatchNorm(),
            "BatchNorm(axis=1, eps=1e-05, momentum=0.9, fix_gamma=False, use_global_stats=False,"
            " in_channels=-1)",
        ),
        (lambda: nn.LayerNorm(), "LayerNorm(eps=1e-05, axis=-1, center=True, scale=True, in_channels=-1)"),
        (lambda: nn.Activation("relu"), "Activation(relu)"),
        (lambda: nn.LeakyReLU(0.2), "LeakyReLU(0.2)"),
        (lambda: nn.Flatten(), "Flatten"),
        (lambda: nn.Dropout(0.5), "Dropout(p = 0.5, axes=())"),
        (lambda: nn.Embedding(10, 4), "Embedding(10 -> 4, float32)"),
        (lambda: nn.HybridLambda("tanh"), "HybridLambda(tanh)"),
        (lambda: nn.Lambda("relu"), "Lambda(relu)"),
        (lambda: nn.PReLU(), "PReLU(\n\n)"),
        (lambda: nn.Swish(), "Swish(\n\n)"),
    ],
)
def test_repr(make, text):
    assert repr(make()) == text


def test_dtype_in_params_prints_as_given():
    assert "dtype=float32" in repr(nn.Dense(1).weight)
    assert "dtype=<class 'numpy.float32'>" in repr(nn.BatchNorm().gamma)


def test_dense_values():
    layer = nn.Dense(4, activation="relu", bias_initializer="ones")
    x = rand(3, 2, 5)
    y = run(layer, x)
    expected = x.reshape(3, 10) @ layer.weight.data().asnumpy().T + 1
    assert numpy.allclose(y, numpy.maximum(expected, 0), atol=1e-6)


def test_global_pools_and_leaky():
    x = rand(2, 3, 4, 4)
    assert numpy.allclose(run(nn.GlobalAvgPool2D(), x)[:, :, 0, 0], x.mean((2, 3)), atol=1e-6)
    assert numpy.allclose(run(nn.GlobalMaxPool2D(), x)[:, :, 0, 0], x.max((2, 3)))
    assert numpy.allclose(run(nn.LeakyReLU(0.1), x), numpy.where(x > 0, x, 0.1 * x))
    assert numpy.allclose(run(nn.Swish(), x), x / (1 + numpy.exp(-x)), atol=1e-6)


def test_batch_norm_statistics():
    layer = nn.BatchNorm(momentum=0.9)
    layer.initialize()
    x = rand(8, 3) * 2 + 1
    layer(np.array(x))
    assert (layer.running_mean.data().asnumpy() == 0).all()  # prediction changes nothing
    with autograd.record():
        y = layer(np.array(x))
    y.backward()
    assert numpy.allclose(layer.running_mean.data().asnumpy(), 0.1 * x.mean(0), atol=1e-6)
    assert numpy.allclose(layer.running_var.data().asnumpy(), 0.9 + 0.1 * x.var(0), atol=1e-5)
    assert numpy.allclose(y.asnumpy(), (x - x.mean(0)) / numpy.sqrt(x.var(0) + 1e-5), atol=1e-4)
    assert layer.running_mean.grad_req == "null" and layer.gamma.grad_req == "write"


def test_batch_norm_statistics_hybridized():
    x = np.array(rand(8, 3))
    found = []
    for hybridize in (False, True):
        net = nn.HybridSequential(nn.BatchNorm(), nn.Dense(2, weight_initializer=init.One()))
        net.initialize()
        if hybridize:
            net.hybridize()
        for _ in range(3):
            with autograd.record():
                y = net(x).sum()
            y.backward()
        found.append(net[0].running_mean.data().asnumpy())
    assert numpy.abs(found[0]).max() > 0 and numpy.allclose(found[0], found[1], atol=1e-6)


def test_batch_norm_cast_keeps_statistics():
    layer = nn.BatchNorm(in_channels=2)
    layer.initialize()
    layer.cast("float16")
    assert layer.running_var.data().dtype == "float32"


def test_dropout():
    layer, x = nn.Dropout(0.5), np.ones((100, 100))
    assert (layer(x).asnumpy() == 1).all()
    with autograd.record():
        y = layer(x).asnumpy()
    assert set(numpy.unique(y)) == {0.0, 2.0} and 0.45 < (y == 0).mean() < 0.55
    with autograd.train_mode():
        y = nn.Dropout(0.5, axes=(1,))(x).asnumpy()
    assert (y == y[:, :1]).all()


def test_embedding():
    layer = nn.Embedding(10, 4)
    layer.initialize()
    ids = np.array([[1, 2], [9, 1]])
    with autograd.record():
        y = layer(ids)
        loss = y.sum()
    loss.backward()
    assert (y.asnumpy() == layer.weight.data().asnumpy()[[[1, 2], [9, 1]]]).all()
    assert layer.weight.grad().asnumpy()[:, 0].tolist() == [0, 2, 1, 0, 0, 0, 0, 0, 0, 1]


def test_lambda_and_concurrent():
    assert nn.Lambda(lambda a, b: a + b)(np.ones((2,)), np.ones((2,))).tolist() == [2, 2]
    both = nn.HybridConcurrent(axis=1)
    both.add(nn.Dense(2), nn.Identity())
    both.initialize()
    assert both(np.ones((3, 4))).shape == (3, 6)
    with pytest.raises(ValueError, match="nothing_like_it"):
        nn.Lambda("nothing_like_it")


@settings(deadline=None, max_examples=30)
@given(
    n=st.integers(1, 3),
    c=st.integers(1, 4),
    size=st.integers(4, 7),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    pad=st.integers(0, 1),
    dim=st.integers(1, 2),
    data=st.data(),
)
def test_conv_shapes(n, c, size, kernel, stride, pad, dim, data):
    channels = c * data.draw(st.integers(1, 2))
    layer = (nn.Conv1D, nn.Conv2D)[dim - 1](channels, kernel, strides=stride, padding=pad, groups=c)
    layer.initialize()
    out = (size + 2 * pad - kernel) // stride + 1
    assert layer(np.ones((n, c) + (size,) * dim)).shape == (n, channels) + (out,) * dim
    assert layer.weight.shape == (channels, 1) + (kernel,) * dim
