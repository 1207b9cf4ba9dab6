"""`Loss`, the base of all losses, and what they share."""

from __future__ import annotations

from ... import np, npx
from ..hybrid import HybridBlock


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
        return _apply_weighting(None, loss, self._weight, sample_weight)

    def per_example(self, loss, how="mean"):
        """The mean, or the sum, over all axes but the batch: `(batch, ...)` -> `(batch,)`."""
        axes = tuple(i for i in range(loss.ndim) if i != self._batch_axis % loss.ndim) if loss.ndim else ()
        return getattr(loss, how)(axis=axes) if axes else loss

    def __repr__(self):
        return f"{type(self).__name__}(batch_axis={self._batch_axis}, w={self._weight})"


def _apply_weighting(F, loss, weight=None, sample_weight=None):
    """`loss` times `sample_weight` and the constant `weight`: losses written for Gluon import this name."""
    if sample_weight is not None:
        loss = loss * sample_weight
    if weight is not None and weight != 1:
        if not isinstance(weight, int | float):
            raise TypeError(f"weight is {weight!r}. It is a constant factor. Pass a number, or sample_weight.")
        loss = loss * weight
    return loss


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


def softplus_of_negative(x):
    """`-log(sigmoid(x))`, without overflow on either side."""
    return npx.softplus(-np.abs(x)) + npx.relu(-x)
