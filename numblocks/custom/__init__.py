"""Ops of your own, in ten lines: from a scalar function, or from a loop.

>>> import math
>>> from numblocks import autograd, custom, np
>>> @custom.scalar
... def mish(x):
...     return x * math.tanh(math.log1p(math.exp(x)))

`mish` takes and returns ndarrays of any shape, is differentiable to any order (its derivative is derived), and in a
hybridized net becomes part of the fused loops round it. `numblocks.testing.check_op(mish)` checks all of that.
"""

from .derive import NotDerivable as NotDerivable
from .loop import loop as loop
from .scalar import scalar as scalar
