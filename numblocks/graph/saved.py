"""Graphs as data that can be written to a file, and run again with the ops of numblocks.

    graph = {"inputs": [value], "parameters": [[name, number]], "steps": [step], "outputs": [number]}
    value = {"number": n, "shape": [...], "dtype": name}
    step  = {"op": name, "inputs": [number | {"scalar": s}], "spec": {...}, "number": n}
          | {"item": k, "of": number, "number": n}

Numbers name values. Tuples are written as lists; specs hold no lists, so reading turns all of them into tuples again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy

from ..array import ndarray
from ..op import REGISTRY
from .graph import Graph, Node
from .trace import ITEM


def as_data(where: str, arguments: list[Node], parameters: list[tuple[str, Node]], outputs: list[Node]) -> dict:
    """The graph that leads to `outputs`, as data.

    Args:
        where: begins error messages.
        arguments: the inputs of a call.
        parameters: names and Nodes of the other inputs.
        outputs: the results.

    Raises:
        NotImplementedError: an op is random, is not registered, or its spec cannot be written.

    >>> x = Node(None, (), {}, (2,), numpy.dtype('float32'), 1)
    >>> as_data('export', [x], [], [x])['outputs']
    [1]
    """
    graph = Graph([*arguments, *(node for _, node in parameters)], outputs)
    used = {node.number for n in graph.nodes for node in n.nodes()} | {node.number for node in outputs}
    return {
        "inputs": [{"number": n.number, "shape": list(n.shape), "dtype": n.dtype.name} for n in arguments],
        "parameters": [[name, n.number] for name, n in parameters if n.number in used],
        "steps": [_step(where, node) for node in graph.nodes],
        "outputs": [node.number for node in outputs],
    }


def _step(where: str, node: Node) -> dict:
    if node.op is ITEM:
        return {"item": node.spec["index"], "of": node.inputs[0].number, "number": node.number}
    if node.kind == "random" or REGISTRY.get(node.op.name) is not node.op:
        why = "draws random numbers" if node.kind == "random" else "was made for this program only"
        raise NotImplementedError(
            f"{where}: op {node.op.name} cannot be written. It {why}, so a file cannot say what it computes. Take it"
            f" out of the net's forward, or write the parameters alone with save_parameters."
        )
    inputs = [x.number if isinstance(x, Node) else {"scalar": _plain(where, node, x)} for x in node.inputs]
    spec = {key: _plain(where, node, value) for key, value in node.spec.items()}
    return {"op": node.op.name, "inputs": inputs, "spec": spec, "number": node.number}


def _plain(where: str, node: Node, value):
    """`value` in JSON's terms."""
    if isinstance(value, numpy.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return [_plain(where, node, v) for v in value]
    if isinstance(value, slice):
        return {"slice": [_plain(where, node, v) for v in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    raise NotImplementedError(
        f"{where}: op {node.op.name} has the argument {value!r} ({type(value).__name__}). Files hold numbers, strings,"
        f" None, slices and tuples of them. Take the op out of the net's forward, or write the parameters alone with"
        f" save_parameters."
    )


def _hashable(value):
    """What `_plain` wrote, as it was."""
    if isinstance(value, list):
        return tuple(_hashable(v) for v in value)
    if isinstance(value, dict):
        return slice(*map(_hashable, value["slice"])) if "slice" in value else Ellipsis
    return value


def accepts(graph: dict, arrays: list[ndarray]) -> bool:
    """Whether `graph` was traced for arrays of these shapes and dtypes.

    >>> accepts({'inputs': []}, [])
    True
    """
    found = [(list(x.shape), numpy.dtype(x.dtype).name) for x in arrays]
    return found == [(value["shape"], value["dtype"]) for value in graph["inputs"]]


def replay(graph: dict, arrays: list[ndarray], parameter: Callable[[str], ndarray]) -> list[ndarray]:
    """Compute the outputs of `graph` with ordinary op calls: they are recorded, and can be traced.

    Args:
        graph: from `as_data`.
        arrays: its inputs.
        parameter: the array of a name.

    >>> replay({'inputs': [], 'parameters': [], 'steps': [], 'outputs': []}, [], None)
    []
    """
    values = {value["number"]: x for value, x in zip(graph["inputs"], arrays, strict=True)}
    values |= {number: parameter(name) for name, number in graph["parameters"]}
    for step in graph["steps"]:
        if "op" in step:
            inputs = [values[x] if isinstance(x, int) else x["scalar"] for x in step["inputs"]]
            spec = {key: _hashable(value) for key, value in step["spec"].items()}
            values[step["number"]] = REGISTRY[step["op"]](*inputs, **spec)
        else:
            values[step["number"]] = values[step["of"]][step["item"]]
    return [values[number] for number in graph["outputs"]]
