"""Elementwise functions and operators of `mx.nd` under their legacy names."""

from __future__ import annotations

import builtins

import numpy

from .. import np, npx
from ..ops import elementwise as ew
from ..ops import reduce as red
from .array import NDArray, at_least_1d, to_legacy
from .wrapping import export, legacy


def rcbrt(data) -> NDArray:
    """1 / cbrt(x)"""
    return ew.reciprocal(ew.cbrt(data))


def identity(data) -> NDArray:
    """A copy on the tape."""
    return data.copy() if data._node is None else ew.multiply(data, 1)


def hard_sigmoid(data, alpha=0.2, beta=0.5) -> NDArray:
    """clip(alpha x + beta, 0, 1)"""
    return ew.clip(data * alpha + beta, 0.0, 1.0)


def nansum(data, axis=None, keepdims=False, exclude=False) -> NDArray:
    """The sum of what is not NaN."""
    return reduced(red.sum_, ew.where(ew.isnan(data), 0.0, data), axis, keepdims, exclude)


def nanprod(data, axis=None, keepdims=False, exclude=False) -> NDArray:
    """The product of what is not NaN."""
    return reduced(red.prod, ew.where(ew.isnan(data), 1.0, data), axis, keepdims, exclude)


def reduced(op, data, axis=None, keepdims=False, exclude=False) -> NDArray:
    """A reduction over `axis` (None or () for all), or over the other axes if `exclude`."""
    axis = None if axis == () else axis
    axes = red.normalize_axis("reduction", axis, data.ndim)
    if exclude:
        axes = tuple(k for k in range(data.ndim) if k not in axes)
    return at_least_1d(op(data, axis=axes, keepdims=bool(keepdims)))


def _reduction(op, name):
    def call(data, axis=None, keepdims=False, exclude=False):
        return reduced(op, data, axis, keepdims, exclude)

    call.__name__, call.__doc__ = name, f"The {name} over `axis`, or over all other axes if `exclude`."
    return call


def all_finite(data, init_output=True) -> NDArray:
    """1 if every element is finite, else 0."""
    good = ew.astype(ew.isfinite(data), "float32")
    return red.min_(good, axis=tuple(range(data.ndim)), keepdims=False)


def multi_all_finite(*arrays, num_arrays=1, init_output=True) -> NDArray:
    """1 if every element of every array is finite, else 0."""
    found = all_finite(arrays[0])
    for x in arrays[1:]:
        found = ew.minimum(found, all_finite(x))
    return found


def multi_sum_sq(*arrays, num_arrays=1) -> NDArray:
    """The sum of the squares of each array, `(arrays,)`."""
    return np.stack([red.sum_(ew.square(x), axis=tuple(range(x.ndim)), keepdims=False) for x in arrays])


def reset_arrays(*arrays, num_arrays=1) -> None:
    """Zero all arrays in place."""
    for x in arrays:
        x[:] = 0


def amp_cast(data, dtype) -> NDArray:
    """`data` as `dtype`, if it is a float."""
    return ew.astype(data, dtype) if data.dtype.kind == "f" else data


def amp_multicast(*data, num_outputs=1, cast_narrow=False) -> list[NDArray]:
    """All arrays in the widest of their dtypes, or the narrowest."""
    pick = builtins.min if cast_narrow else builtins.max
    dtype = pick((x.dtype for x in data), key=lambda d: d.itemsize)
    return [ew.astype(x, dtype) for x in data]


_UNARY = {
    "arccosh": np.arccosh, "arcsinh": np.arcsinh, "arctanh": np.arctanh, "cbrt": np.cbrt, "rsqrt": np.rsqrt,
    "reciprocal": np.reciprocal, "degrees": np.degrees, "radians": np.radians, "fix": np.fix, "negative": np.negative,
    "gamma": npx.gamma, "gammaln": npx.gammaln, "digamma": npx.digamma, "erfinv": npx.erfinv, "softsign": npx.softsign,
    "log_sigmoid": npx.log_sigmoid,
}  # fmt: skip
_OWN = (
    rcbrt,
    identity,
    hard_sigmoid,
    nansum,
    nanprod,
    all_finite,
    multi_all_finite,
    multi_sum_sq,
    amp_cast,
    amp_multicast,
)
export(globals(), _UNARY | {f.__name__: f for f in _OWN})
export(globals(), {n: _reduction(op, n) for n, op in {"sum": red.sum_, "mean": red.mean, "prod": red.prod,
"max": red.max_,
                                                       "min": red.min_}.items()})  # fmt: skip
_space = globals()
sum_axis, max_axis, min_axis = _space["sum"], _space["max"], _space["min"]

_ARITHMETIC = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "true_divide": np.divide,
    "modulo": np.mod, "broadcast_plus": np.add, "broadcast_minus": np.subtract,
}  # fmt: skip
_LOGIC = {
    "equal": np.equal, "not_equal": np.not_equal, "greater": np.greater, "greater_equal": np.greater_equal,
    "lesser": np.less,
    "lesser_equal": np.less_equal, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not, "broadcast_logical_and": np.logical_and, "broadcast_logical_or": np.logical_or,
    "broadcast_logical_xor": np.logical_xor,
}  # fmt: skip
export(globals(), _ARITHMETIC)
export(globals(), _LOGIC, float_answer=True)


def from_numpy(array, zero_copy=True) -> NDArray:
    """An NDArray over a NumPy array, sharing its memory if `zero_copy`."""
    from_memory = np.array(array, dtype=array.dtype)
    if zero_copy:
        from_memory._data = array
    return to_legacy(from_memory)


def from_dlpack(data) -> NDArray:
    """An NDArray over what another library exports by DLPack."""
    return from_numpy(numpy.from_dlpack(data))


def to_dlpack_for_read(data):
    """A DLPack capsule over the array's memory."""
    return data._data.__dlpack__()


to_dlpack_for_write = to_dlpack_for_read

for _name in ("rcbrt nansum nanprod arccosh arcsinh arctanh cbrt rsqrt reciprocal degrees radians fix").split():
    setattr(NDArray, _name, _space[_name])
for _name, _function in {"relu": npx.relu, "sigmoid": npx.sigmoid, "softmax": npx.softmax,
    "log_softmax": npx.log_softmax,
                         "softmin": npx.softmin, "to_dlpack_for_read": to_dlpack_for_read,
                         "to_dlpack_for_write": to_dlpack_for_read}.items():  # fmt: skip
    setattr(NDArray, _name, legacy(_function))


def _tostype(self, stype):
    if stype != "default":
        raise NotImplementedError(f"tostype: {stype!r} is sparse. Arrays here are dense. Keep 'default'.")
    return self


NDArray.tostype = _tostype
NDArray.broadcast_axes = lambda self, axis, size: _broadcast_axes(self, axis, size)
NDArray.writable = property(lambda self: self._data.flags.writeable)
NDArray.handle = property(lambda self: self._data.__array_interface__["data"][0])


def _broadcast_axes(data, axis, size):
    """`data` repeated `size` times along axes of length 1."""
    axes, sizes = ((axis,), (size,)) if isinstance(axis, int) else (axis, size)
    shape = list(data.shape)
    for k, n in zip(axes, sizes, strict=True):
        shape[k] = n
    return red.broadcast_to(data, shape=tuple(shape))


broadcast_axes = legacy(_broadcast_axes, name="broadcast_axes")
