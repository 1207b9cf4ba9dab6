"""Threads that share one large kernel.

Workers are Python threads that live in machine code (`teamwork.py`), without the GIL: for a moment after each loop they
spin, so the next one costs a microsecond to share; then they sleep in a queue, at no cost to anybody. Waking them is
not waited for: the caller begins at once, and they join when they are there.
"""
import ctypes
import os
import threading
import time
from queue import SimpleQueue

from . import teamwork
from .sources import digest

PIECES_PER_THREAD = 4        # a thread that is held up leaves its share to the others
WORTH_WAKING = 8             # grains of work from which sleepers are woken; those awake join in less
SPIN = 100e-6                # seconds that a worker looks out for more before it sleeps
_LOOKS = 2000                # how often it looks while that is measured

_lock = threading.Lock()
_queue: SimpleQueue = SimpleQueue()
_started = _awake = 0        # worker threads alive, and those among them that do not sleep
_threads: int | None = None  # threads that may work at once, the caller included; None: not asked yet
_team = (ctypes.c_int64 * teamwork.WORDS)()
_kernels: dict = {}
_looks = 0                   # of the time SPIN


def threads() -> int:
    """Number of threads a large kernel is spread over, the caller included.

    NUMBLOCKS_NUM_THREADS, or the CPUs this process may use; 1 in a forked child.
    """
    global _threads
    if _threads is None:
        wish = os.environ.get("NUMBLOCKS_NUM_THREADS", "")
        if wish.isdecimal() and int(wish) > 0:
            _threads = int(wish)
        else:
            ours = hasattr(os, "sched_getaffinity")
            _threads = len(os.sched_getaffinity(0)) if ours else os.cpu_count() or 1
    return _threads


def set_threads(count: int) -> None:
    """Spread large kernels over `count` threads from now on; 1 keeps all in the caller.

    Raises:
        ValueError: `count` is less than 1.
    """
    global _threads
    if count < 1:
        raise ValueError(f"set_threads: count is {count}. The caller itself is one thread. Pass 1 or more.")
    _threads = int(count)


def prepare(load) -> None:
    """Make the team's own kernels; `load` is `build.load`."""
    global _looks
    if not _kernels:
        for name, text in teamwork.texts().items():
            full = f"{name}_{digest(text)}"
            _kernels[name] = load(full, f"; {full}\n" + text.replace("{kernel}", full))
        start = time.perf_counter()
        _kernels["serve"].call(0, _LOOKS, _self)
        _looks = int(_LOOKS * SPIN / max(time.perf_counter() - start, 1e-7)) + 1


def expecting() -> tuple[tuple, tuple]:
    """First and last row of a table that holds shared rows: in between, workers do not go to sleep."""
    expect = _kernels["expect"].address
    return (expect, 1, 0, _self), (expect, -1, 0, _self)


def shared(address: int, argp: int, n: int, grain: int, load) -> tuple[int, list[int]] | None:
    """Address and packed words of a row that shares a kernel over `[0, n)` in pieces of at least `grain`; None: it is
    not worth it.
    """
    helpers = min(threads(), n // max(grain, 1))
    if helpers <= 1:
        return None
    pieces = helpers * min(PIECES_PER_THREAD, n // (max(grain, 1) * helpers))  # so many that nobody does one more
    prepare(load)
    return _kernels["share"].address, [address, argp, n, -(-n // pieces), ctypes.addressof(_team)]


def run(kernel, n: int, argp: int, grain: int, load) -> None:
    """Call `kernel` over `[0, n)` in pieces of at least `grain`, and wait for all of them."""
    found = shared(kernel.address, argp, n, grain, load)
    if found is None:
        if n > 0:
            kernel.call(0, n, argp)
        return
    if n >= WORTH_WAKING * grain:
        wake()
    packed = (ctypes.c_int64 * 5)(*found[1])
    _kernels["share"].call(0, 1, ctypes.addressof(packed))


def wake() -> None:
    """Let as many workers look out for loops as may help."""
    global _started, _awake
    wanted = threads() - 1
    if _awake >= wanted:
        return
    with _lock:
        while _started < wanted:
            threading.Thread(target=_work, args=(_queue,), name=f"numblocks-{_started}", daemon=True).start()
            _started += 1
        while _awake < wanted:
            _awake += 1
            _queue.put(None)


def _work(queue: SimpleQueue) -> None:
    global _awake
    serve = _kernels["serve"].call
    while True:
        queue.get()
        busy = True
        while busy:
            serve(0, _looks, _self)
            with _lock:  # getting here took time: is somebody counting on this worker meanwhile?
                busy = _team[teamwork.EXPECT] > 0
                _awake -= not busy


def _after_fork() -> None:
    """The child has none of the threads: serial kernels, unless it asks with `set_threads`."""
    global _lock, _queue, _started, _awake, _threads
    _lock, _queue, _started, _awake, _threads = threading.Lock(), SimpleQueue(), 0, 0, 1
    ctypes.memset(_team, 0, ctypes.sizeof(_team))  # another thread of the parent may have been in the middle of a loop


_address = (ctypes.c_int64 * 1)(ctypes.addressof(_team))
_self = ctypes.addressof(_address)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
