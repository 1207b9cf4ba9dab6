"""Who looks on while plans run: nobody, NUMBLOCKS_DEBUG, or the profiler; decided when a plan is bound.

A watcher is a function `(bound, step, native, function) -> function`: what it returns runs in the place of the
step's `function(env, base)`. While one is set each step is bound alone, so the times of small kernels include a
call from Python each (about 1 us) that an unwatched plan makes once for many.
"""

from __future__ import annotations

import sys
import time
import weakref

from .. import config
from ..kernels import build
from . import describe

watchers: list = []
instances: weakref.WeakSet = weakref.WeakSet()


def watch(watcher) -> None:
    """Let `watcher` see every step from now on; plans already bound are bound again."""
    watchers.append(watcher)
    rebind()


def unwatch(watcher) -> None:
    """Take `watcher` away again."""
    watchers.remove(watcher)
    rebind()


def rebind() -> None:
    """Bind all living instances for the watchers there are now."""
    for instance in list(instances):
        instance.bind()


def set_debug(level: int) -> None:
    """NUMBLOCKS_DEBUG from Python: 0 nothing, 1 compile reasons, 2 launches, 3 graph per pass, 4 generated source."""
    config.DEBUG = level
    build.observer = _kernel_made if level >= 1 else None
    if (print_step in watchers) != (level >= 2):
        (watch if level >= 2 else unwatch)(print_step)


def _kernel_made(event: str, kernel, seconds: float) -> None:
    config.debug(1, f"{event} {kernel.name} in {seconds * 1e3:.1f} ms ({kernel.path or 'in memory'})")
    if config.DEBUG >= 4:
        config.debug(4, f"source of {kernel.name}\n{kernel.text}")


def print_step(bound, step, native: bool, function):
    """The watcher of NUMBLOCKS_DEBUG=2: each step with its time and bytes on standard error."""
    title, nbytes = bound.title(), describe.nbytes(step)
    what = f"{describe.kind(step, native):6} {describe.label(step)}"

    def run(env, base):
        start = time.perf_counter()
        function(env, base)
        seconds = time.perf_counter() - start
        rate = f", {nbytes / seconds / 1e9:.2f} GB/s" if seconds else ""
        print(f"numblocks: {title}: {what}: {seconds * 1e6:.1f} us, {describe.size(nbytes)}{rate}", file=sys.stderr)

    return run


if config.DEBUG:
    set_debug(config.DEBUG)
