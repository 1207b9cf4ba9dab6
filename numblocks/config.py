"""Switches read once from the environment; each can be set again from Python.

| variable | meaning | default |
|---|---|---|
| NUMBLOCKS_DEBUG | 1 why something compiled, 2 launches, 3 graph after each pass, 4 generated source | 0 |
| NUMBLOCKS_CHECK | 1 verifies the graph after each pass | 0 |
| NUMBLOCKS_THREADS | threads of one large kernel | the machine's cores |
| NUMBLOCKS_CACHE_DIR | folder of the generated kernels | the platform's cache folder |
"""

from __future__ import annotations

import os
import sys


def _integer(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    try:
        return int(text) if text else default
    except ValueError:
        raise ValueError(f"{name}: '{text}' is not an integer. The switch is a number. Unset it or give one.") from None


DEBUG = _integer("NUMBLOCKS_DEBUG", 0)
CHECK = _integer("NUMBLOCKS_CHECK", 0)


def debug(level: int, text: str) -> None:
    """Print `text` to standard error when NUMBLOCKS_DEBUG is at least `level`."""
    if DEBUG >= level:
        print(f"numblocks: {text}", file=sys.stderr)
