"""Elementwise functions under NumPy's names. Each calls one op of `numblocks.ops`."""

from __future__ import annotations

import numpy

from ..array import ndarray
from ..op import Op, bind
from ..ops import elementwise as ew
from ..ops.kinds import directly
from .creation import array
from .host import values
from .indexing import check_writable

_OPERANDS = (ndarray, int, float, numpy.ndarray, numpy.generic)


def operand(x):
    """Lists and tuples become arrays; arrays and numbers stay."""
    return x if isinstance(x, _OPERANDS) else array(x)


def deliver(y, out, where=True):
    """`y`, or `out` filled with it (only where `where` is true)."""
    if out is None:
        return y
    if not isinstance(out, ndarray):
        raise TypeError(f"out: got {type(out).__name__}. Results are written into ndarrays. Pass an ndarray or None.")
    if out.shape != y.shape:
        raise ValueError(f"out: has shape {out.shape} but the result has shape {y.shape}. They must be equal.")
    check_writable(out, "out=", y)
    numpy.copyto(out._data, y._data, casting="unsafe", where=where._data if isinstance(where, ndarray) else where)
    return out


def function(op: Op, name: str | None = None):
    """A public function `f(x, out=None, where=True)` or `f(x1, x2, out=None, where=True)` that binds `op`.

    In `npx` the argument of the first is called `data`: `layer_function`.
    """
    short = directly(op, lambda *args: bind(op, tuple(map(operand, args)), {}))

    def unary(x, out=None, where=True):
        y = short(x)
        return y if out is None and where is True else written(y, out, where)

    def binary(x1, x2, out=None, where=True):
        y = short(x1, x2)
        return y if out is None and where is True else written(y, out, where)

    def written(y, out, where):
        return ew.where(operand(where), y, 0) if out is None else deliver(y, out, where)  # NumPy leaves the others open

    call = unary if op.nin == 1 else binary
    call.__name__ = call.__qualname__ = name or op.name
    call.__doc__ = op.help or f"Elementwise {call.__name__}, as NumPy's; arguments broadcast and are differentiable."
    return call


def layer_function(op: Op, name: str | None = None):
    """A public function `f(data, out=None)` of `npx` that binds `op`."""
    short = directly(op, lambda x: bind(op, (operand(x),), {}))

    def call(data, out=None, name=None):
        y = short(data)
        return y if out is None else deliver(y, out)

    call.__name__ = call.__qualname__ = name or op.name
    call.__doc__ = op.help or f"Elementwise {call.__name__}; differentiable."
    return call


add, subtract, multiply = function(ew.add), function(ew.subtract), function(ew.multiply)
divide = function(ew.divide)
true_divide = divide
power, mod, floor_divide = function(ew.power), function(ew.mod), function(ew.floor_divide)
remainder = mod
negative, reciprocal, sign, square = (
    function(ew.negative),
    function(ew.reciprocal),
    function(ew.sign),
    function(ew.square),
)
abs = function(ew.abs_, "abs")
absolute = fabs = abs
sqrt, rsqrt, cbrt = function(ew.sqrt), function(ew.rsqrt), function(ew.cbrt)
maximum, minimum, hypot = function(ew.maximum), function(ew.minimum), function(ew.hypot)
exp, expm1, exp2 = function(ew.exp), function(ew.expm1), function(ew.exp2)
log, log1p, log2, log10 = function(ew.log), function(ew.log1p), function(ew.log2), function(ew.log10)
sin, cos, tan = function(ew.sin), function(ew.cos), function(ew.tan)
arcsin, arccos, arctan, arctan2 = function(ew.arcsin), function(ew.arccos), function(ew.arctan), function(ew.arctan2)
sinh, cosh, tanh = function(ew.sinh), function(ew.cosh), function(ew.tanh)
arcsinh, arccosh, arctanh = function(ew.arcsinh), function(ew.arccosh), function(ew.arctanh)
radians, degrees = function(ew.radians), function(ew.degrees)
deg2rad, rad2deg = radians, degrees
floor, ceil, trunc, rint = function(ew.floor), function(ew.ceil), function(ew.trunc), function(ew.rint)
fix = trunc
equal, not_equal, less, less_equal = (
    function(ew.equal),
    function(ew.not_equal),
    function(ew.less),
    function(ew.less_equal),
)
greater, greater_equal = function(ew.greater), function(ew.greater_equal)
logical_and, logical_or = function(ew.logical_and), function(ew.logical_or)
logical_xor, logical_not = function(ew.logical_xor), function(ew.logical_not)
isnan, isinf, isfinite = function(ew.isnan), function(ew.isinf), function(ew.isfinite)


def clip(a, a_min=None, a_max=None, out=None) -> ndarray:
    """Values limited to [a_min, a_max]; None leaves a side open.

    >>> clip(array([-2., 0., 2.]), -1, 1)
    array([-1.,  0.,  1.])
    """
    if a_min is None and a_max is None:
        raise ValueError("clip: both limits are None. At least one is needed. Give a_min or a_max.")
    a = operand(a)
    if a_min is None:
        return deliver(ew.minimum(a, a_max), out)
    if a_max is None:
        return deliver(ew.maximum(a, a_min), out)
    return deliver(ew.clip(a, a_min, a_max), out)


def where(condition, x=None, y=None):
    """`x` where `condition` holds, else `y`; with the condition alone, the indices where it holds."""
    if x is None and y is None:
        return nonzero(condition)
    c = operand(condition)
    if not isinstance(c, ndarray):
        c = array(c)
    if c.dtype.kind != "b":
        c = ew.not_equal(c, 0)
    return ew.where(c, operand(x), operand(y))


def nonzero(a) -> tuple[ndarray, ...]:
    """The indices (int64) of the elements that are not zero, one array for each axis."""
    a = operand(a)
    return tuple(array(k) for k in numpy.nonzero(values(a, "nonzero")))


def around(x, decimals: int = 0, out=None) -> ndarray:
    """Rounded to `decimals` places, halves to even."""
    x = operand(x)
    if decimals == 0:
        return deliver(ew.rint(x), out)
    scale = 10.0**decimals
    return deliver(ew.rint(x * scale) / scale, out)


round = round_ = around


__all__ = [
    "abs", "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "around", "cbrt", "ceil", "clip", "cos",
    "cosh", "deg2rad", "degrees", "divide", "equal", "exp", "exp2", "expm1", "fabs", "fix", "floor",
    "floor_divide", "greater", "greater_equal", "hypot", "isfinite", "isinf",
    "isnan", "less", "less_equal", "log", "log10", "log1p", "log2", "logical_and", "logical_not",
    "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply", "negative", "nonzero",
    "not_equal", "power", "rad2deg", "radians", "reciprocal", "remainder", "rint", "round", "round_",
    "rsqrt", "sign", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "true_divide", "trunc",
    "where",
]  # fmt: skip
