"""`Constant`: a parameter that is not learnt."""

from __future__ import annotations

import numpy

from ... import init as initializer
from ...array import ndarray, wrap
from ...device import current_device
from .parameter import Parameter


class Constant(Parameter):
    """A parameter that keeps its value: not trained, but saved, loaded and moved like the others.

    Args:
        name: full name.
        value: array, NumPy array or nested lists.

    >>> c = Constant('c', [[1., 2.]])
    >>> c.initialize()
    >>> c.data().shape, c.grad_req
    ((1, 2), 'null')
    """

    def __init__(self, name=None, value=None):
        if not isinstance(value, ndarray):
            values = numpy.asarray(value)
            # plain Python numbers become float32 as in np.array; a NumPy array keeps its dtype
            values = values if isinstance(value, numpy.ndarray | numpy.generic) else values.astype("float32")
            value = wrap(values, current_device())
        self.value = value.copy()
        super().__init__(
            name, grad_req="null", shape=value.shape, dtype=value.dtype.name, differentiable=False,
            init=_Copy(self.value),
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Constant {self.name} (shape={self.shape}, dtype={self.dtype})"


class _Copy(initializer.Initializer):
    """Fills an array with a given one, whatever the array is called."""

    def __init__(self, value: ndarray):
        super().__init__()
        self.value = value

    def __call__(self, desc, array) -> None:
        array._data[...] = self.value._data

    _init_weight = __call__
