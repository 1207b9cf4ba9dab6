"""`mx.viz`: what a net is made of, in print."""

from __future__ import annotations

from .gluon.block import Block
from .gluon.hybrid import HybridBlock
from .np import zeros

_OPEN = "There are no symbols here"


def print_summary(symbol, shape=None, line_length: int = 120, positions=(0.44, 0.64, 0.74, 1.0)) -> None:
    """Print the layers of a Block with output shapes and parameter counts, as `net.summary(x)` does.

    Args:
        symbol: an initialized Block, hybridized or not.
        shape: of its input, `(1, 3, 32, 32)`; for several inputs a dict or list of shapes in the order of `forward`.
        line_length, positions: accepted; the table is 80 wide.

    Raises:
        TypeError: `symbol` is no Block.
        ValueError: no shape.
    """
    if not isinstance(symbol, Block):
        raise TypeError(f"print_summary: got {type(symbol).__name__}. {_OPEN}. Pass the Block.")
    if not shape:
        raise ValueError(
            "print_summary: no shape is given. The Block is called once to learn what comes out where. Pass that of its"
            " input, shape=(1, 3, 32, 32)."
        )
    several = shape.values() if isinstance(shape, dict) else [shape] if isinstance(shape[0], int) else shape
    active = []
    symbol.apply(lambda b: active.append((b, b._active)) if isinstance(b, HybridBlock) else None)
    try:
        for block, _ in active:  # a compiled net does not call its layers one by one
            block._active = False
        symbol.summary(*map(zeros, several))
    finally:
        for block, before in active:
            block._active = before


def plot_network(symbol, title="plot", *args, **kwargs):
    """Refused: MXNet draws symbols, by the external program graphviz.

    Raises:
        NotImplementedError: always; the message names what to use.
    """
    raise NotImplementedError(
        f"plot_network: {_OPEN}, and pictures of them need the program graphviz. Print the net, its table with"
        " net.summary(x), or what was compiled with net.explain(x)."
    )
