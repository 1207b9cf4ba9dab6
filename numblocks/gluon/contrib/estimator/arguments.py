"""What an Estimator is given, checked and completed."""

from __future__ import annotations

import logging
import sys

from .... import metric
from ... import loss as losses
from ...data import DataLoader
from .batch_processor import BatchProcessor


def checked(what: str, given, kind, name: str):
    """`given`, if it is a `kind`; else `ValueError`."""
    if not isinstance(given, kind):
        raise ValueError(f"Estimator: {what} must be a {name}, and is {given!r}. The estimator calls it as one.")
    return given


def checked_processor(given):
    """A BatchProcessor, or whatever has its methods; else `ValueError`."""
    if given is None:
        return BatchProcessor()
    if not all(callable(getattr(given, name, None)) for name in ("fit_batch", "evaluate_batch")):
        raise ValueError(
            f"Estimator: batch_processor is {given!r}. It must contain fit_batch() and evaluate_batch() methods."
            f" Derive it from BatchProcessor."
        )
    return given


def check_loader(method: str, given) -> None:
    """`ValueError` unless `given` is a DataLoader."""
    if not isinstance(given, DataLoader):
        raise ValueError(
            f"Estimator.{method}: got {type(given).__name__} as data. Estimator only support input as Gluon DataLoader:"
            f" it is read again in each epoch. Wrap arrays as DataLoader(ArrayDataset(x, y), batch_size)."
        )


def count_batches(loader) -> int | None:
    """How many batches there are, None if the sampler does not know."""
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return None


def metric_list(given) -> list[metric.EvalMetric]:
    """Metrics as a list; a composite one is taken apart."""
    if given is None:
        return []
    if isinstance(given, metric.CompositeEvalMetric):
        return metric_list(given.metrics)
    listed = list(given) if isinstance(given, (list, tuple)) else [given]
    for each in listed:
        if not isinstance(each, metric.EvalMetric):
            raise ValueError(
                f"Estimator: metrics must be a Metric or a list of Metric, and there is {given!r}. Handlers share"
                f" these objects. Pass objects such as metric.Accuracy()."
            )
    return listed


def default_metrics(loss) -> list[metric.EvalMetric]:
    """The loss, and accuracy where labels are class numbers."""
    found: list[metric.EvalMetric] = []
    if isinstance(loss, losses.SoftmaxCrossEntropyLoss):
        found.append(metric.Accuracy())
    return [*found, metric.Loss(type(loss).__name__.lower())]


def prefix_names(found, word: str) -> None:
    """Let the names of metrics begin with a word."""
    for each in found:
        name = str(each.name)
        for other in ("training ", "validation "):
            name = name.removeprefix(other)
        each.name = f"{word} {name}"


def own_logger() -> logging.Logger:
    """A logger that writes to standard output."""
    # A logger of its own and not getLogger(): two estimators must not log every line twice.
    logger = logging.Logger("Estimator", logging.INFO)
    logger.addHandler(logging.StreamHandler(sys.stdout))
    return logger
