"""Initial values drawn at random."""

from __future__ import annotations

import math

import numpy

from ..random import numpy_generator
from .base import Initializer, fill, register


@register
class Uniform(Initializer):
    """Uniform on [-scale, scale)."""

    def __init__(self, scale=0.07):
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, name, arr):
        fill(arr, numpy_generator().uniform(-self.scale, self.scale, arr.shape))


@register
class Normal(Initializer):
    """Normal with mean 0 and standard deviation sigma."""

    def __init__(self, sigma=0.01):
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def _init_weight(self, name, arr):
        fill(arr, numpy_generator().normal(0, self.sigma, arr.shape))


@register
class Orthogonal(Initializer):
    """Orthonormal rows or columns times `scale` (Saxe et al. 2014, arXiv:1312.6120).

    Args:
        scale: factor.
        rand_type: `'uniform'` or `'normal'`, what the orthogonal matrix is made from.
    """

    def __init__(self, scale=1.414, rand_type="uniform"):
        super().__init__(scale=scale, rand_type=rand_type)
        if rand_type not in ("uniform", "normal"):
            raise ValueError(f"Orthogonal: rand_type={rand_type!r} is unknown. Use 'uniform' or 'normal'.")
        self.scale, self.rand_type = scale, rand_type

    def _init_weight(self, name, arr):
        if len(arr.shape) < 2:
            raise ValueError(
                f"Orthogonal: '{name}' has shape {arr.shape}. A vector has no rows. It needs 2 axes."
            )
        shape = (arr.shape[0], math.prod(arr.shape[1:]))
        draw = numpy_generator()
        matrix = draw.uniform(-1, 1, shape) if self.rand_type == "uniform" else draw.normal(0, 1, shape)
        u, _, v = numpy.linalg.svd(matrix, full_matrices=False)
        fill(arr, self.scale * (u if u.shape == shape else v).reshape(arr.shape))


@register
class Xavier(Initializer):
    """Keeps the size of signals through layers (Glorot and Bengio 2010): variance magnitude / (3 or 1) / fan.

    Args:
        rnd_type: `'uniform'`: on ±sqrt(magnitude / fan), or `'gaussian'`: with that standard deviation.
        factor_type: the fan: `'in'`, `'out'` or their average, `'avg'`.
        magnitude: see above.

    >>> Xavier()
    Xavier(rnd_type='uniform', factor_type='avg', magnitude=3)
    """

    def __init__(self, rnd_type="uniform", factor_type="avg", magnitude=3):
        super().__init__(rnd_type=rnd_type, factor_type=factor_type, magnitude=magnitude)
        if rnd_type not in ("uniform", "gaussian"):
            raise ValueError(f"Xavier: rnd_type={rnd_type!r} is unknown. Use 'uniform' or 'gaussian'.")
        if factor_type not in ("in", "out", "avg"):
            raise ValueError(f"Xavier: factor_type={factor_type!r} is unknown. Use 'in', 'out' or 'avg'.")
        self.rnd_type, self.factor_type, self.magnitude = rnd_type, factor_type, float(magnitude)

    def _init_weight(self, name, arr):
        shape = arr.shape
        if len(shape) < 2:
            raise ValueError(
                f"{type(self).__name__}: cannot be applied to '{name}' of shape {shape}. It needs to tell"
                f" inputs from outputs, hence at least 2 axes. Give that parameter another initializer."
            )
        window = math.prod(shape[2:])
        fan_out, fan_in = shape[0] * window, shape[1] * window
        fan = {"in": fan_in, "out": fan_out, "avg": (fan_in + fan_out) / 2}[self.factor_type]
        scale = math.sqrt(self.magnitude / fan) if fan else 0.0
        draw = numpy_generator()
        fill(
            arr,
            draw.uniform(-scale, scale, shape)
            if self.rnd_type == "uniform"
            else draw.normal(0, scale, shape),
        )


@register
class MSRAPrelu(Xavier):
    """For layers followed by (P)ReLU of this slope (He et al. 2015, arXiv:1502.01852)."""

    def __init__(self, factor_type="avg", slope=0.25):
        super().__init__("gaussian", factor_type, 2.0 / (1 + slope**2))
        self._kwargs = {"factor_type": factor_type, "slope": slope}
