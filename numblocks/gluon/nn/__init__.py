"""Layers.

| names | what |
|---|---|
| Block, HybridBlock, SymbolBlock | bases |
| Sequential, HybridSequential | blocks in a row |
| Concurrent, HybridConcurrent (Concatenate, HybridConcatenate) | blocks side by side |
| Dense, Embedding, Dropout, Flatten, Identity | the everyday layers |
| Lambda, HybridLambda | functions as layers |
| Activation, LeakyReLU, PReLU, ELU, SELU, GELU, Swish, SiLU | activations |
| BatchNorm, BatchNormReLU, SyncBatchNorm, LayerNorm, GroupNorm, InstanceNorm | normalization |
| Conv1D, Conv2D, Conv3D, Conv1DTranspose, Conv2DTranspose, Conv3DTranspose | convolution |
| PixelShuffle1D, PixelShuffle2D, PixelShuffle3D, ReflectionPad2D | pixels rearranged, padding |
| MaxPool, AvgPool, GlobalMaxPool, GlobalAvgPool, each 1D, 2D and 3D | pooling |
"""

from ..block import Block
from ..hybrid import HybridBlock
from ..symbol import SymbolBlock
from .activations import ELU, GELU, SELU, Activation, LeakyReLU, PReLU, SiLU, Swish
from .basic import Dense, Dropout, Embedding, Flatten, Identity
from .concurrent import Concatenate, Concurrent, HybridConcatenate, HybridConcurrent
from .conv import Conv1D, Conv2D, Conv3D
from .lambdas import HybridLambda, Lambda
from .norm import BatchNorm, LayerNorm
from .norm_groups import BatchNormReLU, GroupNorm, InstanceNorm, ReflectionPad2D, SyncBatchNorm
from .pool import (
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)
from .sequential import HybridSequential, Sequential
from .transpose import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
    PixelShuffle1D,
    PixelShuffle2D,
    PixelShuffle3D,
)

__all__ = [
    "BatchNormReLU", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "GroupNorm", "InstanceNorm",
    "PixelShuffle1D",
    "PixelShuffle2D", "PixelShuffle3D", "ReflectionPad2D", "SyncBatchNorm",
    "Activation", "AvgPool1D", "AvgPool2D", "AvgPool3D", "BatchNorm", "Block", "Concatenate", "Concurrent", "Conv1D",
    "Conv2D", "Conv3D", "Dense", "Dropout", "ELU", "Embedding", "Flatten", "GELU", "GlobalAvgPool1D",
    "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D",
    "HybridBlock", "HybridConcatenate", "HybridConcurrent", "HybridLambda", "HybridSequential", "Identity", "Lambda",
    "LayerNorm", "LeakyReLU", "MaxPool1D", "MaxPool2D", "MaxPool3D", "PReLU", "SELU", "Sequential", "SiLU",
    "Swish", "SymbolBlock",
]  # fmt: skip
