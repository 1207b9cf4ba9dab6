"""`save_parameters` and `load_parameters` of a Block: MXNet's `.params` layout, structural names."""

from __future__ import annotations

from ..formats import params as files
from .parameter.loading import assign_loaded, read_named, short_name


def save_parameters(block, filename, deduplicate: bool = False) -> None:
    """Write the values of all parameters of `block`; see `Block.save_parameters`."""
    named = dict(block.named_parameters())
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
    named = dict(block.named_parameters())
    assign_loaded(
        f"{where} '{filename}'", _by_names_of(block, named, loaded), loaded, ctx, allow_missing, ignore_extra,
        cast_dtype, dtype_source,
    )  # fmt: skip


def _by_names_of(block, named: dict, loaded: dict) -> dict:
    """The parameters by the kind of name the file uses: structural, full, or without the net's prefix."""
    full = {param.name: param for param in named.values()}
    stripped = {name.removeprefix(block.prefix): param for name, param in full.items()}
    return max((named, full, stripped), key=lambda names: sum(name in loaded for name in names))
