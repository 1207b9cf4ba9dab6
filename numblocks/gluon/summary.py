"""The table that `net.summary(x)` prints."""

from __future__ import annotations

import math

from .. import autograd
from ..array import ndarray

_LINE = "{:>20}  {:>42} {:>15}"


def summary(block, *inputs) -> str:
    """Run `block` on `inputs` and describe every layer that was called, in the order they finished.

    Args:
        block: an initialized, unhybridized Block.
        inputs: arrays (or nested lists of them) of any shape the block takes.

    Raises:
        AssertionError: a block is hybridized, so that its layers are not called one by one.
        RuntimeError: the block is not initialized.
    """
    rows = [("Input", _shapes(inputs[0] if len(inputs) == 1 else list(inputs)), 0)]
    counted: list[tuple[int, int, bool]] = []  # identity, size, trainable of every parameter at each use
    handles = []
    number = 0

    def note(layer, _, out):
        nonlocal number
        number += 1
        own = list(layer._reg_params.values())
        sizes = [math.prod(p.shape) for p in own]
        counted.extend((id(p), n, p.grad_req != "null") for p, n in zip(own, sizes, strict=True))
        rows.append((f"{type(layer).__name__}-{number}", _shapes(out), sum(sizes)))

    def watch(layer):
        if getattr(layer, "_active", False):
            raise AssertionError(
                f"{layer.name}: must not be hybridized to print a summary. A compiled net does not call its"
                f" layers one by one. Print it before hybridize(), or after hybridize(False)."
            )
        if not layer._is_container and id(layer) not in seen:
            seen.add(id(layer))
            handles.append(layer.register_forward_hook(note))

    seen: set[int] = set()
    try:
        block.apply(watch)
        with autograd.pause():
            block(*inputs)
    finally:
        for handle in handles:
            handle.detach()
    return "\n".join(_table(rows, counted))


def _table(rows, counted):
    yield "-" * 80
    yield _LINE.format("Layer (type)", "Output Shape", "Param #")
    yield "=" * 80
    for row in rows:
        yield _LINE.format(*row)
    yield "=" * 80
    total = sum(size for _, size, _ in counted)
    trainable = sum(size for _, size, train in counted if train)
    unique = sum(dict((who, size) for who, size, _ in counted).values())
    yield "Parameters in forward computation graph, duplicate included"
    yield f"   Total params: {total}"
    yield f"   Trainable params: {trainable}"
    yield f"   Non-trainable params: {total - trainable}"
    yield f"Shared params in forward computation graph: {total - unique}"
    yield f"Unique parameters in model: {unique}"
    yield "-" * 80


def _shapes(value) -> str:
    if isinstance(value, ndarray):
        return str(value.shape)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_shapes(v) for v in value) + "]"
    return type(value).__name__
