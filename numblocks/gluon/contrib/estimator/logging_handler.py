"""`LoggingHandler`: what a training tells of itself."""

from __future__ import annotations

import math
import time

from .events import BatchEnd, EpochBegin, EpochEnd, TrainBegin, TrainEnd


def shown(metrics) -> str:
    """Metrics in a row.

    >>> from numblocks import metric
    >>> score = metric.Accuracy()
    >>> score.update(np.array([1., 1.]), np.array([[0., 1.], [1., 0.]]))
    >>> shown([score])
    'accuracy: 0.5000'
    """
    return ", ".join(f"{name}: {value:.4f}" for each in metrics for name, value in each.get_name_value())


class LoggingHandler(TrainBegin, TrainEnd, EpochBegin, EpochEnd, BatchEnd):
    """Logs the course of a training to `estimator.logger`. `fit` and `evaluate` add one.

    Args:
        log_interval: `'epoch'`, or a line after every so many batches too.
        metrics: the metrics it tells.
        priority: who comes first; it comes last, when all metrics are up to date.

    Raises:
        ValueError: another interval.

    >>> LoggingHandler(50).log_interval
    50
    """

    def __init__(self, log_interval: int | str = "epoch", metrics=None, priority=math.inf):
        if log_interval != "epoch" and not (isinstance(log_interval, int) and log_interval > 0):
            raise ValueError(
                f"LoggingHandler: log_interval={log_interval!r}. log_interval must be either an integer or string"
                f" 'epoch': lines come after so many batches, or after each epoch. Pass one of these."
            )
        self.log_interval = log_interval
        self.metrics = [] if metrics is None else metrics if isinstance(metrics, (list, tuple)) else [metrics]
        self.priority = priority
        self.batch_index = self.current_epoch = self.processed_samples = 0
        self.train_start = self.epoch_start = self.interval_start = time.perf_counter()

    def train_begin(self, estimator, *args, **kwargs):
        self.train_start = time.perf_counter()
        self.current_epoch = self.batch_index = self.processed_samples = 0
        trainer = estimator.trainer
        goal = f"{estimator.max_batch} batches" if estimator.max_epoch is None else f"{estimator.max_epoch} epochs"
        estimator.logger.info(
            "Training begins: %s, learning rate %.4f, %s",
            type(trainer.optimizer).__name__, trainer.learning_rate, goal,
        )  # fmt: skip

    def train_end(self, estimator, *args, **kwargs):
        took = time.perf_counter() - self.train_start
        text = f"Training finished after {self.current_epoch} epochs and {took:.0f}s"
        figures = shown(self.metrics)
        estimator.logger.info("%s", f"{text}, {figures}" if figures else text)

    def epoch_begin(self, estimator, *args, **kwargs):
        self.epoch_start = self.interval_start = time.perf_counter()
        self.batch_index = 0
        if estimator._evaluating:
            self.current_epoch = estimator._epoch  # a validation belongs to the epoch of the training
            estimator.logger.info("Validation begins")
        else:
            rate = estimator.trainer.learning_rate
            estimator.logger.info("[Epoch %d] Begins, learning rate %.4f", self.current_epoch, rate)

    def epoch_end(self, estimator, *args, **kwargs):
        took = time.perf_counter() - self.epoch_start
        text = f"[Epoch {self.current_epoch}] Finished in {took:.3f}s"
        figures = shown(self.metrics)
        estimator.logger.info("%s", f"{text}, {figures}" if figures else text)
        self.current_epoch += 1

    def batch_end(self, estimator, *args, **kwargs):
        if self.log_interval == "epoch":
            return
        self.processed_samples += kwargs["batch"][0].shape[estimator.batch_axis]
        if self.batch_index % self.log_interval == 0:
            took = time.perf_counter() - self.interval_start
            estimator.logger.info(
                "[Epoch %d][Batch %d][Samples %d] time/interval: %.3fs %s",
                self.current_epoch, self.batch_index, self.processed_samples, took, shown(self.metrics),
            )  # fmt: skip
            self.interval_start = time.perf_counter()
        self.batch_index += 1
