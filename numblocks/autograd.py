"""Gradients by recording: `with record():` puts operations on a tape, `backward` walks it.

>>> from numblocks import autograd, np
>>> x = np.array([1.0, 2.0])
>>> x.attach_grad()
>>> with autograd.record():
...     y = (x * x).sum()
>>> y.backward()
>>> x.grad
array([2., 4.])
"""

from __future__ import annotations

import functools

import numpy

from . import tape
from .array import ndarray, place, wrap
from .op import Op, current


class _Scope:
    """Sets recording and training on entry and restores both on exit; None leaves one as it is."""

    __slots__ = ("_record", "_train", "_before")

    def __init__(self, record, train):
        self._record, self._train, self._before = record, train, []

    def __enter__(self):
        cur, record, train = current, self._record, self._train
        self._before.append((cur.record, cur.training))
        if record is not None:
            cur.record = tape.record if record else None
        if train is not None:
            cur.training = train

    def __exit__(self, *exc):
        current.record, current.training = self._before.pop()


def record(train_mode: bool = True) -> _Scope:
    """A scope in which operations are recorded; `train_mode` also sets how Dropout and BatchNorm behave."""
    return _Scope(True, train_mode)


def pause(train_mode: bool = False) -> _Scope:
    """A scope in which nothing is recorded."""
    return _Scope(False, train_mode)


def train_mode() -> _Scope:
    """A scope in which layers behave as in training; recording is unchanged."""
    return _Scope(None, True)


def predict_mode() -> _Scope:
    """A scope in which layers behave as in prediction; recording is unchanged."""
    return _Scope(None, False)


def is_recording() -> bool:
    """Whether operations are being recorded."""
    return current.record is not None


def is_training() -> bool:
    """Whether layers behave as in training."""
    return current.training


def set_recording(is_recording: bool) -> bool:
    """Switch recording; returns what was in force. Prefer the scopes."""
    before = current.record is not None
    current.record = tape.record if is_recording else None
    return before


def set_training(train_mode: bool) -> bool:
    """Switch training behaviour; returns what was in force. Prefer the scopes."""
    before, current.training = current.training, bool(train_mode)
    return before


def mark_variables(variables, gradients, grad_reqs="write") -> None:
    """Make arrays variables whose gradients are collected in `gradients`.

    Args:
        variables: an ndarray or a list of them.
        gradients: as many arrays of the same shapes.
        grad_reqs: 'write', 'add' or 'null', one for all or one for each.
    """
    if isinstance(variables, ndarray):
        variables, gradients = [variables], [gradients]
    reqs = [grad_reqs] * len(variables) if isinstance(grad_reqs, str) else grad_reqs
    for x, g, req in zip(variables, gradients, reqs, strict=True):
        tape.mark(x, g, req)


def _heads(where: str, heads, head_grads):
    heads = [heads] if isinstance(heads, ndarray) else list(heads)
    if head_grads is None:
        grads = [None] * len(heads)
    else:
        grads = [head_grads] if isinstance(head_grads, ndarray) else list(head_grads)
    if len(grads) != len(heads):
        raise ValueError(
            f"{where}: {len(heads)} heads but {len(grads)} head gradients. Each head needs one. Pass as many."
        )
    filled = []
    for k, (h, g) in enumerate(zip(heads, grads, strict=True)):
        if g is None:
            g = ones_like(h)
        elif g.shape != h.shape:
            raise ValueError(
                f"{where}: head {k} has shape {h.shape} but its head gradient has shape {g.shape}. They must be equal."
                f" Reshape the gradient."
            )
        filled.append(g)
    return heads, filled


@functools.lru_cache(maxsize=64)
def ones(shape, dtype) -> numpy.ndarray:
    """Read-only ones, kept for the next who asks."""
    array = numpy.ones(shape, dtype)
    array.flags.writeable = False
    return array


def ones_like(x: ndarray) -> ndarray:
    """The head gradient of `x` when none is given; read-only where it is small enough to be kept."""
    d = x._data
    return wrap(ones(d.shape, d.dtype) if d.size <= 65536 else numpy.ones(d.shape, d.dtype), x._device, type(x))


def backward(heads, head_grads=None, retain_graph: bool = False, train_mode: bool = True) -> None:
    """Compute the gradients of `heads` and store them in the `.grad` of every variable reached.

    Args:
        heads: an ndarray or a list of them, computed inside `record()`.
        head_grads: cotangents of the heads, ones if None.
        retain_graph: keep the tape for another walk.
        train_mode: how layers behave in what the walk computes.

    Raises:
        MXNetError: a head is not on the tape, or its tape was used already.
    """
    if head_grads is None and isinstance(heads, ndarray):
        heads, grads = (heads,), (ones_like(heads),)
    else:
        heads, grads = _heads("backward", heads, head_grads)
    cur = current
    before = cur.record, cur.training
    cur.record, cur.training = None, train_mode
    try:
        tape.backward("backward", heads, grads, retain_graph)
    finally:
        cur.record, cur.training = before


def grad(heads, variables, head_grads=None, retain_graph=None, create_graph: bool = False, train_mode: bool = True):
    """The gradients of `heads` with respect to `variables`, without touching any `.grad`.

    Args:
        heads: an ndarray or a list, computed inside `record()`.
        variables: an ndarray or a list: variables, or any array computed on the way.
        create_graph: record the walk itself, so that the result can be differentiated again.

    Returns:
        A list with one array for each variable, also where `variables` is one array, as MXNet 1.9 has it.

    >>> x = np.array([3.0]); x.attach_grad()
    >>> with autograd.record():
    ...     y = x * x * x
    ...     dx, = autograd.grad(y, x, create_graph=True)
    >>> dx.backward(); x.grad
    array([18.])
    """
    variables = [variables] if isinstance(variables, ndarray) else list(variables)
    for k, v in enumerate(variables):
        if v._node is None:
            raise ValueError(
                f"grad: variable {k} of shape {v.shape} is not on the tape. Gradients flow to arrays with"
                " attach_grad() or"
                f" computed inside record(). Call attach_grad() on it before recording."
            )
    heads, grads = _heads("grad", heads, head_grads)
    retain = create_graph if retain_graph is None else retain_graph
    with _Scope(create_graph, train_mode):
        found = tape.cotangents("grad", heads, grads, [v._node for v in variables], retain)
    return [
        place(numpy.zeros(v.shape, v.dtype), v._device, type(v)) if g is None else g
        for v, g in zip(variables, found, strict=True)
    ]


class Function:
    """A computation with a gradient of your own: subclass, write `forward` and `backward`, call an instance.

    >>> class Sigmoid(autograd.Function):
    ...     def forward(self, x):
    ...         y = 1 / (1 + np.exp(-x))
    ...         self.save_for_backward(y)
    ...         return y
    ...     def backward(self, dy):
    ...         y, = self.saved_tensors
    ...         return dy * y * (1 - y)
    """

    saved_tensors: tuple = ()

    def save_for_backward(self, *args) -> None:
        """Keep arrays for `backward`, which finds them in `self.saved_tensors`."""
        self.saved_tensors = args

    def forward(self, *inputs):
        """Compute the answer(s) from ndarrays; recording is off."""
        raise NotImplementedError

    def backward(self, *output_grads):
        """Return one cotangent for each input of `forward`."""
        raise NotImplementedError

    def __call__(self, *inputs):
        """Run `forward` and record it as one step."""
        with _Scope(False, None):
            outputs = self.forward(*inputs)
        answers = tuple(outputs) if isinstance(outputs, (tuple, list)) else outputs
        if current.record is not None:
            # a fresh array for each answer, so that returning an input does not overwrite its place on the tape
            answers = tuple(map(_fresh, answers)) if isinstance(answers, tuple) else _fresh(answers)
            current.record(_function_op(self), inputs, {}, answers)
        return answers


def _fresh(x: ndarray) -> ndarray:
    return wrap(x._data, x._device, type(x))


def _function_op(function: Function) -> Op:
    """An unregistered op whose VJP asks the Function; one walk computes all cotangents once."""
    memo: dict = {}

    def vjp(g, y, *xs, index):
        key = id(g)
        if memo.get("key") != key:
            parts = (
                [ones_like(part) * 0 if c is None else c for part, c in zip(y, g, strict=True)]
                if isinstance(g, list)
                else [g]
            )
            grads = function.backward(*parts)
            grads = list(grads) if isinstance(grads, (tuple, list)) else [grads]
            if len(grads) != len(xs):
                raise ValueError(
                    f"{type(function).__name__}.backward: returned {len(grads)} gradients for {len(xs)}"
                    " inputs of forward."
                    f" Each input needs one. Return as many."
                )
            memo.update(key=key, g=g, grads=grads)
        return memo["grads"][index]

    return Op(type(function).__name__, "opaque", None, registered=False, vjp=vjp)


__all__ = [
    "Function", "backward", "grad", "is_recording", "is_training", "mark_variables", "pause", "predict_mode",
    "record", "set_recording", "set_training", "train_mode",
]  # fmt: skip
