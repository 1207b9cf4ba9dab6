"""How other libraries see our arrays: NumPy's functions dispatch here, DLPack hands memory over without a copy."""

from __future__ import annotations

import numpy

from ..array import ndarray, wrap
from ..device import cpu
from . import (
    calculus,
    creation,
    editing,
    floating,
    grids,
    integers,
    linalg,
    math,
    missing,
    polynomials,
    products,
    reductions,
    sets,
    shape,
    sorting,
    statistics,
)
from .host import on_host, values

_OURS: dict = {}
for _module in (calculus, creation, editing, floating, grids, integers, math, missing, polynomials, products,
                reductions, sets, shape, sorting, statistics):  # fmt: skip
    for _name in _module.__all__:
        _theirs = getattr(numpy, _name, None)
        if callable(_theirs) and not isinstance(_theirs, (numpy.ufunc, type)):
            _OURS[_theirs] = getattr(_module, _name)
for _name in linalg.__all__:
    if callable(getattr(numpy.linalg, _name, None)):
        _OURS[getattr(numpy.linalg, _name)] = getattr(linalg, _name)


def array_function(self, func, types, args, kwargs):
    """`numpy.concatenate([ours])`, `numpy.linalg.norm(ours)` ...: our function, else NumPy's on the values."""
    if not all(issubclass(t, (ndarray, numpy.ndarray)) for t in types):
        return NotImplemented
    ours = _OURS.get(func)
    if ours is not None:
        try:
            return ours(*args, **kwargs)
        except TypeError:  # an argument that only NumPy's has
            pass
    return on_host(f"numpy.{func.__name__}", func, *args, **kwargs)


def dlpack(self, *, stream=None, max_version=None, dl_device=None, copy=None):
    """The buffer as a DLPack capsule, for `torch.from_dlpack(x)` and others: no copy unless `copy=True`."""
    data = values(self, "__dlpack__")
    data = data.copy() if copy or not data.flags.writeable else data
    return data.__dlpack__() if max_version is None else data.__dlpack__(max_version=max_version)


def dlpack_device(self) -> tuple[int, int]:
    """(1, 0): memory of the CPU."""
    return 1, 0


def from_dlpack(x) -> ndarray:
    """An ndarray over the memory of another library's CPU array (or of a DLPack capsule), without a copy."""
    if not hasattr(x, "__dlpack__"):
        x = _Capsule(x)
    return wrap(numpy.from_dlpack(x), cpu(0))


class _Capsule:
    """A bare capsule in the protocol's clothes."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **ignored):
        return self.capsule

    def __dlpack_device__(self):
        return 1, 0


ndarray.__array_function__ = array_function
ndarray.__dlpack__ = dlpack
ndarray.__dlpack_device__ = dlpack_device
ndarray.to_dlpack_for_read = ndarray.to_dlpack_for_write = lambda self: dlpack(self)

__all__ = ["from_dlpack"]
