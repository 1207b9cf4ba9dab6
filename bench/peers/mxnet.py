"""MXNet 1.9: hybridized with static memory; single ops through `mx.nd`."""

from __future__ import annotations

import os

from bench.peers import gluon

VARIANTS = {"train": ("hybrid",), "forward": ("hybrid",), "op": ("eager",)}


def start(threads: int) -> None:
    os.environ["MXNET_CPU_WORKER_NTHREADS"] = str(threads)


def versions() -> dict:
    import mxnet

    return {"mxnet": mxnet.__version__}


def session(file, case, variant):
    import mxnet as g

    def array(value):
        return g.nd.array(value, dtype=value.dtype)

    flags = {"static_alloc": True, "static_shape": True}
    if case.kind == "op":
        calls = {
            "add": lambda a, b: a + b,
            "exp": lambda a, b, exp=g.nd.exp: exp(a),
            "sum": lambda a, b: a.sum(),
            "matmul": lambda a, b, dot=g.nd.dot: dot(a, b),
        }
        return gluon.op(g, file, case, array, g.nd.waitall, calls)
    kind = gluon.forward if case.kind == "forward" else gluon.train
    return kind(g, file, case, array, g.nd.waitall, flags)
