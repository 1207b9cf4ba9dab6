"""How long until the first result? Fresh processes: import, first step of LeNet with empty and filled caches.

Each figure comes from a process of its own, `python -m bench.workloads.start PEER VARIANT THREADS`, which prints one
JSON line; imports are timed where nothing else was imported before. The first step counts from where net, weights and
optimizer stand (PyTorch's optimizers and torch.compile import much when they are made: that is no step): tracing,
compiling, running. Caches lie in a folder that run.py makes; 'cold' empties it first. JAX's 'warm' has its persistent
compilation cache switched on, which is off by default.
"""

from __future__ import annotations

import json
import os
import sys
import time

from bench.work import Case

PEERS = {"numblocks": ("loop", "eager"), "torch": ("eager", "compile"), "jax": ("jit",), "mxnet": ("hybrid",)}


def cases():
    yield Case("cold", "process", {"question": "step"}, goal="<= 2 s")
    yield Case("warm", "process", {"question": "step"}, goal="<= 0.15 s")
    yield Case("import", "process", {"question": "import"}, goal="<= 0.15 s")
    yield Case("import_rss", "process", {"question": "import"}, goal="<= 40 MB")


def caches(folder: str) -> dict[str, str]:
    """Environment that sends every library's compiled code to `folder`."""
    return {
        "NUMBLOCKS_CACHE_DIR": f"{folder}/numblocks",
        "TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor",
        "TRITON_CACHE_DIR": f"{folder}/triton",
        "JAX_COMPILATION_CACHE_DIR": f"{folder}/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


# seconds and memory (MB) of an import alone, for `python -c`: this file itself would bring NumPy along
IMPORT = """
import json, time
start = time.perf_counter()
import {peer}
seconds = time.perf_counter() - start
with open("/proc/self/status") as status:
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
print(json.dumps({{"seconds": seconds, "rss": memory}}))
"""


def command(peer: str, question: str, variant: str, threads: int) -> list[str]:
    """Arguments of the interpreter that answers `question`."""
    if question == "import":
        return ["-c", IMPORT.format(peer=peer)]
    return ["-m", "bench.workloads.start", peer, variant, str(threads)]


def first_step(peer: str, variant: str, threads: int) -> dict:
    """Seconds of the first step of lenet_256, all of it done."""
    import importlib

    from bench.workloads import lenet

    module = importlib.import_module(f"bench.peers.{peer}")
    module.start(threads)
    module.versions()
    (case,) = lenet.cases()
    session = module.session(lenet, case, variant)
    start = time.perf_counter()
    session.run(1)
    return {"seconds": time.perf_counter() - start}


if __name__ == "__main__":
    peer, variant, threads = sys.argv[1:]
    keep = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps(first_step(peer, variant, int(threads))), file=keep)
