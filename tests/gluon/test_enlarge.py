"""Transposed convolutions, pixel shuffles, norms of groups and instances, reflection, CTC loss."""

import numpy
import pytest

from numblocks import autograd, np
from numblocks.gluon import loss, nn


def drawn(shape, seed=0):
    return np.array(numpy.random.default_rng(seed).standard_normal(shape).astype("f4"))


LAYERS = {
    "1d": (lambda: nn.Conv1DTranspose(4, 3, strides=2, padding=1, output_padding=1), (2, 3, 5), (2, 4, 10)),
    "2d": (
        lambda: nn.Conv2DTranspose(6, (4, 2), strides=2, padding=1, groups=3, use_bias=False),
        (2, 3, 5, 4),
        (2, 6, 10, 6),
    ),
    "3d": (lambda: nn.Conv3DTranspose(2, 2, strides=2, activation="relu"), (1, 3, 2, 3, 2), (1, 2, 4, 6, 4)),
    "group": (lambda: nn.GroupNorm(2), (3, 4, 5), (3, 4, 5)),
    "instance": (lambda: nn.InstanceNorm(scale=True), (3, 4, 5), (3, 4, 5)),
    "instance last": (lambda: nn.InstanceNorm(axis=2), (3, 4, 5), (3, 4, 5)),
    "norm relu": (lambda: nn.BatchNormReLU(), (3, 4, 5), (3, 4, 5)),
    "sync": (lambda: nn.SyncBatchNorm(), (3, 4), (3, 4)),
    "reflect": (lambda: nn.ReflectionPad2D(2), (1, 2, 4, 3), (1, 2, 8, 7)),
    "shuffle": (lambda: nn.PixelShuffle2D((2, 3)), (1, 12, 3, 5), (1, 2, 6, 15)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_shapes_gradients_and_hybridized(name):
    make, shape, wanted = LAYERS[name]
    layer, results = make(), []
    layer.initialize()
    for compiled in (False, True):
        if compiled:
            layer.hybridize()
        x = drawn(shape)
        x.attach_grad()
        with autograd.record(train_mode=False):
            y = layer(x)
            value = (y * drawn(wanted, 1)).sum()
        value.backward()
        assert y.shape == wanted
        grads = [p.grad().asnumpy() for p in layer.collect_params().values() if p.grad_req != "null"]
        results.append([y.asnumpy(), x.grad.asnumpy(), *grads])
    for a, b in zip(*results, strict=True):
        numpy.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_transposed_convolution_is_the_gradient_of_one():
    up, down = (
        nn.Conv2DTranspose(3, 4, strides=2, padding=1, in_channels=5),
        nn.Conv2D(5, 4, strides=2, padding=1, in_channels=3),
    )
    up.initialize()
    down.initialize()
    down.weight.set_data(up.weight.data())
    small, large = drawn((2, 5, 4, 4)), drawn((2, 3, 8, 8), 1)
    large.attach_grad()
    with autograd.record():
        value = (down(large) * small).sum()
    value.backward()
    numpy.testing.assert_allclose(up(small).asnumpy(), large.grad.asnumpy(), rtol=1e-4, atol=1e-5)


def test_reprs():
    assert repr(nn.Conv2DTranspose(3, 4, strides=2, padding=1)) == (
        "Conv2DTranspose(3 -> -1, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))"
    )
    assert repr(nn.GroupNorm()) == "GroupNorm(eps=1e-05, num_groups=1, center=True, scale=True)"
    assert repr(nn.InstanceNorm()) == "InstanceNorm(eps=1e-05, axis=1, center=True, scale=False, in_channels=-1)"
    assert repr(nn.BatchNormReLU()).startswith("BatchNormReLU(axis=1")


def test_group_and_instance_norm_standardize():
    x = drawn((3, 4, 50))
    group = nn.GroupNorm(2)
    group.initialize()
    y = group(x).asnumpy().reshape(3, 2, -1)
    numpy.testing.assert_allclose(y.mean(-1), 0, atol=1e-5)
    numpy.testing.assert_allclose(y.std(-1), 1, atol=1e-3)
    instance = nn.InstanceNorm()
    instance.initialize()
    y = instance(x).asnumpy()
    numpy.testing.assert_allclose(y.mean(-1), 0, atol=1e-5)
    numpy.testing.assert_allclose(y.std(-1), 1, atol=1e-3)


@pytest.mark.parametrize("layout", ["NTC", "TNC"])
def test_ctc_loss_learns_a_sequence(layout):
    pred = drawn((2, 6, 4) if layout == "NTC" else (6, 2, 4))
    label, ctc = np.array([[0, 1, -1], [2, 2, 0]]), loss.CTCLoss(layout=layout)
    pred.attach_grad()
    first = None
    for _ in range(200):
        with autograd.record():
            value = ctc(pred, label)
        value.backward()
        first = value.asnumpy() if first is None else first
        pred -= pred.grad * 0.5
    assert (value.asnumpy() < first / 10).all()
    ctc.hybridize()
    numpy.testing.assert_allclose(ctc(pred, label).asnumpy(), ctc(pred, label).asnumpy())
    with pytest.raises(AssertionError, match="layouts for pred"):
        loss.CTCLoss(layout="CTN")
