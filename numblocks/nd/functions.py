"""Functions of `mx.nd` under their legacy names and arguments; each calls what `np` and `npx` call."""

from __future__ import annotations

import functools

from .. import np, npx
from .. import random as _random
from ..array import ndarray
from ..npx import files
from ..ops.elementwise import astype
from .array import NDArray, to_legacy


def _creates(function):
    """The same function, its answer an NDArray."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        return to_legacy(function(*args, **kwargs))

    return call


eye, linspace = _creates(np.eye), _creates(np.linspace)


def _filled(function):
    """The same of a shape, device and dtype, in this order."""

    @functools.wraps(function)
    def call(shape, ctx=None, dtype=None, stype=None, **kwargs):
        if stype not in (None, "default"):
            raise NotImplementedError(
                f"{function.__name__}: stype={stype!r} is sparse. Arrays here are dense. Leave stype out."
            )
        kwargs.pop("name", None)
        return to_legacy(function(shape, ctx=ctx, dtype=dtype, **kwargs))

    del call.__wrapped__  # its own signature counts
    return call


zeros, ones, empty = _filled(np.zeros), _filled(np.ones), _filled(np.empty)


def full(shape, val, ctx=None, dtype=None, out=None) -> NDArray:
    """An NDArray of this shape, `val` everywhere."""
    return to_legacy(np.full(shape, val, dtype=dtype, ctx=ctx, out=out))


def arange(start, stop=None, step=1.0, repeat=1, infer_range=False, ctx=None, dtype="float32", device=None) -> NDArray:
    """Numbers from `start` (0 if `stop` is None) up to `stop`, each `repeat` times."""
    y = np.arange(start, stop, step, dtype=dtype, ctx=device if ctx is None else ctx)
    return to_legacy(y if repeat == 1 else y.repeat(repeat))


def array(source_array, ctx=None, dtype=None) -> NDArray:
    """An NDArray holding a copy of `source_array`; float32 unless it is an NDArray or a dtype is given."""
    if dtype is None:
        dtype = source_array.dtype if isinstance(source_array, ndarray) else "float32"
    return to_legacy(np.array(source_array, dtype=dtype, ctx=ctx))


def zeros_like(data) -> NDArray:
    """Zeros of the shape and dtype of `data`."""
    return to_legacy(np.zeros_like(data))


def ones_like(data) -> NDArray:
    """Ones of the shape and dtype of `data`."""
    return to_legacy(np.ones_like(data))


def concat(*data, dim: int = 1) -> NDArray:
    """Arrays one after the other along `dim`."""
    return np.concatenate(data[0] if len(data) == 1 and isinstance(data[0], (list, tuple)) else data, axis=dim)


def stack(*data, axis: int = 0) -> NDArray:
    """Arrays of one shape along a new axis."""
    return np.stack(data[0] if len(data) == 1 and isinstance(data[0], (list, tuple)) else data, axis=axis)


def add_n(*args) -> NDArray:
    """The sum of all arguments."""
    total = args[0]
    for x in args[1:]:
        total = total + x
    return total


def dot(lhs, rhs, transpose_a: bool = False, transpose_b: bool = False) -> NDArray:
    """Product of the last axis of `lhs` with the first of `rhs`, either one transposed first."""
    a, b = lhs.T if transpose_a else lhs, rhs.T if transpose_b else rhs
    return a.dot(b) if b.ndim <= 2 else np.tensordot(a, b, 1)


def norm(data, ord=2, axis=None, keepdims=False) -> NDArray:
    """Vector norm of order 1 or 2."""
    return data.norm(ord, axis, keepdims)


def _method(name):
    def call(data, *args, **kwargs):
        kwargs.pop("name", None)
        return getattr(data, name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`data.{name}(...)` as a function."
    return call


_UNARY = (
    "abs exp expm1 log log1p log2 log10 sqrt square sign sin cos tan tanh sinh cosh floor ceil trunc rint round arcsin"
    " arccos arctan"
)
_REDUCE = "argmax argmin"
_SHAPE = "transpose expand_dims squeeze tile repeat flip swapaxes clip take"
globals().update({name: _method(name) for name in f"{_UNARY} {_REDUCE} {_SHAPE}".split()})
relu, sigmoid, gelu, erf = npx.relu, npx.sigmoid, npx.gelu, npx.erf
softmax, log_softmax, batch_dot, smooth_l1 = npx.softmax, npx.log_softmax, npx.batch_dot, npx.smooth_l1
maximum, minimum, power = np.maximum, np.minimum, np.power
broadcast_to = _method("broadcast_to")


def where(condition, x=None, y=None) -> NDArray:
    """`x` where `condition` holds, else `y`; a condition with one axis chooses whole rows."""
    if condition.ndim == 1 and x is not None and x.ndim > 1:
        condition = condition.reshape((-1,) + (1,) * (x.ndim - 1))
    return np.where(condition, x, y)


def softrelu(data) -> NDArray:
    """log(1 + exp(x))"""
    return npx.softplus(data)


def _legacy_binary(function, float_answer=False):
    def call(lhs, rhs, out=None):
        y = function(lhs, rhs)
        y = to_legacy(astype(y, "float32") if float_answer else y)
        if out is not None:
            out[:] = y
            return out
        return y

    call.__name__ = call.__qualname__ = function.__name__
    call.__doc__ = function.__doc__
    return call


for _legacy, _ours in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "maximum": np.maximum,
                       "minimum": np.minimum, "power": np.power, "mod": np.mod, "hypot": np.hypot}.items():  # fmt: skip
    globals()[f"broadcast_{_legacy}"] = globals()[f"elemwise_{_legacy}"] = _legacy_binary(_ours)
for _legacy, _ours in {"equal": np.equal, "not_equal": np.not_equal, "greater": np.greater, "lesser": np.less,
                       "greater_equal": np.greater_equal, "lesser_equal": np.less_equal}.items():  # fmt: skip
    globals()[f"broadcast_{_legacy}"] = _legacy_binary(_ours, float_answer=True)


def broadcast_axis(data, axis, size) -> NDArray:
    """`data` repeated `size` times along axes of length 1."""
    axes, sizes = ((axis,), (size,)) if isinstance(axis, int) else (axis, size)
    shape = list(data.shape)
    for k, n in zip(axes, sizes, strict=True):
        shape[k] = n
    return data.broadcast_to(tuple(shape))


def split(data, num_outputs: int, axis: int = 1, squeeze_axis: bool = False):
    """`num_outputs` equal parts along `axis` (the part itself if there is one)."""
    parts = np.split(data, num_outputs, axis)
    if squeeze_axis:
        parts = [p.squeeze(axis) for p in parts]
    return parts if len(parts) > 1 else parts[0]


SliceChannel, Concat, ElementWiseSum = split, concat, add_n


def flatten(data) -> NDArray:
    """`(batch, everything else)`."""
    return npx.batch_flatten(data)


Flatten = flatten


def waitall() -> None:
    """Return when every computation is done: at once on the CPU."""


save = files.save


def load(fname: str):
    """Read what `save` (or MXNet) wrote: a list of arrays, or a dict if they have names."""
    return files.load(fname, array)


def load_frombuffer(buf: bytes):
    """What `load` gives for a file with the contents `buf`."""
    return files.load(buf, array)


def random_shuffle(data) -> NDArray:
    """A copy with the first axis in random order."""
    return _random.shuffle(data)
