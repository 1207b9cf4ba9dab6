"""`SymbolBlock`: a net read from a file, which needs no Python class of its own to run."""

from __future__ import annotations

import json
import os

import numpy

from ..array import wrap
from ..device import current_device
from ..graph import saved
from ..graph.structure import flatten, rebuild
from .exporting import FORMAT
from .hybrid import HybridBlock
from .parameter.loading import assign_loaded, read_named, short_name


class SymbolBlock(HybridBlock):
    """A net read from the files that `HybridBlock.export` wrote; make one with `SymbolBlock.imports`.

    It computes what the net computed in predict mode, for the shapes the net had seen, and can be trained further:
    its parameters have the names they had, batch norm keeps its statistics, and dropout does nothing.

    Args:
        outputs: what `imports` read.
        inputs: names of the inputs.
        params: a ParameterDict to take parameters from.

    >>> import tempfile
    >>> net = nn.HybridSequential(nn.Dense(3, activation='relu'), nn.Dense(2))
    >>> net.initialize()
    >>> net.hybridize()
    >>> y = net(np.ones((1, 4)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.export(folder + '/mlp')
    ...     again = SymbolBlock.imports(folder + '/mlp-symbol.json', ['data'], folder + '/mlp-0000.params')
    >>> bool((again(np.ones((1, 4))) == y).all())
    True
    """

    def __init__(self, outputs, inputs, params=None):
        super().__init__(prefix="", params=params)
        if not isinstance(outputs, dict) or outputs.get("format") != FORMAT:
            raise TypeError(
                f"SymbolBlock: outputs is a {type(outputs).__name__}. numblocks has no symbols to build a net from;"
                f" nets are written by export. Use SymbolBlock.imports, or write a HybridBlock."
            )
        self._saved, self._inputs = outputs, list(inputs)
        self._constants: dict = {}  # by name and device

    @staticmethod
    def imports(
        symbol_file, input_names, param_file=None, ctx=None, allow_missing=False, ignore_extra=False
    ) -> SymbolBlock:
        """The net in a file.

        Args:
            symbol_file: `<path>-symbol.json`, as `HybridBlock.export` wrote it.
            input_names: a name for each input.
            param_file: `<path>-<epoch>.params`; None leaves the parameters to be initialized or loaded later.
            ctx: device(s) of the parameters.
            allow_missing: parameters may be missing in the file.
            ignore_extra: the file may hold others, too.

        Raises:
            NotImplementedError: the file is MXNet's own.
            ValueError: it is something else, or the number of inputs is not that of `input_names`.
        """
        where = f"SymbolBlock.imports '{os.fspath(symbol_file)}'"
        data = _read(where, symbol_file)
        names = [input_names] if isinstance(input_names, str) else list(input_names)
        count = len(data["graphs"][0]["inputs"])
        if len(names) != count:
            raise ValueError(f"{where}: input_names={names}. The net has {count} inputs. Give {count} names.")
        net = SymbolBlock(data, names)
        for name, value in data["parameters"].items():
            req = "write" if value["learnt"] else "null"
            param = net.params.get(name, shape=tuple(value["shape"]), dtype=value["dtype"], grad_req=req)
            net._register_parameter(name, param)
        if param_file is not None:
            arrays = {short_name(name): x for name, x in read_named(where, param_file).items()}
            assign_loaded(
                f"{where}, '{param_file}'", dict(net.params.items()), arrays, ctx, allow_missing, ignore_extra
            )
        return net

    def reset_ctx(self, ctx) -> None:
        """Move all parameters to these devices."""
        self.collect_params().reset_ctx(ctx)

    def forward(self, *args):
        arrays, _ = flatten(args)
        graph = next((g for g in self._saved["graphs"] if saved.accepts(g, arrays)), None)
        if graph is None:
            known = "; ".join(_written(g["inputs"]) for g in self._saved["graphs"])
            found = ", ".join(f"{x.shape} {numpy.dtype(x.dtype).name}" for x in arrays)
            raise ValueError(
                f"there is no graph for inputs {found}. The file has those the net had seen when it was written:"
                f" {known}. Call the net with such inputs before export, or reshape these."
            )
        device = arrays[0]._device if arrays else None
        outputs = saved.replay(graph, arrays, lambda name: self._value(name, device))
        return rebuild(_structure(graph["structure"]), outputs)

    def _value(self, name: str, device):
        """The array of a parameter or constant."""
        if name in self._reg_params:
            return self._reg_params[name].data(device)
        if (name, device) not in self._constants:
            known = self._saved["constants"][name]
            values = numpy.array(known["values"], known["dtype"]).reshape(known["shape"])
            self._constants[name, device] = wrap(values, device or current_device())
        return self._constants[name, device]

    def __repr__(self):
        graph = self._saved["graphs"][0]
        return f"SymbolBlock(\n<{self._saved['name']}> : {len(graph['inputs'])} -> {len(graph['outputs'])}\n)"


def _read(where: str, symbol_file) -> dict:
    with open(symbol_file) as file:
        try:
            data = json.load(file)
        except ValueError as error:
            raise ValueError(f"{where}: this is not JSON ({error}). Give the file that export wrote.") from error
    if isinstance(data, dict) and "arg_nodes" in data:
        raise NotImplementedError(
            f"{where}: this is a graph of MXNet. numblocks reads its .params files, but only graphs of its own. Write"
            f" the net as a HybridBlock, and fill it with load_parameters."
        )
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"{where}: this is no '{FORMAT}'. Give the file that export wrote.")
    return data


def _written(inputs: list[dict]) -> str:
    return ", ".join(f"{tuple(value['shape'])} {value['dtype']}" for value in inputs)


def _structure(nested):
    """What `graph.export.nesting` wrote, as a structure."""
    if nested is None or nested == "*":
        return nested
    kind, parts = nested
    if kind == "dict":
        return (dict, tuple((key, _structure(part)) for key, part in parts))
    return (tuple if kind == "tuple" else list, tuple(_structure(part) for part in parts))
