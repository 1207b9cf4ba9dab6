"""Losses. Each compares predictions with labels and returns one number per example of the batch.

| class | for |
|---|---|
| L2Loss, L1Loss, HuberLoss | numbers |
| SoftmaxCrossEntropyLoss (SoftmaxCELoss) | one of several classes |
| SigmoidBinaryCrossEntropyLoss (SigmoidBCELoss), LogisticLoss, HingeLoss, SquaredHingeLoss | yes or no |
| KLDivLoss, PoissonNLLLoss | distributions, counts |
| TripletLoss, CosineEmbeddingLoss | distances of vectors |

`weight` is a constant factor; `sample_weight`, given in the call, is an array that broadcasts with the loss.
"""

from __future__ import annotations

import math

from .. import np, npx
from .hybrid import HybridBlock


class Loss(HybridBlock):
    """Base of the losses.

    Args:
        weight: constant factor, or None.
        batch_axis: the axis that counts examples.

    >>> class Absolute(Loss):
    ...     def forward(self, pred, label):             # `(batch, ...)` twice -> `(batch,)`
    ...         return self.per_example(np.abs(pred - label))
    >>> Absolute(None, 0)(np.zeros((2, 3)), np.ones((2, 3)))
    array([1., 1.])
    """

    def __init__(self, weight, batch_axis, **kwargs):
        super().__init__(**kwargs)
        self._weight, self._batch_axis = weight, batch_axis

    def weighted(self, loss, sample_weight=None):
        """`loss` times `sample_weight` and the constant weight, whichever there are."""
        if sample_weight is not None:
            loss = loss * sample_weight
        if self._weight is not None and self._weight != 1:
            if not isinstance(self._weight, int | float):
                raise TypeError(
                    f"weight is {self._weight!r}. It is a constant factor. Pass a number, or sample_weight."
                )
            loss = loss * self._weight
        return loss

    def per_example(self, loss):
        """The mean over all axes but the batch: `(batch, ...)` -> `(batch,)`."""
        axes = tuple(i for i in range(loss.ndim) if i != self._batch_axis % loss.ndim) if loss.ndim else ()
        return loss.mean(axis=axes) if axes else loss

    def __repr__(self):
        return f"{type(self).__name__}(batch_axis={self._batch_axis}, w={self._weight})"


def like(label, pred):
    """`label` in the shape of `pred`; they must have equally many values."""
    if label.shape == pred.shape:
        return label
    if label.size != pred.size:
        raise ValueError(
            f"predictions have shape {pred.shape} and labels {label.shape}. There is one label per"
            f" prediction. Pass labels of the predictions' shape."
        )
    return label.reshape(pred.shape)


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


class SoftmaxCrossEntropyLoss(Loss):
    """`-log softmax(pred)[label]`, averaged per example over whatever other axes there are.

    Args:
        axis: the axis of the classes.
        sparse_label: labels are class numbers; else they are distributions of the shape of `pred`.
        from_logits: `pred` holds log-probabilities already.
        weight: constant factor; batch_axis: the axis that counts examples.

    Shapes: pred `(batch, classes)`, label `(batch,)` (or pred's shape) -> `(batch,)`. Other axes may follow.

    Raises:
        IndexError: a label is not one of the classes.
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
            loss = -npx.pick(pred, self._classes(pred, label), axis=self._axis, mode="strict", keepdims=keep)
        else:
            loss = -(pred * like(label, pred)).sum(axis=self._axis, keepdims=keep)
        return self.per_example(self.weighted(loss, sample_weight))

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
            loss = pred - pred * label + factor * _softplus_of_negative(pred)
        return self.per_example(self.weighted(loss, sample_weight))


def _softplus_of_negative(x):
    return npx.softplus(-np.abs(x)) + npx.relu(-x)


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
        loss = pred - pred * label + _softplus_of_negative(pred)
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


class KLDivLoss(Loss):
    """`label * (log label - pred)`, averaged per example: the divergence of two distributions.

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
