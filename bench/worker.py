"""One peer in its own interpreter. Reads orders as JSON lines from stdin, answers on what was stdout.

Started by run.py: `python -m bench.worker PEER THREADS`.

| order | answer |
|---|---|
| `{"do": "versions"}` | versions of the libraries |
| `{"do": "open", "file": f, "case": c, "variant": v}` | `{"check": [...]}` or `{"missing": why}` |
| `{"do": "time", "case": c, "variant": v, "seconds": s}` | `{"best": s, "median": s, "count": n}` per step |
| `{"do": "close", "case": c}` | `{}` |
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
import traceback

from bench.work import Missing

CHUNK = 0.002  # seconds that steps are gathered for, so that reading the clock costs nothing


class Worker:
    """What is open, by case and variant."""

    def __init__(self, peer: str, threads: int):
        self.peer = importlib.import_module(f"bench.peers.{peer}")
        self.peer.start(threads)
        self.sessions: dict = {}
        self.bests: dict = {}  # seconds of a step

    def versions(self) -> dict:
        return self.peer.versions()

    def open(self, file: str, case: str, variant: str) -> dict:
        module = importlib.import_module(f"bench.workloads.{file}")
        found = next(c for c in module.cases() if c.name == case)
        try:
            session = self.peer.session(module, found, variant)
            check = session.check()
            warm(session.run, 15.0 if found.kind == "op" else 1.5)
        except Missing as why:
            return {"missing": str(why)}
        except Exception as error:
            traceback.print_exc()
            return {"missing": f"{type(error).__name__}: {error}"[:300]}
        self.sessions[case, variant] = session
        return {"check": check}

    def time(self, case: str, variant: str, seconds: float) -> dict:
        key = case, variant
        run, clock = self.sessions[key].run, time.perf_counter
        run(1)  # wakes caches and threads
        gc.collect()
        taken, count, best = [], 0, self.bests.get(key, CHUNK)
        end = clock() + seconds
        while not taken or clock() < end:
            n = max(1, round(CHUNK / best))
            start = clock()
            run(n)
            taken.append((clock() - start) / n)
            count += n
            best = min(best, taken[-1])  # a noisy machine must not leave us with chunks that are too short
        self.bests[key] = best
        return {"best": min(taken), "median": statistics.median(taken), "count": count}

    def close(self, case: str) -> dict:
        for key in [k for k in self.sessions if k[0] == case]:
            del self.sessions[key]
        gc.collect()
        return {}


def warm(run, seconds: float) -> None:
    """Run until libraries have settled: MKL's vector functions, say, try threads for their first 200 calls."""
    count, end = 0, time.perf_counter() + seconds
    while count < 400 and time.perf_counter() < end:
        run(1)
        count += 1


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to stderr
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        order = json.loads(line)
        answer = getattr(worker, order.pop("do"))(**order)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
