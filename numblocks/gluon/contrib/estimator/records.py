"""Handlers that keep the figures of a training: as a table, and for TensorBoard."""

from __future__ import annotations

import csv
import importlib
import time
from pathlib import Path

from .events import BatchEnd, EpochEnd, Release, TrainBegin


def figures(estimator, metrics=None) -> dict[str, float]:
    """The metrics of training and validation by name, or those of a list."""
    chosen = [*estimator.train_metrics, *estimator.val_metrics] if metrics is None else metrics
    return {name: float(value) for metric in chosen for name, value in metric.get_name_value()}


class CSVLogger(TrainBegin, BatchEnd, EpochEnd, Release):
    """Writes one row per epoch: epoch, batches so far, seconds, learning rate, metrics.

    Args:
        filename: the file; its folder is made if it is not there.
        separator: what stands between values.
        append: go on behind the rows that are there, else begin anew.
        metrics: the metrics; None for those of training and validation.
        priority: who comes first; it comes after the metrics.

    Raises:
        OSError: the file cannot be written.
        ValueError: to append to a table with other columns.

    >>> CSVLogger('log.csv', append=True).append
    True
    """

    def __init__(self, filename, separator=",", append=False, metrics=None, priority=1000):
        self.filename, self.separator, self.append = Path(filename).expanduser(), separator, append
        self.metrics, self.priority = metrics, priority
        self._file = None

    def train_begin(self, estimator, *args, **kwargs):
        self.release(estimator)
        self._epoch = self._batch = 0
        self._start = time.perf_counter()
        columns = ["epoch", "batch", "seconds", "learning rate", *figures(estimator, self.metrics)]
        self.filename.parent.mkdir(parents=True, exist_ok=True)
        rows = self._rows() if self.append else []
        if rows:
            self._refuse_others(rows[0], columns)
            last = rows[-1] if len(rows) > 1 else None
            self._epoch, self._batch = (int(last[0]) + 1, int(last[1])) if last else (0, 0)
        self._file = open(self.filename, "a" if rows else "w", newline="")
        self._writer = csv.writer(self._file, delimiter=self.separator)
        if not rows:
            self._write(columns)

    def _rows(self) -> list[list[str]]:
        if not self.filename.exists():
            return []
        with open(self.filename, newline="") as file:
            return [row for row in csv.reader(file, delimiter=self.separator) if row]

    def _refuse_others(self, there, columns) -> None:
        if there != columns:
            raise ValueError(
                f"CSVLogger: '{self.filename}' has the columns {there}, this training {columns}. Rows of both do not go"
                f" together. Use another file, or append=False to replace it."
            )

    def batch_end(self, estimator, *args, **kwargs):
        self._batch += 1

    def epoch_end(self, estimator, *args, **kwargs):
        took = time.perf_counter() - self._start
        values = (f"{value:.9g}" for value in figures(estimator, self.metrics).values())
        self._write([self._epoch, self._batch, f"{took:.3f}", f"{estimator.trainer.learning_rate:.9g}", *values])
        self._epoch += 1

    def _write(self, row) -> None:
        self._writer.writerow(row)
        self._file.flush()  # a training that breaks off leaves its rows

    def release(self, estimator):
        if self._file is not None:
            self._file.close()
            self._file = None


# packages that write TensorBoard's files, all with the same SummaryWriter
WRITERS = ("tensorboardX", "torch.utils.tensorboard", "mxboard")


def summary_writer(log_dir):
    """A SummaryWriter of the first package that is installed.

    Raises:
        ImportError: none is.
    """
    for package in WRITERS:
        try:
            return importlib.import_module(package).SummaryWriter(log_dir)
        except ImportError:
            continue
    raise ImportError(
        f"TensorBoardHandler: none of {', '.join(WRITERS)} is installed. One of them writes TensorBoard's files."
        f" Install one (pip install tensorboardX), or use CSVLogger, which needs nothing."
    )


class TensorBoardHandler(TrainBegin, BatchEnd, EpochEnd, Release):
    """Writes metrics, the loss and the learning rate for TensorBoard.

    Needs a package that writes its files: tensorboardX, PyTorch or mxboard.

    Args:
        log_dir: the folder; ignored if there is a `writer`.
        metrics: the metrics; None for those of training and validation.
        batch_period: also write the loss of the batch after so many batches, None for never.
        writer: an object with `add_scalar(tag, value, step)`; None to make one.
        priority: who comes first; it comes after the metrics.

    Raises:
        ImportError: no such package is installed; the message says what to install.

    >>> TensorBoardHandler('runs', batch_period=100)               # doctest: +SKIP
    """

    def __init__(self, log_dir="runs", metrics=None, batch_period=None, writer=None, priority=1000):
        self._own = writer is None
        self._log_dir = str(Path(log_dir).expanduser())
        self.writer = summary_writer(self._log_dir) if self._own else writer
        self.metrics, self.batch_period, self.priority = metrics, batch_period, priority
        self._epoch = self._batch = 0

    def train_begin(self, estimator, *args, **kwargs):
        self._epoch = self._batch = 0
        if self.writer is None:  # closed after an earlier training
            self.writer = summary_writer(self._log_dir)

    def batch_end(self, estimator, *args, **kwargs):
        self._batch += 1
        if self.batch_period and self._batch % self.batch_period == 0:
            loss = kwargs["loss"]
            losses = loss if isinstance(loss, (list, tuple)) else [loss]
            mean = sum(float(each.sum()) for each in losses) / sum(each.size for each in losses)
            self.writer.add_scalar("batch loss", mean, self._batch)

    def epoch_end(self, estimator, *args, **kwargs):
        for name, value in figures(estimator, self.metrics).items():
            self.writer.add_scalar(name, value, self._epoch)
        self.writer.add_scalar("learning rate", estimator.trainer.learning_rate, self._epoch)
        self._epoch += 1

    def release(self, estimator):
        if self._own and self.writer is not None:
            self.writer.close()
            self.writer = None
