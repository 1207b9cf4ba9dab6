"""Recurrent cells of `gluon.contrib.rnn`.

| names | what |
|---|---|
| Conv1DRNNCell, Conv2DRNNCell, Conv3DRNNCell | convolutions in place of matrices, one activation |
| Conv1DLSTMCell, Conv2DLSTMCell, Conv3DLSTMCell | ConvLSTM |
| Conv1DGRUCell, Conv2DGRUCell, Conv3DGRUCell | ConvGRU |
| LSTMPCell | LSTM whose hidden state is projected |
| VariationalDropoutCell | the one of `gluon.rnn` |
"""

from ...rnn import VariationalDropoutCell
from .convolutional import (
    Conv1DGRUCell,
    Conv1DLSTMCell,
    Conv1DRNNCell,
    Conv2DGRUCell,
    Conv2DLSTMCell,
    Conv2DRNNCell,
    Conv3DGRUCell,
    Conv3DLSTMCell,
    Conv3DRNNCell,
)
from .projected import LSTMPCell

__all__ = [
    "Conv1DGRUCell", "Conv1DLSTMCell", "Conv1DRNNCell", "Conv2DGRUCell", "Conv2DLSTMCell", "Conv2DRNNCell",
    "Conv3DGRUCell", "Conv3DLSTMCell", "Conv3DRNNCell", "LSTMPCell", "VariationalDropoutCell",
]  # fmt: skip
