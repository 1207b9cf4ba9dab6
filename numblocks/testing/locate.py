"""Which element of which array is wrong, once a directional derivative is."""

from __future__ import annotations

import numpy

from .numeric import KinkError, tolerance
from .report import GradientError


def blame(check, found, along, values, weights, what, exact, whole) -> None:
    """Find the worst element and raise."""
    worst = None
    for k, at in suspects(check, found, along, values, weights):
        try:
            part = check.measure(values, check.unit(k, at), weights)
        except KinkError:
            continue
        allowed = tolerance(part, abs(float(found[k][at])))
        excess = abs(float(found[k][at]) - part.value) / allowed
        if worst is None or excess > worst[0]:
            worst = excess, k, at, float(found[k][at]), part, allowed
    if worst is None or worst[0] <= 1:
        where, at, analytic, part, allowed = (
            "a random direction in all arrays",
            (),
            exact,
            whole,
            tolerance(whole, abs(exact)),
        )
    else:
        _, k, at, analytic, part, allowed = worst
        where = check.names[k]
    text = check.script()
    seed = check.options["seed"]
    raise GradientError(
        f"check_gradients ({check.mode}): {what}{where} {list(at) if at != () else ''}: analytic {analytic!r},"
        f" numeric {float(part.value)!r} +- {part.error:.2g} by {part.method} (allowed {allowed:.2g}), seed {seed}."
        f" The VJP is wrong, or the forward pass is. To repeat it:\n{text}",
        where=where, element=at, analytic=analytic, numeric=part.value, error=part.error, tolerance=allowed,
        seed=seed, script=text, method=part.method,
    )  # fmt: skip


def suspects(check, found, along, values, weights):
    """Elements to look at: all of small arrays; in large ones the half that fails, again and again."""
    for k, g in enumerate(found):
        if g is None:
            continue
        if g.size <= 64:
            yield from ((k, at) for at in numpy.ndindex(g.shape))
            continue
        part = numpy.arange(g.size)
        while part.size > 8:
            left = part[: part.size // 2]
            mask = numpy.zeros(g.size)
            mask[left] = 1.0
            half = [None] * len(found)
            half[k] = along[k] * mask.reshape(g.shape)
            try:
                d = check.measure(values, half, weights)
                wrong = abs(dot(found, half) - d.value) > tolerance(d, float(numpy.abs(g * half[k]).sum()))
            except KinkError:
                wrong = False
            part = left if wrong else part[part.size // 2 :]
        yield from ((k, tuple(map(int, numpy.unravel_index(i, g.shape)))) for i in part)


def flat(arrays) -> numpy.ndarray:
    """All elements in one vector."""
    return numpy.concatenate([numpy.ravel(a) for a in arrays]) if arrays else numpy.zeros(0)


def dot(found, along) -> float:
    """The inner product of two lists of arrays; None counts as 0."""
    return float(sum((g * v).sum() for g, v in zip(found, along, strict=True) if g is not None and v is not None))
