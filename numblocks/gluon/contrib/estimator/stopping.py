"""Handlers that end a training: when it was long enough, or when it does not get better."""

from __future__ import annotations

import math

from ....errors import warn
from .events import BatchEnd, EpochEnd, TrainBegin, TrainEnd
from .monitor import Monitor


class StoppingHandler(TrainBegin, BatchEnd, EpochEnd):
    """Stops after a number of epochs or batches. `fit` adds one.

    Args:
        max_epoch, max_batch: how many, None for no limit of its own. What was passed to `fit` holds as well.

    >>> StoppingHandler(max_batch=100).stop_training
    False
    """

    def __init__(self, max_epoch: int | None = None, max_batch: int | None = None):
        self.max_epoch, self.max_batch = max_epoch, max_batch
        self.current_epoch = self.current_batch = 0
        self.stop_training = False

    def train_begin(self, estimator, *args, **kwargs):
        self.current_epoch = self.current_batch = 0
        self.stop_training = False

    def batch_end(self, estimator, *args, **kwargs):
        self.current_batch += 1
        # The estimator's limit is asked each time: a checkpoint that was resumed lowers it.
        self.stop_training |= _reached(self.current_batch, self.max_batch, estimator.max_batch)
        return self.stop_training

    def epoch_end(self, estimator, *args, **kwargs):
        self.current_epoch += 1
        self.stop_training |= _reached(self.current_epoch, self.max_epoch, estimator.max_epoch)
        return self.stop_training


def _reached(count: int, *limits: int | None) -> bool:
    return any(limit is not None and count >= limit for limit in limits)


class EarlyStoppingHandler(TrainBegin, EpochEnd, TrainEnd):
    """Stops when a metric has not become better for a while.

    Args:
        monitor: the metric, one of the estimator's, such as `estimator.val_metrics[0]`.
        min_delta: what it must be better by.
        patience: how many epochs in a row may bring nothing before the training stops; 0 stops at the first.
        mode: `'min'`, `'max'`, or `'auto'`: min where the metric's name tells of a loss or an error.
        baseline: a value to beat from the first epoch on.

    Raises:
        ValueError: `monitor` is no metric, or the mode is unknown.

    >>> from numblocks import metric
    >>> EarlyStoppingHandler(metric.Accuracy(), patience=3).patience
    3
    """

    def __init__(self, monitor, min_delta=0, patience=0, mode="auto", baseline=None):
        self._monitor = Monitor("EarlyStoppingHandler", monitor, mode, min_delta)
        self.monitor, self.min_delta, self.patience, self.baseline = monitor, min_delta, patience, baseline
        self._restart()

    def _restart(self) -> None:
        self._monitor.forget(self.baseline)
        self.wait = self.current_epoch = 0
        self.stopped_epoch: int | None = None
        self.stop_training = False

    @property
    def best(self) -> float:
        """The best value so far."""
        return self._monitor.best

    def train_begin(self, estimator, *args, **kwargs):
        self._restart()

    def epoch_end(self, estimator, *args, **kwargs):
        name, value = self.monitor.get()
        if math.isnan(value):
            warn(
                f"EarlyStoppingHandler: {name} is NaN after epoch {self.current_epoch}. Either the training has"
                f" diverged, or this metric is none of estimator.train_metrics and estimator.val_metrics.",
            )
        self.wait = 0 if self._monitor.improved() else self.wait + 1
        if self.wait and self.wait >= self.patience:
            self.stopped_epoch = self.current_epoch
            self.stop_training = True
        self.current_epoch += 1
        return self.stop_training

    def train_end(self, estimator, *args, **kwargs):
        if self.stopped_epoch is not None:
            estimator.logger.info(
                "[Epoch %d] EarlyStoppingHandler: stopped, %s was not better than %.4f for %d epochs",
                self.stopped_epoch, self._monitor.name, self.best, self.wait,
            )  # fmt: skip
