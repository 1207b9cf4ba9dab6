"""Where an array's elements lie."""

from __future__ import annotations

import ctypes

import numpy as np


def _slow_address(x: np.ndarray) -> int:
    return x.__array_interface__["data"][0]


def _fast_address(x: np.ndarray) -> int:
    return _word(id(x) + 16).value


_word = ctypes.c_int64.from_address


def _object_layout_known() -> bool:
    """Whether an array object holds its data pointer right behind CPython's two-word object header."""
    if not hasattr(ctypes, "pythonapi") or object().__sizeof__() != 16:
        return False
    probes = [np.empty(n, np.uint8) for n in (1, 100, 10**6)]
    return all(_fast_address(p) == _slow_address(p) for p in probes)


LAYOUT_KNOWN = _object_layout_known()
# `__array_interface__` builds a dict and takes 0.9 us; the pointer itself is one load away
address = _fast_address if LAYOUT_KNOWN else _slow_address
