"""More optimizer steps on one array, in place: FTML, FTRL, LAMB, RMSProp after Graves, Signum, AdamW, group AdaGrad.

As in `update`: states change in place, the new weight goes to `out`, or is a new array if that is None.
"""

from __future__ import annotations

import math

import numpy

from ..array import ndarray
from ..op import assign
from ..ops import elementwise as ew
from ..ops import reduce as red
from .array import NDArray
from .update import _gradient, _write


def ftml_update(weight, grad, d, v, z, lr, t, beta1=0.6, beta2=0.999, epsilon=1e-8, wd=0.0, rescale_grad=1.0,
                clip_grad=-1.0, out=None) -> NDArray:  # fmt: skip
    """Follow the moving leader (Zheng and Kwok 2017); `t` counts updates from 1."""
    w = weight.detach()
    g = grad.detach() * rescale_grad + wd * w
    g = ew.clip(g, -clip_grad, clip_grad) if clip_grad >= 0 else g
    assign(v, beta2 * v.detach() + (1.0 - beta2) * ew.square(g))
    new = (ew.sqrt(v.detach() / (1.0 - beta2**t)) + epsilon) * ((1.0 - beta1**t) / lr)
    assign(z, beta1 * z.detach() + (1.0 - beta1) * g - (new - beta1 * d.detach()) * w)
    assign(d, new)
    return _write(-z.detach() / new, out)


def ftrl_update(weight, grad, z, n, lr, lamda1=0.01, beta=1.0, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0,
                out=None) -> NDArray:  # fmt: skip
    """Follow the regularized leader (McMahan et al. 2013); small weights become 0."""
    g = _gradient(weight, grad, 0.0, rescale_grad, clip_gradient)
    before, after = n.detach(), n.detach() + ew.square(g)
    assign(z, z.detach() + g - (ew.sqrt(after) - ew.sqrt(before)) * weight.detach() / lr)
    assign(n, after)
    pull = ew.sign(z.detach()) * lamda1 - z.detach()
    new = pull / ((beta + ew.sqrt(n.detach())) / lr + wd)
    return _write(ew.where(ew.greater(ew.abs_(z.detach()), lamda1), new, 0.0), out)


def lamb_update_phase1(weight, grad, mean, var, wd, t, beta1=0.9, beta2=0.999, epsilon=1e-6, bias_correction=True,
                       rescale_grad=1.0, clip_gradient=-1.0, out=None) -> NDArray:  # fmt: skip
    """The direction of LAMB (You et al. 2019): Adam's, and `wd` times the weight; `t` counts updates from 1."""
    g = _gradient(weight, grad, 0.0, rescale_grad, clip_gradient)
    assign(mean, beta1 * mean.detach() + (1.0 - beta1) * g)
    assign(var, beta2 * var.detach() + (1.0 - beta2) * ew.square(g))
    m, v = mean.detach(), var.detach()
    if bias_correction:
        m, v = m / (1.0 - beta1**t), v / (1.0 - beta2**t)
    y = m / (ew.sqrt(v) + epsilon) + wd * weight.detach()
    return _write(y, out)


def lamb_update_phase2(weight, g, r1, r2, lr, lower_bound=-1.0, upper_bound=-1.0, out=None) -> NDArray:
    """A step along `g` of length `lr` times r1 / r2, the norms of weight and direction (times 1 if one is 0)."""
    return _write(weight.detach() - _trust(r1, r2, lower_bound, upper_bound) * lr * g.detach(), out)


def _trust(r1, r2, lower_bound: float, upper_bound: float):
    r1, r2 = r1.detach(), r2.detach()
    r1 = ew.maximum(r1, lower_bound) if lower_bound >= 0 else r1
    r1 = ew.minimum(r1, upper_bound) if upper_bound >= 0 else r1
    either = ew.logical_or(ew.equal(r1, 0), ew.equal(r2, 0))
    return ew.where(either, 1.0, r1 / ew.where(either, 1.0, r2))


def rmspropalex_update(weight, grad, n, g, delta, lr, gamma1=0.95, gamma2=0.9, epsilon=1e-8, wd=0.0, rescale_grad=1.0,
                       clip_gradient=-1.0, clip_weights=-1.0, out=None) -> NDArray:  # fmt: skip
    """RMSProp of the centred gradient, with momentum (Graves 2013, equations 38 to 45)."""
    d = _gradient(weight, grad, wd, rescale_grad, clip_gradient, decay_first=True)
    assign(n, gamma1 * n.detach() + (1.0 - gamma1) * ew.square(d))
    assign(g, gamma1 * g.detach() + (1.0 - gamma1) * d)
    spread = ew.sqrt(n.detach() - ew.square(g.detach()) + epsilon)
    assign(delta, gamma2 * delta.detach() - lr * d / spread)
    new = weight.detach() + delta.detach()
    return _write(ew.clip(new, -clip_weights, clip_weights) if clip_weights > 0 else new, out)


def signum_update(weight, grad, mom, lr, momentum=0.0, wd=0.0, rescale_grad=1.0, clip_gradient=-1.0, wd_lh=0.0,
                  out=None) -> NDArray:  # fmt: skip
    """A step of length `lr` along the sign of the momentum (Bernstein et al. 2018)."""
    g = _gradient(weight, grad, wd, rescale_grad, clip_gradient)
    assign(mom, momentum * mom.detach() - (1.0 - momentum) * g)
    return _write((1.0 - lr * wd_lh) * weight.detach() + lr * ew.sign(mom.detach()), out)


def adamw_update(weight, grad, mean, var, rescale_grad, lr, eta, beta1=0.9, beta2=0.999, epsilon=1e-8, wd=0.0,
                 clip_gradient=-1.0, out=None) -> NDArray:  # fmt: skip
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019); nothing happens if `rescale_grad`, a number or an
    array of one, is 0, infinite or NaN."""
    scale = float(rescale_grad.asnumpy().reshape(())) if isinstance(rescale_grad, ndarray) else float(rescale_grad)
    if scale == 0 or not math.isfinite(scale):
        return _write(weight.detach(), out)
    g = _gradient(weight, grad, 0.0, scale, clip_gradient)
    assign(mean, beta1 * mean.detach() + (1.0 - beta1) * g)
    assign(var, beta2 * var.detach() + (1.0 - beta2) * ew.square(g))
    step = lr * mean.detach() / (ew.sqrt(var.detach()) + epsilon) + wd * weight.detach()
    return _write(weight.detach() - eta * step, out)


def group_adagrad_update(weight, grad, history, lr, rescale_grad=1.0, clip_gradient=-1.0, epsilon=1e-5,
                         out=None) -> NDArray:  # fmt: skip
    """AdaGrad with one rate for each row: `history` is `(rows, 1)`."""
    g = _gradient(weight, grad, 0.0, rescale_grad, clip_gradient)
    assign(history, history.detach() + red.mean(ew.square(g), axis=tuple(range(1, g.ndim)), keepdims=True))
    return _write(weight.detach() - lr * g / ew.sqrt(history.detach() + epsilon), out)


def multi_lars(lrs, weights_sum_sq, grads_sum_sq, wds, eta, eps, rescale_grad=1.0, out=None) -> NDArray:
    """Learning rates of layers (You et al. 2017): times eta |w| / (|g| + wd |w| + eps) where both norms exceed 0."""
    w, g = ew.sqrt(weights_sum_sq.detach()), ew.sqrt(grads_sum_sq.detach()) * rescale_grad
    scaled = lrs.detach() * eta * w / (g + wds.detach() * w + eps)
    y = ew.where(ew.logical_and(ew.greater(w, 0), ew.greater(g, 0)), scaled, lrs.detach())
    return _write(y, out)


def norm_of(x):
    """The Euclidean norm of all elements, as an array of one."""
    return red.sum_(ew.square(x.detach()), axis=tuple(range(x.ndim)), keepdims=True).reshape((1,)) ** 0.5


def same_dtype(values, like):
    """`values` in the dtype of `like`."""
    return ew.astype(values, numpy.dtype(like.dtype).name)


__all__ = [
    "ftml_update", "ftrl_update", "lamb_update_phase1", "lamb_update_phase2", "multi_lars", "rmspropalex_update",
    "signum_update",
]  # fmt: skip
