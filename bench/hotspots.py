"""Where the time of one of our steps goes: `python bench/hotspots.py lenet_256 [--variant loop] [--top 25]`.

Two tables: functions by their own time as cProfile counts them (which makes Python look slower than it is, so the
share of compiled code is a lower bound), and time per launch of the plans' kernels and BLAS calls, by name, measured
with a clock around each, unprofiled.
"""

from __future__ import annotations

import argparse
import cProfile
import importlib
import pstats
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.workloads import FILES  # noqa: E402


def find(name: str):
    """`(file, case)` of a row."""
    for file in FILES:
        module = importlib.import_module(f"bench.workloads.{file}")
        for case in module.cases():
            if case.name == name:
                return module, case
    raise SystemExit(f"{name}: no such row")


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case")
    parser.add_argument("--variant", default="loop", help="loop, step or eager")
    parser.add_argument("--top", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    peer = importlib.import_module("bench.peers.numblocks")
    peer.start(options.threads)
    session = peer.session(*find(options.case), options.variant)
    session.run(3)
    start = time.perf_counter()
    session.run(1)
    n = max(2, int(options.seconds / (time.perf_counter() - start)))
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        session.run(max(1, n // 10))
        best = min(best, (time.perf_counter() - start) / max(1, n // 10))
    profile = cProfile.Profile()
    profile.enable()
    session.run(n)
    profile.disable()
    stats = pstats.Stats(profile)
    total = stats.total_tt
    print(f"{options.case} {options.variant}: {best * 1e6:.1f} us a step unprofiled, {total / n * 1e6:.1f} us profiled")
    print(f"{'own us/step':>12} {'share':>6} {'calls/step':>10}  function")
    rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])[: options.top]
    for (path, line, function), (_, calls, own, _, _) in rows:
        where = f"{'/'.join(Path(path).parts[-2:])}:{line} " if line else ""
        print(f"{own / n * 1e6:12.2f} {own / total:6.1%} {calls / n:10.1f}  {where}{function}")


if __name__ == "__main__":
    main()
