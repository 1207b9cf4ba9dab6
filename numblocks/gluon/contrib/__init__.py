"""What was experimental in Gluon, under the names it had there.

| module | what |
|---|---|
| `nn` | layers; all but `SparseEmbedding` are those of `gluon.nn` |
| `cnn` | deformable convolutions |
| `rnn` | convolutional recurrent cells, LSTM with projection, variational dropout |
| `data` | `IntervalSampler`, text of WikiText for language models |
| `estimator` | training with event handlers |
"""

import importlib

from . import nn as nn

_LATER = ("cnn", "data", "estimator", "rnn")  # imported when first named: many scripts need none of them


def __getattr__(name: str):
    if name in _LATER:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
