"""`profiler`: where the time goes, by op, in eager code and inside compiled nets.

>>> from numblocks import np, profiler
>>> profiler.start()
>>> y = np.ones((100, 100)).tanh()
>>> profiler.stop()
>>> 'tanh' in profiler.dumps(reset=True)
True

Eager ops are timed one by one, and take no short cuts then. The steps of compiled nets are timed, too: each is a
call of its own while the profiler runs, so small kernels appear about 1 us longer than they are. While it does not
run it costs nothing: nothing of it is in the way.
"""

from __future__ import annotations

import json
import threading
import time
from typing import NamedTuple

from . import spans
from .array import ndarray
from .graph import describe, observe
from .op import REGISTRY, Op
from .shortcut import concrete
from .spans import Counter, Domain, Event, Frame, Marker, Task

EVENTS = 200_000  # single events kept for `dump`; the table counts all

_OPTIONS = {
    "filename": "profile.json", "profile_all": False, "profile_symbolic": True, "profile_imperative": True,
    "profile_memory": False, "profile_api": False, "profile_process": "worker", "aggregate_stats": True,
    "continuous_dump": False, "dump_period": 1.0,
}  # fmt: skip
_config = dict(_OPTIONS)
_lock = threading.Lock()
_rows: dict[tuple[str, str], list] = {}  # (kind, name) -> count, seconds, shortest, longest, bytes
_events: list[tuple] = []
_eager: dict[Op, object] = {}  # what stood in `op.eager` before we did
_state = "stop"


class _Nesting(threading.local):
    inner = 0.0  # seconds spent in ops called by the op now running


_nesting = _Nesting()


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        kind: 'op' (eager), 'kernel', 'BLAS', 'python' or 'copy' (steps of compiled nets).
        name: of the op or kernel.
        count: how often it ran.
        total, mean, shortest, longest: seconds; of an op written in other ops, what it took beyond those.
        share: of the time of all rows, 0 to 1.
        nbytes: bytes of operands and results, all calls together; 0 where parts count them.
    """

    kind: str
    name: str
    count: int
    total: float
    mean: float
    shortest: float
    longest: float
    share: float
    nbytes: int


def set_config(**options) -> None:
    """Set options; call it before `start`.

    Args:
        options: `filename` of `dump`; `profile_symbolic` and `profile_imperative` choose compiled nets and eager ops
            (both by default). `profile_all`, `profile_memory`, `profile_api`, `aggregate_stats`, `continuous_dump`,
            `dump_period`, `profile_process` are accepted for old code.

    Raises:
        TypeError: there is no such option.
    """
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise TypeError(
            f"profiler.set_config: no option {', '.join(unknown)}. The options are {', '.join(_OPTIONS)}. Drop it."
        )
    _config.update(options)
    if options.get("profile_all"):
        _config.update(profile_symbolic=True, profile_imperative=True)


def set_state(state: str = "stop", profile_process: str = "worker") -> None:
    """`'run'` starts, `'stop'` stops; what was counted stays until `dumps(reset=True)`."""
    global _state
    if state not in ("run", "stop"):
        raise ValueError(f"profiler.set_state: state is {state!r}. The profiler runs or not. Use 'run' or 'stop'.")
    if state == _state:
        return
    _state = state
    if state == "stop":
        concrete.enable(True)
        for op, eager in _eager.items():
            op.eager = eager
        _eager.clear()
        if _watch in observe.watchers:
            observe.unwatch(_watch)
        return
    if _config["profile_imperative"]:
        concrete.enable(False)
        for op in REGISTRY.values():
            _eager[op] = op.eager
            op.eager = _timed(op, op.eager)
    if _config["profile_symbolic"]:
        observe.watch(_watch)


def start(profile_process: str = "worker") -> None:
    """Count from now on."""
    set_state("run")


def stop(profile_process: str = "worker") -> None:
    """Count no more."""
    set_state("stop")


pause, resume = stop, start


def state() -> str:
    """'run' or 'stop'."""
    return _state


def reset() -> None:
    """Forget what was counted."""
    with _lock:
        _rows.clear()
        _events.clear()


def rows(sort_by: str = "total", ascending: bool = False) -> list[Row]:
    """The table as data.

    Args:
        sort_by: 'total', 'avg' (or 'mean'), 'min', 'max', 'count' or 'name'.
        ascending: smallest first.
    """
    field = {"avg": "mean", "min": "shortest", "max": "longest"}.get(sort_by, sort_by)
    if field not in ("total", "mean", "shortest", "longest", "count", "name"):
        raise ValueError(f"profiler: sort_by is {sort_by!r}. Columns are total, avg, min, max, count and name.")
    with _lock:
        known = [(key, list(values)) for key, values in _rows.items()]
    marks = ("task", "frame", "event", "marker")  # they lie over what else is counted
    whole = sum(values[1] for (kind, _), values in known if kind not in marks) or 1.0
    found = [
        Row(kind, name, n, seconds, seconds / n, low, high, seconds / whole, nbytes)
        for (kind, name), (n, seconds, low, high, nbytes) in known
    ]
    return sorted(found, key=lambda row: getattr(row, field), reverse=not ascending)


def dumps(reset: bool = False, format: str = "table", sort_by: str = "total", ascending: bool = False) -> str:
    """The table as text, or with `format='json'` as JSON.

    Args:
        reset: forget everything afterwards.
        sort_by, ascending: see `rows`.
    """
    if format not in ("table", "json"):
        raise ValueError(f"profiler.dumps: format is {format!r}. Use 'table' or 'json'.")
    found = rows(sort_by, ascending)
    if reset:
        globals()["reset"]()
    if format == "json":
        return json.dumps([row._asdict() for row in found])
    total = sum(row.total for row in found)
    lines = [
        f"profile: {total * 1e3:.3f} ms in {sum(row.count for row in found)} calls",
        f"{'kind':7} {'name':52} {'count':>8} {'total ms':>10} {'mean us':>10} {'min us':>10} {'max us':>10}"
        f" {'share':>7} {'bytes':>10} {'GB/s':>7}",
    ]
    for row in found:
        rate = f"{row.nbytes / row.total / 1e9:7.2f}" if row.nbytes and row.total else f"{'':7}"
        lines.append(
            f"{row.kind:7} {row.name:52} {row.count:8} {row.total * 1e3:10.3f} {row.mean * 1e6:10.2f}"
            f" {row.shortest * 1e6:10.2f} {row.longest * 1e6:10.2f} {row.share:7.1%}"
            f" {describe.size(row.nbytes) if row.nbytes else '':>10} {rate}".rstrip()
        )
    return "\n".join(lines)


def dump(finished: bool = True, profile_process: str = "worker") -> None:
    """Write the single events to the configured file, for chrome://tracing or Perfetto; `finished` stops, too."""
    if finished:
        stop()
    with _lock:
        events = [
            {"name": name, "cat": kind, "ph": "X", "ts": begin * 1e6, "dur": seconds * 1e6, "pid": 0, "tid": thread}
            for kind, name, begin, seconds, thread in _events
        ]
    with open(_config["filename"], "w") as file:
        json.dump({"traceEvents": events, "displayTimeUnit": "ms"}, file)


def _count(kind: str, name: str, begin: float, seconds: float, own: float, nbytes: int) -> None:
    with _lock:
        row = _rows.get((kind, name))
        if row is None:
            row = _rows[kind, name] = [0, 0.0, own, own, 0]
        row[0] += 1
        row[1] += own
        row[2] = min(row[2], own)
        row[3] = max(row[3], own)
        row[4] += nbytes
        if len(_events) < EVENTS:
            _events.append((kind, name, begin, seconds, threading.get_ident()))


def _timed(op: Op, eager):
    """`op.eager` with a clock."""
    name, clock, composite = op.name, time.perf_counter, op.kind == "composite"

    def run(op_, args, spec):
        nesting = _nesting
        outer, nesting.inner = nesting.inner, 0.0
        begin = clock()
        y = None
        try:
            y = eager(op_, args, spec)
            return y
        finally:
            seconds = clock() - begin
            own, parts = seconds - nesting.inner, nesting.inner > 0
            nesting.inner = outer + seconds
            moved = 0 if composite and parts else _bytes((*args, y))  # its parts count theirs
            _count("op", name, begin, seconds, max(own, 0.0), moved)

    return run


def _bytes(values) -> int:
    total = 0
    for x in values:
        if isinstance(x, ndarray):
            total += x._data.size * x._data.dtype.itemsize
        elif type(x) is tuple:
            total += _bytes(x)
    return total


def _watch(bound, step, native: bool, function):
    """The watcher of plans (see `observe`)."""
    kind, name, nbytes = describe.kind(step, native), describe.label(step), describe.nbytes(step)
    clock = time.perf_counter

    def run(env, base):
        begin = clock()
        function(env, base)
        seconds = clock() - begin
        _nesting.inner += seconds
        _count(kind, name, begin, seconds, seconds, nbytes)

    return run


def _span(kind: str, name: str, begin: float, seconds: float) -> None:
    """What the program marks itself (see `spans`)."""
    if _state == "run":
        _count(kind, name, begin, seconds, seconds, 0)


spans.heard.append(_span)


def profiler_set_config(mode: str = "symbolic", filename: str = "profile.json") -> None:
    """`set_config` by its older name; `mode` is 'symbolic', 'imperative', 'api', 'memory' or 'all'."""
    set_config(filename=filename, profile_symbolic=mode in ("symbolic", "all"),
               profile_imperative=mode in ("imperative", "all"))  # fmt: skip


profiler_set_state = set_state


def dump_profile() -> None:
    """`dump` by its older name."""
    dump(True)


def set_kvstore_handle(handle) -> None:
    """Accepted and without effect: there are no servers to watch."""


__all__ = [
    "Counter", "Domain", "Event", "Frame", "Marker", "Row", "Task", "dump", "dump_profile", "dumps", "pause",
    "profiler_set_config", "profiler_set_state", "reset", "resume", "rows", "set_config", "set_kvstore_handle",
    "set_state", "start", "state", "stop",
]  # fmt: skip
