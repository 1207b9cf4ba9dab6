"""Losses for predicted numbers and counts."""

from __future__ import annotations

import math

from ... import np
from .base import Loss, like


class L2Loss(Loss):
    """`weight / 2 * (label - pred)^2`, averaged per example.

    Args:
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred `(batch, ...)`, label of as many values -> `(batch,)`.

    >>> L2Loss()(np.array([1., 2.]), np.array([0., 0.]))
    array([0.5, 2. ])
    """

    def __init__(self, weight=1.0, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)

    def forward(self, pred, label, sample_weight=None):
        loss = np.square(like(label, pred) - pred) * 0.5
        return self.per_example(self.weighted(loss, sample_weight))


class L1Loss(Loss):
    """`weight * |label - pred|`, averaged per example.

    Args:
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred `(batch, ...)`, label of as many values -> `(batch,)`.

    >>> L1Loss()(np.array([1., -2.]), np.array([0., 0.]))
    array([1., 2.])
    """

    def __init__(self, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)

    def forward(self, pred, label, sample_weight=None):
        loss = np.abs(like(label, pred) - pred)
        return self.per_example(self.weighted(loss, sample_weight))


class HuberLoss(Loss):
    """Squared near zero, linear beyond `rho`: `d^2 / (2 rho)` or `d - rho / 2` of `d = |label - pred|`.

    Args:
        rho: where it changes over.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred `(batch, ...)`, label of as many values -> `(batch,)`.

    >>> HuberLoss()(np.array([1., 3.]), np.array([0., 0.]))
    array([0.5, 2.5])
    """

    def __init__(self, rho=1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._rho = rho

    def forward(self, pred, label, sample_weight=None):
        distance = np.abs(like(label, pred) - pred)
        near = np.square(distance) * (0.5 / self._rho)
        loss = np.where(distance > self._rho, distance - 0.5 * self._rho, near)
        return self.per_example(self.weighted(loss, sample_weight))


class PoissonNLLLoss(Loss):
    """Negative log-likelihood of counts under Poisson distributions; the mean over everything.

    Args:
        from_logits: `pred` is the logarithm of the expected count.
        compute_full: add Stirling's approximation of `log(label!)` for labels above 1.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred `(batch, ...)`, label of as many values -> `()`.

    >>> PoissonNLLLoss()(np.zeros((2,)), np.ones((2,)))
    array(1.)
    """

    def __init__(self, weight=None, from_logits=True, batch_axis=0, compute_full=False, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._from_logits, self._compute_full = from_logits, compute_full

    def forward(self, pred, label, sample_weight=None, epsilon=1e-8):
        label = like(label, pred)
        if self._from_logits:
            loss = np.exp(pred) - label * pred
        else:
            loss = pred - label * np.log(pred + epsilon)
        if self._compute_full:
            safe = np.maximum(label, 1.0)
            stirling = safe * np.log(safe) - safe + 0.5 * np.log(2 * math.pi * safe)
            loss = loss + np.where(label > 1, stirling, 0.0)
        return self.weighted(loss, sample_weight).mean()
