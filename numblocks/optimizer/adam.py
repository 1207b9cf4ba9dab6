"""Optimizers that follow the first and second moments of the gradient."""

from __future__ import annotations

import math

from ..ops.elementwise import abs_, clip, maximum, sqrt, square, where
from ..ops.reduce import sum_
from .optimizer import Optimizer, register, zeros_like


class _Moments(Optimizer):
    default_learning_rate = 0.001

    def __init__(self, learning_rate=None, beta1=0.9, beta2=0.999, epsilon=1e-8, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def create_state(self, index, weight):
        return zeros_like(weight), zeros_like(weight)

    def moments(self, g, state):
        """The running means of g and g²."""
        m = self.beta1 * state[0] + (1 - self.beta1) * g
        v = self.beta2 * state[1] + (1 - self.beta2) * square(g)
        return m, v


@register
class Adam(_Moments):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980): w - lr m̂ / (sqrt(v̂) + epsilon), the decay as part of g.

    Args:
        learning_rate: 0.001 by default.
        beta1, beta2: how slowly the running means of g and g² change.
        epsilon: keeps the division finite.
        lazy_update: accepted; gradients are dense.
    """

    def __init__(self, learning_rate=None, beta1=0.9, beta2=0.999, epsilon=1e-8, lazy_update=True, **kwargs):
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)

    def factors(self, t):
        return (math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t),)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        m, v = self.moments(self.decayed(w, g, wd, rescale), state)
        return w - lr * (factors[0] * m / (sqrt(v) + self.epsilon)), (m, v)


@register
class AdamW(_Moments):
    """Adam with the decay apart from the gradient: w - lr (m̂ / (sqrt(v̂) + epsilon) + wd w).

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101.

    Args:
        learning_rate: 0.001 by default.
        beta1, beta2: how slowly the running means of g and g² change.
        epsilon: keeps the division finite.
        correct_bias: whether the moments are corrected for their start at 0.

    >>> AdamW(wd=0.01).wd
    0.01
    """

    def __init__(self, learning_rate=None, beta1=0.9, beta2=0.999, epsilon=1e-6, correct_bias=True, **kwargs):
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)
        self.correct_bias = correct_bias

    def factors(self, t):
        return (1 / (1 - self.beta1**t), 1 / (1 - self.beta2**t)) if self.correct_bias else (1.0, 1.0)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        m, v = self.moments(self.gradient(g, rescale), state)
        return w - lr * (factors[0] * m / (sqrt(factors[1] * v) + self.epsilon) + wd * w), (m, v)


@register
class Adamax(_Moments):
    """Adam with the largest gradient instead of the second moment (Kingma and Ba 2015, section 7)."""

    default_learning_rate = 0.002

    def factors(self, t):
        return (1 / (1 - self.beta1**t),)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = self.decayed(w, g, wd, rescale)
        m = self.beta1 * state[0] + (1 - self.beta1) * g
        u = maximum(self.beta2 * state[1], abs_(g))
        return w - lr * (factors[0] * m / (u + self.epsilon)), (m, u)


@register
class Nadam(_Moments):
    """Adam with Nesterov's momentum, warmed up by `schedule_decay` (Dozat 2016)."""

    def __init__(
        self, learning_rate=None, beta1=0.9, beta2=0.999, epsilon=1e-8, schedule_decay=0.004, **kwargs
    ):
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)
        self.schedule_decay = schedule_decay
        self._products = [1.0]  # product of the momenta of the first t updates

    def _momentum(self, t):
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.schedule_decay))

    def factors(self, t):
        while len(self._products) <= t:
            self._products.append(self._products[-1] * self._momentum(len(self._products)))
        now, later = self._momentum(t), self._momentum(t + 1)
        product = self._products[t]
        return (1 - now) / (1 - product), later / (1 - product * later), 1 / (1 - self.beta2**t)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        of_g, of_m, of_v = factors
        g = self.decayed(w, g, wd, rescale)
        m, v = self.moments(g, state)
        return w - lr * (of_g * g + of_m * m) / (sqrt(of_v * v) + self.epsilon), (m, v)


@register
class LAMB(_Moments):
    """Adam whose step has the length of the weight, for large batches (You et al. 2020, arXiv:1904.00962).

    Args:
        lower_bound, upper_bound: limits of the weight's norm, None for none.
        bias_correction: whether the moments are corrected for their start at 0.
    """

    def __init__(
        self, learning_rate=None, beta1=0.9, beta2=0.999, epsilon=1e-6, lower_bound=None, upper_bound=None,
        bias_correction=True, **kwargs,
    ):  # fmt: skip
        super().__init__(learning_rate, beta1, beta2, epsilon, **kwargs)
        self.lower_bound, self.upper_bound, self.bias_correction = lower_bound, upper_bound, bias_correction

    def factors(self, t):
        if not self.bias_correction:
            return 1.0, 1.0
        return 1 / (1 - self.beta1**t), 1 / (1 - self.beta2**t)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        m, v = self.moments(self.gradient(g, rescale), state)
        step = factors[0] * m / (sqrt(factors[1] * v) + self.epsilon) + wd * w
        axes = tuple(range(w.ndim))
        size, length = (sqrt(sum_(square(x), axis=axes, keepdims=False)) for x in (w, step))
        if self.lower_bound is not None or self.upper_bound is not None:
            low = 0.0 if self.lower_bound is None else self.lower_bound
            size = clip(size, low, math.inf if self.upper_bound is None else self.upper_bound)
        # A weight or a step of length 0 has no ratio: take the step as it is.
        usable = size * length > 0
        ratio = where(usable, size / where(usable, length, 1.0), 1.0)
        return w - lr * ratio * step, (m, v)
