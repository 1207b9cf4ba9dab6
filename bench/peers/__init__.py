"""How each library runs a training step, a forward pass and an op.

A peer's file offers `VARIANTS` (ways to run, by kind of case), `start(threads)`, `versions()` and
`session(file, case, variant) -> Session`; it may raise `bench.work.Missing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PEERS = ("numblocks", "torch", "jax", "mxnet")


@dataclass
class Session:
    """One case, made ready in one library.

    Attributes:
        run: `run(n)` does the work n times and returns when all of it is done.
        check: `check()` does the work a few times and returns numbers that all peers must agree on.
    """

    run: Callable[[int], None]
    check: Callable[[], list[float]]


def sample(array) -> list[float]:
    """Some of the values of an output, and their mean size."""
    flat = array.reshape(-1)
    return [float(abs(flat).mean()), *map(float, flat[:: max(1, flat.size // 16)][:16])]
