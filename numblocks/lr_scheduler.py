"""The learning rate as a function of the number of updates made so far.

A scheduler is called with that number and returns the rate. As in Gluon it keeps its current rate in
`base_lr`, so past the end of a schedule the last value stays.
"""

from __future__ import annotations

import math


class LRScheduler:
    """Base of all schedulers: holds the rate and the warm-up; a subclass says what happens after it.

    Args:
        base_lr: the rate at the start (after the warm-up).
        warmup_steps: number of updates over which the rate rises.
        warmup_begin_lr: the rate at update 0 of the warm-up.
        warmup_mode: `'linear'` rises evenly, `'constant'` stays at `warmup_begin_lr`.

    Raises:
        ValueError: a negative warm-up, one that starts above `base_lr`, or an unknown mode.
    """

    def __init__(self, base_lr=0.01, warmup_steps=0, warmup_begin_lr=0, warmup_mode="linear"):
        where = type(self).__name__
        if not isinstance(warmup_steps, int) or warmup_steps < 0:
            raise ValueError(
                f"{where}: warmup_steps={warmup_steps!r}. A number of updates is 0 or more. Pass such."
            )
        if warmup_begin_lr > base_lr:
            raise ValueError(
                f"{where}: the warm-up starts at {warmup_begin_lr}, above base_lr={base_lr}. It has to"
                f" rise. Lower warmup_begin_lr."
            )
        if warmup_mode not in ("linear", "constant"):
            raise ValueError(
                f"{where}: warmup_mode={warmup_mode!r} is unknown. The modes are 'linear' and 'constant'."
                f" Pass one."
            )
        self.warmup_steps, self.warmup_begin_lr, self.warmup_mode = warmup_steps, warmup_begin_lr, warmup_mode
        self.start_from(base_lr)

    def start_from(self, lr: float) -> None:
        """Make `lr` the rate that the schedule starts from; an optimizer's `learning_rate` arrives here."""
        self.base_lr = self.base_lr_orig = self.warmup_final_lr = lr

    def get_warmup_lr(self, num_update: int) -> float:
        """The rate during the warm-up."""
        if self.warmup_mode == "constant":
            return self.warmup_begin_lr
        rise = self.warmup_final_lr - self.warmup_begin_lr
        return self.warmup_begin_lr + rise * num_update / self.warmup_steps

    def after_warmup(self, num_update: int) -> float:
        """The rate once the warm-up is over; what a subclass defines."""
        raise NotImplementedError(
            f"{type(self).__name__}: define after_warmup(num_update), or __call__ itself."
        )

    def __call__(self, num_update: int) -> float:
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        self.base_lr = self.after_warmup(num_update)
        return self.base_lr


class FactorScheduler(LRScheduler):
    """Multiplies the rate by `factor` each `step` updates, never below `stop_factor_lr`.

    >>> s = FactorScheduler(step=2, factor=0.5, base_lr=1.0)
    >>> [s(n) for n in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        step,
        factor=1,
        stop_factor_lr=1e-8,
        base_lr=0.01,
        warmup_steps=0,
        warmup_begin_lr=0,
        warmup_mode="linear",
    ):
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        if step < 1:
            raise ValueError(f"FactorScheduler: step={step}. It counts updates. Pass 1 or more.")
        if factor > 1:
            raise ValueError(
                f"FactorScheduler: factor={factor} makes the rate grow. Pass a factor of at most 1."
            )
        self.step, self.factor, self.stop_factor_lr = step, factor, stop_factor_lr
        self.count = 0

    def after_warmup(self, num_update):
        while num_update > self.count + self.step:
            self.count += self.step
            self.base_lr = max(self.base_lr * self.factor, self.stop_factor_lr)
        return self.base_lr


class MultiFactorScheduler(LRScheduler):
    """Multiplies the rate by `factor` after each of the update numbers in `step`.

    >>> s = MultiFactorScheduler(step=[2, 4], factor=0.5, base_lr=1.0)
    >>> [s(n) for n in (1, 2, 3, 4, 5, 6)]
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(self, step, factor=1, base_lr=0.01, warmup_steps=0, warmup_begin_lr=0, warmup_mode="linear"):
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        step = list(step)
        if not step or step[0] < 1 or any(a >= b for a, b in zip(step, step[1:], strict=False)):
            raise ValueError(
                f"MultiFactorScheduler: step={step}. The update numbers must rise, from 1. Sort them, each"
                f" once."
            )
        if factor > 1:
            raise ValueError(f"MultiFactorScheduler: factor={factor} makes the rate grow. Pass at most 1.")
        self.step, self.factor = step, factor
        self.cur_step_ind = 0

    def after_warmup(self, num_update):
        while self.cur_step_ind < len(self.step) and num_update > self.step[self.cur_step_ind]:
            self.cur_step_ind += 1
            self.base_lr *= self.factor
        return self.base_lr


class _Falling(LRScheduler):
    """From `base_lr` to `final_lr` along a curve that `remaining` gives as a share from 1 to 0."""

    def __init__(self, max_update, base_lr, final_lr, warmup_steps, warmup_begin_lr, warmup_mode):
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        if not isinstance(max_update, int) or max_update < 1:
            raise ValueError(
                f"{type(self).__name__}: max_update={max_update!r}. It counts updates. Pass 1 or more."
            )
        if max_update <= warmup_steps:
            raise ValueError(
                f"{type(self).__name__}: max_update={max_update} is within the warm-up of {warmup_steps}"
                f" updates. Nothing is left for the schedule. Raise max_update."
            )
        self.max_update, self.final_lr = max_update, final_lr
        self.max_steps = max_update - warmup_steps

    def remaining(self, progress: float) -> float:
        raise NotImplementedError

    def after_warmup(self, num_update):
        share = self.remaining((min(num_update, self.max_update) - self.warmup_steps) / self.max_steps)
        return self.final_lr + (self.base_lr_orig - self.final_lr) * share


class PolyScheduler(_Falling):
    """Falls from `base_lr` to `final_lr` as a power of what is left of `max_update` updates.

    >>> s = PolyScheduler(max_update=4, base_lr=1.0, pwr=2)
    >>> s(0), s(2), s(4), s(9)
    (1.0, 0.25, 0.0, 0.0)
    """

    def __init__(
        self,
        max_update,
        base_lr=0.01,
        pwr=2,
        final_lr=0,
        warmup_steps=0,
        warmup_begin_lr=0,
        warmup_mode="linear",
    ):
        super().__init__(max_update, base_lr, final_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        self.power = pwr

    def remaining(self, progress):
        return (1 - progress) ** self.power


class CosineScheduler(_Falling):
    """Falls from `base_lr` to `final_lr` along half a cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).

    >>> s = CosineScheduler(max_update=4, base_lr=1.0)
    >>> s(0), round(s(2), 6), s(4)
    (1.0, 0.5, 0.0)
    """

    def __init__(
        self, max_update, base_lr=0.01, final_lr=0, warmup_steps=0, warmup_begin_lr=0, warmup_mode="linear"
    ):
        super().__init__(max_update, base_lr, final_lr, warmup_steps, warmup_begin_lr, warmup_mode)

    def remaining(self, progress):
        return (1 + math.cos(math.pi * progress)) / 2
