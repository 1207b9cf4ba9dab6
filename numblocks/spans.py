"""Named times and counts that a program marks itself, for `numblocks.profiler`, which hears of them while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable

heard: list[Callable] = []  # `(kind, name, begin, seconds)`, called for each span that ended


class Domain:
    """A group of marks.

    >>> with Domain("input").new_task("decode") as task:
    ...     pass
    """

    def __init__(self, name: str):
        self.name = name

    def __str__(self) -> str:
        return self.name

    def new_task(self, name: str) -> Task:
        """A Task of this domain."""
        return Task(self, name)

    def new_frame(self, name: str) -> Frame:
        """A Frame of this domain."""
        return Frame(self, name)

    def new_counter(self, name: str, value=None) -> Counter:
        """A Counter of this domain."""
        return Counter(self, name, value)

    def new_marker(self, name: str) -> Marker:
        """A Marker of this domain."""
        return Marker(self, name)


class _Span:
    """What starts and stops, also as `with`."""

    kind = "span"

    def __init__(self, domain: Domain | None, name: str):
        self.domain, self.name, self._begin = domain, name, None

    def __str__(self) -> str:
        return self.name

    def start(self) -> None:
        """It begins."""
        self._begin = time.perf_counter()

    def stop(self) -> None:
        """It ends; without a start nothing happens."""
        if self._begin is not None:
            _tell(self.kind, self.domain, self.name, self._begin, time.perf_counter() - self._begin)
            self._begin = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc) -> None:
        self.stop()


class Task(_Span):
    """A piece of work that begins and ends."""

    kind = "task"


class Frame(_Span):
    """One round of something that repeats."""

    kind = "frame"


class Event(_Span):
    """A piece of work of the whole program."""

    kind = "event"

    def __init__(self, name: str):
        super().__init__(None, name)


class Counter:
    """A number that goes up and down; `counter += 1` works. Its changes are not in the table."""

    def __init__(self, domain: Domain, name: str, value=None):
        self.domain, self.name, self.value = domain, name, value or 0

    def __str__(self) -> str:
        return self.name

    def set_value(self, value) -> None:
        """Set it."""
        self.value = value

    def increment(self, delta=1) -> None:
        """Add to it."""
        self.value += delta

    def decrement(self, delta=1) -> None:
        """Take from it."""
        self.value -= delta

    def __iadd__(self, delta) -> Counter:
        self.increment(delta)
        return self

    def __isub__(self, delta) -> Counter:
        self.decrement(delta)
        return self


class Marker:
    """A moment."""

    def __init__(self, domain: Domain, name: str):
        self.domain, self.name = domain, name

    def mark(self, scope: str = "process") -> None:
        """Now."""
        _tell("marker", self.domain, self.name, time.perf_counter(), 0.0)


def _tell(kind, domain, name, begin, seconds) -> None:
    for listener in heard:
        listener(kind, f"{domain}.{name}" if domain is not None else name, begin, seconds)


__all__ = ["Counter", "Domain", "Event", "Frame", "Marker", "Task"]
