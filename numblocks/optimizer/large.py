"""Optimizers for large batches: steps as long as the weights allow, and rates that grow with the batch."""

from __future__ import annotations

import math

from ..ops.elementwise import clip, sqrt, square, where
from ..ops.reduce import sum_
from .optimizer import Optimizer, decay, register, zeros_like


def _length(x):
    return sqrt(sum_(square(x), axis=tuple(range(x.ndim)), keepdims=False))


@register
class LARS(Optimizer):
    """SGD whose rate for each weight is scaled by eta |w| / (|g| + wd |w| + eps) (You et al. 2017, arXiv:1708.03888).

    Biases and the scales and shifts of normalizations (names that end in bias, gamma, beta) are not scaled.

    Args:
        momentum: share of the last step that is kept.
        lazy_update: accepted; gradients are dense.
        eta: the share of a weight's length that a step may have.
        eps: keeps the division finite.
        momentum_correction: scale the kept step with the learning rate when a schedule changes that.

    >>> LARS(learning_rate=0.1, momentum=0.9).eta
    0.001
    """

    _decays = ("_weight",)

    def __init__(self, momentum=0.0, lazy_update=True, eta=0.001, eps=0, momentum_correction=True, **kwargs):
        super().__init__(**kwargs)
        self.momentum, self.eta, self.eps = momentum, eta, eps
        self.momentum_correction = momentum_correction
        self._last: dict = {}  # the rate of each weight's last update

    def create_state(self, index, weight):
        return (zeros_like(weight),) if self.momentum else ()

    def factors(self, t):
        return 1.0, 1.0

    def _get_lr(self, index):  # being here, it tells that rows() must ask numbers() for each weight
        return super()._get_lr(index)

    def numbers(self, index):
        lr, wd, rescale, _ = super().numbers(index)
        last = self._last.get(index) if self.momentum_correction else None
        self._last[index] = lr
        name = getattr(self.param_dict.get(index), "name", None) or self.idx2name.get(index, "")
        scaled = not str(name).endswith(("bias", "gamma", "beta"))
        return lr, wd, rescale, (float(scaled), lr / last if last else 1.0)

    def rule(self, w, g, state, lr, wd, rescale, factors):
        scaled, correction = factors
        size, slope = _length(w), _length(g * rescale)
        usable = size * slope * scaled > 0
        ratio = where(usable, self.eta * size / where(usable, slope + wd * size + self.eps, 1.0), 1.0)
        step = lr * ratio * decay(self.gradient(g, rescale), wd, w)
        if not state:
            return w - step, ()
        v = self.momentum * correction * state[0] - step
        return w + v, (v,)


@register
class LBSGD(Optimizer):
    """SGD that sums the gradients of several batches and lets the rate grow to that large batch (Goyal et al. 2017).

    Every `batch_scale` updates make one step with the mean of their gradients. The rate is multiplied by a number
    that goes from 1 to `batch_scale` while it warms up.

    Args:
        momentum: share of the last step that is kept.
        multi_precision: as for `Optimizer`.
        warmup_strategy: `'linear'`, `'power2'` or `'sqrt'`: how the number grows; `'lars'` takes
            sqrt(|w|² / (|g|² + wd |w|²)), from 0.01 to 100, instead.
        warmup_epochs, updates_per_epoch: their product is how many updates the warm-up takes.
        batch_scale: how many batches make a large one.
        begin_epoch: how many epochs were trained before.
        num_epochs: accepted.

    Raises:
        ValueError: an unknown `warmup_strategy`, or a `batch_scale` below 1.

    >>> LBSGD(batch_scale=4, warmup_epochs=1, updates_per_epoch=8).factors(4)
    (1.0, 2.5)
    """

    def __init__(
        self, momentum=0.0, multi_precision=False, warmup_strategy="linear", warmup_epochs=5, batch_scale=1,
        updates_per_epoch=32, begin_epoch=0, num_epochs=60, **kwargs,
    ):  # fmt: skip
        super().__init__(multi_precision=multi_precision, **kwargs)
        if warmup_strategy not in ("linear", "power2", "sqrt", "lars"):
            raise ValueError(
                f"LBSGD: warmup_strategy={warmup_strategy!r}. There are 'linear', 'power2', 'sqrt' and 'lars'. Use one."
            )
        if batch_scale < 1:
            raise ValueError(f"LBSGD: batch_scale={batch_scale}. A step needs at least one batch. Pass 1 or more.")
        self.momentum, self.warmup_strategy, self.batch_scale = momentum, warmup_strategy, int(batch_scale)
        self.warmup_updates = warmup_epochs * updates_per_epoch
        self.init_updates = begin_epoch * updates_per_epoch

    def create_state(self, index, weight):
        return tuple(zeros_like(weight) for _ in range(2 if self.momentum else 1))

    def factors(self, t):
        ready = float(t % self.batch_scale == 0)
        done = min(1.0, (t + self.init_updates) / self.warmup_updates) if self.warmup_updates else 1.0
        grown = {"linear": done, "power2": done * done, "sqrt": math.sqrt(done), "lars": 0.0}[self.warmup_strategy]
        return ready, 1 + (self.batch_scale - 1) * grown

    def rule(self, w, g, state, lr, wd, rescale, factors):
        ready, grown = factors
        total = state[0] + g
        mean = total * (1 / self.batch_scale)
        if self.warmup_strategy == "lars":
            size, slope = square(_length(w)), square(_length(mean * rescale))
            grown = clip(sqrt(size / (slope + wd * size + 1e-18)), 0.01, 100.0)
        step = lr * grown * decay(self.gradient(mean, rescale), wd, w)
        rest = total * (1 - ready)
        if len(state) == 1:
            return w - ready * step, (rest,)
        # between the steps the momentum waits
        v = state[1] + ready * ((self.momentum - 1) * state[1] - step)
        return w + ready * v, (rest, v)
