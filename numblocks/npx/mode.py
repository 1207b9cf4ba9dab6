"""MXNet's global switch to NumPy semantics. Here an array's class carries its semantics, so the switch is inert."""

from __future__ import annotations


def set_np(shape: bool = True, array: bool = True, dtype: bool = False) -> None:
    """Accepted and without effect: `np` arrays have NumPy semantics, `nd` arrays legacy ones, always."""


def reset_np() -> None:
    """Accepted and without effect."""


def use_np(func):
    """The function or class itself: a decorator of MXNet code, without effect."""
    return func


def is_np_array() -> bool:
    """True."""
    return True


def is_np_shape() -> bool:
    """True: 0-d and empty arrays exist."""
    return True


def waitall() -> None:
    """Return when every computation is done: at once on the CPU."""
