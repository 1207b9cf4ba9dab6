"""How well classes and their probabilities are predicted."""

from __future__ import annotations

import math

import numpy

from .base import EvalMetric, alias, check_label_shapes, register


@alias("acc")
class Accuracy(EvalMetric):
    """The share of predictions that equal their label.

    Args:
        axis: where the classes lie, if `preds` holds scores rather than classes.

    >>> m = Accuracy()
    >>> m.update(numpy.array([0, 1]), numpy.array([[0.9, 0.1], [0.8, 0.2]]))
    >>> m.get()
    ('accuracy', 0.5)
    """

    def __init__(self, axis=1, name="accuracy", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, axis=axis)
        self.axis = axis

    def measure(self, label, pred):
        if pred.size != label.size:  # scores; (n, 1) and (n,) hold the same classes
            pred = pred.argmax(self.axis)
        label, pred = label.astype("int64").ravel(), pred.astype("int64").ravel()
        check_label_shapes(label, pred, shape=True)
        return int((label == pred).sum()), label.size


@alias("top_k_accuracy", "top_k_acc")
class TopKAccuracy(EvalMetric):
    """The share of labels among the `top_k` highest scores; `preds` has shape `(n, classes)`."""

    def __init__(self, top_k=1, name="top_k_accuracy", output_names=None, label_names=None):
        super().__init__(f"{name}_{top_k}", output_names, label_names, top_k=top_k)
        if top_k < 2:
            raise ValueError(
                f"TopKAccuracy: top_k={top_k}. Below 2 it is Accuracy. Use that, or a larger top_k."
            )
        self.top_k = top_k

    def measure(self, label, pred):
        if pred.ndim != 2:
            raise ValueError(
                f"TopKAccuracy: predictions of shape {pred.shape}. They are scores (n, classes)."
            )
        label = label.astype("int64").ravel()
        check_label_shapes(label, pred)
        best = numpy.argsort(pred, axis=1)[:, -self.top_k :]
        return int((best == label[:, None]).any(1).sum()), label.size


def _at_label(where: str, label, pred) -> numpy.ndarray:
    """The probability `(n,)` that each row of `pred` `(n, classes)` gives to its label."""
    label = label.astype("int64").ravel()
    if pred.ndim != 2 or len(pred) != len(label):
        raise ValueError(
            f"{where}: {label.size} labels and predictions of shape {pred.shape}. Predictions are"
            f" probabilities (n, classes). Reshape them."
        )
    if label.size and (label.min() < 0 or label.max() >= pred.shape[1]):
        raise ValueError(
            f"{where}: labels from {label.min()} to {label.max()} for {pred.shape[1]} classes. Classes"
            f" count from 0. Check the labels."
        )
    return pred.astype("float64")[numpy.arange(len(label)), label]


@alias("ce")
class CrossEntropy(EvalMetric):
    """Mean of -log of the probability of the label; `preds` are probabilities `(n, classes)`."""

    def __init__(self, eps=1e-12, name="cross-entropy", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, eps=eps)
        self.eps = eps

    def measure(self, label, pred):
        at = _at_label(type(self).__name__, label, pred)
        return float(-numpy.log(at + self.eps).sum()), at.size


@alias("nll_loss")
class NegativeLogLikelihood(CrossEntropy):
    """The same figure as `CrossEntropy` under its other name."""

    def __init__(self, eps=1e-12, name="nll-loss", output_names=None, label_names=None):
        super().__init__(eps, name, output_names, label_names)


@register
class Perplexity(EvalMetric):
    """exp of the mean cross entropy; labels equal to `ignore_label` do not count."""

    def __init__(self, ignore_label, axis=-1, name="perplexity", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, ignore_label=ignore_label, axis=axis)
        self.ignore_label, self.axis = ignore_label, axis

    def measure(self, label, pred):
        pred = numpy.moveaxis(pred, self.axis, -1)
        pred, label = pred.reshape(-1, pred.shape[-1]), label.ravel()
        if self.ignore_label is not None:
            kept = label != self.ignore_label
            label, pred = label[kept], pred[kept]
        at = _at_label("Perplexity", label, pred)
        return float(-numpy.log(numpy.maximum(at, 1e-10)).sum()), at.size

    def finish(self, mean):
        return math.exp(mean)
