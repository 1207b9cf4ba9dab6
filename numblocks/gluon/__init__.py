"""Gluon: nets, their parameters, losses and training.

| name | what |
|---|---|
| Block, HybridBlock | a net or layer; one that `hybridize()` compiles |
| nn | layers |
| rnn | recurrent layers and cells |
| loss | losses |
| Parameter, Constant, ParameterDict | what a net learns |
| Trainer | applies an optimizer to parameters |
| compile_step | forward, loss, backward and update as one compiled call |
| data | datasets and loaders |
| utils | splitting batches over devices, clipping gradients |
"""

from . import data, loss, nn, parameter, rnn, utils
from .block import Block
from .hybrid import HybridBlock
from .parameter import Constant, DeferredInitializationError, Parameter, ParameterDict
from .step import compile_step
from .trainer import Trainer

__all__ = [
    "Block", "Constant", "DeferredInitializationError", "HybridBlock", "Parameter", "ParameterDict",
    "Trainer", "compile_step", "data", "loss", "nn", "parameter", "rnn", "utils",
]  # fmt: skip
