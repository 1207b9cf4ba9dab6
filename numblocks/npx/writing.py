"""`out=` and `name=` for the functions of `npx` that are slow enough not to notice."""

from __future__ import annotations

import functools
import inspect

from ..np.math import deliver


def writable(function):
    """`function`, which takes `out=` (an array, or a list of them, to fill and return) and ignores `name=`.

    >>> writable(lambda x: x + 1)(2, name="y")
    3
    """

    @functools.wraps(function)
    def call(*args, out=None, name=None, **kwargs):
        y = function(*args, **kwargs)
        if out is None:
            return y
        if isinstance(y, (list, tuple)):
            return [deliver(part, target) for part, target in zip(y, out, strict=True)]
        return deliver(y, out)

    signature = inspect.signature(function)
    extra = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=None) for n in ("out", "name")]
    named = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    rest = [p for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD]
    call.__signature__ = signature.replace(parameters=[*named, *extra, *rest])
    return call
