"""`mx.name`: how blocks are named that are given no prefix."""

from __future__ import annotations

from .gluon.naming import NameManager as NameManager


class Prefix(NameManager):
    """Names made inside begin with `prefix`, counted from 0.

    >>> with Prefix("left_") as names:
    ...     names.get(None, "dense")
    'left_dense0'
    """

    def __init__(self, prefix: str):
        super().__init__()
        self._prefix = prefix

    def get(self, name: str | None, hint: str) -> str:
        """The prefix and `name`, or the next free name of `hint`."""
        return self._prefix + super().get(name, hint)
