"""Losses that learn a metric from the other examples of a batch."""

from __future__ import annotations

from ... import np, npx
from .base import Loss


class SDMLLoss(Loss):
    """Smoothed deep metric learning (Bonadiman et al., arXiv:1905.12786): row i of a batch belongs to row i of another.

    Every other row is a negative example, which it may be by mistake; so the label of a row is smoothed:
    `1 - smoothing_parameter` for its partner, the rest shared by all others. The loss is the Kullback-Leibler
    divergence of that from the softmax of the negative squared distances.

    Unlike the original's, `weight` counts here.

    Args:
        smoothing_parameter: the share of the others, from 0 to below 1.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: both inputs `(batch, features)`, batch at least 2 -> `(batch,)`.

    Raises:
        AssertionError: the inputs have different shapes.

    >>> SDMLLoss()(np.eye(2), np.eye(2)).shape
    (2,)
    """

    def __init__(self, smoothing_parameter=0.3, weight=1.0, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self.smoothing_parameter = smoothing_parameter

    def forward(self, x1, x2):
        if x1.shape != x2.shape or x1.ndim != 2 or x1.shape[0] < 2:
            raise AssertionError(
                f"the inputs have shapes {x1.shape} and {x2.shape}. Row i of one belongs to row i of the other, and"
                f" there must be others to tell it from. Pass two arrays (batch, features) of one shape, with 2 rows or"
                f" more."
            )
        n = x1.shape[0]
        distances = np.square(np.expand_dims(x1, 1) - np.expand_dims(x2, 0)).sum(axis=2)
        share = self.smoothing_parameter / (n - 1)
        target = np.eye(n, dtype=x1.dtype, ctx=x1.ctx) * (1.0 - self.smoothing_parameter - share) + share
        divergence = target * (np.log(target + 1e-12) - npx.log_softmax(-distances, axis=1))
        return self.weighted(divergence.sum(axis=1))
