"""Recurrent networks.

| names | what |
|---|---|
| RNN, LSTM, GRU | layers over whole sequences, each direction one fused scan |
| RNNCell, LSTMCell, GRUCell | one time step; `unroll` over a sequence |
| SequentialRNNCell, HybridSequentialRNNCell, BidirectionalCell | cells stacked, or in both directions |
| DropoutCell, ZoneoutCell, ResidualCell, VariationalDropoutCell, ModifierCell | cells round cells |
| RecurrentCell, HybridRecurrentCell | bases |
"""

from .cell import GRUCell, HybridRecurrentCell, LSTMCell, RecurrentCell, RNNCell
from .compose import BidirectionalCell, HybridSequentialRNNCell, SequentialRNNCell
from .layer import GRU, LSTM, RNN
from .modify import DropoutCell, ModifierCell, ResidualCell, VariationalDropoutCell, ZoneoutCell

__all__ = [
    "BidirectionalCell", "DropoutCell", "GRU", "GRUCell", "HybridRecurrentCell", "HybridSequentialRNNCell", "LSTM",
    "LSTMCell", "ModifierCell", "RNN", "RNNCell", "RecurrentCell", "ResidualCell", "SequentialRNNCell",
    "VariationalDropoutCell", "ZoneoutCell",
]  # fmt: skip
