"""Each eager op beside NumPy, PyTorch and JAX at three sizes: `python bench/ops.py [--only exp,conv] [--json out]`.

The libraries run in interpreters of their own and take turns op by op. A figure is the best block's best. At the large
size the question is how good the kernel is (geometric mean of best peer / ours), at the small one what a call costs
(ours against PyTorch's). NumPy is given what one would write in it; where that takes a page, it has no entry.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PEERS = ("numblocks", "numpy", "torch", "jax")
SIZES = ("small", "medium", "large")
FLAT = {"small": (16, 20), "medium": (256, 256), "large": (2048, 2048)}
# operands: x normal, p positive, u inside (-1, 1), i whole numbers of the last axis' size, c a condition
SHAPES = {
    "flat": {size: {"a": shape, "b": shape} for size, shape in FLAT.items()},
    "rows": {size: {"a": shape, "b": shape[1:]} for size, shape in FLAT.items()},
    "index": {size: {"a": shape, "b": shape[:1]} for size, shape in FLAT.items()},
    "matmul": {"small": {"a": (16, 20), "b": (20, 64)}, "medium": {"a": (256, 256), "b": (256, 256)},
               "large": {"a": (1024, 1024), "b": (1024, 1024)}},
    "batch": {"small": {"a": (4, 8, 8), "b": (4, 8, 8)}, "medium": {"a": (32, 32, 32), "b": (32, 32, 32)},
              "large": {"a": (256, 64, 64), "b": (256, 64, 64)}},
    "solve": {"small": {"a": (4, 4), "b": (4, 4)}, "medium": {"a": (64, 64), "b": (64, 64)},
              "large": {"a": (512, 512), "b": (512, 512)}},
    "conv": {"small": {"a": (1, 3, 8, 8), "b": (4, 3, 3, 3)}, "medium": {"a": (8, 16, 16, 16), "b": (16, 16, 3, 3)},
             "large": {"a": (32, 64, 28, 28), "b": (64, 64, 3, 3)}},
    "pool": {"small": {"a": (1, 3, 8, 8)}, "medium": {"a": (8, 16, 16, 16)}, "large": {"a": (32, 64, 56, 56)}},
}  # fmt: skip


def unary(name, kind="x", nb=None, numpy="", torch="", jax=""):
    """A row of a function of one array that most libraries call by one name."""
    return (name, "flat", kind, nb or f"np.{name}(a)", numpy if numpy is None else numpy or f"np.{name}(a)",
            torch or f"torch.{name}(a)", jax or f"np.{name}(a)")  # fmt: skip


def binary(name, sign=None, kind="xp", torch=""):
    """A row of an operator or a function of two arrays."""
    text = f"a {sign} b" if sign else f"np.{name}(a, b)"
    return (name, "flat", kind, text, text, torch or (text if sign else f"torch.{name}(a, b)"), text)


# name, shapes, kinds of the operands, then the call in numblocks, NumPy, PyTorch, JAX
ROWS = [
    binary("add", "+"), binary("subtract", "-"), binary("multiply", "*"), binary("divide", "/"),
    binary("power", "**", "px"), binary("maximum"), binary("minimum"), binary("less", "<"), binary("equal", "=="),
    binary("arctan2", torch="torch.arctan2(a, b)"), binary("hypot"), binary("logaddexp"), binary("fmod"),
    ("add_row", "rows", "xx", "a + b", "a + b", "a + b", "a + b"),
    ("add_number", "flat", "x", "a + 1.5", "a + np.float32(1.5)", "a + 1.5", "a + 1.5"),
    ("where", "flat", "cx", "np.where(a, b, 0.0)", "np.where(a, b, np.float32(0))", "torch.where(a, b, 0.0)",
     "np.where(a, b, 0.0)"),
    *[unary(n) for n in ("exp", "expm1", "sin", "cos", "tanh", "sinh", "abs", "sign", "floor", "square", "negative",
                         "arctan")],
    *[unary(n, "p") for n in ("log", "log1p", "log2", "sqrt", "reciprocal")],
    *[unary(n, "u") for n in ("arcsin", "arccos", "arctanh")],
    unary("rint", torch="torch.round(a)"), unary("isnan"), unary("cbrt", "p", torch="a.pow(1 / 3)"),
    unary("clip", nb="np.clip(a, -1, 1)", numpy="np.clip(a, -1, 1)", torch="torch.clip(a, -1, 1)",
          jax="np.clip(a, -1, 1)"),
    ("relu", "flat", "x", "npx.relu(a)", "np.maximum(a, 0)", "F.relu(a)", "nn.relu(a)"),
    ("sigmoid", "flat", "x", "npx.sigmoid(a)", "1 / (1 + np.exp(-a))", "torch.sigmoid(a)", "nn.sigmoid(a)"),
    ("gelu", "flat", "x", "npx.gelu(a)", None, "F.gelu(a)", "nn.gelu(a, approximate=False)"),
    ("silu", "flat", "x", "npx.silu(a)", "a / (1 + np.exp(-a))", "F.silu(a)", "nn.silu(a)"),
    ("softplus", "flat", "x", "npx.softplus(a)", "np.logaddexp(a, 0)", "F.softplus(a)", "nn.softplus(a)"),
    ("leaky_relu", "flat", "x", "npx.leaky_relu(a, slope=0.1)", "np.where(a > 0, a, np.float32(.1) * a)",
     "F.leaky_relu(a, 0.1)", "nn.leaky_relu(a, 0.1)"),
    ("erf", "flat", "x", "npx.erf(a)", None, "torch.erf(a)", "jax.scipy.special.erf(a)"),
    ("gammaln", "flat", "p", "npx.gammaln(a)", None, "torch.lgamma(a)", "jax.scipy.special.gammaln(a)"),
    ("digamma", "flat", "p", "npx.digamma(a)", None, "torch.digamma(a)", "jax.scipy.special.digamma(a)"),
    ("sum", "flat", "x", "a.sum()", "a.sum()", "a.sum()", "a.sum()"),
    ("sum_rows", "flat", "x", "a.sum(axis=1)", "a.sum(axis=1)", "a.sum(dim=1)", "a.sum(axis=1)"),
    ("sum_columns", "flat", "x", "a.sum(axis=0)", "a.sum(axis=0)", "a.sum(dim=0)", "a.sum(axis=0)"),
    ("mean", "flat", "x", "a.mean()", "a.mean()", "a.mean()", "a.mean()"),
    ("max_rows", "flat", "x", "a.max(axis=1)", "a.max(axis=1)", "a.amax(dim=1)", "a.max(axis=1)"),
    ("prod_rows", "flat", "u", "a.prod(axis=1)", "a.prod(axis=1)", "a.prod(dim=1)", "a.prod(axis=1)"),
    ("argmax_rows", "flat", "x", "a.argmax(axis=1)", "a.argmax(axis=1)", "a.argmax(dim=1)", "a.argmax(axis=1)"),
    ("var_rows", "flat", "x", "a.var(axis=1)", "a.var(axis=1)", "a.var(dim=1, correction=0)", "a.var(axis=1)"),
    ("cumsum_rows", "flat", "u", "np.cumsum(a, axis=1)", "np.cumsum(a, axis=1)", "torch.cumsum(a, 1)",
     "np.cumsum(a, axis=1)"),
    ("softmax", "flat", "x", "npx.softmax(a)", None, "F.softmax(a, -1)", "nn.softmax(a)"),
    ("log_softmax", "flat", "x", "npx.log_softmax(a)", None, "F.log_softmax(a, -1)", "nn.log_softmax(a)"),
    ("layer_norm", "rows", "xx", "npx.layer_norm(a, b, b)", None, "F.layer_norm(a, b.shape, b, b)", None),
    ("transpose_copy", "flat", "x", "a.T.copy()", "a.T.copy()", "a.T.contiguous()", "a.T.copy()"),
    ("concatenate", "flat", "xx", "np.concatenate([a, b])", "np.concatenate([a, b])", "torch.cat([a, b])",
     "np.concatenate([a, b])"),
    ("stack", "flat", "xx", "np.stack([a, b])", "np.stack([a, b])", "torch.stack([a, b])", "np.stack([a, b])"),
    ("tile", "flat", "x", "np.tile(a, (2, 1))", "np.tile(a, (2, 1))", "torch.tile(a, (2, 1))", "np.tile(a, (2, 1))"),
    ("flip", "flat", "x", "np.flip(a, 1).copy()", "np.flip(a, 1).copy()", "torch.flip(a, [1])", "np.flip(a, 1)"),
    ("pad", "flat", "x", "np.pad(a, ((1, 1), (1, 1)))", "np.pad(a, 1)", "F.pad(a, (1, 1, 1, 1))", "np.pad(a, 1)"),
    ("take_rows", "index", "xi", "np.take(a, b, axis=0)", "np.take(a, b, axis=0)", "torch.index_select(a, 0, b)",
     "np.take(a, b, axis=0)"),
    ("pick", "index", "xi", "npx.pick(a, b)", "np.take_along_axis(a, b[:, None], 1)[:, 0]",
     "torch.gather(a, 1, b[:, None])[:, 0]", "np.take_along_axis(a, b[:, None], 1)[:, 0]"),
    ("one_hot", "index", "xi", "npx.one_hot(b % 32, 32)", None, "F.one_hot(b % 32, 32)",
     "nn.one_hot(b % 32, 32)"),
    ("sort_rows", "flat", "x", "np.sort(a, axis=1)", "np.sort(a, axis=1)", "torch.sort(a, 1)", "np.sort(a, axis=1)"),
    ("argsort_rows", "flat", "x", "np.argsort(a, axis=1)", "np.argsort(a, axis=1)", "torch.argsort(a, 1)",
     "np.argsort(a, axis=1)"),
    ("topk", "flat", "x", "npx.topk(a, k=5, ret_typ='value')", "-np.partition(-a, 5)[:, :5]", "torch.topk(a, 5)",
     "jax.lax.top_k(a, 5)"),
    ("matmul", "matmul", "xx", "np.dot(a, b)", "np.dot(a, b)", "torch.mm(a, b)", "np.dot(a, b)"),
    ("batch_dot", "batch", "xx", "npx.batch_dot(a, b)", "np.matmul(a, b)", "torch.bmm(a, b)", "np.matmul(a, b)"),
    ("einsum", "batch", "xx", "np.einsum('bij,bkj->bik', a, b)", "np.matmul(a, b.swapaxes(1, 2))",
     "torch.einsum('bij,bkj->bik', a, b)", "np.einsum('bij,bkj->bik', a, b)"),
    ("dense", "matmul", "xx", "npx.fully_connected(a, b.T, no_bias=True, num_hidden=b.shape[1])", "np.dot(a, b)",
     "F.linear(a, b.T)", "np.dot(a, b)"),
    ("inv", "solve", "s", "np.linalg.inv(a)", "np.linalg.inv(a)", "torch.linalg.inv(a)", "np.linalg.inv(a)"),
    ("solve", "solve", "sx", "np.linalg.solve(a, b)", "np.linalg.solve(a, b)", "torch.linalg.solve(a, b)",
     "np.linalg.solve(a, b)"),
    ("cholesky", "solve", "s", "np.linalg.cholesky(a)", "np.linalg.cholesky(a)", "torch.linalg.cholesky(a)",
     "np.linalg.cholesky(a)"),
    ("conv", "conv", "xx",
     "npx.convolution(a, b, None, kernel=(3, 3), pad=(1, 1), num_filter=b.shape[0], no_bias=True)", None,
     "F.conv2d(a, b, padding=1)", "jax.lax.conv(a, b, (1, 1), 'SAME')"),
    ("max_pool", "pool", "x", "npx.pooling(a, kernel=(2, 2), stride=(2, 2), pool_type='max')",
     "a.reshape(*a.shape[:2], a.shape[2] // 2, 2, -1, 2).max((3, 5))", "F.max_pool2d(a, 2)",
     "jax.lax.reduce_window(a, -float('inf'), jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), 'VALID')"),
    ("avg_pool", "pool", "x", "npx.pooling(a, kernel=(2, 2), stride=(2, 2), pool_type='avg')",
     "a.reshape(*a.shape[:2], a.shape[2] // 2, 2, -1, 2).mean((3, 5))", "F.avg_pool2d(a, 2)",
     "jax.lax.reduce_window(a, 0., jax.lax.add, (1, 1, 2, 2), (1, 1, 2, 2), 'VALID') / 4"),
    ("uniform", "flat", "x", "np.random.uniform(size=a.shape)", "random.random(a.shape, dtype='float32')",
     "torch.rand(a.shape)", "jax.random.uniform(key, a.shape)"),
    ("normal", "flat", "x", "np.random.normal(size=a.shape)", "random.standard_normal(a.shape, dtype='float32')",
     "torch.randn(a.shape)", "jax.random.normal(key, a.shape)"),
]  # fmt: skip


def operands(group: str, kinds: str, size: str) -> dict:
    """The arrays of a row, NumPy's."""
    import numpy

    random, found = numpy.random.RandomState(1), {}
    for kind, (name, shape) in zip(kinds, SHAPES[group][size].items(), strict=False):
        x = random.standard_normal(shape).astype("float32")
        if kind == "p":
            x = numpy.abs(x) + numpy.float32(0.1)
        elif kind == "u":
            x = numpy.tanh(x) * numpy.float32(0.99)
        elif kind == "s":
            x = x @ x.T + numpy.float32(len(x)) * numpy.eye(len(x), dtype="float32")
        elif kind == "c":
            x = x > 0
        elif kind == "i":
            x = random.randint(0, shape[0], shape)
        found[name] = x
    return found


def library(peer: str, threads: int):
    """`(names for the expressions, array, wait)` of a peer."""
    if peer == "numblocks":
        import numblocks as g

        return {"np": g.np, "npx": g.npx}, lambda x: g.np.array(x, dtype=x.dtype), lambda y: None
    if peer == "numpy":
        import numpy

        return {"np": numpy, "random": numpy.random.default_rng(0)}, lambda x: x, lambda y: None
    if peer == "torch":
        import torch

        torch.set_num_threads(threads)
        return {"torch": torch, "F": torch.nn.functional}, torch.from_numpy, lambda y: None
    import jax

    names = {"jax": jax, "np": jax.numpy, "nn": jax.nn, "key": jax.random.key(0)}
    return names, jax.device_put, jax.block_until_ready


def worker(peer: str, threads: int) -> None:
    """Answer orders `{"row": k, "size": s, "seconds": t}` with `{"best": seconds}` or `{"missing": why}`."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    names, array, wait = library(peer, threads)
    ready: tuple = (None, None)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if ready[0] != (order["row"], order["size"]):
                _, group, kinds, *texts = ROWS[order["row"]]
                arrays = {k: array(x) for k, x in operands(group, kinds, order["size"]).items()}
                call = eval(f"lambda a=a, b=b: ({texts[PEERS.index(peer)]})", {**names, "b": None, **arrays})
                ready = ((order["row"], order["size"]), call)
            answer = {"best": timed(ready[1], wait, order["seconds"])}
        except Exception as error:
            answer = {"missing": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(answer), file=answers, flush=True)


def timed(call, wait, seconds: float) -> float:
    """Best time of a call."""
    clock = time.perf_counter
    end, best, n = clock() + seconds, float("inf"), 1
    while clock() < end or n == 1:
        start = clock()
        for _ in range(n):
            y = call()
        wait(y)
        took = (clock() - start) / n
        best = min(best, took)
        if n == 1:
            n = max(1, min(1000, int(0.001 / max(took, 1e-7))))
            if n == 1 and clock() >= end:
                break
    return best


def main() -> None:
    from bench.run import commit, environment, interpreter, machine, prefer

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="names of rows")
    parser.add_argument("--peers", default=",".join(PEERS[1:]))
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--block", type=float, default=0.05, help="seconds of one block")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    peers, processes = ("numblocks", *options.peers.split(",")), {}
    for peer in peers:
        python = sys.executable if peer in ("numblocks", "numpy") else interpreter(peer, {})
        if python is not None:
            processes[peer] = subprocess.Popen(
                [python, __file__, "--worker", peer, str(options.threads)], text=True, env=environment(options.threads),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, preexec_fn=lambda: prefer(options.nice),
            )  # fmt: skip
    found: dict = {}
    print(f"{'':16s}" + "".join(f"{size + ' ' + p:>17s}" for size in options.sizes.split(",") for p in peers))
    for k, row in enumerate(ROWS):
        if options.only and row[0] not in options.only.split(","):
            continue
        cells = found[row[0]] = {size: measure(k, size, processes, options) for size in options.sizes.split(",")}
        print(f"{row[0]:16s}" + "".join(
            f"{1e6 * cell[p]:14.2f} us" if p in cell else f"{'-':>17s}" for cell in cells.values() for p in peers
        ), flush=True)  # fmt: skip
    summary = summarize(found)
    print(json.dumps(summary, indent=1))
    if options.json:
        data = {"date": datetime.date.today().isoformat(), "commit": commit(), "machine": machine(options),
                "unit": "seconds, best", "summary": summary, "rows": found}  # fmt: skip
        options.json.write_text(json.dumps(data, indent=1) + "\n")


def measure(k: int, size: str, processes: dict, options) -> dict:
    """Best seconds of one row by peer; peers without an expression or with an error are left out."""
    best: dict[str, float] = {}
    out = {peer for peer in processes if ROWS[k][3 + PEERS.index(peer)] is None}
    for _ in range(options.rounds):
        for peer, process in processes.items():
            if peer in out:
                continue
            time.sleep(0.003)  # lets the spinning threads of the one before fall asleep
            print(json.dumps({"row": k, "size": size, "seconds": options.block}), file=process.stdin, flush=True)
            answer = json.loads(process.stdout.readline())
            if "missing" in answer:
                print(f"{ROWS[k][0]} {size} {peer}: {answer['missing']}", file=sys.stderr)
                out.add(peer)
            else:
                best[peer] = min(best.get(peer, math.inf), answer["best"])
    return best


def mean(ratios) -> float | None:
    """Geometric mean."""
    ratios = list(ratios)
    return round(math.exp(sum(map(math.log, ratios)) / len(ratios)), 3) if ratios else None


def summarize(found: dict) -> dict:
    """Geometric means of peer / ours, and the rows furthest below 1."""
    summary: dict = {}
    for size in SIZES:
        cells = {name: cells[size] for name, cells in found.items() if "numblocks" in cells.get(size, {})}
        best = {name: min([c[p] for p in c if p != "numblocks"], default=math.nan) / c["numblocks"]
                for name, c in cells.items()}  # fmt: skip
        best = {name: r for name, r in best.items() if not math.isnan(r)}
        summary[size] = {
            "best peer / ours": mean(best.values()),
            **{f"{p} / ours": mean(c[p] / c["numblocks"] for c in cells.values() if p in c) for p in PEERS[1:]},
            "rows": len(cells),
            "slowest": {name: round(r, 2) for name, r in sorted(best.items(), key=lambda item: item[1])[:12]},
        }
    return summary


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], int(sys.argv[3]))
    else:
        main()
