"""Old and new names of layers, and the checklist of `gluon.nn` and `gluon.contrib.nn`."""

import numpy
import pytest

from numblocks import gluon, np
from numblocks.gluon import nn

LAYERS = (
    "Activation AvgPool1D AvgPool2D AvgPool3D BatchNorm BatchNormReLU Block Conv1D Conv1DTranspose Conv2D"
    " Conv2DTranspose Conv3D Conv3DTranspose Dense Dropout ELU Embedding Flatten GELU GlobalAvgPool1D"
    " GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GroupNorm HybridBlock"
    " HybridLambda HybridSequential InstanceNorm Lambda LayerNorm LeakyReLU MaxPool1D MaxPool2D MaxPool3D PReLU"
    " ReflectionPad2D SELU Sequential Swish SymbolBlock"
)
CONTRIB = (
    "Concurrent HybridConcurrent Identity PixelShuffle1D PixelShuffle2D PixelShuffle3D SparseEmbedding SyncBatchNorm"
)


def test_every_name_of_mxnet_is_there():
    assert [name for name in LAYERS.split() if name not in nn.__all__] == []
    assert gluon.contrib.nn.__all__ == CONTRIB.split()


def test_sparse_embedding_is_an_embedding():
    layer = gluon.contrib.nn.SparseEmbedding(5, 2, weight_initializer="ones")
    layer.initialize()
    assert (layer(np.array([0, 4], dtype="int32")).asnumpy() == numpy.ones((2, 2))).all()
    assert layer.prefix.startswith("sparseembedding")


@pytest.mark.parametrize("kind", [nn.Concatenate, nn.HybridConcatenate])
def test_concatenate_joins_outputs(kind):
    net = kind(axis=1)
    net.add(nn.Dense(2), nn.Identity())
    net.initialize()
    net.hybridize()
    x = np.ones((2, 3))
    assert net(x).shape == (2, 5) and (net(x)[:, 2:] == x).all()
