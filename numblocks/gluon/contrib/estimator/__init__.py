"""Training without writing the loop: an `Estimator`, and handlers that hear of its events.

>>> estimator = Estimator(net, gluon.loss.SoftmaxCrossEntropyLoss())                        # doctest: +SKIP
>>> estimator.fit(train_data, val_data, epochs=5, event_handlers=[ProgressBarHandler()])    # doctest: +SKIP

| name | what |
|---|---|
| Estimator | trains and evaluates a net |
| BatchProcessor | what happens to one batch |
| TrainBegin, TrainEnd, EpochBegin, EpochEnd, BatchBegin, BatchEnd | events; a handler inherits from those it hears of |
| GradientUpdateHandler, MetricHandler, ValidationHandler, StoppingHandler, LoggingHandler | added by `fit` |
| CheckpointHandler, EarlyStoppingHandler | files to resume from; stop when nothing gets better |
| ProgressBarHandler, CSVLogger, TensorBoardHandler | to watch a training, now or later |
"""

from .batch_processor import BatchProcessor
from .estimator import Estimator
from .event_handler import (
    BatchBegin,
    BatchEnd,
    CheckpointHandler,
    CSVLogger,
    EarlyStoppingHandler,
    EpochBegin,
    EpochEnd,
    EventHandler,
    GradientUpdateHandler,
    LoggingHandler,
    MetricHandler,
    ProgressBarHandler,
    Release,
    StoppingHandler,
    TensorBoardHandler,
    TrainBegin,
    TrainEnd,
    ValidationHandler,
)

__all__ = [
    "BatchBegin", "BatchEnd", "BatchProcessor", "CSVLogger", "CheckpointHandler", "EarlyStoppingHandler", "EpochBegin",
    "EpochEnd", "Estimator", "EventHandler", "GradientUpdateHandler", "LoggingHandler", "MetricHandler",
    "ProgressBarHandler", "Release", "StoppingHandler", "TensorBoardHandler", "TrainBegin", "TrainEnd",
    "ValidationHandler",
]  # fmt: skip
