"""Running evaluation: `update(labels, preds)` after each batch, `get()` for the figure so far.

Labels and predictions are one array or a list of arrays (one for each output or device); numblocks and NumPy
arrays both do. Metrics compute in NumPy, in float64, and never touch the tape.
"""

from __future__ import annotations

import math

import numpy

_registry: dict[str, type] = {}


def register(*names):
    """Class decorator: makes a metric known to `create` by its lower-case class name and by `names`."""

    def add(klass):
        for name in (klass.__name__, *names):
            _registry[name.lower()] = klass
        return klass

    return add


def create(metric, *args, **kwargs) -> EvalMetric:
    """A metric from its name, from a function of (label, pred), from a list of these, or itself.

    >>> create('acc').get()[0]
    'accuracy'
    """
    if isinstance(metric, EvalMetric):
        return metric
    if isinstance(metric, (list, tuple)):
        return CompositeEvalMetric([create(m, *args, **kwargs) for m in metric])
    if isinstance(metric, str):
        klass = _registry.get(metric.lower())
        if klass is None:
            raise ValueError(
                f"metric.create: {metric!r} is not registered. The metrics are"
                f" {', '.join(sorted(_registry))}. Use one of these, or metric.register your class."
            )
        return klass(*args, **kwargs)
    if callable(metric):
        return CustomMetric(metric, *args, **kwargs)
    raise TypeError(
        f"metric.create: got {type(metric).__name__}. A name, function, list or EvalMetric is needed."
    )


def _numpy(x) -> numpy.ndarray:
    return x.asnumpy() if hasattr(x, "asnumpy") else numpy.asarray(x)


def _listed(x) -> list[numpy.ndarray]:
    return [_numpy(v) for v in x] if isinstance(x, (list, tuple)) else [_numpy(x)]


def check_label_shapes(labels, preds, wrap=False, shape=False):
    """Raise `ValueError` unless there are as many labels as predictions (with `shape`: of equal shape).

    Returns:
        `labels, preds`, each put into a list if `wrap` is set and it is none.
    """
    a, b = (labels.shape, preds.shape) if shape else (len(labels), len(preds))
    if a != b:
        raise ValueError(
            f"metric: labels have {'shape' if shape else 'length'} {a}, predictions {b}. They are compared"
            f" one by one. Pass as many labels as predictions."
        )
    if wrap:
        labels = labels if isinstance(labels, (list, tuple)) else [labels]
        preds = preds if isinstance(preds, (list, tuple)) else [preds]
    return labels, preds


class EvalMetric:
    """Base of all metrics: a sum and a count, since `reset_local()` and since `reset()`.

    Args:
        name: what `get()` calls the figure.
        output_names, label_names: which entries `update_dict` takes; None takes all.

    A subclass overrides `measure(label, pred)`, which returns the sum and count that one pair adds, or
    `update`.
    """

    def __init__(self, name, output_names=None, label_names=None, **kwargs):
        self.name = str(name)
        self.output_names, self.label_names = output_names, label_names
        self._kwargs = kwargs
        self.reset()

    def __str__(self) -> str:
        return f"EvalMetric: {dict(self.get_name_value())}"

    def get_config(self) -> dict:
        """What it takes to make the metric again."""
        return dict(
            self._kwargs,
            metric=type(self).__name__,
            name=self.name,
            output_names=self.output_names,
            label_names=self.label_names,
        )

    def measure(self, label: numpy.ndarray, pred: numpy.ndarray) -> tuple[float, float]:
        raise NotImplementedError(f"{type(self).__name__}: define measure(label, pred), or update itself.")

    def update(self, labels, preds) -> None:
        """Take one batch into account."""
        labels, preds = _listed(labels), _listed(preds)
        check_label_shapes(labels, preds)
        for label, pred in zip(labels, preds, strict=True):
            self.add_to(*self.measure(label, pred))

    def update_dict(self, label: dict, pred: dict) -> None:
        """`update` with the entries named in `label_names` and `output_names`."""
        labels = (
            [label[k] for k in self.label_names] if self.label_names is not None else list(label.values())
        )
        preds = [pred[k] for k in self.output_names] if self.output_names is not None else list(pred.values())
        self.update(labels, preds)

    def add_to(self, total: float, count: float) -> None:
        """Add to the sum and the count."""
        self.sum_metric += total
        self.num_inst += count
        self.global_sum_metric += total
        self.global_num_inst += count

    def reset(self) -> None:
        """Forget everything."""
        self.num_inst = self.global_num_inst = 0
        self.sum_metric = self.global_sum_metric = 0.0

    def reset_local(self) -> None:
        """Forget what `get()` tells; `get_global()` goes on."""
        self.num_inst, self.sum_metric = 0, 0.0

    def finish(self, mean: float) -> float:
        """From the mean to the figure; the identity unless a subclass says otherwise."""
        return mean

    def get(self) -> tuple[str, float]:
        """`(name, figure)`, NaN before the first update."""
        return self.name, self.finish(self.sum_metric / self.num_inst) if self.num_inst else float("nan")

    def get_global(self) -> tuple[str, float]:
        """`get()` over everything since `reset()`."""
        count = self.global_num_inst
        return self.name, self.finish(self.global_sum_metric / count) if count else float("nan")

    def get_name_value(self) -> list[tuple[str, float]]:
        """`get()` as a list of pairs, whatever the metric."""
        return _pairs(*self.get())

    def get_global_name_value(self) -> list[tuple[str, float]]:
        """`get_global()` as a list of pairs."""
        return _pairs(*self.get_global())


def _pairs(names, values):
    return list(zip(names, values, strict=True)) if isinstance(names, list) else [(names, values)]


@register("composite")
class CompositeEvalMetric(EvalMetric):
    """Several metrics as one; `get()` returns lists."""

    def __init__(self, metrics=None, name="composite", output_names=None, label_names=None):
        self.metrics = [create(m) for m in metrics or ()]
        super().__init__(name, output_names, label_names)

    def add(self, metric) -> None:
        """Append a metric (anything `create` takes)."""
        self.metrics.append(create(metric))

    def get_metric(self, index: int) -> EvalMetric:
        """The metric at `index`; `ValueError` if there is none."""
        if not 0 <= index < len(self.metrics):
            raise ValueError(f"CompositeEvalMetric: no metric {index}. There are {len(self.metrics)}.")
        return self.metrics[index]

    def update(self, labels, preds):
        for metric in self.metrics:
            metric.update(labels, preds)

    def update_dict(self, label, pred):
        for metric in self.metrics:
            metric.update_dict(label, pred)

    def reset(self):
        for metric in self.metrics:
            metric.reset()

    def reset_local(self):
        for metric in self.metrics:
            metric.reset_local()

    def get(self):
        return self._collect("get_name_value")

    def get_global(self):
        return self._collect("get_global_name_value")

    def _collect(self, how):
        pairs = [pair for metric in self.metrics for pair in getattr(metric, how)()]
        return [name for name, _ in pairs], [value for _, value in pairs]


@register("acc")
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


@register("top_k_accuracy", "top_k_acc")
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


class _Regression(EvalMetric):
    """The mean over batches of each batch's own figure, as in Gluon: all batches count alike."""

    def measure(self, label, pred):
        label, pred = (v.reshape(len(v), -1).astype("float64") for v in (label, pred))
        check_label_shapes(label, pred, shape=True)
        return float(self.of(label - pred)), 1

    def of(self, error: numpy.ndarray) -> float:
        raise NotImplementedError


@register()
class MAE(_Regression):
    """Mean absolute error."""

    def __init__(self, name="mae", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def of(self, error):
        return abs(error).mean()


@register()
class MSE(_Regression):
    """Mean squared error."""

    def __init__(self, name="mse", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def of(self, error):
        return (error * error).mean()


@register()
class RMSE(_Regression):
    """Root of the mean squared error of a batch, averaged over batches."""

    def __init__(self, name="rmse", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def of(self, error):
        return math.sqrt((error * error).mean())


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


@register("ce")
class CrossEntropy(EvalMetric):
    """Mean of -log of the probability of the label; `preds` are probabilities `(n, classes)`."""

    def __init__(self, eps=1e-12, name="cross-entropy", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, eps=eps)
        self.eps = eps

    def measure(self, label, pred):
        at = _at_label(type(self).__name__, label, pred)
        return float(-numpy.log(at + self.eps).sum()), at.size


@register("nll_loss")
class NegativeLogLikelihood(CrossEntropy):
    """The same figure as `CrossEntropy` under its other name."""

    def __init__(self, eps=1e-12, name="nll-loss", output_names=None, label_names=None):
        super().__init__(eps, name, output_names, label_names)


@register()
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


@register()
class Loss(EvalMetric):
    """Mean of the values of a loss; labels are not looked at."""

    def __init__(self, name="loss", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def update(self, _, preds):
        for pred in _listed(preds):
            self.add_to(float(pred.astype("float64").sum()), pred.size)


@register()
class CustomMetric(EvalMetric):
    """A function of (label, pred) as NumPy arrays, returning a figure or a (sum, count).

    Args:
        feval: the function.
        allow_extra_outputs: take more predictions than labels, ignoring the rest.
    """

    def __init__(self, feval, name=None, allow_extra_outputs=False, output_names=None, label_names=None):
        name = name or getattr(feval, "__name__", "custom")
        super().__init__(f"custom({name})" if "<" in name else name, output_names, label_names)
        self._feval, self._extra = feval, allow_extra_outputs

    def update(self, labels, preds):
        if self._extra:
            preds = _listed(preds)[: len(_listed(labels))]
        super().update(labels, preds)

    def measure(self, label, pred):
        found = self._feval(label, pred)
        return found if isinstance(found, tuple) else (found, 1)


def np(numpy_feval, name=None, allow_extra_outputs=False) -> CustomMetric:
    """A metric from a function of two NumPy arrays."""
    return CustomMetric(numpy_feval, name or numpy_feval.__name__, allow_extra_outputs)
