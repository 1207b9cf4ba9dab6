"""The base of all metrics, their registry, and several metrics as one."""

from __future__ import annotations

import numpy

_registry: dict[str, type] = {}


def register(klass):
    """Class decorator: makes a metric known to `create` by its lower-case class name."""
    return alias()(klass)


def alias(*names):
    """Class decorator: `register`, and further names."""

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


def numpy_of(x) -> numpy.ndarray:
    """`x` as a NumPy array."""
    return x.asnumpy() if hasattr(x, "asnumpy") else numpy.asarray(x)


def listed(x) -> list[numpy.ndarray]:
    """`x`, one array or a list of them, as a list of NumPy arrays."""
    return [numpy_of(v) for v in x] if isinstance(x, (list, tuple)) else [numpy_of(x)]


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
        labels, preds = listed(labels), listed(preds)
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


@alias("composite")
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


@register
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
            preds = listed(preds)[: len(listed(labels))]
        super().update(labels, preds)

    def measure(self, label, pred):
        found = self._feval(label, pred)
        return found if isinstance(found, tuple) else (found, 1)


def np(numpy_feval, name=None, allow_extra_outputs=False) -> CustomMetric:
    """A metric from a function of two NumPy arrays."""
    return CustomMetric(numpy_feval, name or numpy_feval.__name__, allow_extra_outputs)
