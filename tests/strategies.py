"""The strategies of `numblocks.testing` under the names that these tests use. New ones belong there.

How an op is called: `examples=` in its record, or a row in `numblocks.testing.calls.CASES`.
"""

import numpy as np

from numblocks.testing.calls import CASES, MODES, calls, elementwise, from_examples
from numblocks.testing.strategies import axes, basic_keys, domains, generators, layouts, shapes, values
from numblocks.testing.strategies import broadcastable_shapes as broadcastable


def generator(draw) -> np.random.Generator:
    """Random values from a drawn seed."""
    return draw(generators())


__all__ = [
    "CASES", "MODES", "axes", "basic_keys", "broadcastable", "calls", "domains", "elementwise", "from_examples",
    "generator",
    "layouts", "shapes", "values",
]  # fmt: skip
