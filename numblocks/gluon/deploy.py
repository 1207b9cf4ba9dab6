"""`net.export_compiled(path)`: a hybridized net as a shared library, a plan and parameters, for NumPy alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil

import numpy

from .. import autograd
from ..array import wrap
from ..formats import deployed, params
from ..graph.export import Exporter, nesting
from ..graph.looping import unrolled
from ..graph.structure import flatten, rebuild
from ..kernels import share

_FEATURES = {"avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl", "sse4_2", "asimd", "sve"}
_ENDINGS = ("-kernels.so", ".json", ".params", ".py")


def export_compiled(net, path) -> list[str]:
    """Write a hybridized net for use without numblocks; see `HybridBlock.export_compiled`."""
    path = os.fspath(path)
    where = f"{net.name or type(net).__name__}: export_compiled"
    traced = net._traced
    entries = {} if traced is None else traced.compiled.entries
    known = [(key, entry) for key, entry in entries.items() if not key[0] and not key[1]]
    if not known:
        raise RuntimeError(
            f"{where}: there is nothing compiled to write. A net is written for the signatures it has seen in predict"
            f" mode. Call net.hybridize() and then net(x), outside autograd.record(), with an input of each shape."
        )
    share.c_compiler()
    named = {id(x): name for name, p in net.named_parameters() for x in p._arrays.values()}
    captured: dict[str, numpy.ndarray] = {}

    def name_of(x) -> str:
        name = named.setdefault(id(x), f"constant {len(captured)}")
        captured[name] = x._data
        return name

    exporter = Exporter()
    known = [(key, _without_loops(traced.compiled, key, entry)) for key, entry in known]
    signatures = [exporter.signature(entry, _structure(key, entry), name_of) for key, entry in known]
    data = {
        "format": deployed.FORMAT, "name": net.name or type(net).__name__, "processor": deployed.processor(_FEATURES),
        "tables": len(exporter.tables), "signatures": signatures,
    }  # fmt: skip
    files = [path + ending for ending in _ENDINGS]
    try:
        share.link(exporter.kernels.values(), path + "-kernels.so")
        arrays = {f"param:{name}": x for name, x in captured.items()}
        arrays |= {f"table:{k}": x for k, x in enumerate(exporter.tables)}
        params.write(path + ".params", list(arrays), list(arrays.values()))
        with open(path + ".json", "w") as file:
            json.dump(data, file)
        shutil.copyfile(deployed.__file__, path + ".py")
        _verify(where, net, path, known)
    except BaseException:
        for file in files:
            with contextlib.suppress(OSError):
                os.unlink(file)
        raise
    return files


def _without_loops(compiled, key, entry):
    """The entry itself, or with loops and branches taken step by step."""
    if all(n.kind not in ("loop", "branch") for n in entry.plan.forward.nodes):
        return entry
    inputs = [wrap(numpy.zeros(n.shape, n.dtype), entry.device) for n in entry.plan.inputs[: entry.plan.arguments]]
    with unrolled(), autograd.pause():
        return compiled.trace(rebuild(_structure(key, entry), inputs), False)


def _structure(key, entry):
    """How the arguments of an entry nest, from its key: a structure stands there only when one was needed."""
    for word in key:
        if isinstance(word, tuple) and word and word[0] is tuple:
            return word
    return (tuple, ("*",) * entry.plan.arguments)


def _verify(where: str, net, path: str, known) -> None:
    """Run what was written beside the net itself on random inputs."""
    model = deployed.load(path)
    rng = numpy.random.default_rng(1)
    for key, entry in known:
        inputs = [_random(rng, n) for n in entry.plan.inputs[: entry.plan.arguments]]
        structure = _structure(key, entry)
        with autograd.pause():
            expected, shape = flatten(net(*rebuild(structure, [wrap(x, entry.device) for x in inputs])))
        found = model(*rebuild(structure, inputs))
        leaves: list[numpy.ndarray] = []
        same = deployed._nesting(found, leaves) == nesting(shape)
        same = same and all(_close(y._data, x) for y, x in zip(expected, leaves, strict=True))
        if not same:
            ops = sorted({s.node.op.name for s in entry.plan.first.steps if hasattr(s, "node")} - {"matmul"})
            raise NotImplementedError(
                f"{where}: what was written does not compute what the net computes. One of"
                f" {', '.join(ops) or 'its ops'} does more than launch kernels. Nothing was kept; take it out of the"
                f" net's forward."
            )


def _random(rng, node) -> numpy.ndarray:
    if node.dtype.kind == "f":
        return rng.normal(size=node.shape).astype(node.dtype)
    return numpy.zeros(node.shape, node.dtype)


def _close(a: numpy.ndarray, b: numpy.ndarray) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    scale = float(numpy.abs(a).max()) if a.size and a.dtype.kind == "f" else 0.0
    return bool(numpy.allclose(a, b, rtol=1e-4, atol=1e-5 * scale, equal_nan=True))
