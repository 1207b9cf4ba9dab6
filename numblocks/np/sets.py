"""Sets of values. How many there are is known only from the values, so these do not trace; none is differentiable."""

from __future__ import annotations

from ..array import ndarray
from .host import from_numpy

unique = from_numpy("unique", "The sorted distinct values, and where asked their first index, inverse and counts.")
union1d = from_numpy("union1d", "The sorted distinct values of both arrays.")
intersect1d = from_numpy("intersect1d", "The sorted distinct values that both arrays have.")
setdiff1d = from_numpy("setdiff1d", "The sorted distinct values of the first array that the second does not have.")
setxor1d = from_numpy("setxor1d", "The sorted distinct values that one of the arrays has.")
isin = from_numpy("isin", "Whether each element is among the test elements (bool).")
trim_zeros = from_numpy("trim_zeros", "A vector without the zeros at its ends.")


def in1d(ar1, ar2, assume_unique=False, invert=False) -> ndarray:
    """Whether each element of the flat `ar1` is in `ar2` (bool)."""
    return isin(ar1, ar2, assume_unique=assume_unique, invert=invert).reshape(-1)


__all__ = ["in1d", "intersect1d", "isin", "setdiff1d", "setxor1d", "trim_zeros", "union1d", "unique"]
