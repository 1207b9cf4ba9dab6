"""Element types, what is known of them, and facts about arrays that need no values."""

from __future__ import annotations

import builtins

import numpy

from .. import dtype as dt
from ..array import ndarray
from .math import operand

float16, float32, float64 = numpy.float16, numpy.float32, numpy.float64
int8, int16, int32, int64 = numpy.int8, numpy.int16, numpy.int32, numpy.int64
uint8, uint16, uint32, uint64 = numpy.uint8, numpy.uint16, numpy.uint32, numpy.uint64
bool_, bool, dtype, finfo, iinfo = numpy.bool_, numpy.bool_, numpy.dtype, numpy.finfo, numpy.iinfo
double, single, half, intp = numpy.float64, numpy.float32, numpy.float16, numpy.int64


def promote_types(type1, type2) -> numpy.dtype:
    """The dtype of a result of arrays of both dtypes: floats are not widened by integers.

    >>> promote_types('float32', 'int64')
    dtype('float32')
    """
    return dt.promote(dt.as_dtype(type1), dt.as_dtype(type2))


def result_type(*arrays_and_dtypes) -> numpy.dtype:
    """The dtype of a result of arrays, dtypes and Python numbers."""
    numbers = [x for x in arrays_and_dtypes if type(x) in (builtins.bool, int, float)]
    rest = [x for x in arrays_and_dtypes if type(x) not in (builtins.bool, int, float)]
    found = [x.dtype if hasattr(x, "dtype") and not isinstance(x, type) else dt.as_dtype(x) for x in rest]
    answer = dt.promote(*found) if found else dt.DEFAULT
    for x in numbers:
        answer = dt.weak(answer, x)
    return answer


def min_scalar_type(a) -> numpy.dtype:
    """The smallest dtype that holds the number `a`; of an array its own dtype."""
    if isinstance(a, ndarray):
        return a.dtype if a.ndim else numpy.min_scalar_type(a.item())
    return numpy.min_scalar_type(a)


def can_cast(from_, to, casting="safe") -> builtins.bool:
    """Whether a cast is allowed by a rule of NumPy's."""
    return numpy.can_cast(from_.dtype if isinstance(from_, ndarray) else from_, to, casting)


def shape(a) -> tuple[int, ...]:
    """The shape of an array (or of nested lists)."""
    return getattr(operand(a), "shape", ())


def ndim(a) -> int:
    """How many axes an array has."""
    return len(shape(a))


def size(a, axis=None) -> int:
    """How many elements an array has, or the length of an axis."""
    found = shape(a)
    return found[axis] if axis is not None else int(numpy.prod(found, dtype=numpy.int64))


def may_share_memory(a, b, max_work=None) -> builtins.bool:
    """Whether two arrays may overlap in memory."""
    return numpy.may_share_memory(a._data, b._data)


def shares_memory(a, b, max_work=None) -> builtins.bool:
    """Whether two arrays overlap in memory."""
    return numpy.shares_memory(a._data, b._data)


def isscalar(element) -> builtins.bool:
    """Whether `element` is a number rather than an array."""
    return numpy.isscalar(element)


def iterable(y) -> builtins.bool:
    """Whether it can be iterated over."""
    return numpy.iterable(y)


__all__ = [
    "bool", "bool_", "can_cast", "double", "dtype", "finfo", "float16", "float32", "float64", "half", "iinfo", "int16",
    "int32", "int64", "int8", "intp", "isscalar", "iterable", "may_share_memory", "min_scalar_type", "ndim",
    "promote_types", "result_type", "shape", "shares_memory", "single", "size", "uint16", "uint32", "uint64", "uint8",
]  # fmt: skip
