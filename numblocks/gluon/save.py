"""`save_parameters` and `load_parameters` of a Block: MXNet's `.params` layout, structural names."""

from __future__ import annotations

import json
import os

from ..formats import params as files
from ..formats.atomic import replacing
from .parameter.loading import assign_loaded, read_named, short_name


def save_parameters(block, filename, deduplicate: bool = False) -> None:
    """Write the values of all parameters of `block`; see `Block.save_parameters`."""
    named = block._collect_params_with_prefix()
    if deduplicate:
        first = {}
        for name, param in named.items():
            first.setdefault(id(param), name)
        named = {name: param for name, param in named.items() if first[id(param)] == name}
    # list_data raises for what is not initialized, before the file is touched
    arrays = [param.list_data()[0].asnumpy() for param in named.values()]
    files.write(filename, list(named), arrays)


def load_parameters(
    block, filename, ctx=None, allow_missing=False, ignore_extra=False, cast_dtype=False,
    dtype_source="current",
) -> None:  # fmt: skip
    """Set the parameters of `block` from a file; see `Block.load_parameters`."""
    where = f"{block.name or type(block).__name__}: load_parameters"
    loaded = {short_name(name): array for name, array in read_named(where, filename).items()}
    named = block._collect_params_with_prefix()
    assign_loaded(
        f"{where} '{filename}'", _by_names_of(block, named, loaded), loaded, ctx, allow_missing, ignore_extra,
        cast_dtype, dtype_source,
    )  # fmt: skip


def _by_names_of(block, named: dict, loaded: dict) -> dict:
    """The parameters by the kind of name the file uses: structural, full, or without the net's prefix."""
    plain = dict(block.named_parameters())  # as before recurrent layers had names of their own in files
    full = {param.name: param for param in named.values()}
    stripped = {name.removeprefix(block.prefix): param for name, param in full.items()}
    return max((named, plain, full, stripped), key=lambda names: sum(name in loaded for name in names))


def _blocks(block) -> dict:
    """What a net is made of: class and children, by name."""
    return {"class": type(block).__name__, "children": {k: _blocks(child) for k, child in block._children.items()}}


def save(block, prefix) -> None:
    """Write the blocks and the values of a net; see `Block.save`."""
    save_parameters(block, f"{os.fspath(prefix)}-model.params")
    with replacing(f"{os.fspath(prefix)}-model.json") as file:
        file.write(json.dumps(_blocks(block)).encode())


def load(block, prefix) -> None:
    """Read what `save` wrote; see `Block.load`."""
    with open(f"{os.fspath(prefix)}-model.json") as file:
        there = json.load(file)
    different = _difference(there, _blocks(block), "the net")
    if different:
        raise ValueError(
            f"{block.name or type(block).__name__}: load '{prefix}': {different}. Values are put into a net of the same"
            f" blocks. Make the net as it was when it was saved."
        )
    load_parameters(block, f"{os.fspath(prefix)}-model.params")


def _difference(there: dict, here: dict, where: str) -> str:
    """The first difference between two nets, or ''."""
    if there["class"] != here["class"]:
        return f"{where} is a {there['class']} in the file and a {here['class']} here"
    if list(there["children"]) != list(here["children"]):
        return f"{where} has the children {list(there['children'])} in the file and {list(here['children'])} here"
    found = (_difference(part, here["children"][name], name) for name, part in there["children"].items())
    return next((text for text in found if text), "")
