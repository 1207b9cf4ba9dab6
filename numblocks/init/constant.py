"""Initial values that are the same every time."""

from __future__ import annotations

import json
import math

import numpy

from .base import Initializer, alias, fill, register


@alias("zeros")
class Zero(Initializer):
    """All 0."""

    def __init__(self):
        super().__init__()

    _init_weight = Initializer._init_zero


@alias("ones")
class One(Initializer):
    """All 1."""

    def __init__(self):
        super().__init__()

    _init_weight = Initializer._init_one


@register
class Constant(Initializer):
    """A number everywhere, or an array of the parameter's shape.

    Args:
        value: number, nested list, NumPy or numblocks array.
    """

    def __init__(self, value):
        super().__init__(value=value)
        self.value = value

    def dumps(self) -> str:
        value = self.value.tolist() if hasattr(self.value, "tolist") else self.value
        return json.dumps(["constant", {"value": value}])

    def _init_weight(self, name, arr):
        values = numpy.asarray(getattr(self.value, "_data", self.value))
        if values.ndim and values.shape != arr.shape:
            raise ValueError(
                f"Constant: '{name}' has shape {arr.shape}, the value {values.shape}. They must be equal."
                f" Reshape it."
            )
        fill(arr, values)


@register
class Bilinear(Initializer):
    """Weights `(..., h, w)` of a transposed convolution that enlarges images by bilinear interpolation."""

    def __init__(self):
        super().__init__()

    def _init_weight(self, name, arr):
        if len(arr.shape) != 4:
            raise ValueError(f"Bilinear: '{name}' has shape {arr.shape}. Image kernels have 4 axes.")
        factor = math.ceil(arr.shape[3] / 2)
        centre = (2 * factor - 1 - factor % 2) / (2 * factor)
        rows, columns = (1 - abs(numpy.arange(n) / factor - centre) for n in arr.shape[2:])
        fill(arr, rows[:, None] * columns)


@register
class LSTMBias(Initializer):
    """0, but `forget_bias` for the second quarter: the forget gate (Jozefowicz et al. 2015)."""

    def __init__(self, forget_bias=1.0):
        super().__init__(forget_bias=forget_bias)
        self.forget_bias = forget_bias

    def _init_weight(self, name, arr):
        hidden = arr.shape[0] // 4
        values = numpy.zeros(arr.shape)
        values[hidden : 2 * hidden] = self.forget_bias
        fill(arr, values)

    _init_bias = _init_weight
