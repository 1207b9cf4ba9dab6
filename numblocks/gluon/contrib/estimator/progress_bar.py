"""`ProgressBarHandler`: a training that one can watch."""

from __future__ import annotations

import contextlib
import math

from ...progress import bar, lines_above
from .events import BatchEnd, EpochBegin, EpochEnd, Release, TrainBegin, TrainEnd
from .logging_handler import shown


class ProgressBarHandler(TrainBegin, EpochBegin, BatchEnd, EpochEnd, TrainEnd, Release):
    """A bar over all batches of a training, with the metrics behind it: on a terminal, if tqdm is installed.

    Log lines are written above the bar.

    Args:
        metrics: what it shows; None for those of training and, once known, of validation.
        priority: who comes first; it comes after the metrics.
        options: further arguments of `tqdm.tqdm`, such as `disable=False` or `file=`.

    >>> ProgressBarHandler(leave=True).priority
    1000
    """

    def __init__(self, metrics=None, priority=1000, **options):
        self.metrics, self.priority, self._options = metrics, priority, options
        self._bar, self._open, self._epoch = None, contextlib.ExitStack(), 0

    def train_begin(self, estimator, *args, **kwargs):
        self.release(estimator)
        self._epoch = 0
        per_epoch = estimator._batches_per_epoch
        total = estimator.max_epoch * per_epoch if estimator.max_batch is None and per_epoch else estimator.max_batch
        self._bar = self._open.enter_context(bar(total, "training", "batch", **self._options))
        self._open.enter_context(lines_above(self._bar, estimator.logger))

    def epoch_begin(self, estimator, *args, **kwargs):
        of = "" if estimator.max_epoch is None else f"/{estimator.max_epoch}"
        self._bar.set_description(f"epoch {self._epoch + 1}{of}", refresh=False)

    def batch_end(self, estimator, *args, **kwargs):
        # Metrics are only asked where the bar is drawn anyway.
        if self._bar.update():
            self._show(estimator)

    def epoch_end(self, estimator, *args, **kwargs):
        self._epoch += 1
        self._show(estimator)

    def train_end(self, estimator, *args, **kwargs):
        self.release(estimator)

    def release(self, estimator):
        self._open.close()

    def _show(self, estimator) -> None:
        if self._bar.disable:
            return
        metrics = [*estimator.train_metrics, *estimator.val_metrics] if self.metrics is None else self.metrics
        self._bar.set_postfix_str(shown(each for each in metrics if _known(each)))


def _known(metric) -> bool:
    return not any(math.isnan(value) for _, value in metric.get_name_value())
