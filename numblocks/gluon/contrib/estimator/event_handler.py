"""All events and handlers in one place, under the name that Gluon code imports them from."""

from .batch_handlers import GradientUpdateHandler, MetricHandler, ValidationHandler
from .checkpoint import CheckpointHandler
from .events import BatchBegin, BatchEnd, EpochBegin, EpochEnd, EventHandler, Release, TrainBegin, TrainEnd
from .logging_handler import LoggingHandler
from .progress_bar import ProgressBarHandler
from .records import CSVLogger, TensorBoardHandler
from .stopping import EarlyStoppingHandler, StoppingHandler

__all__ = [
    "BatchBegin", "BatchEnd", "CSVLogger", "CheckpointHandler", "EarlyStoppingHandler", "EpochBegin", "EpochEnd",
    "EventHandler", "GradientUpdateHandler", "LoggingHandler", "MetricHandler", "ProgressBarHandler", "Release",
    "StoppingHandler", "TensorBoardHandler", "TrainBegin", "TrainEnd", "ValidationHandler",
]  # fmt: skip
