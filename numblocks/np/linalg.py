"""`np.linalg`."""

from __future__ import annotations

import math

from ..array import ndarray
from ..ops import reduce as red
from ..ops.kinds import normalize_axis
from .math import operand


def norm(x, ord=None, axis=None, keepdims=False) -> ndarray:
    """Norm over `axis`: of vectors of order 1, 2 or inf; over two axes (or all, ord=None) the Frobenius norm.

    >>> from numblocks import np
    >>> np.linalg.norm(np.array([3.0, 4.0]))
    array(5.)
    """
    x = operand(x)
    axes = normalize_axis("norm", axis, x.ndim)
    order = 2 if ord in (None, "fro") else math.inf if ord in ("inf", float("inf")) else ord
    if len(axes) > 1 and ord not in (None, "fro"):
        raise ValueError(f"norm: order {ord!r} over axes {axes} is a matrix norm. Only the Frobenius norm is available.")
    return red.norm(x, axis=axes, keepdims=bool(keepdims), ord=order)
