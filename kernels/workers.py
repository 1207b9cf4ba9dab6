"""Threads that share one large kernel.

Workers are Python threads that live in machine code (`teamwork.py`), without the GIL: for a moment after each loop they
spin, so the next one costs a microsecond to share; then they sleep on a lock, at no cost to anybody. Waking them is
not waited for: the caller begins at once, and they join when they are there. It takes the caller some microseconds
(20 on a virtual machine), so that is done for a large loop, or once several smaller ones have gone by without help.
"""
import ctypes
import os
import threading
import time

from . import teamwork
from .sources import digest
from .teamwork import WORTH_WAKING as WORTH_WAKING

SPIN = 100e-6                # seconds that a worker looks out for more before it sleeps
_LOOKS = 2000                # how often it looks while that is measured

_lock = threading.Lock()
_started = 0                 # worker threads alive
_threads: int | None = None  # threads that may work at once, the caller included; None: not asked yet
_team = (ctypes.c_int64 * teamwork.WORDS)()
_kernels: dict = {}
_looks = 0                   # of the time SPIN


def threads() -> int:
    """Number of threads a large kernel is spread over, the caller included.

    NUMBLOCKS_NUM_THREADS, or the CPUs this process may use; 1 in a forked child.
    """
    if _threads is None:
        wish = os.environ.get("NUMBLOCKS_NUM_THREADS", "")
        if wish.isdecimal() and int(wish) > 0:
            _take(int(wish))
        else:
            ours = hasattr(os, "sched_getaffinity")
            _take(len(os.sched_getaffinity(0)) if ours else os.cpu_count() or 1)
    return _threads


def set_threads(count: int) -> None:
    """Spread large kernels over `count` threads from now on; 1 keeps all in the caller.

    Raises:
        ValueError: `count` is less than 1.
    """
    if count < 1:
        raise ValueError(f"set_threads: count is {count}. The caller itself is one thread. Pass 1 or more.")
    _take(int(count))
    if _kernels:
        _start()


def _take(count: int) -> None:
    global _threads
    _threads = _team[teamwork.THREADS] = count


def prepare(load) -> None:
    """Make the team's own kernels and start the workers; `load` is `build.load`."""
    global _looks
    if not _kernels:
        made = {}
        for name, text in teamwork.texts().items():
            full = f"{name}_{digest(text)}"
            made[name] = load(full, f"; {full}\n" + text.replace("{kernel}", full))
        took = []
        for _ in range(5):  # the least counts: a process that is held up would have workers sleep at once
            start = time.perf_counter()
            made["serve"].call(teamwork.MOST, _LOOKS, _self)  # there is no such worker, so it returns
            took.append(time.perf_counter() - start)
        _looks = int(_LOOKS * SPIN / max(min(took), 1e-7)) + 1
        _kernels.update(made)
    _start()


def _start() -> None:
    """Start the workers that are missing; they begin awake."""
    global _started
    wanted = min(threads() - 1, teamwork.MOST)
    if _started >= wanted:
        return
    with _lock:
        for k, name in ((teamwork.ACQUIRE, "PyThread_acquire_lock"), (teamwork.RELEASE, "PyThread_release_lock")):
            _team[k] = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        while _started < wanted:
            lock = _allocate()
            _acquire(lock, 1)
            place = teamwork.WORKERS + 2 * _started
            _team[place], _team[place + 1] = 1, lock
            _kernels["count"].call(1, teamwork.AWAKE, _self)
            threading.Thread(target=_work, args=(_started,), name=f"numblocks-{_started}", daemon=True).start()
            _started = _team[teamwork.STARTED] = _started + 1


def _work(k: int) -> None:
    _kernels["serve"].call(k, _looks, _self)


def expecting() -> tuple[tuple, tuple]:
    """First and last row of a table that holds shared rows: in between, workers do not go to sleep."""
    count = _kernels["count"].address
    return (count, 1, teamwork.EXPECT, _self), (count, -1, teamwork.EXPECT, _self)


def shared(address: int, argp: int, n: int, grain: int, load) -> tuple[int, list[int]] | None:
    """Address and packed words of a row that shares a kernel over `[0, n)` in pieces of at least `grain`; None: it is
    not worth it.
    """
    if min(threads(), n // max(grain, 1)) <= 1:
        return None
    prepare(load)
    return _kernels["share"].address, [address, argp, n, grain, ctypes.addressof(_team)]


def prefixed(address: int, grain: int, load):
    """`(kernel, words)`: a kernel that runs the one at `address` over `[0, hi)` with who may help, and the words that
    stand in front of the packed arguments then. The first of them is not read.
    """
    prepare(load)
    return _kernels["prefixed"], [0, address, grain, ctypes.addressof(_team)]


def run(kernel, n: int, argp: int, grain: int, load) -> None:
    """Call `kernel` over `[0, n)` in pieces of at least `grain`, and wait for all of them."""
    found = shared(kernel.address, argp, n, grain, load)
    if found is None:
        if n > 0:
            kernel.call(0, n, argp)
        return
    packed = (ctypes.c_int64 * 5)(*found[1])
    _kernels["share"].call(0, 1, ctypes.addressof(packed))


def call_up(load) -> None:
    """`wake`, with all that needs: before a loop that is long though its pieces are few."""
    if threads() > 1:
        prepare(load)
        wake()


def wake() -> None:
    """Let as many workers look out for loops as may help."""
    if _kernels and _team[teamwork.AWAKE] < _threads - 1:
        _kernels["rouse"].call(0, 0, _self)


def _after_fork() -> None:
    """The child has none of the threads: serial kernels, unless it asks with `set_threads`."""
    global _lock, _started
    _lock, _started = threading.Lock(), 0
    ctypes.memset(_team, 0, ctypes.sizeof(_team))  # another thread of the parent may have been in the middle of a loop
    _take(1)


_address = (ctypes.c_int64 * 1)(ctypes.addressof(_team))
_self = ctypes.addressof(_address)
_allocate, _acquire = ctypes.pythonapi.PyThread_allocate_lock, ctypes.pythonapi.PyThread_acquire_lock
_allocate.restype, _allocate.argtypes = ctypes.c_void_p, []
_acquire.restype, _acquire.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
