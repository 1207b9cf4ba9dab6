"""Gluon: nets, their parameters, losses and training.

| name | what |
|---|---|
| Block, HybridBlock | a net or layer; one that `hybridize()` compiles |
| SymbolBlock | a net read from a file that `export` wrote |
| nn | layers |
| rnn | recurrent layers and cells |
| loss | losses |
| Parameter, Constant, ParameterDict | what a net learns |
| Trainer | applies an optimizer to parameters |
| compile_step | forward, loss, backward and update as one compiled call |
| contrib | layers that were experimental, by their old names |
| data | datasets and loaders |
| model_zoo | known nets: ResNet, VGG, MobileNet and others |
| utils | splitting batches over devices, clipping gradients |
"""

import importlib

from . import loss, nn, parameter
from .block import Block
from .hybrid import HybridBlock
from .parameter import Constant, DeferredInitializationError, Parameter, ParameterDict
from .step import compile_step
from .symbol import SymbolBlock
from .trainer import Trainer

__all__ = [
    "Block", "Constant", "DeferredInitializationError", "HybridBlock", "Parameter", "ParameterDict",
    "SymbolBlock", "Trainer", "compile_step", "contrib", "data", "loss", "model_zoo", "nn", "parameter", "rnn", "utils",
]  # fmt: skip

_LATER = ("contrib", "data", "model_zoo", "rnn", "utils")  # imported when first named: many scripts need none of them


def __getattr__(name: str):
    if name in _LATER:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
