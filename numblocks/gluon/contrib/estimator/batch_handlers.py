"""Handlers without which nothing is learned or measured: updates, metrics, validation."""

from __future__ import annotations

from .... import metric
from .events import BatchEnd, EpochBegin, EpochEnd, EventHandler, TrainBegin


class GradientUpdateHandler(BatchEnd):
    """Applies the gradients of a batch with the estimator's trainer. `fit` adds one.

    Args:
        priority: who comes first at the end of a batch; this one should.

    >>> GradientUpdateHandler().priority
    -2000
    """

    def __init__(self, priority=-2000):
        self.priority = priority

    def batch_end(self, estimator, *args, **kwargs):
        loss = kwargs["loss"]
        losses = loss if isinstance(loss, (list, tuple)) else [loss]
        estimator.trainer.step(sum(each.shape[0] if each.ndim else 1 for each in losses))


class MetricHandler(EpochBegin, BatchEnd):
    """Updates metrics with each batch, and resets them when an epoch begins. `fit` and `evaluate` add one.

    Args:
        metrics: list of metrics; a `metric.Loss` gets the losses, the others labels and predictions.
        priority: who comes first at the end of a batch; readers of metrics come after it.

    >>> MetricHandler([metric.Accuracy()]).priority
    -1000
    """

    def __init__(self, metrics, priority=-1000):
        self.metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
        for each in self.metrics:
            if not isinstance(each, metric.EvalMetric):
                raise ValueError(f"MetricHandler: got {each!r}. It updates metrics. Pass a list of EvalMetric objects.")
        self.priority = priority

    def epoch_begin(self, estimator, *args, **kwargs):
        for each in self.metrics:
            each.reset()

    def batch_end(self, estimator, *args, **kwargs):
        for each in self.metrics:
            if isinstance(each, metric.Loss):
                each.update(0, kwargs["loss"])
            else:
                each.update(kwargs["label"], kwargs["pred"])


class ValidationHandler(TrainBegin, BatchEnd, EpochEnd):
    """Evaluates on validation data now and then. `fit` adds one if it is given `val_data`.

    Args:
        val_data: a DataLoader.
        eval_fn: called as `eval_fn(val_data=, batch_axis=, event_handlers=)`; usually `estimator.evaluate`.
        epoch_period, batch_period: after how many epochs and batches, None for never.
        priority: who comes first; what reads validation metrics comes after it.
        event_handlers: handlers for the evaluation.

    >>> ValidationHandler(None, print, epoch_period=2).epoch_period
    2
    """

    def __init__(
        self, val_data, eval_fn, epoch_period: int | None = 1, batch_period: int | None = None, priority=-1000,
        event_handlers: EventHandler | list[EventHandler] | None = None,
    ):  # fmt: skip
        self.val_data, self.eval_fn = val_data, eval_fn
        self.epoch_period, self.batch_period = epoch_period, batch_period
        self.priority, self.event_handlers = priority, event_handlers
        self.current_epoch = self.current_batch = 0

    def train_begin(self, estimator, *args, **kwargs):
        self.current_epoch = self.current_batch = 0

    def _evaluate(self, estimator) -> None:
        self.eval_fn(val_data=self.val_data, batch_axis=estimator.batch_axis, event_handlers=self.event_handlers)

    def batch_end(self, estimator, *args, **kwargs):
        self.current_batch += 1
        if self.batch_period and self.current_batch % self.batch_period == 0:
            self._evaluate(estimator)

    def epoch_end(self, estimator, *args, **kwargs):
        self.current_epoch += 1
        if self.epoch_period and self.current_epoch % self.epoch_period == 0:
            self._evaluate(estimator)
