"""Losses for one of several classes, and for distributions."""

from __future__ import annotations

import numpy

from ... import np, npx
from .base import Loss, like


class SoftmaxCrossEntropyLoss(Loss):
    """`-log softmax(pred)[label]`, averaged per example over whatever other axes there are.

    Args:
        axis: the axis of the classes.
        sparse_label: labels are class numbers; else they are distributions of the shape of `pred`.
        from_logits: `pred` holds log-probabilities already.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred `(batch, classes)`, label `(batch,)` (or pred's shape) -> `(batch,)`. Other axes may follow.

    Raises:
        IndexError: a label is not one of the classes, and its weight is not 0.
        ValueError: a label is NaN, or the shapes do not fit.

    >>> SoftmaxCrossEntropyLoss()(np.zeros((2, 4)), np.array([0, 3]))
    array([1.3862944, 1.3862944])
    """

    def __init__(self, axis=-1, sparse_label=True, from_logits=False, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._axis, self._sparse_label, self._from_logits = axis, sparse_label, from_logits

    def forward(self, pred, label, sample_weight=None):
        if not -pred.ndim <= self._axis < pred.ndim:
            raise ValueError(
                f"predictions have shape {pred.shape}. The classes are read from axis {self._axis}, and there"
                f" is none. Pass (batch, classes), or set axis."
            )
        if not self._from_logits:
            pred = npx.log_softmax(pred, axis=self._axis)
        # The class axis stays, with size 1, where a weight or the number of the batch axis counts on it.
        keep = sample_weight is not None or self._axis % pred.ndim < self._batch_axis % pred.ndim
        if self._sparse_label:
            classes = self._classes(pred, label)
            if sample_weight is not None:
                classes = self._counted(classes, sample_weight)
            loss = -npx.pick(pred, classes, axis=self._axis, mode="strict", keepdims=keep)
        else:
            loss = -(pred * like(label, pred)).sum(axis=self._axis, keepdims=keep)
        return self.per_example(self.weighted(loss, sample_weight))

    def _counted(self, classes, weight):
        """Labels with 0 in place of those whose weight is 0: these may be anything, -1 is usual."""
        kept = np.expand_dims(classes, self._axis)
        if numpy.broadcast_shapes(kept.shape, weight.shape) != kept.shape:
            return classes  # weights of another shape than the loss: multiplying by them says what does not fit
        return np.where(weight != 0, kept, 0)

    def _classes(self, pred, label):
        """`label` without a class axis of size 1, checked to be one number per prediction."""
        axis = self._axis % pred.ndim
        expected = pred.shape[:axis] + pred.shape[axis + 1 :]
        if label.shape == expected:
            return label
        if label.shape == (*expected[:axis], 1, *expected[axis:]):
            return label.reshape(expected)
        if label.shape == pred.shape:
            hint = "These look like distributions: set sparse_label=False"
        else:
            hint = f"Pass labels of shape {expected}"
        raise ValueError(
            f"predictions have shape {pred.shape} and labels {label.shape}. With the classes on axis"
            f" {self._axis} there is one class number for each of {expected}. {hint}."
        )


SoftmaxCELoss = SoftmaxCrossEntropyLoss
CELoss = SoftmaxCrossEntropyLoss


class KLDivLoss(Loss):
    """`label * (log label - pred)`, summed per example: the divergence of two distributions.

    Args:
        from_logits: `pred` holds log-probabilities; else `log_softmax` is taken first.
        axis: the axis of the distribution.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred and label `(batch, ...)` -> `(batch,)`.

    >>> KLDivLoss(from_logits=False)(np.zeros((1, 2)), np.array([[0.5, 0.5]])).shape
    (1,)
    """

    def __init__(self, from_logits=True, axis=-1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._from_logits, self._axis = from_logits, axis

    def forward(self, pred, label, sample_weight=None):
        if not self._from_logits:
            pred = npx.log_softmax(pred, axis=self._axis)
        loss = label * (np.log(label + 1e-12) - pred)
        return self.per_example(self.weighted(loss, sample_weight), "sum")
