"""How arrays print: like NumPy's, with the dtype named unless it is float32 or bool."""

from __future__ import annotations

import numpy

from ..array import Aval, ndarray, values


def array_repr(x: ndarray) -> str:
    """`array([0., 1.])`, with dtype and ctx where they are not float32 on cpu(0)."""
    data = x._data
    if isinstance(data, Aval):
        return f"<traced {data}>"
    data = values(data)
    text = numpy.array2string(data, separator=", ", prefix="array(")
    extra = []
    if data.size == 0:
        extra.append(f"shape={data.shape}")
        text = "[]"
    if data.dtype.name not in ("float32", "bool"):
        extra.append(f"dtype={data.dtype.name}")
    if str(x._device) != "cpu(0)":
        extra.append(f"ctx={x._device}")
    return f"array({', '.join([text, *extra])})"


def array_str(x: ndarray) -> str:
    """The values alone."""
    data = x._data
    return f"<traced {data}>" if isinstance(data, Aval) else str(values(data))


def set_printoptions(*args, **kwargs) -> None:
    """NumPy's print options, which arrays here follow."""
    numpy.set_printoptions(*args, **kwargs)
