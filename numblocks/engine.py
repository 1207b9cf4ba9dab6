"""`mx.engine`: how many operations MXNet's scheduler bundles. Everything runs at once here, so it changes nothing."""

from __future__ import annotations

import contextlib

_size = [0]


def set_bulk_size(size: int) -> int:
    """Accepted and without effect; returns what was set before."""
    before, _size[0] = _size[0], size
    return before


@contextlib.contextmanager
def bulk(size: int):
    """Accepted and without effect.

    >>> with bulk(16):
    ...     pass
    """
    before = set_bulk_size(size)
    try:
        yield
    finally:
        set_bulk_size(before)
