"""Element types and one table of promotion.

| operands | result |
|---|---|
| equal | the same |
| float with any integer or bool | the float, not widened |
| float with float | the wider |
| integer with integer, bool with integer | NumPy's rule |
| Python scalar with array | the array's dtype; float32 when a float meets integers |
| a float-valued function of integers (`/`, exp, mean ...) | float32 |
"""

from __future__ import annotations

import functools

import numpy as np

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
int64, bool_ = np.dtype("int64"), np.dtype("bool")
DEFAULT = float32
FLOATS = frozenset((float16, float32, float64))
SUPPORTED = FLOATS | {
    np.dtype(t) for t in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool")
}
NAMES = {d: d.name for d in SUPPORTED}  # the attribute takes a microsecond


def as_dtype(dtype) -> np.dtype:
    """A NumPy dtype for a name, a type or None (float32); `TypeError` for what arrays cannot hold.

    >>> as_dtype('float64'), as_dtype(None)
    (dtype('float64'), dtype('float32'))
    """
    if dtype is None:
        return DEFAULT
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found not in SUPPORTED:
        if "bfloat16" in (dtype, getattr(dtype, "name", ""), getattr(dtype, "__name__", "")):
            raise TypeError(
                "dtype: 'bfloat16' is not supported. NumPy has no such type, and that of the package ml_dtypes is no"
                " float to NumPy (kind 'V'; no common type with float16 or integers; numpy.finfo refuses it), so"
                " installing it does not help. Use 'float16' to store, 'float32' to compute. Parameter files that hold"
                " bfloat16 are read as float32."
            )
        names = ", ".join(sorted(d.name for d in SUPPORTED))
        raise TypeError(f"dtype: {dtype!r} is not supported. Arrays hold {names}. Pass one of these.")
    return found


@functools.cache
def promote(*dtypes: np.dtype) -> np.dtype:
    """The dtype of a result of arrays with these dtypes (the module's table).

    >>> promote(np.dtype('float32'), np.dtype('int64'))
    dtype('float32')
    """
    floats = [d for d in dtypes if d.kind == "f"]
    if floats:
        return max(floats, key=lambda d: d.itemsize)
    return functools.reduce(np.promote_types, dtypes)


def weak(dtype: np.dtype, scalar) -> np.dtype:
    """The dtype of an array of `dtype` combined with a Python scalar."""
    if isinstance(scalar, bool) or dtype.kind == "f":
        return dtype
    if isinstance(scalar, int):
        return int64 if dtype.kind == "b" else dtype
    if isinstance(scalar, float):
        return DEFAULT
    raise TypeError(
        f"cannot combine an array of {dtype} with {scalar!r} ({type(scalar).__name__})."
        f" Operands are arrays or numbers. Convert it first."
    )


def as_float(dtype: np.dtype) -> np.dtype:
    """`dtype` if it is a float, else float32."""
    return dtype if dtype.kind == "f" else DEFAULT
