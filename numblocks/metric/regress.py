"""How far numbers are off, and the mean of a loss."""

from __future__ import annotations

import math

import numpy

from .base import EvalMetric, check_label_shapes, listed, register


class _Regression(EvalMetric):
    """The mean over batches of each batch's own figure, as in Gluon: all batches count alike."""

    def measure(self, label, pred):
        label, pred = (v.reshape(len(v), -1).astype("float64") for v in (label, pred))
        check_label_shapes(label, pred, shape=True)
        return float(self.of(label - pred)), 1

    def of(self, error: numpy.ndarray) -> float:
        raise NotImplementedError


@register
class MAE(_Regression):
    """Mean absolute error."""

    def __init__(self, name="mae", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def of(self, error):
        return abs(error).mean()


@register
class MSE(_Regression):
    """Mean squared error."""

    def __init__(self, name="mse", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def of(self, error):
        return (error * error).mean()


@register
class RMSE(_Regression):
    """Root of the mean squared error of a batch, averaged over batches."""

    def __init__(self, name="rmse", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def of(self, error):
        return math.sqrt((error * error).mean())


@register
class Loss(EvalMetric):
    """Mean of the values of a loss; labels are not looked at."""

    def __init__(self, name="loss", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def update(self, _, preds):
        for pred in listed(preds):
            self.add_to(float(pred.astype("float64").sum()), pred.size)


@register
class Torch(Loss):
    """`Loss` under the name that losses of Torch had.

    >>> Torch().name
    'torch'
    """

    def __init__(self, name="torch", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)


@register
class Caffe(Loss):
    """`Loss` under the name that losses of Caffe had.

    >>> Caffe().name
    'caffe'
    """

    def __init__(self, name="caffe", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)
