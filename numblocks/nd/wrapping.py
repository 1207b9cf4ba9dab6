"""What every legacy function shares: `out=`, an ignored `name=`, and no 0-d answers."""

from __future__ import annotations

import functools

from ..array import ndarray
from ..ops.elementwise import astype
from .array import NDArray, at_least_1d, to_legacy


def legacy(function, float_answer: bool = False, name: str | None = None):
    """`function` with the manners of `mx.nd`.

    Args:
        function: of arrays.
        float_answer: bools and integers come as float32.
        name: of the result; that of `function` by default.
    """

    @functools.wraps(function)
    def call(*args, out=None, **kwargs):
        kwargs.pop("name", None)
        y = function(*args, **kwargs)
        if type(y) is ndarray and any(type(x) is NDArray for x in (*args, *kwargs.values())):
            y = to_legacy(y)  # it was made of the shape alone
        if isinstance(y, (list, tuple)):
            y = type(y)(at_least_1d(part) for part in y)
        else:
            if float_answer and isinstance(y, NDArray) and y.dtype.kind != "f":
                y = astype(y, "float32")
            y = at_least_1d(y)
        if out is not None:
            out[:] = y
            return out
        return y

    call.__name__ = call.__qualname__ = name or function.__name__
    return call


def export(space: dict, functions: dict, float_answer: bool = False) -> None:
    """Put `legacy` versions of `functions` into a module's namespace under their names."""
    for name, function in functions.items():
        space[name] = legacy(function, float_answer, name)
