"""Optimizers that find a step size for each single weight from the squares of its gradients."""

from __future__ import annotations

import math

import numpy

from ..array import wrap
from ..ops.elementwise import abs_, clip, sign, sqrt, square, where
from ..ops.reduce import sum_
from .optimizer import Optimizer, register, zeros_like


@register
class AdaGrad(Optimizer):
    """Step sizes fall with the sum of all squares: lr (g / sqrt(sum g² + eps) + wd w) (Duchi et al. 2011)."""

    def __init__(self, eps=1e-7, **kwargs):
        super().__init__(**kwargs)
        self.float_stable_eps = eps

    def create_state(self, index, weight):
        return (zeros_like(weight),)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = self.gradient(g, rescale)
        total = state[0] + square(g)
        return w - lr * (g / sqrt(total + self.float_stable_eps) + wd * w), (total,)


@register
class GroupAdaGrad(Optimizer):
    """AdaGrad with one step size for each row of a weight, as embeddings like it; no weight decay.

    Args:
        eps: keeps the division finite.

    >>> GroupAdaGrad(learning_rate=0.1).learning_rate
    0.1
    """

    def __init__(self, eps=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.float_stable_eps = eps

    def create_state(self, index, weight):
        rows = (weight.shape[0], *(1,) * (weight.ndim - 1)) if weight.ndim else ()
        return (wrap(numpy.zeros(rows, weight.dtype), weight.ctx),)

    def numbers(self, index):
        lr, wd, rescale, factors = super().numbers(index)
        if wd:
            raise ValueError(
                f"GroupAdaGrad: a weight decay of {wd} for weight {index}. Its rule has none. Set wd=0, or use AdaGrad."
            )
        return lr, wd, rescale, factors

    def _get_wd(self, index):  # being here, it tells that rows() must ask numbers() for each weight
        return super()._get_wd(index)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = self.gradient(g, rescale)
        mean = square(g)
        if w.ndim > 1:
            axes = tuple(range(1, w.ndim))
            mean = sum_(mean, axis=axes, keepdims=True) * (1 / max(1, math.prod(w.shape[1:])))
        total = state[0] + mean
        return w - lr * g / sqrt(total + self.float_stable_eps), (total,)


@register
class RMSProp(Optimizer):
    """Step sizes fall with a running mean of the squares (Tieleman and Hinton 2012; centered: Graves 2013).

    Args:
        gamma1: how slowly the running means change.
        gamma2: momentum of the centered form.
        epsilon: keeps the division finite.
        centered: divide by the standard deviation instead of the root of the mean square.
        clip_weights: clip the weights to ±this after each step.
    """

    default_learning_rate = 0.001

    def __init__(
        self,
        learning_rate=None,
        gamma1=0.9,
        gamma2=0.9,
        epsilon=1e-8,
        centered=False,
        clip_weights=None,
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.gamma1, self.gamma2, self.epsilon = gamma1, gamma2, epsilon
        self.centered, self.clip_weights = centered, clip_weights

    def create_state(self, index, weight):
        return tuple(zeros_like(weight) for _ in range(3 if self.centered else 1))

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = self.decayed(w, g, wd, rescale)
        n = self.gamma1 * state[0] + (1 - self.gamma1) * square(g)
        if self.centered:
            mean = self.gamma1 * state[1] + (1 - self.gamma1) * g
            step = self.gamma2 * state[2] - lr * g / sqrt(n - square(mean) + self.epsilon)
            w, state = w + step, (n, mean, step)
        else:
            w, state = w - lr * g / sqrt(n + self.epsilon), (n,)
        return (clip(w, -self.clip_weights, self.clip_weights) if self.clip_weights else w), state


@register
class AdaDelta(Optimizer):
    """Steps as long as the recent steps were; no learning rate (Zeiler 2012, arXiv:1212.5701).

    Args:
        rho: how slowly the running means change.
        epsilon: the size of the first steps.
    """

    def __init__(self, rho=0.9, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.rho, self.epsilon = rho, epsilon

    def create_state(self, index, weight):
        return zeros_like(weight), zeros_like(weight)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = self.gradient(g, rescale)
        of_g = self.rho * state[0] + (1 - self.rho) * square(g)
        step = sqrt(state[1] + self.epsilon) / sqrt(of_g + self.epsilon) * g
        of_step = self.rho * state[1] + (1 - self.rho) * square(step)
        return w - step - wd * w, (of_g, of_step)


@register
class Ftrl(Optimizer):
    """Follow the regularized leader, weights exactly 0 where `lamda1` wins (McMahan et al. 2013).

    Args:
        lamda1: strength of the L1 penalty.
        learning_rate: 0.1 by default.
        beta: added to the root of the sum of squares.
    """

    default_learning_rate = 0.1

    def __init__(self, lamda1=0.01, learning_rate=None, beta=1, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.lamda1, self.beta = lamda1, beta

    def create_state(self, index, weight):
        return zeros_like(weight), zeros_like(weight)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        z, n = state
        g = self.gradient(g, rescale)
        new_n = n + square(g)
        z = z + g - (sqrt(new_n) - sqrt(n)) / lr * w
        new_w = (sign(z) * self.lamda1 - z) / ((sqrt(new_n) + self.beta) / lr + wd)
        return where(abs_(z) > self.lamda1, new_w, 0.0), (z, new_n)


@register
class FTML(Optimizer):
    """Follow the moving leader (Zheng and Kwok 2017).

    Args:
        beta1, beta2: how slowly the running means change.
        epsilon: keeps the division finite.
    """

    def __init__(self, beta1=0.6, beta2=0.999, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def create_state(self, index, weight):
        return zeros_like(weight), zeros_like(weight), zeros_like(weight)

    def factors(self, t):
        return 1 - self.beta1**t, 1 / math.sqrt(1 - self.beta2**t)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        d, v, z = state
        g = self.decayed(w, g, wd, rescale)
        v = self.beta2 * v + (1 - self.beta2) * square(g)
        new_d = (factors[0] / lr) * (sqrt(v) * factors[1] + self.epsilon)
        z = self.beta1 * z + (1 - self.beta1) * g - (new_d - self.beta1 * d) * w
        return -z / new_d, (new_d, v, z)
