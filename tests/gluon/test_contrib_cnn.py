"""Deformable convolutions. Numbers are compared with MXNet's in layers/test_layers.py."""

import numpy
import pytest

from numblocks import autograd, gluon, np, random
from numblocks.gluon import nn
from numblocks.gluon.contrib import cnn
from numblocks.testing import check_gradients, check_hybrid, check_saved

KINDS = [cnn.DeformableConvolution, cnn.ModulatedDeformableConvolution]
draw = numpy.random.default_rng(4)


def values(*shape):
    return np.array(draw.normal(size=shape).astype("float32"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options", [{}, {"strides": 2, "padding": 1, "dilation": (2, 1), "groups": 2, "num_deformable_group": 2}]
)
def test_begins_as_a_plain_convolution(kind, options):
    layer = kind(4, 3, weight_initializer="normal", **options)
    plain = nn.Conv2D(4, 3, **{k: v for k, v in options.items() if k != "num_deformable_group"})
    x = values(2, 2, 7, 6)
    for each in (layer, plain):
        each.initialize()
        each(x)
    plain.weight.set_data(layer.deformable_conv_weight.data())
    numpy.testing.assert_allclose(layer(x).asnumpy(), plain(x).asnumpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_an_offset_moves_the_windows(kind):
    layer = kind(1, 1, in_channels=1, use_bias=False, weight_initializer="ones")
    layer.initialize()
    numbers = [1.0, -2.0] + [0.0] * (kind is KINDS[1])  # a row down, two columns to the left; factor 2 sigmoid(0) = 1
    layer.offset_bias.set_data(np.array(numbers))
    x = values(1, 1, 5, 6)
    wanted = numpy.zeros((5, 6), "float32")
    wanted[:-1, 2:] = x.asnumpy()[0, 0, 1:, :-2]
    assert (layer(x).asnumpy()[0, 0] == wanted).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("groups", [1, 2])
def test_hybridized_differentiated_saved(kind, groups):
    layer = kind(
        2, (2, 3), padding=1, groups=groups, num_deformable_group=groups, activation="tanh",
        offset_weight_initializer="normal", offset_bias_initializer="uniform", weight_initializer="xavier",
    )  # fmt: skip
    random.seed(3)  # no place is on the border of a pixel, where there is a kink
    layer.initialize()
    x = values(2, 2, 4, 5)
    check_hybrid(layer, x)
    check_gradients(layer, x)
    check_saved(layer, x)


def test_offsets_are_learned():
    """The image is the target moved by a pixel and a half: only offsets can undo that."""
    layer = cnn.DeformableConvolution(1, 1, in_channels=1, weight_initializer="ones", offset_bias_initializer="uniform")
    layer.initialize()
    rows = numpy.arange(12, dtype="float32")[:, None] / 4
    image = lambda by: np.array(numpy.tile(numpy.sin(rows + by / 4), (1, 12))[None, None].astype("float32"))
    x, y = image(-1.5), image(0)
    layer.deformable_conv_weight.grad_req = layer.deformable_conv_bias.grad_req = "null"
    layer.offset_weight.grad_req = "null"
    trainer = gluon.Trainer(layer.collect_params(), "adam", {"learning_rate": 0.1})
    for _ in range(60):
        with autograd.record():
            loss = np.square(layer(x) - y)[:, :, 3:-3, 3:-3].mean()
        loss.backward()
        trainer.step(1)
    assert layer.offset_bias.data().asnumpy()[0] == pytest.approx(1.5, abs=0.1) and float(loss) < 1e-3


def test_names_shapes_and_reprs():
    layer = cnn.DeformableConvolution(4, 3, padding=1, num_deformable_group=2)
    assert repr(layer) == "DeformableConvolution(None -> 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"
    layer.initialize()
    layer(values(1, 2, 5, 5))
    assert repr(layer).startswith("DeformableConvolution(2 -> 4, ")
    assert {name[len(layer.prefix) :]: p.shape for name, p in layer.collect_params().items()} == {
        "offset_weight": (36, 2, 3, 3), "offset_bias": (36,), "deformable_conv_weight": (4, 2, 3, 3),
        "deformable_conv_bias": (4,),
    }  # fmt: skip
    assert layer.prefix == "deformable_conv0_"
    layer = cnn.ModulatedDeformableConvolution(
        4, 3, (2, 1), dilation=2, groups=2, num_deformable_group=2, use_bias=False, offset_use_bias=False,
        activation="relu", in_channels=4,
    )  # fmt: skip
    assert repr(layer) == (
        "ModulatedDeformableConvolution(2 -> 4, kernel_size=(3, 3), stride=(2, 1), dilation=(2, 2), groups=2,"
        " bias=False, Activation(relu))"
    )
    assert layer.prefix == "modulated_deformable_conv0_" and layer.offset_weight.shape == (54, 2, 3, 3)
    assert layer.offset_bias is layer.deformable_conv_bias is None and gluon.contrib.cnn is cnn


def test_refusals():
    for arguments, words in (
        ({"layout": "NHWC"}, "Data are NCHW"),
        ({"groups": 3}, "Groups are of one size"),
        ({"num_deformable_group": 4, "in_channels": 6}, "Groups are of one size"),
        ({"kernel_size": (1, 2, 3)}, "kernel_size: got"),
    ):
        with pytest.raises(ValueError, match=words):
            cnn.DeformableConvolution(4, **arguments)
    with pytest.raises(ValueError, match="27 numbers for each window do not divide into 2 groups"):
        cnn.ModulatedDeformableConvolution(4, 3, groups=2)
    layer = cnn.DeformableConvolution(4, num_deformable_group=2)
    layer.initialize()
    for shape in ((1, 3, 4, 4), (4, 4)):
        with pytest.raises(ValueError, match="The layer reads"):
            layer(values(*shape))
