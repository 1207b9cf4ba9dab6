"""`mx.sym`: symbols are not here. The module exists so that old code imports, and says what to use when it is used."""

from __future__ import annotations

_INSTEAD = (
    "numblocks has no symbols: a net is traced when it is called. Write a gluon.HybridBlock and call hybridize();"
    " read an exported -symbol.json with gluon.SymbolBlock.imports; see what was compiled with net.explain(x)."
)


class Symbol:
    """No object has this class, so that `isinstance(x, mx.sym.Symbol)` is false; making one raises."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError(f"sym.Symbol: {_INSTEAD}")


def __getattr__(name: str):
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotImplementedError(f"sym.{name}: {_INSTEAD}")
