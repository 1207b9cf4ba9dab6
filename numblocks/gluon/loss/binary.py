"""Losses for yes or no."""

from __future__ import annotations

from ... import np, npx
from .base import Loss, like, softplus_of_negative


class SigmoidBinaryCrossEntropyLoss(Loss):
    """`-(label * log p + (1 - label) * log(1 - p))` of `p = sigmoid(pred)`, averaged per example.

    Args:
        from_sigmoid: `pred` is `p` already.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred `(batch, ...)`, label of as many values in `[0, 1]` -> `(batch,)`. `pos_weight`, given in the
    call,
        multiplies the part of the positive labels and broadcasts with pred.

    >>> SigmoidBinaryCrossEntropyLoss()(np.array([[0.]]), np.array([[1.]]))
    array([0.6931472])
    """

    def __init__(self, from_sigmoid=False, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._from_sigmoid = from_sigmoid

    def forward(self, pred, label, sample_weight=None, pos_weight=None):
        label = like(label, pred)
        if self._from_sigmoid:
            tiny = 1e-12
            positive = np.log(pred + tiny) * label
            if pos_weight is not None:
                positive = positive * pos_weight
            loss = -(positive + np.log(1.0 - pred + tiny) * (1.0 - label))
        else:
            # softplus(-pred) = -log sigmoid(pred), without overflow on either side
            factor = 1.0 if pos_weight is None else 1.0 + (pos_weight - 1.0) * label
            loss = pred - pred * label + factor * softplus_of_negative(pred)
        return self.per_example(self.weighted(loss, sample_weight))


SigmoidBCELoss = SigmoidBinaryCrossEntropyLoss


class LogisticLoss(Loss):
    """`log(1 + exp(-pred * label))`, averaged per example.

    Args:
        weight: constant factor; batch_axis: the axis that counts examples.
        label_format: `'signed'` for labels -1 and 1, `'binary'` for 0 and 1.

    Shapes: pred `(batch, ...)`, label of as many values -> `(batch,)`.

    >>> LogisticLoss()(np.array([0.]), np.array([-1.]))
    array([0.6931472])
    """

    def __init__(self, weight=None, batch_axis=0, label_format="signed", **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        if label_format not in ("signed", "binary"):
            raise ValueError(f"LogisticLoss: label_format is {label_format!r}. Labels are -1/1 or 0/1."
                             f" Use 'signed' or 'binary'.")  # fmt: skip
        self._label_format = label_format

    def forward(self, pred, label, sample_weight=None):
        label = like(label, pred)
        if self._label_format == "signed":
            label = (label + 1.0) * 0.5
        loss = pred - pred * label + softplus_of_negative(pred)
        return self.per_example(self.weighted(loss, sample_weight))


class HingeLoss(Loss):
    """`max(0, margin - pred * label)` of labels -1 and 1, averaged per example.

    Args:
        margin: wanted distance from the boundary.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred `(batch, ...)`, label of as many values -> `(batch,)`.

    >>> HingeLoss()(np.array([0.5, 2.]), np.array([1., 1.]))
    array([0.5, 0. ])
    """

    def __init__(self, margin=1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def _loss(self, pred, label):
        return npx.relu(self._margin - pred * like(label, pred))

    def forward(self, pred, label, sample_weight=None):
        return self.per_example(self.weighted(self._loss(pred, label), sample_weight))


class SquaredHingeLoss(HingeLoss):
    """`max(0, margin - pred * label)^2` of labels -1 and 1, averaged per example.

    Args:
        margin, weight, batch_axis: as of HingeLoss.

    Shapes: pred `(batch, ...)`, label of as many values -> `(batch,)`.

    >>> SquaredHingeLoss()(np.array([0.5, 2.]), np.array([1., 1.]))
    array([0.25, 0.  ])
    """

    def _loss(self, pred, label):
        return np.square(super()._loss(pred, label))
