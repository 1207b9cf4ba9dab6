"""Losses for distances between vectors."""

from __future__ import annotations

from ... import np, npx
from .base import Loss, like


class TripletLoss(Loss):
    """`max(0, |pred - positive|^2 - |pred - negative|^2 + margin)`, distances summed per example.

    Args:
        margin: how much nearer the positive has to be.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred, positive and negative `(batch, ...)` -> `(batch,)`.

    >>> TripletLoss()(np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 2)))
    array([1.])
    """

    def __init__(self, margin=1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def forward(self, pred, positive, negative, sample_weight=None):
        gap = np.square(like(positive, pred) - pred) - np.square(like(negative, pred) - pred)
        axes = tuple(i for i in range(gap.ndim) if i != self._batch_axis % gap.ndim)
        loss = npx.relu((gap.sum(axis=axes) if axes else gap) + self._margin)
        return self.weighted(loss, sample_weight)


class CosineEmbeddingLoss(Loss):
    """`1 - cos(a, b)` for label 1, `max(0, cos(a, b) - margin)` for label -1.

    Args:
        margin: how similar a negative pair may be.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: both inputs `(batch, features)`, label `(batch,)` -> `(batch,)`.

    >>> CosineEmbeddingLoss()(np.ones((1, 2)), np.ones((1, 2)), np.array([-1.])).shape
    (1,)
    """

    def __init__(self, weight=None, batch_axis=0, margin=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def forward(self, input1, input2, label, sample_weight=None):
        input1 = like(input1, input2)
        product = (input1 * input2).sum(axis=-1).reshape((-1, 1))
        norms = [np.sqrt(np.square(v).sum(axis=-1)).reshape((-1, 1)) for v in (input1, input2)]
        cosine = product / np.maximum(norms[0] * norms[1], 1e-12)
        loss = np.where(label.reshape((-1, 1)) == 1, 1.0 - cosine, npx.relu(cosine - self._margin))
        return self.per_example(self.weighted(loss, sample_weight))
