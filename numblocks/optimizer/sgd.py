"""Steps along the gradient, with and without memory."""

from __future__ import annotations

from ..array import wrap
from ..ops.elementwise import sign, sqrt
from ..random import normal
from .optimizer import Optimizer, decay, register, zeros_like


class _WithMomentum(Optimizer):
    def __init__(self, momentum=0.0, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def create_state(self, index, weight):
        return (zeros_like(weight),) if self.momentum else ()


@register
class SGD(_WithMomentum):
    """Stochastic gradient descent.

    With g the rescaled, clipped gradient plus wd w: v = momentum v - lr g, w = w + v.

    Args:
        momentum: share of the last step that is kept; 0 needs no state.
        lazy_update: accepted; gradients are dense.
        kwargs: see `Optimizer`.

    >>> SGD(learning_rate=0.1, momentum=0.9).momentum
    0.9
    """

    def __init__(self, momentum=0.0, lazy_update=True, **kwargs):
        super().__init__(momentum, **kwargs)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = decay(self.gradient(g, rescale), wd, w)
        if not state:
            return w - lr * g, ()
        v = self.momentum * state[0] - lr * g
        return w + v, (v,)


@register
class ccSGD(SGD):  # noqa: N801  the name old code uses
    """`SGD` under an old name."""


@register
class Test(Optimizer):
    """Adds the rescaled gradient to the weight and keeps a copy of it: for tests of what surrounds optimizers.

    >>> Test(rescale_grad=0.5).rescale_grad
    0.5
    """

    __test__ = False  # pytest: no class of tests

    def create_state(self, index, weight):
        return (zeros_like(weight),)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        w = w + g * rescale
        return w, (w,)


@register
class NAG(_WithMomentum):
    """Nesterov's accelerated gradient: v = momentum v + g, w = w - lr (g + momentum v) (Sutskever et al.
    2013).

    Args:
        momentum: share of the last step that is kept.
    """

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = decay(self.gradient(g, rescale), wd, w)
        if not state:
            return w - lr * g, ()
        v = self.momentum * state[0] + g
        return w - lr * (g + self.momentum * v), (v,)


@register
class Signum(_WithMomentum):
    """Steps of equal size along the sign of the averaged gradient (Bernstein et al. 2018, arXiv:1802.04434).

    Args:
        momentum: of the average; 0 takes the sign of the gradient itself.
        wd_lh: weight decay apart from the gradient (Loshchilov and Hutter).
    """

    def __init__(self, learning_rate=None, momentum=0.9, wd_lh=0.0, **kwargs):
        super().__init__(momentum, learning_rate=learning_rate, **kwargs)
        self.wd_lh = wd_lh

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = self.gradient(g, rescale)
        if not state:
            return w - lr * decay(sign(g), wd, w), ()
        v = self.momentum * state[0] - (1 - self.momentum) * decay(g, wd, w)
        return w - (lr * self.wd_lh) * w + lr * sign(v), (v,)


@register
class SGLD(Optimizer):
    """Langevin dynamics: half a gradient step and normal noise of variance lr (Welling and Teh 2011)."""

    deterministic = False

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = decay(self.gradient(g, rescale), wd, w)
        noise = normal(0.0, 1.0, w.shape, dtype=w.dtype, ctx=w.ctx)
        return w - 0.5 * lr * g + _root(lr) * noise, ()


def _root(x):
    return x**0.5 if isinstance(x, (int, float)) else sqrt(x)


@register
class DCASGD(_WithMomentum):
    """Asynchronous SGD with delay compensation: g + wd w + lamda g² (w - previous w) (Zheng et al. 2017).

    Args:
        momentum: share of the last step that is kept.
        lamda: strength of the compensation.
    """

    def __init__(self, momentum=0.0, lamda=0.04, **kwargs):
        super().__init__(momentum, **kwargs)
        self.lamda = lamda

    def create_state(self, index, weight):
        return (wrap(weight._data.copy(), weight.ctx), *super().create_state(index, weight))

    def rule(self, w, g, state, lr, wd, rescale, factors):
        g = self.gradient(g, rescale)
        step = -lr * (decay(g, wd, w) + self.lamda * g * g * (w - state[0]))
        if len(state) == 1:
            return w + step, (w,)
        v = self.momentum * state[1] + step
        return w + v, (w, v)
