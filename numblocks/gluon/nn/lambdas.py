"""Functions as layers."""

from __future__ import annotations

from ... import nd, np, npx
from ..block import Block
from ..hybrid import HybridBlock
from ..namespace import F


def _named(function, *modules):
    """`function`, and its name, from the function itself or from a name found in one of `modules`."""
    if not isinstance(function, str):
        if not callable(function):
            raise TypeError(
                f"Lambda: {function!r} is neither a function nor a name of one. Pass one of them."
            )
        return function, getattr(function, "__name__", type(function).__name__)
    for module in modules:
        if hasattr(module, function):
            return getattr(module, function), function
    raise ValueError(
        f"Lambda: no operation is named '{function}'. Names are those of np, npx and nd. Check it."
    )


class Lambda(Block):
    """A function as a Block.

    Args:
        function: a function of the inputs, or the name of an operation of `np`, `npx` or `nd`.

    Shapes: those of the function.

    >>> Lambda('tanh')(np.zeros((2,)))
    array([0., 0.])
    """

    def __init__(self, function, prefix=None):
        super().__init__(prefix=prefix)
        self._function, self._function_name = _named(function, np, npx, nd)

    def forward(self, *args):
        return self._function(*args)

    def __repr__(self):
        return f"Lambda({self._function_name})"


class HybridLambda(HybridBlock):
    """A function as a HybridBlock.

    Args:
        function: `function(F, *inputs)`, or the name of an operation of `F`.

    Shapes: those of the function.

    >>> HybridLambda(lambda F, x: F.npx.relu(x) + 1)(np.zeros((2,)))
    array([1., 1.])
    """

    def __init__(self, function, prefix=None):
        super().__init__(prefix=prefix)
        if isinstance(function, str):
            operation, self._function_name = _named(function, np, npx, nd)
            self._function = lambda F, *args: operation(*args)
        else:
            self._function, self._function_name = _named(function)

    def forward(self, *args):
        return self._function(F, *args)

    def __repr__(self):
        return f"HybridLambda({self._function_name})"
