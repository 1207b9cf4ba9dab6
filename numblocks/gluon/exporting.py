"""`net.export(path)`: the graph and the parameters of a net, for `SymbolBlock.imports`."""

from __future__ import annotations

import json
import os

from .. import autograd
from ..array import wrap
from ..formats import params as files
from ..formats.atomic import replacing
from ..graph import saved
from ..graph.export import nesting
from ..graph.graph import Node
from ..graph.looping import unrolled
from ..graph.structure import ARRAY, flatten, rebuild
from ..graph.trace import Builder, tracing

FORMAT = "numblocks graph 1"


def export(net, path, epoch: int = 0) -> None:
    """Write the graph and the parameters of a hybridized net; see `HybridBlock.export`."""
    where = f"{net.name or type(net).__name__}: export"
    entries = {} if net._traced is None else net._traced.compiled.entries
    if not entries:
        raise RuntimeError(
            f"{where}: there is no graph to write. A net is written for the shapes it has seen. Call net.hybridize()"
            f" and then net(x), with an input of each shape."
        )
    params = net.collect_params()
    names = {id(x): name for name, p in params.items() for x in p._arrays.values()}
    held: dict = {}

    def name_of(x) -> str:
        name = names.setdefault(id(x), f"constant {len(names)}")
        held[name] = x
        return name

    graphs: list[dict] = []
    for key, entry in entries.items():
        graph = _graph(where, net, entry, _structure(where, key), name_of)
        if all(graph["inputs"] != other["inputs"] for other in graphs):
            graphs.append(graph)
    values, constants = {}, {}
    for name, x in held.items():
        known = {"shape": list(x.shape), "dtype": x._data.dtype.name}
        if name in params:
            values[name] = known | {"learnt": params[name].grad_req != "null"}
        else:  # an array that forward reached for
            constants[name] = known | {"values": x._data.ravel().tolist()}
    data = {
        "format": FORMAT, "name": net.name or type(net).__name__, "parameters": values, "constants": constants,
        "graphs": graphs,
    }  # fmt: skip
    full = [("arg:" if value["learnt"] else "aux:") + name for name, value in values.items()]
    files.write(f"{os.fspath(path)}-{epoch:04d}.params", full, [held[name].asnumpy() for name in values])
    with replacing(f"{os.fspath(path)}-symbol.json") as file:
        file.write(json.dumps(data).encode())


def _structure(where: str, key):
    """How the arguments of an entry nest, from its key; None if they are arrays in a row."""
    found = next((word for word in key if isinstance(word, tuple) and word and word[0] is tuple), None)
    if found is not None and _has_value(found):
        raise NotImplementedError(
            f"{where}: the net was called with an argument that is no array. A file holds the graph for arrays of"
            f" certain shapes. Pass arrays only, or set such arguments when the net is made."
        )
    return found


def _has_value(structure) -> bool:
    if structure is None or structure == ARRAY:
        return False
    if structure[0] == "value":
        return True
    return any(_has_value(part[1] if structure[0] is dict else part) for part in structure[1])


def _graph(where: str, net, entry, nested, name_of) -> dict:
    """One signature that the net has seen, traced in predict mode."""
    builder = Builder(entry.device)
    wanted = entry.plan.inputs[: entry.plan.arguments]
    arguments = [builder.input(n.shape, n.dtype, f"data{k}") for k, n in enumerate(wanted)]
    with tracing(builder), autograd.pause(), unrolled():
        inputs = [wrap(n, entry.device) for n in arguments]
        out = net._traceable(*(inputs if nested is None else rebuild(nested, inputs)))
        leaves, structure = flatten(out, outputs_of=where)
        outputs = [(y if isinstance(y._data, Node) else builder.capture(y))._data for y in leaves]
    if builder.effects:
        raise NotImplementedError(
            f"{where}: forward changes {len(builder.effects)} arrays in predict mode. A file holds what a net computes,"
            f" not what it does besides. Leave the updates to training."
        )
    captured = [(n, x) for n, x in zip(builder.inputs, builder.sources, strict=True) if x is not None]
    graph = saved.as_data(where, arguments, [(name_of(x), n) for n, x in captured], outputs)
    return graph | {"structure": nesting(structure)}
