"""`Estimator`: the training loop, with handlers for everything that is not the loop."""

from __future__ import annotations

import copy
import logging

from .... import metric
from ....device import Device, current_device
from ... import loss as losses
from ...block import Block
from ...trainer import Trainer
from .arguments import (
    check_loader,
    checked,
    checked_processor,
    count_batches,
    default_metrics,
    metric_list,
    own_logger,
    prefix_names,
)
from .batch_handlers import GradientUpdateHandler, MetricHandler, ValidationHandler
from .events import Calendar, EventHandler, handler_list
from .logging_handler import LoggingHandler
from .stopping import StoppingHandler


class Estimator:
    """Trains a net and evaluates it.

    Args:
        net: the Block; it is initialized if it is not.
        loss: a `gluon.loss.Loss`.
        train_metrics: metrics of training; their names get the prefix `training`. None: the loss, and accuracy if
            the loss is SoftmaxCrossEntropyLoss.
        val_metrics: metrics of validation, with the prefix `validation`; None: copies of those of training.
        initializer: for parameters that are not initialized; None for `Uniform(0.07)`.
        trainer: a Trainer; None: SGD with learning rate 0.001.
        context: device or devices; None: where the net is, else the current one.
        val_net: the net to evaluate, which shares the parameters of `net`; None: `net`.
        val_loss: the loss in evaluation; None: `loss`.
        batch_processor: what happens to a batch; None: a `BatchProcessor`.
        device: another name of `context`.

    Raises:
        ValueError: an argument of another kind.

    >>> data = gluon.data.DataLoader(gluon.data.ArrayDataset(np.ones((8, 2)), np.ones((8, 1))), batch_size=4)
    >>> estimator = Estimator(nn.Dense(1), gluon.loss.L2Loss())
    >>> estimator.logger.disabled = True
    >>> estimator.fit(data, epochs=2)
    >>> estimator.train_metrics[0].get()[0]
    'training l2loss'
    """

    logger: logging.Logger
    """Where the estimator and its handlers log to: standard output, from INFO on."""

    def __init__(
        self, net, loss, train_metrics=None, val_metrics=None, initializer=None, trainer=None, context=None,
        val_net=None, val_loss=None, batch_processor=None, *, device=None,
    ):  # fmt: skip
        self.net = checked("net", net, Block, "gluon.Block")
        self.loss = checked("loss", loss, losses.Loss, "gluon.loss.Loss")
        self.val_net = net if val_net is None else checked("val_net", val_net, Block, "gluon.Block")
        self.val_loss = loss if val_loss is None else checked("val_loss", val_loss, losses.Loss, "gluon.loss.Loss")
        self.batch_processor = checked_processor(batch_processor)
        self.logger = own_logger()
        self._train_metrics = metric_list(train_metrics) or default_metrics(self.loss)
        taken = {id(each) for each in self._train_metrics}  # an object cannot count both
        wanted = metric_list(val_metrics) or self._train_metrics
        self._val_metrics = [copy.deepcopy(each) if id(each) in taken else each for each in wanted]
        prefix_names(self._train_metrics, "training")
        prefix_names(self._val_metrics, "validation")
        for each in self._val_metrics:
            each.reset()
        self.context = self._devices(device if context is None else context)
        self._initialize(initializer)
        self.trainer = (
            Trainer(net.collect_params(), "sgd", {"learning_rate": 0.001})
            if trainer is None
            else self._checked_trainer(trainer)
        )
        self.max_epoch: int | None = None
        self.max_batch: int | None = None
        self.batch_axis = 0
        self._epoch = 0
        self._evaluating = False
        self._batches_per_epoch: int | None = None

    @property
    def train_metrics(self) -> list[metric.EvalMetric]:
        """The metrics of training."""
        return self._train_metrics

    @property
    def val_metrics(self) -> list[metric.EvalMetric]:
        """The metrics of validation."""
        return self._val_metrics

    def _devices(self, given) -> list[Device]:
        if given is not None:
            devices = list(given) if isinstance(given, (list, tuple)) else [given]
            if not devices or not all(isinstance(each, Device) for each in devices):
                raise ValueError(
                    f"Estimator: context is {given!r}. context must be a Context or a list of Context: batches are"
                    f" split over them. Pass for example cpu() or [gpu(0), gpu(1)]."
                )
            return devices
        placed = next((p for p in self.net.collect_params().values() if p._arrays or p._deferred is not None), None)
        return [current_device()] if placed is None else list(placed.list_ctx())

    def _initialize(self, initializer) -> None:
        params = self.net.collect_params()
        fresh = [p for p in params.values() if not p._arrays and p._deferred is None]
        for param in fresh:
            param.initialize(ctx=self.context, default_init=initializer)
        if initializer is not None and len(fresh) < len(params):
            self.logger.warning(
                "Estimator: %d of %d parameters were initialized before and keep their values; the initializer is for"
                " the others. To draw all anew, call net.initialize(init, force_reinit=True).",
                len(params) - len(fresh), len(params),
            )  # fmt: skip
        elsewhere = [p for p in params.values() if list(p.list_ctx()) != self.context]
        for param in elsewhere:
            param.reset_ctx(self.context)

    def _checked_trainer(self, trainer) -> Trainer:
        checked("trainer", trainer, Trainer, "gluon.Trainer")
        if trainer._contexts and list(trainer._contexts) != self.context:
            raise ValueError(
                f"Estimator: the trainer was made for parameters on {trainer._contexts}, the estimator works on"
                f" {self.context}. Gradients would be lost. Make the trainer after net.initialize(ctx=...) on the same"
                f" devices, or leave context out."
            )
        return trainer

    # ---- the loops --------------------

    def fit(
        self, train_data, val_data=None, epochs: int | None = None, event_handlers=None, batches: int | None = None,
        batch_axis: int = 0,
    ) -> None:  # fmt: skip
        """Train.

        Handlers for updates, metrics, validation (if there is `val_data`), stopping and logging are added where
        `event_handlers` has none of the kind.

        Args:
            train_data: a DataLoader of `(data, label)`.
            val_data: a DataLoader, or None.
            epochs, batches: for how long; one of the two.
            event_handlers: one EventHandler or a list.
            batch_axis: the axis that counts examples.

        Raises:
            ValueError: not one of `epochs` and `batches`; no DataLoader, or an empty one; no EventHandler.
        """
        check_loader("fit", train_data)
        if val_data is not None:
            check_loader("fit", val_data)
        if bool(epochs) == bool(batches) or min(epochs or 1, batches or 1) < 1:
            raise ValueError(
                f"Estimator.fit: epochs={epochs}, batches={batches}. Fit only support exactly one type of iteration:"
                f" a training ends after one of them. Pass one of epochs and batches, 1 or more."
            )
        self.max_epoch, self.max_batch, self.batch_axis = epochs or None, batches or None, batch_axis
        self._epoch = 0
        self._batches_per_epoch = count_batches(train_data)
        calendar = Calendar(self._prepare_default_handlers(val_data, event_handlers))
        try:
            calendar.call("train_begin", self)
            while not self._epoch_is_last(calendar, train_data):
                self._epoch += 1
            calendar.call("train_end", self)
        finally:
            calendar.call("release", self)

    def _epoch_is_last(self, calendar: Calendar, train_data) -> bool:
        """Train for one epoch; whether a handler asked to stop after it."""
        calendar.call("epoch_begin", self)
        seen = 0
        for batch in train_data:
            seen += 1
            calendar.call("batch_begin", self, batch=batch)
            _, label, pred, loss = self.batch_processor.fit_batch(self, batch, self.batch_axis)
            if calendar.call("batch_end", self, batch=batch, pred=pred, label=label, loss=loss):
                break
        if not seen:
            raise ValueError(
                "Estimator.fit: the DataLoader gave no batch. Nothing can be learned. Check the dataset's length and"
                " last_batch."
            )
        return calendar.call("epoch_end", self)

    def evaluate(self, val_data, batch_axis: int = 0, event_handlers=None) -> None:
        """Compute `val_metrics` on validation data. Handlers of metrics and logging are added where there are none.

        Args:
            val_data: a DataLoader of `(data, label)`.
            batch_axis: the axis that counts examples.
            event_handlers: one EventHandler or a list.

        Raises:
            ValueError: no DataLoader, no EventHandler.
        """
        check_loader("evaluate", val_data)
        for each in self.val_metrics:
            each.reset()
        calendar = Calendar(self._prepare_default_validation_handlers(event_handlers))
        before, self._evaluating = (self._evaluating, self.batch_axis), True
        self.batch_axis = batch_axis
        try:
            calendar.call("epoch_begin", self)
            for batch in val_data:
                calendar.call("batch_begin", self, batch=batch)
                _, label, pred, loss = self.batch_processor.evaluate_batch(self, batch, batch_axis)
                calendar.call("batch_end", self, batch=batch, pred=pred, label=label, loss=loss)
            calendar.call("epoch_end", self)
        finally:
            self._evaluating, self.batch_axis = before
            calendar.call("release", self)

    def _prepare_default_handlers(self, val_data, event_handlers) -> list[EventHandler]:
        handlers = handler_list("Estimator.fit", event_handlers)
        absent = lambda kind: not any(isinstance(each, kind) for each in handlers)
        added: list[EventHandler] = []
        if absent(GradientUpdateHandler):
            added.append(GradientUpdateHandler())
        if absent(MetricHandler):
            added.append(MetricHandler(self.train_metrics))
        if val_data is not None and absent(ValidationHandler):
            added.append(ValidationHandler(val_data, self.evaluate))
        if absent(StoppingHandler):
            added.append(StoppingHandler())
        if absent(LoggingHandler):
            added.append(LoggingHandler(metrics=self.train_metrics))
        return handlers + added

    def _prepare_default_validation_handlers(self, event_handlers) -> list[EventHandler]:
        handlers = handler_list("Estimator.evaluate", event_handlers)
        if not any(isinstance(each, MetricHandler) for each in handlers):
            handlers.append(MetricHandler(self.val_metrics))
        if not any(isinstance(each, LoggingHandler) for each in handlers):
            handlers.append(LoggingHandler(metrics=self.val_metrics))
        return handlers
