"""The moments of a training at which handlers are called, and the order in which they are."""

from __future__ import annotations


class EventHandler:
    """Base of all handlers. A handler inherits one mix-in for each event that it wants to hear of.

    `priority`, an attribute of an object or a class, decides who comes first at an event: the lower number, and
    among equals the one that was given first. Without one it is 0; updates have -2000, metrics -1000, the log
    infinity.
    """


class TrainBegin(EventHandler):
    """Hears of the beginning of `fit`."""

    def train_begin(self, estimator, *args, **kwargs) -> None:
        """Called once, before the first epoch."""


class TrainEnd(EventHandler):
    """Hears of the end of `fit`."""

    def train_end(self, estimator, *args, **kwargs) -> None:
        """Called once, after the last epoch; not after an error."""


class EpochBegin(EventHandler):
    """Hears of the beginning of each epoch."""

    def epoch_begin(self, estimator, *args, **kwargs) -> None:
        """Called before the first batch of an epoch."""


class EpochEnd(EventHandler):
    """Hears of the end of each epoch."""

    def epoch_end(self, estimator, *args, **kwargs) -> bool | None:
        """Called after the last batch of an epoch; a true value ends the training."""
        return False


class BatchBegin(EventHandler):
    """Hears of the beginning of each batch."""

    def batch_begin(self, estimator, *args, **kwargs) -> None:
        """Called before each batch, with the keyword `batch`."""


class BatchEnd(EventHandler):
    """Hears of the end of each batch."""

    def batch_end(self, estimator, *args, **kwargs) -> bool | None:
        """Called after forward and backward of a batch; a true value ends the epoch.

        Args:
            batch: what the loader gave.
            pred, label, loss: lists, one array for each device.
        """
        return False


class Release(EventHandler):
    """Holds something that must be given back, also after an error: a file, a bar."""

    def release(self, estimator) -> None:
        """Called last, whatever happened. It may be called twice."""


EVENTS = {
    "train_begin": TrainBegin, "epoch_begin": EpochBegin, "batch_begin": BatchBegin, "batch_end": BatchEnd,
    "epoch_end": EpochEnd, "train_end": TrainEnd, "release": Release,
}  # fmt: skip


class Calendar:
    """Handlers sorted by priority, called event by event.

    >>> class Say(EpochEnd):
    ...     def epoch_end(self, estimator, *args, **kwargs):
    ...         print('an epoch has ended')
    >>> Calendar([Say()]).call('epoch_end', None)
    an epoch has ended
    False
    """

    def __init__(self, handlers):
        ordered = sorted(handlers, key=lambda handler: getattr(handler, "priority", None) or 0)
        self._by_event = {
            event: [getattr(handler, event) for handler in ordered if isinstance(handler, kind)]
            for event, kind in EVENTS.items()
        }

    def call(self, event: str, estimator, **kwargs) -> bool:
        """Call everybody who listens; whether one of them returned something true."""
        # All are called, also after one has asked to stop: no any() over a generator.
        answers = [hear(estimator, **kwargs) for hear in self._by_event[event]]
        return any(answers)


def handler_list(where: str, handlers) -> list[EventHandler]:
    """`handlers`, None, one or several, as a list.

    Raises:
        ValueError: one of them is no EventHandler.
    """
    if handlers is None:
        return []
    listed = list(handlers) if isinstance(handlers, (list, tuple)) else [handlers]
    for handler in listed:
        if not isinstance(handler, EventHandler):
            raise ValueError(
                f"{where}: got {handler!r} as an event handler. handlers must be an EventHandler or a list of"
                f" EventHandler: it is called by its events. Derive its class from the events it wants to hear of, such"
                f" as EpochEnd."
            )
    return listed
