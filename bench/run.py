"""Time numblocks beside its peers: `python bench/run.py [--only mlp,chain] [--peers torch,jax,mxnet] [--json out]`.

Each library runs in its own interpreter. For every workload all are made ready and must agree on the first losses
(or outputs), then they take turns in short blocks: numblocks, torch, jax, mxnet, numblocks, ... so that a noisy
machine is noisy for all. A figure is the best block's best and the median of the blocks' medians; a ratio is the best
peer's time divided by ours. What cannot be measured is shown as '-' with its reason.

Interpreters of peers: `--python torch=/path/bin/python`, or the environment (NUMBLOCKS_BENCH_TORCH, ..._JAX,
..._MXNET), or `../venv-torch` beside the repository, or the running interpreter if it has the library.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import table  # noqa: E402
from bench.peers import PEERS  # noqa: E402
from bench.workloads import FILES, start  # noqa: E402

TOLERANCE = 1e-4  # relative, of the first loss or of outputs
DRIFT = 20  # times TOLERANCE for the losses after one and two updates
SLOWEST = 60.0  # seconds after which a workload gets no further round, once it had three


def interpreter(peer: str, given: dict) -> str | None:
    """The Python that has `peer`, or None."""
    if peer == "numblocks":
        return given.get(peer, sys.executable)
    beside = ROOT.parent / f"venv-{peer}" / "bin" / "python"
    for found in (given.get(peer), os.environ.get(f"NUMBLOCKS_BENCH_{peer.upper()}")):
        if found:
            return found
    if beside.exists():
        return str(beside)
    return sys.executable if importlib.util.find_spec(peer) else None


def environment(threads: int, extra=()) -> dict:
    """Environment of every process: the same number of threads for all."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBLOCKS_NUM_THREADS")
    # a checkout without bytecode files would pay for what no user pays
    usual = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**usual, **dict.fromkeys(names, str(threads)), "PYTHONPATH": str(ROOT), **dict(extra)}


def prefer(nice: int) -> None:
    """Give this new process a priority. Linux shares the machine among sessions first, so it gets one of its own."""
    if nice:
        os.setsid()
        os.nice(nice)
        autogroup = Path("/proc/self/autogroup")
        if autogroup.exists():
            autogroup.write_text(str(nice))


class Peer:
    """A worker process: `peer.ask(do=..., ...)`."""

    def __init__(self, name: str, python: str, options):
        self.name, self.python = name, python
        self.log = open(Path(tempfile.gettempdir()) / f"numblocks-bench-{name}.log", "w")  # noqa: SIM115
        self.process = subprocess.Popen(
            [python, "-m", "bench.worker", name, str(options.threads)], cwd=ROOT, text=True, stderr=self.log,
            env=environment(options.threads), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=lambda: prefer(options.nice),
        )  # fmt: skip
        self.versions = self.ask(do="versions")

    def ask(self, **order) -> dict:
        try:
            print(json.dumps(order), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            raise RuntimeError(f"{self.name}: its worker died. See {self.log.name}.") from None

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def variants(peer: str, kind: str) -> tuple[str, ...]:
    """The ways in which `peer` runs cases of `kind`."""
    if kind == "process":
        return start.PEERS[peer]
    return importlib.import_module(f"bench.peers.{peer}").VARIANTS[kind]


def agree(check: list, expected: list, kind: str) -> bool:
    """Whether a peer computes what numblocks (or the first peer that could) computes."""
    if len(check) != len(expected):
        return False
    drift = DRIFT if kind == "train" else 1
    return all(
        abs(a - b) <= TOLERANCE * (drift if k else 1) * max(1.0, abs(b))
        for k, (a, b) in enumerate(zip(check, expected, strict=True))
    )


def measure(file: str, case, peers: dict, absent: dict, options) -> dict:
    """The row of a case that runs in the workers."""
    row = {"goal": case.goal, "times": {}, "missing": {}}
    ready, expected = [], None
    for name in PEERS:
        if name not in options.peers:
            continue
        for variant in variants(name, case.kind):
            key = f"{name}/{variant}"
            if name in absent:
                row["missing"][key] = absent[name]
                continue
            answer = peers[name].ask(do="open", file=file, case=case.name, variant=variant)
            check = answer.get("check")
            if check is None:
                row["missing"][key] = answer["missing"]
            elif expected is not None and not agree(check, expected, case.kind):
                row["missing"][key] = f"computes something else: {check[:3]} instead of {expected[:3]}"
            else:
                expected = check if expected is None else expected
                ready.append((name, variant, key))
    blocks: dict[str, list] = {key: [] for _, _, key in ready}
    best = {key: float("inf") for key in blocks}
    begin, news = time.perf_counter(), 0
    for turn in range(4 * options.repeat):
        if turn >= 3 and time.perf_counter() - begin > SLOWEST:
            break
        if turn >= options.repeat and turn - news > options.repeat // 2:
            break  # nobody became faster for a while: what is left is noise
        for name, variant, key in ready:
            time.sleep(0.003)  # lets the spinning threads of the one before fall asleep
            block = peers[name].ask(do="time", case=case.name, variant=variant, seconds=options.block)
            blocks[key].append(block)
            if block["best"] < 0.97 * best[key]:
                news = turn
            best[key] = min(best[key], block["best"])
    for key, found in blocks.items():
        row["times"][key] = {
            "best": min(b["best"] for b in found),
            "median": statistics.median(b["median"] for b in found),
            "rounds": len(found),
        }
    for peer in peers.values():
        peer.ask(do="close", case=case.name)
    return row


def fresh(name: str, python: str, question: str, variant: str, folder: str, options) -> dict:
    """Figures of one fresh process; `{"missing": why}` if it failed."""
    done = subprocess.run(
        [python, *start.command(name, question, variant, options.threads)], cwd=ROOT,
        env=environment(options.threads, start.caches(folder).items()), capture_output=True, text=True,
        preexec_fn=lambda: prefer(options.nice),
    )  # fmt: skip
    if done.returncode:
        return {"missing": (done.stderr.strip().splitlines() or ["failed"])[-1][:300]}
    return json.loads(done.stdout)


def measure_start(case, pythons: dict, absent: dict, options) -> dict:
    """The row of a case that takes fresh processes."""
    row = {"goal": case.goal, "times": {}, "missing": {}}
    question, what = case.sizes["question"], "rss" if case.name.endswith("rss") else "seconds"
    row["unit"] = "MB" if what == "rss" else "s"
    ready = []
    for name in (p for p in PEERS if p in options.peers):
        for variant in start.PEERS[name][: 1 if question == "import" else None]:
            if name in absent:
                row["missing"][f"{name}/{variant}"] = absent[name]
            else:
                ready.append((name, name, variant, f"{name}/{variant}"))
    if question == "import":
        ready.append(("numblocks", "numpy", "", "numpy/"))
    found: dict[str, list] = {key: [] for *_, key in ready}
    with tempfile.TemporaryDirectory() as folder:
        if case.name == "warm":
            for owner, name, variant, _ in ready:
                fresh(name, pythons[owner], question, variant, folder, options)
        for turn in range(min(options.repeat, 5)):
            for owner, name, variant, key in ready:
                if key in row["missing"] or (turn and case.name == "cold" and key == "torch/compile"):
                    continue  # a quarter of a minute each
                if case.name == "cold":
                    shutil.rmtree(folder)
                    os.mkdir(folder)
                answer = fresh(name, pythons[owner], question, variant, folder, options)
                if "missing" in answer:
                    row["missing"][key] = answer["missing"]
                else:
                    found[key].append(answer[what])
    for key, values in found.items():
        if values:
            row["times"][key] = {"best": min(values), "median": statistics.median(values), "rounds": len(values)}
    return row


def machine(options) -> dict:
    """What the figures were taken on."""
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "")
    return {"cpu": model or platform.processor(), "cores": os.cpu_count(), "threads": options.threads,
            "system": platform.platform(), "python": platform.python_version()}  # fmt: skip


def commit() -> str:
    """The checked-out commit, with a + if files differ from it."""
    def ask(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    changed = ask("status", "--porcelain", "--untracked-files=no", "--", "numblocks", "kernels")
    return ask("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")


def options_of(arguments) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help=f"files or beginnings of rows: {','.join(FILES)}")
    parser.add_argument("--peers", default=",".join(PEERS[1:]), help="which libraries beside numblocks")
    parser.add_argument("--python", action="append", default=[], metavar="PEER=PATH", help="interpreter of a peer")
    parser.add_argument("--repeat", type=int, default=10, help="rounds; up to four times as many while figures fall")
    parser.add_argument("--block", type=float, default=0.15, help="seconds of one block")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--nice", type=int, default=0, help="negative: ahead of other work on this machine (root)")
    parser.add_argument("--json", type=Path, help="write rows here; rows of earlier runs that are not repeated stay")
    options = parser.parse_args(arguments)
    options.only = [word for word in options.only.split(",") if word]
    options.peers = ["numblocks", *[word for word in options.peers.split(",") if word]]
    options.python = dict(entry.split("=", 1) for entry in options.python)
    unknown = set(options.peers) - set(PEERS)
    if unknown:
        parser.error(f"--peers: {', '.join(sorted(unknown))} unknown; there are {', '.join(PEERS[1:])}")
    return options


def selected(options):
    """`(file, case)` of all that are to be measured."""
    for file in FILES:
        for case in importlib.import_module(f"bench.workloads.{file}").cases():
            if not options.only or any(word == file or case.name.startswith(word) for word in options.only):
                yield file, case


def main(arguments=None) -> int:
    """Measure, print as it goes, write the JSON. Returns 1 if peers disagree on what they compute."""
    options = options_of(arguments)
    work = list(selected(options))
    if not work:
        print(f"--only {options.only}: no such file or row. Files: {', '.join(FILES)}", file=sys.stderr)
        return 2
    pythons = {name: interpreter(name, options.python) for name in options.peers}
    absent = {n: f"no interpreter with {n}: see --python" for n, python in pythons.items() if python is None}
    peers = {}
    for name, python in pythons.items():
        if python is not None:
            try:
                peers[name] = Peer(name, python, options)
            except RuntimeError as error:
                absent[name] = str(error)
    result = {"rows": {}, "versions": {}}
    if options.json and options.json.exists():
        result = json.loads(options.json.read_text())
    result["date"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    result["commit"], result["device"] = commit(), machine(options)
    for peer in peers.values():
        result["versions"].update(peer.versions)
    wrong = False
    print(table.heading(), flush=True)
    for file, case in work:
        if case.kind == "process":
            row = measure_start(case, pythons, absent, options)
        else:
            row = measure(file, case, peers, absent, options)
        row.update(commit=result["commit"], date=result["date"], load=round(os.getloadavg()[0], 2))
        wrong = wrong or any("something else" in why for why in row["missing"].values())
        result["rows"][case.name] = row
        print(table.line(case.name, row), flush=True)
        for reason, keys in table.reasons(row).items():
            print(f"    - {', '.join(keys)}: {reason}", flush=True)
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(result, indent=1) + "\n")
    for peer in peers.values():
        peer.stop()
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
