"""How much memory training takes: `python bench/memory.py [--json out]`.

Each library runs each workload in a process of its own: once to fill caches, then the peak resident size over steps
that are warm, less the size after the library was imported and had computed one sum. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CASES = {"mlp_256x784x256": "mlp", "lenet_256": "lenet", "encoder_b16_t64_d256": "encoder",
         "lstm_b32_t35_h256": "lstm", "resnet18_32x32_b32": "resnet"}  # fmt: skip


def status(key: str) -> float:
    """A line of /proc/self/status in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(key)


def one(peer: str, case: str, variant: str, threads: int) -> None:
    """Print the MB of one workload."""
    from bench.workloads import op_overhead

    module = importlib.import_module(f"bench.peers.{peer}")
    module.start(threads)
    kind = module.VARIANTS["op"][0]
    small = module.session(op_overhead, next(c for c in op_overhead.cases() if c.name.startswith("op_sum")), kind)
    small.run(2)
    base = status("VmRSS")
    workload = importlib.import_module(f"bench.workloads.{CASES[case]}")
    session = module.session(workload, next(c for c in workload.cases() if c.name == case), variant)
    session.run(3)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    session.run(5)
    print(json.dumps({"MB": round(status("VmHWM") - base, 1)}))


def main() -> None:
    from bench.peers import PEERS
    from bench.run import commit, environment, interpreter, machine

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict = {}
    for case in options.only.split(","):
        row = found[case] = {}
        for peer in PEERS:
            python = interpreter(peer, {})
            if python is None:
                continue
            for variant in importlib.import_module(f"bench.peers.{peer}").VARIANTS["train"]:
                for _ in range(2):  # the first fills caches
                    done = subprocess.run(
                        [python, __file__, "--one", peer, case, variant, str(options.threads)], cwd=ROOT, text=True,
                        env=environment(options.threads), capture_output=True,
                    )  # fmt: skip
                if done.returncode == 0:
                    row[f"{peer}/{variant}"] = json.loads(done.stdout.splitlines()[-1])["MB"]
                else:
                    print(f"{case} {peer}/{variant}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        print(f"{case:24s}" + "  ".join(f"{key} {mb:.0f}" for key, mb in row.items()) + " MB", flush=True)
    if options.json:
        data = {"date": datetime.date.today().isoformat(), "commit": commit(), "machine": machine(options),
                "unit": "MB above the imported library, peak of warm steps", "rows": found}  # fmt: skip
        options.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:5], int(sys.argv[5]))
    else:
        main()
