"""Threads that share one large kernel: plain Python threads, since a kernel call releases the GIL."""
import os
import threading
from collections import deque
from queue import SimpleQueue

_CHUNKS_PER_THREAD = 4       # a thread that is held up leaves its share to the others

_lock = threading.Lock()
_queue: SimpleQueue = SimpleQueue()
_started = 0                 # worker threads alive
_threads: int | None = None  # threads that may work at once, the caller included; None: not asked yet


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


def run(call, n: int, argp: int, grain: int) -> None:
    """Call `call(lo, hi, argp)` over `[0, n)`, in pieces of at least `grain`, and wait for all of them."""
    workers = min(threads(), n // max(grain, 1))
    if workers <= 1:
        if n > 0:
            call(0, n, argp)
        return
    pieces = min(workers * _CHUNKS_PER_THREAD, n // max(grain, 1))
    edges = [n * i // pieces for i in range(pieces + 1)]
    todo = deque(zip(edges, edges[1:], strict=False))
    done: SimpleQueue = SimpleQueue()
    _start(workers - 1)
    job = (call, argp, todo, done)
    for _ in range(workers - 1):
        _queue.put(job)
    mine, trouble = 0, None
    while todo:
        try:
            lo, hi = todo.popleft()
        except IndexError:                       # a worker was faster
            break
        call(lo, hi, argp)
        mine += 1
    while mine < pieces:
        try:
            done.get()
            mine += 1
        except BaseException as error:           # Ctrl-C: the workers still write to the caller's memory
            trouble = error
    if trouble is not None:
        raise trouble


def _work(queue: SimpleQueue) -> None:
    while True:
        call, argp, todo, done = queue.get()
        while todo:
            try:
                lo, hi = todo.popleft()
            except IndexError:
                break
            call(lo, hi, argp)
            done.put(None)
        del call, argp, todo, done               # let go of the kernel while waiting


def _start(count: int) -> None:
    global _started
    with _lock:
        while _started < count:
            threading.Thread(target=_work, args=(_queue,), name=f"numblocks-{_started}", daemon=True).start()
            _started += 1


def _after_fork() -> None:
    """The child has none of the threads: serial kernels, unless it asks with `set_threads`."""
    global _lock, _queue, _started, _threads
    _lock, _queue, _started, _threads = threading.Lock(), SimpleQueue(), 0, 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
