"""numblocks: eager, the hybridized loop, and the compiled step."""

from __future__ import annotations

import os

import numpy

from bench.peers import gluon

VARIANTS = {"train": ("loop", "step", "eager"), "forward": ("loop", "eager"), "op": ("eager",)}


def start(threads: int) -> None:
    os.environ["NUMBLOCKS_NUM_THREADS"] = os.environ["NUMBLOCKS_THREADS"] = str(threads)


def versions() -> dict:
    from importlib.metadata import version

    import numblocks

    return {"numblocks": numblocks.__version__, "numpy": numpy.__version__, "numba": version("numba")}


def session(file, case, variant):
    import numblocks as g

    def array(value):
        return g.np.array(value, dtype=value.dtype)

    def wait():
        """Nothing is asynchronous on the CPU."""

    flags = {} if variant == "loop" else None
    if case.kind == "op":
        calls = {
            "add": lambda a, b: a + b,
            "exp": lambda a, b, exp=g.np.exp: exp(a),
            "sum": lambda a, b: a.sum(),
            "matmul": lambda a, b, dot=g.np.dot: dot(a, b),
        }
        return gluon.op(g, file, case, array, wait, calls)
    if case.kind == "forward":
        return gluon.forward(g, file, case, array, wait, flags)
    if variant == "step":
        return gluon.compiled_step(g, file, case, array)
    return gluon.train(g, file, case, array, wait, flags)
