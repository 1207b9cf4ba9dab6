"""Recurrent layers as scans: one op goes through all time steps of one layer in one direction.

The input's share of the pre-activations, `x @ w_i2h.T`, is a matrix product for all steps at once and comes in as
`z`. Each op gives out what its backward pass needs beside the hidden states. Backward passes are scans, too; when
one is recorded for higher orders, it is written in ordinary ops instead (`rnn_steps`).
"""

from __future__ import annotations

from .elman import rnn_scan, rnn_scan_grad
from .gru import gru_scan, gru_scan_grad
from .lstm import lstm_scan, lstm_scan_grad

__all__ = ["gru_scan", "gru_scan_grad", "lstm_scan", "lstm_scan_grad", "rnn_scan", "rnn_scan_grad"]
