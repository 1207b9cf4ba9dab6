"""`nd.NDArray`: the array of Gluon 1.x. The only place where legacy semantics live.

What differs from `np.ndarray`: there are no 0-d arrays (a sum or `x[0, 0]` has shape (1,)), comparisons and argmax
answer in float32, and arrays print with their shape and device. Operations on NDArrays give NDArrays.
"""

from __future__ import annotations

from ..array import Aval, ndarray, values
from ..np import operators as _operators  # attaches the methods this class builds on
from ..ops import move
from ..ops import reduce as red
from ..ops.elementwise import astype

_BASE = _operators.ndarray


class NDArray(ndarray):
    """An array with the semantics of MXNet's `mx.nd`. Made by `nd.array`, `nd.zeros` ..."""

    __slots__ = ()

    def __repr__(self) -> str:
        data = self._data
        if isinstance(data, Aval):
            return f"<traced {data}>"
        return f"\n{values(data)}\n<NDArray {'x'.join(map(str, self.shape))} @{self._device}>"

    __str__ = __repr__
    __hash__ = object.__hash__

    def __getitem__(self, key):
        return at_least_1d(_BASE.__getitem__(self, key))

    def norm(self, ord=2, axis=None, keepdims=False):
        """Vector norm of order 1 or 2 over `axis` (None: all)."""
        axes = red.normalize_axis("norm", axis, self.ndim)
        return at_least_1d(red.norm(self, axis=axes, keepdims=keepdims, ord=ord))

    def take(self, indices, axis=0, mode="clip", out=None):
        """Elements at `indices` along `axis`; indices out of range are cut off unless `mode` is 'wrap' or 'raise'."""
        return at_least_1d(_BASE.take(self, indices, axis, mode, out))

    def as_nd_ndarray(self):
        """This array."""
        return self

    def as_np_ndarray(self):
        """The same values and place on the tape with `np` semantics."""
        y = ndarray.__new__(ndarray)
        y._data, y._device, y._node = self._data, self._device, self._node
        return y


def at_least_1d(y):
    """Legacy arrays have at least one axis."""
    return move.reshape(y, shape=(1,)) if isinstance(y, NDArray) and y.ndim == 0 else y


def to_legacy(y):
    """An ndarray (or a list of them) as NDArray, on the same place of the tape."""
    if isinstance(y, (list, tuple)):
        return type(y)(to_legacy(part) for part in y)
    if type(y) is not ndarray:
        return y
    x = NDArray.__new__(NDArray)
    x._data, x._device, x._node = y._data, y._device, y._node
    return at_least_1d(x)


ndarray.as_nd_ndarray = to_legacy  # NDArray has its own


def _float_answer(name):
    base = getattr(_BASE, name)

    def method(self, *args, **kwargs):
        y = base(self, *args, **kwargs)
        return y if y is NotImplemented else at_least_1d(astype(y, "float32"))

    method.__name__, method.__doc__ = name, base.__doc__
    return method


def _never_0d(name):
    base = getattr(_BASE, name)

    def method(self, *args, **kwargs):
        if kwargs.pop("exclude", False):  # over all axes but these
            axis, args = (args[0], args[1:]) if args else (kwargs.pop("axis", None), args)
            kept = red.normalize_axis(name, axis, self.ndim)
            kwargs["axis"] = tuple(k for k in range(self.ndim) if k not in kept)
        return at_least_1d(base(self, *args, **kwargs))

    method.__name__, method.__doc__ = name, base.__doc__
    return method


for _name in "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ argmax argmin".split():
    setattr(NDArray, _name, _float_answer(_name))
for _name in "sum mean max min prod std var squeeze dot".split():
    setattr(NDArray, _name, _never_0d(_name))
