"""Where the time of one of our steps goes: `python bench/hotspots.py lenet_256 [--variant loop|step|eager]`.

First what plans run: each kernel, BLAS call and NumPy call with a clock around it (0.3 us of which is the clock's);
what is left of the step's time is Python between plans. Then Python's functions by their own time, as cProfile counts
them, which makes Python look slower than it is.
"""

from __future__ import annotations

import argparse
import collections
import cProfile
import ctypes
import importlib
import pstats
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.workloads import FILES  # noqa: E402


class Clocks:
    """Times of everything a plan runs, by name. Made before anything is planned."""

    def __init__(self):
        self.on = False
        self.taken: dict[str, list[float]] = collections.defaultdict(list)

    def watch(self) -> None:
        """Put clocks into the plan's ways to run things."""
        from numblocks.graph import bind as plan
        from numblocks.kernels import build, native

        sequence, python = native.sequence, plan.Bound.python

        def timed_sequence():
            call = sequence()

            def rows(lo, hi, table):
                if not self.on:
                    return call(lo, hi, table)
                lo, hi, table = (getattr(x, "value", x) for x in (lo, hi, table))  # plans hold them as ctypes numbers
                words = (ctypes.c_int64 * (4 * hi)).from_address(table)
                for k in range(lo, hi):
                    name = self.name(words[4 * k], words[4 * k + 3], build, native)
                    self.time(name, call, k, k + 1, table)

            return rows

        def timed_python(bound, function):
            name = label(function)
            python(bound, lambda env, base: self.time(name, function, env, base) if self.on else function(env, base))

        native.sequence, plan.Bound.python = timed_sequence, timed_python

    def time(self, name, call, *args):
        start = time.perf_counter()
        call(*args)
        self.taken[name].append(time.perf_counter() - start)

    def table(self, steps: int) -> list[tuple[float, float, str]]:
        """`(seconds a step, calls a step, name)`, slowest first. Medians: a noisy machine has outliers."""
        rows = ((statistics.median(t) * len(t) / steps, len(t) / steps, name) for name, t in self.taken.items())
        return sorted(rows, reverse=True)

    def name(self, address: int, packed: int, build, native) -> str:
        """What a row of a native table is."""
        for dtype in ("float32", "float64"):
            if address == native.gemm(dtype):
                m, n, k, a, b = (ctypes.c_int64 * 5).from_address(packed)
                return f"gemm {dtype} {m}x{n}x{k} {'nt'[a - 111]}{'nt'[b - 111]}"
        kernel = next((k for k in build._kernels.values() if k.address == address), None)
        return kernel.name if kernel else hex(address)


def label(function) -> str:
    """What a step that is a Python function runs."""
    names = function.__code__.co_freevars
    held = {n: c.cell_contents for n, c in zip(names, function.__closure__ or (), strict=True)}
    if "kernel" in held:
        return f"{held['kernel'].name} (threads)"
    run = held.get("run", held.get("function", function))
    run = getattr(run, "func", run)
    return f"python {getattr(run, '__module__', '')}.{getattr(run, '__qualname__', run)}"


def find(name: str):
    """`(file, case)` of a row."""
    for file in FILES:
        module = importlib.import_module(f"bench.workloads.{file}")
        for case in module.cases():
            if case.name == name:
                return module, case
    raise SystemExit(f"{name}: no such row")


def best_of(run, seconds: float) -> tuple[float, int]:
    """The best time of a step, and how many steps fill `seconds`."""
    start = time.perf_counter()
    run(1)
    n = max(2, int(seconds / (time.perf_counter() - start)))
    part, best = max(1, n // 20), float("inf")
    for _ in range(20):
        start = time.perf_counter()
        run(part)
        best = min(best, (time.perf_counter() - start) / part)
    return best, n


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case")
    parser.add_argument("--variant", default="loop", help="loop, step or eager")
    parser.add_argument("--top", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    peer = importlib.import_module("bench.peers.numblocks")
    peer.start(options.threads)
    clocks = Clocks()
    clocks.watch()
    session = peer.session(*find(options.case), options.variant)
    session.run(3)
    best, n = best_of(session.run, options.seconds)
    clocks.on = True
    session.run(n)
    clocks.on = False
    found = clocks.table(n)
    inside = sum(seconds for seconds, _, _ in found)
    title = f"{options.case} {options.variant}"
    print(f"{title}: {best * 1e6:.1f} us a step (best), in plans {inside * 1e6:.1f} us (medians)")
    print(f"{'us/step':>12} {'calls':>6}  plan step")
    for seconds, calls, name in found[: options.top]:
        print(f"{seconds * 1e6:12.2f} {calls:6.1f}  {name}")
    profile = cProfile.Profile()
    profile.enable()
    session.run(n)
    profile.disable()
    stats = pstats.Stats(profile)
    total = stats.total_tt
    print(f"{'own us/step':>12} {'share':>6} {'calls':>6}  Python function, profiled ({total / n * 1e6:.1f} us a step)")
    for (path, line, name), (_, calls, own, _, _) in sorted(stats.stats.items(), key=lambda s: -s[1][2])[: options.top]:
        where = f"{'/'.join(Path(path).parts[-2:])}:{line} " if line else ""
        print(f"{own / n * 1e6:12.2f} {own / total:6.1%} {calls / n:6.1f}  {where}{name}")


if __name__ == "__main__":
    main()
