"""The base of all optimizers.

An optimizer is a rule: a pure function of the weight, its gradient and its state, written with ops, so that
the same lines run eagerly and inside a compiled step. All that is not arithmetic on arrays (the schedule,
multipliers, powers of beta) is computed here as Python floats and handed to the rule as numbers.
"""

from __future__ import annotations

import inspect

import numpy

from .. import autograd
from ..array import ndarray, wrap
from ..errors import warn
from ..op import assign
from ..ops.elementwise import astype, clip

_registry: dict[str, type] = {}
# attributes that a traced rule reads from a table; all others are its constants
NUMBERS = frozenset(("lr", "wd", "rescale_grad", "num_update", "begin_num_update"))


def register(klass):
    """Class decorator: makes an optimizer known by its lower-case class name."""
    name = klass.__name__.lower()
    if name in _registry and _registry[name].__qualname__ != klass.__qualname__:
        warn(f"optimizer.register: '{name}' was {_registry[name]} and now is {klass}.")
    _registry[name] = klass
    return klass


def create(name, **kwargs) -> Optimizer:
    """An optimizer from its name in any case, or itself.

    Raises:
        ValueError: no optimizer has this name.
        TypeError: a hyper-parameter it does not have.

    >>> create('sgd', learning_rate=0.5).learning_rate
    0.5
    """
    if isinstance(name, Optimizer):
        return name
    klass = _registry.get(name.lower()) if isinstance(name, str) else None
    if klass is None:
        raise ValueError(
            f"optimizer.create: cannot find optimizer {name!r}. There are {', '.join(sorted(_registry))}."
            f" Use one of these, or register your class with optimizer.register."
        )
    return klass(**kwargs)


def zeros_like(weight: ndarray) -> ndarray:
    """A state array: zeros of the weight's shape, dtype and device."""
    return wrap(numpy.zeros(weight.shape, weight.dtype), weight.ctx)


def decay(g, wd, w):
    """`g + wd * w`; a weight decay of 0 costs nothing."""
    return g if isinstance(wd, (int, float)) and wd == 0 else g + wd * w


class Optimizer:
    """Base of all optimizers. A subclass defines `rule`, and `create_state` and `factors` if it needs them.

    Or it defines `update` as in Gluon, which writes to weight and state itself, and begins with
    `self._update_count(index)`; its state may be an array, a tuple or None. `rule` is faster: it is compiled.

    Args:
        rescale_grad: factor on each gradient; Trainer sets it to 1 / batch size.
        param_idx2name: `{index: name}`, for multipliers given by name.
        wd: weight decay.
        clip_gradient: each rescaled gradient element is clipped to ±this; None does not clip.
        learning_rate: None takes the scheduler's, or without one the class's `default_learning_rate`.
        lr_scheduler: an `lr_scheduler.LRScheduler`; `learning_rate`, if given, becomes its start.
        begin_num_update: number of updates already made.
        multi_precision: keep a float32 copy of float16 weights and update that.
        param_dict: `{index: Parameter}`, whose `lr_mult` and `wd_mult` are used.

    Raises:
        TypeError: an unknown hyper-parameter.
    """

    opt_registry = _registry
    default_learning_rate = 0.01
    _decays = ("_weight", "_gamma")  # ends of the names in `param_idx2name` that decay
    deterministic = True  # the rule draws no random numbers
    _revision = 0  # counts changes of what a traced rule has as constants
    register = staticmethod(register)
    create_optimizer = staticmethod(create)

    def __init__(
        self, rescale_grad=1.0, param_idx2name=None, wd=0.0, clip_gradient=None, learning_rate=None,
        lr_scheduler=None, sym=None, begin_num_update=0, multi_precision=False, param_dict=None, **unknown,
    ):  # fmt: skip
        if unknown:
            raise TypeError(self._unknown(next(iter(unknown))))
        self.rescale_grad, self.wd, self.clip_gradient = rescale_grad, wd, clip_gradient
        self.lr_scheduler, self.multi_precision = lr_scheduler, multi_precision
        if lr_scheduler is None:
            self.lr = self.default_learning_rate if learning_rate is None else learning_rate
        else:
            if learning_rate is not None and learning_rate != lr_scheduler.base_lr:
                # User-written schedulers need not know start_from.
                start = getattr(lr_scheduler, "start_from", None)
                start(learning_rate) if start else setattr(lr_scheduler, "base_lr", learning_rate)
            self.lr = learning_rate
        self.begin_num_update = self.num_update = begin_num_update
        self._index_update_count: dict = {}
        self.idx2name = dict(param_idx2name or {})
        self.param_dict = dict(param_dict or {})
        self.lr_mult: dict = {}
        self.set_wd_mult({})

    def __setattr__(self, name: str, value) -> None:
        object.__setattr__(self, name, value)
        if name not in NUMBERS and name[0] != "_":
            object.__setattr__(self, "_revision", self._revision + 1)

    def _unknown(self, name: str) -> str:
        known = []
        for klass in type(self).__mro__[:-1]:
            known += [n for n, p in inspect.signature(klass.__init__).parameters.items() if p.kind == 1]
        known = sorted(set(known) - {"self", "sym", "param_dict", "param_idx2name"})
        return (
            f"{type(self).__name__}: there is no hyper-parameter {name!r}. It has {', '.join(known)}. Use"
            f" one of these{' (learning_rate is spelled out)' if name == 'lr' else ''}."
        )

    # what a subclass says

    def create_state(self, index, weight: ndarray) -> tuple[ndarray, ...]:
        """The state of one weight before its first update."""
        return ()

    def factors(self, t: int) -> tuple[float, ...]:
        """Numbers that depend on nothing but how often this weight was updated (1 at its first update)."""
        return ()

    def rule(self, w, g, state, lr, wd, rescale, factors):
        """The new weight and the new state: `(new_w, new_state)`. Pure; nothing is written.

        Args:
            w, g: weight and gradient, ndarrays of one shape.
            state: tuple of ndarrays, as from `create_state`.
            lr, wd, rescale: numbers: Python floats, or 0-d arrays inside a compiled step.
            factors: what `factors(t)` returned, as numbers of the same kind.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: define rule(w, g, state, lr, wd, rescale, factors)."
        )

    def gradient(self, g, rescale):
        """The gradient rescaled and, if asked for, clipped."""
        return self._clipped(g * rescale)

    def decayed(self, w, g, wd, rescale):
        """The gradient rescaled, plus the decay, and then clipped: the order that the Adam family has."""
        return self._clipped(decay(g * rescale, wd, w))

    def _clipped(self, g):
        return g if self.clip_gradient is None else clip(g, -self.clip_gradient, self.clip_gradient)

    # updates

    def numbers(self, index) -> tuple:
        """Count an update of weight `index` and return `(lr, wd, rescale, factors)` for its rule."""
        self._update_count(index)
        count = self._index_update_count[index]
        return self._get_lr(index), self._get_wd(index), self.rescale_grad, self.factors(count)

    def _update_count(self, index) -> None:
        """Count an update of one weight, or of several; an `update` of one's own begins with it, as in Gluon."""
        for i in index if isinstance(index, (list, tuple)) else (index,):
            count = self._index_update_count.get(i, self.begin_num_update) + 1
            self._index_update_count[i] = count
            self.num_update = max(count, self.num_update)

    def rows(self, indices) -> list[tuple]:
        """Count an update of each weight and return its row `(lr, wd, rescale, *factors)`, as `numbers` would."""
        counts, begin = self._index_update_count, self.begin_num_update
        t = counts.get(indices[0], begin) + 1
        plain = type(self)._get_lr is Optimizer._get_lr and type(self)._get_wd is Optimizer._get_wd
        if not plain or t < self.num_update or any([counts.get(i, begin) + 1 != t for i in indices]):
            return [(lr, wd, rescale, *factors) for lr, wd, rescale, factors in map(self.numbers, indices)]
        for i in indices:
            counts[i] = t
        object.__setattr__(self, "num_update", t)
        lr, wd, tail = self.learning_rate, self.wd, (self.rescale_grad, *self.factors(t))
        params = [self.param_dict.get(i) for i in indices]
        if None in params:
            of = self._multiplier
            return [(lr * of(i, "lr_mult"), wd * of(i, "wd_mult"), *tail) for i in indices]
        return [(lr * p.lr_mult, wd * p.wd_mult, *tail) for p in params]

    def update(self, index, weight: ndarray, grad: ndarray, state: tuple) -> None:
        """Update `weight` and `state` in place.

        Args:
            index: which weight; counts its updates and finds its multipliers.
            weight, grad: of one shape.
            state: as from `create_state`.
        """
        lr, wd, rescale, factors = self.numbers(index)
        with autograd.pause():
            new_weight, new_state = self.rule(weight, grad, state, lr, wd, rescale, factors)
            # The weight last: a new state may be the old weight itself.
            for old, new in zip(state, new_state, strict=True):
                assign(old, new)
            assign(weight, new_weight)

    def _is_kept_in_float32(self, weight) -> bool:
        return self.multi_precision and weight.dtype == numpy.float16

    def create_state_multi_precision(self, index, weight: ndarray) -> tuple[ndarray, ...]:
        """`create_state`, preceded by the float32 copy of a float16 weight if `multi_precision` is set."""
        if not self._is_kept_in_float32(weight):
            return self.create_state(index, weight)
        master = wrap(weight._data.astype("float32"), weight.ctx)
        return (master, *self.create_state(index, master))

    def update_multi_precision(self, index, weight: ndarray, grad: ndarray, state: tuple) -> None:
        """`update` with a state from `create_state_multi_precision`."""
        if not self._is_kept_in_float32(weight):
            self.update(index, weight, grad, state)
            return
        with autograd.pause():
            self.update(index, state[0], astype(grad, dtype="float32"), state[1:])
            assign(weight, astype(state[0], dtype="float16"))

    # learning rate and weight decay

    @property
    def learning_rate(self) -> float:
        """The learning rate now, before the multipliers of single weights."""
        return self.lr if self.lr_scheduler is None else self.lr_scheduler(self.num_update)

    def set_learning_rate(self, lr: float) -> None:
        """Set the learning rate; raises `UserWarning` if a scheduler decides it."""
        if self.lr_scheduler is not None:
            raise UserWarning(
                f"{type(self).__name__}.set_learning_rate: the learning rate comes from"
                f" {type(self.lr_scheduler).__name__}. A schedule and a fixed rate exclude each other. Set"
                f" lr_scheduler.base_lr, or make the optimizer without a scheduler."
            )
        self.lr = lr

    def set_lr_mult(self, args_lr_mult: dict) -> None:
        """Factors on the learning rate of single weights, by index or name."""
        self.lr_mult = dict(args_lr_mult)

    set_lr_scale = set_lr_mult

    def set_wd_mult(self, args_wd_mult: dict) -> None:
        """Factors on the weight decay of single weights, by index or name; of those with names, others decay only
        if `_decays` says so."""
        self.wd_mult = {name: 0.0 for name in self.idx2name.values() if not name.endswith(self._decays)}
        self.wd_mult |= args_wd_mult

    def _multiplier(self, index, kind: str) -> float:
        param = self.param_dict.get(index)
        if param is not None:
            return getattr(param, kind)
        by_index = getattr(self, kind)
        return by_index.get(index, by_index.get(self.idx2name.get(index), 1.0))

    def _get_lr(self, index) -> float:
        return self.learning_rate * self._multiplier(index, "lr_mult")

    def _get_wd(self, index) -> float:
        return self.wd * self._multiplier(index, "wd_mult")

    def _get_lrs(self, indices) -> list[float]:
        return [self._get_lr(i) for i in indices]

    def _get_wds(self, indices) -> list[float]:
        return [self._get_wd(i) for i in indices]
