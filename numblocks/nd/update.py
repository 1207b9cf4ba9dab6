"""Optimizer steps as functions on arrays: `sgd_update(weight, grad, lr=..., out=weight)`.

States (momentum ...) change in place; the new weight is written to `out`, or is a new array if that is None.

`numblocks.optimizer` has all rules and fuses them; these serve training loops written out by hand.
"""

from __future__ import annotations

from ..op import assign
from ..ops import elementwise as ew
from .array import NDArray


def _gradient(weight, grad, wd, rescale_grad, clip_gradient, decay_first=False):
    """The gradient scaled, cut off and with the decay of the weight; the decay is cut off, too, if it comes first."""
    g = grad.detach() * rescale_grad
    g = g + wd * weight.detach() if wd and decay_first else g
    g = ew.clip(g, -clip_gradient, clip_gradient) if clip_gradient > 0 else g
    return g + wd * weight.detach() if wd and not decay_first else g


def _write(value, out) -> NDArray:
    if out is None:
        return value
    assign(out, value)
    return out


def sgd_update(weight, grad, lr, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0, lazy_update=True, out=None) -> NDArray:
    """weight - lr (gradient + wd weight)"""
    g = _gradient(weight, grad, wd, rescale_grad, clip_gradient)
    return _write(weight.detach() - lr * g, out)


def sgd_mom_update(weight, grad, mom, lr, momentum=0.0, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0, lazy_update=True,
                   out=None) -> NDArray:  # fmt: skip
    """mom = momentum mom - lr gradient; weight + mom"""
    g = _gradient(weight, grad, wd, rescale_grad, clip_gradient)
    assign(mom, momentum * mom.detach() - lr * g)
    return _write(weight.detach() + mom.detach(), out)


def nag_mom_update(
    weight, grad, mom, lr, momentum=0.0, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0, out=None
) -> NDArray:
    """mom = momentum mom - lr gradient; weight + momentum mom - lr gradient (Nesterov)"""
    g = _gradient(weight, grad, wd, rescale_grad, clip_gradient)
    assign(mom, momentum * mom.detach() - lr * g)
    return _write(weight.detach() + momentum * mom.detach() - lr * g, out)


def signsgd_update(weight, grad, lr, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0, out=None) -> NDArray:
    """(1 - lr wd) weight - lr sign(gradient)"""
    return _write((1.0 - lr * wd) * weight.detach() - lr * ew.sign(grad.detach()), out)


def adam_update(weight, grad, mean, var, lr, beta1=0.9, beta2=0.999, epsilon=1e-8, wd=0.0, rescale_grad=1.0,
                clip_gradient=-1.0, lazy_update=True, out=None) -> NDArray:  # fmt: skip
    """Adam without correction of the bias (fold it into `lr`); `mean` and `var` change in place."""
    g = _gradient(weight, grad, wd, rescale_grad, clip_gradient, decay_first=True)
    assign(mean, beta1 * mean.detach() + (1.0 - beta1) * g)
    assign(var, beta2 * var.detach() + (1.0 - beta2) * ew.square(g))
    return _write(weight.detach() - lr * mean.detach() / (ew.sqrt(var.detach()) + epsilon), out)


def rmsprop_update(weight, grad, n, lr, gamma1=0.95, epsilon=1e-8, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0,
                   clip_weights=-1.0, out=None) -> NDArray:  # fmt: skip
    """n = gamma1 n + (1 - gamma1) gradient^2; weight - lr gradient / sqrt(n + epsilon)"""
    g = _gradient(weight, grad, wd, rescale_grad, clip_gradient, decay_first=True)
    assign(n, gamma1 * n.detach() + (1.0 - gamma1) * ew.square(g))
    new = weight.detach() - lr * g / ew.sqrt(n.detach() + epsilon)
    return _write(ew.clip(new, -clip_weights, clip_weights) if clip_weights > 0 else new, out)


__all__ = ["adam_update", "nag_mom_update", "rmsprop_update", "sgd_mom_update", "sgd_update", "signsgd_update"]
