"""How far predictions and labels agree beyond chance: F1 and correlations of classes and of numbers."""

from __future__ import annotations

import math

import numpy

from .base import EvalMetric, alias, check_label_shapes, register


def _average_checked(where: str, average: str) -> str:
    if average not in ("macro", "micro"):
        raise ValueError(
            f"{where}: average={average!r}. 'macro' is the mean of the batches' figures, 'micro' the figure of all"
            f" examples"
            f" together. Use one of them."
        )
    return average


def _classes(where: str, label, pred) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Labels and predicted classes, each `(n,)` int64; `pred` holds scores `(n, classes)` or classes."""
    if pred.ndim == 2 and pred.shape[1] > 1:
        pred = pred.argmax(1)
    label, pred = label.ravel().astype("int64"), pred.ravel().astype("int64")
    check_label_shapes(label, pred, shape=True)
    return label, pred


class _Tallied(EvalMetric):
    """A figure of a table of counts: rows are labels, columns predictions."""

    average = "micro"

    def reset(self):
        super().reset()
        self._counts = self._global_counts = numpy.zeros((2, 2), "int64")

    def reset_local(self):
        super().reset_local()
        self._counts = numpy.zeros((2, 2), "int64")

    def of(self, counts: numpy.ndarray) -> float:
        raise NotImplementedError(f"{type(self).__name__}: define of(counts).")

    def tally(self, label, pred) -> numpy.ndarray:
        """The table of one batch."""
        label, pred = _classes(type(self).__name__, label, pred)
        if label.size and (min(label.min(), pred.min()) < 0 or max(label.max(), pred.max()) > 1):
            raise ValueError(
                f"{type(self).__name__}: labels from {label.min()} to {label.max()}, predictions up to"
                f" {pred.max()}. It is"
                f" about two classes, 0 and 1. Use PCC for more."
            )
        return numpy.bincount(2 * label + pred, minlength=4).reshape(2, 2)

    def measure(self, label, pred):
        counts = self.tally(label, pred)
        self._counts, self._global_counts = _added(self._counts, counts), _added(self._global_counts, counts)
        return self.of(counts) if self.average == "macro" else 0.0, 1

    def get(self):
        if self.average == "macro" or not self.num_inst:
            return super().get()
        return self.name, self.of(self._counts)

    def get_global(self):
        if self.average == "macro" or not self.global_num_inst:
            return super().get_global()
        return self.name, self.of(self._global_counts)


def _added(a, b):
    size = max(len(a), len(b))
    total = numpy.zeros((size, size), "int64")
    for part in (a, b):
        total[: len(part), : len(part)] += part
    return total


@register
class F1(_Tallied):
    """Harmonic mean of precision and recall for two classes, 1 being the sought one; 0 if nothing was found.

    Args:
        average: `'macro'`, the mean of the batches' figures, or `'micro'`, the figure of all examples together.

    >>> m = F1()
    >>> m.update(numpy.array([0, 1, 1]), numpy.array([[0.3, 0.7], [0.0, 1.0], [0.4, 0.6]]))
    >>> m.get()
    ('f1', 0.8)
    """

    def __init__(self, name="f1", output_names=None, label_names=None, average="macro"):
        self.average = _average_checked("F1", average)
        super().__init__(name, output_names, label_names, average=average)

    def of(self, counts):
        found = 2 * counts[1, 1]
        wrong = counts[0, 1] + counts[1, 0]
        return float(found / (found + wrong)) if found else 0.0


@register
class MCC(_Tallied):
    """Correlation of two classes with their prediction, -1 to 1 (Matthews 1975); unequal class sizes do not help.

    Sums of the table that are 0 are taken as 1, so that it is always defined.

    Args:
        average: as for `F1`.

    >>> m = MCC()
    >>> m.update(numpy.array([0, 1, 0, 1]), numpy.array([0, 1, 0, 1]))
    >>> m.get()
    ('mcc', 1.0)
    """

    def __init__(self, name="mcc", output_names=None, label_names=None, average="macro"):
        self.average = _average_checked("MCC", average)
        super().__init__(name, output_names, label_names, average=average)

    def of(self, counts):
        sums = [float(s) for s in (*counts.sum(0), *counts.sum(1)) if s]
        (tn, fp), (fn, tp) = counts.astype("float64")
        return float((tp * tn - fp * fn) / math.sqrt(math.prod(sums)))


@register
class PCC(_Tallied):
    """`MCC` for any number of classes (Gorodkin 2004), of all examples together; NaN if only one class occurs.

    >>> m = PCC()
    >>> m.update(numpy.array([0, 1, 2, 2]), numpy.array([0, 1, 2, 2]))
    >>> m.get()
    ('pcc', 1.0)
    """

    def __init__(self, name="pcc", output_names=None, label_names=None, has_global_stats=True):
        super().__init__(name, output_names, label_names)

    def tally(self, label, pred):
        label, pred = _classes("PCC", label, pred)
        if label.size and min(label.min(), pred.min()) < 0:
            raise ValueError("PCC: a class below 0. Classes count from 0. Check labels and predictions.")
        size = int(max(label.max(initial=1), pred.max(initial=1))) + 1
        return numpy.bincount(size * label + pred, minlength=size * size).reshape(size, size)

    def of(self, counts):
        counts = counts.astype("float64")
        n, labels, preds = counts.sum(), counts.sum(1), counts.sum(0)
        of_labels, of_preds = (labels * (n - labels)).sum(), (preds * (n - preds)).sum()
        if of_labels == 0 or of_preds == 0:
            return float("nan")
        return float((n * counts.trace() - labels @ preds) / math.sqrt(of_labels * of_preds))


@alias("pearsonr")
class PearsonCorrelation(EvalMetric):
    """Linear correlation of numbers with their prediction, -1 to 1; NaN where one of them never changes.

    Args:
        average: as for `F1`.

    >>> m = PearsonCorrelation()
    >>> m.update(numpy.array([1.0, 2.0, 3.0]), numpy.array([2.0, 4.0, 6.0]))
    >>> round(m.get()[1], 6)
    1.0
    """

    def __init__(self, name="pearsonr", output_names=None, label_names=None, average="macro"):
        self.average = _average_checked("PearsonCorrelation", average)
        super().__init__(name, output_names, label_names, average=average)

    def reset(self):
        super().reset()
        self._moments = self._global_moments = None

    def reset_local(self):
        super().reset_local()
        self._moments = None

    def measure(self, label, pred):
        label, pred = (v.ravel().astype("float64") for v in (label, pred))
        check_label_shapes(label, pred, shape=True)
        both = numpy.stack([label, pred])
        mean = both.mean(1)
        apart = both - mean[:, None]
        batch = label.size, mean, apart @ apart.T
        self._moments, self._global_moments = _merged(self._moments, batch), _merged(self._global_moments, batch)
        return _correlation(batch) if self.average == "macro" else 0.0, 1

    def get(self):
        if self.average == "macro" or self._moments is None:
            return super().get()
        return self.name, _correlation(self._moments)

    def get_global(self):
        if self.average == "macro" or self._global_moments is None:
            return super().get_global()
        return self.name, _correlation(self._global_moments)


def _merged(a, b):
    """Count, mean and scatter of two sets together (Chan, Golub, LeVeque 1983): no sum of squares loses digits."""
    if a is None:
        return b
    count, away = a[0] + b[0], b[1] - a[1]
    return count, a[1] + away * (b[0] / count), a[2] + b[2] + numpy.outer(away, away) * (a[0] * b[0] / count)


def _correlation(moments) -> float:
    _, _, scatter = moments
    scale = math.sqrt(scatter[0, 0] * scatter[1, 1])
    return float(scatter[0, 1] / scale) if scale else float("nan")
