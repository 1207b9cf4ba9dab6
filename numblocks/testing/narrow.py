"""A net in float32 or float16 against its float64 twin."""

from __future__ import annotations

import numpy

from .noise import Noise
from .numeric import SAFETY
from .report import GradientError


def compare_narrow(check, found) -> None:
    """The net in its own dtype against its float64 twin, within what rounding every operation would change.

    How much that is, is measured: eight walks of the twin in which each answer gets a relative error of the
    narrow dtype's size (Parker, Monte Carlo Arithmetic, 1997).
    """
    dtypes = [x.dtype for x in check.narrow.start if x.dtype.kind == "f"]
    eps = max(float(numpy.finfo(d).eps) for d in dtypes)
    heads = [h.astype(y.dtype) for h, y in zip(check.heads, check.narrow.values(check.narrow.start), strict=True)]
    exact = check.wide.gradients(check.start, [h.astype("f8") for h in heads])
    shaken = [
        check.shaken.gradients(check.start, [h.astype("f8") for h in heads], noise=Noise(eps, check.rng))
        for _ in range(8)
    ]
    mine = check.narrow.gradients(check.narrow.start, heads)
    for k, (name, g, want) in enumerate(zip(check.names, mine, exact, strict=True)):
        if g is None:
            continue
        if g.dtype != check.narrow.start[k].dtype:
            raise GradientError(
                f"check_gradients: {name} is {check.narrow.start[k].dtype}, its gradient {g.dtype}.", where=name
            )
        response = float(numpy.sqrt(numpy.mean([(s[k] - want) ** 2 for s in shaken], axis=0)).max(initial=0))
        allowed = SAFETY * (2 * response + eps * numpy.abs(want).max(initial=0))
        if allowed > 0.5 * numpy.abs(want).max(initial=0):
            continue  # this dtype has no correct digit here: nothing to compare
        off = numpy.abs(g.astype("f8") - want)
        if not (off <= allowed).all():
            at = tuple(
                map(
                    int,
                    numpy.unravel_index(numpy.nanargmax(numpy.where(numpy.isnan(off), numpy.inf, off)), off.shape),
                )
            )
            text = check.script()
            raise GradientError(
                f"check_gradients ({check.mode}): {name} {list(at)} in {g.dtype}: {g[at]!r}, in float64"
                f" {want[at]!r}; off by"
                f" {off[at]:.2g}, rounding explains {allowed:.2g}.\n{text}",
                where=name, element=at, analytic=float(g[at]), numeric=float(want[at]), tolerance=allowed,
                seed=check.options["seed"], script=text,
            )  # fmt: skip
