"""Puts the path of the block at fault in front of an error's message: `mlp0.hidden (Dense): ...`.

Every `Block.__call__` that an error passes on its way out adds its step. The work is done only when something
has already failed.
"""

from __future__ import annotations

import numpy

from ..array import ndarray

# KeyError and OSError are left alone: their message is not simply their first argument.
LOCATED = (RuntimeError, ValueError, TypeError, IndexError, AssertionError)


def locate(error: Exception, block) -> None:
    """Note that `error` passed through `block`, and begin its message with the path known so far."""
    if not isinstance(error, LOCATED) or len(error.args) != 1 or not isinstance(error.args[0], str):
        return
    text, inner, path, kind = getattr(error, "_located", (error.args[0], None, "", type(block).__name__))
    if inner is not None:
        if inner is block:
            return
        step = next((name for name, child in block._children.items() if child is inner), inner.name)
        path = f".{step}{path}"
    error._located = (text, block, path, kind)
    error.args = (f"{block.name or type(block).__name__}{path} ({kind}): {text}",)


def foreign_input(error: Exception, block, args) -> ValueError | None:
    """The error to raise instead, if `error` comes from an input that is no array of numblocks."""
    if isinstance(error, AttributeError) and str(error).endswith("'_device'"):
        foreign = [x for x in args if not isinstance(x, ndarray)]
    elif isinstance(error, TypeError):
        foreign = [x for x in args if isinstance(x, numpy.ndarray)]
    else:
        return None
    if not foreign:
        return None
    kind = type(foreign[0])
    instead = ValueError(
        f"the input is a {kind.__module__}.{kind.__name__}. A net computes with numblocks arrays."
        f" Convert it with np.array(x), np being numblocks.np."
    )
    locate(instead, block)
    return instead
