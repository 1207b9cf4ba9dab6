"""Which GPUs there are: the machine's, simulated ones, or none. Asked once; NUMBLOCKS_CUDA decides.

| NUMBLOCKS_CUDA | GPUs |
|---|---|
| (unset) | the machine's, if there are a driver and a compiler for kernels |
| off | none |
| sim, sim2, sim3 ... | one, two, three ... simulated ones: slow, and everything about them can be seen |
"""

from __future__ import annotations

import os
import threading

from . import compiler, driver
from .simulated import SimulatedGpu

_lock = threading.RLock()
_found: list | None = None  # a Gpu, a SimulatedGpu, or None where it was not asked for yet
_library: driver.Library | None = None
_simulated: list[SimulatedGpu] = []  # once made they stay: arrays may be on them


def count() -> int:
    """How many GPUs can be used.

    Raises:
        ValueError: NUMBLOCKS_CUDA is none of the words it may be.
    """
    global _found, _library
    with _lock:
        if _found is None:
            wish = os.environ.get("NUMBLOCKS_CUDA", "")
            if wish.startswith("sim") and (wish[3:] or "1").isdigit():
                wanted = int(wish[3:] or 1)
                _simulated.extend(SimulatedGpu(k) for k in range(len(_simulated), wanted))
                _found = _simulated[:wanted]
            elif wish == "off":
                _found = []
            elif wish == "":
                _library = driver.find() if compiler.available() else None
                _found = [None] * (0 if _library is None else driver.count(_library))
            else:
                raise ValueError(f"NUMBLOCKS_CUDA: '{wish}' is not known. It may be 'off' or 'sim'. Unset it.")
        return len(_found)


def get(number: int):
    """The GPU with this number, which `count` has counted."""
    with _lock:
        count()
        if _found[number] is None:
            _found[number] = driver.Gpu(_library, number)
        return _found[number]


def forget() -> None:
    """Ask again next time: for tests that change NUMBLOCKS_CUDA. Arrays on the GPUs of before keep theirs."""
    global _found
    with _lock:
        _found = None
