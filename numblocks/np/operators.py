"""The operators and methods of `ndarray`, attached to the class by name."""

from __future__ import annotations

import numpy

from .. import autograd, tape
from .. import dtype as dt
from ..array import Aval, ndarray, place, values, wrap
from ..device import usable
from ..errors import TraceError
from ..kernels import copying
from ..op import Op, bind, detached
from ..ops import elementwise as ew
from ..ops import integers as ints
from ..ops import matmul as mm
from ..ops import move
from ..ops.kinds import directly
from ..shortcut import launched, small
from ..shortcut.arrays import one
from . import (
    calculus,
    indexing,
    integers,
    math,
    missing,
    norms,
    padding,
    printing,
    products,
    reductions,
    repeating,
    shape,
    sorting,
    statistics,
)

_OPERANDS = (ndarray, int, float, numpy.ndarray, numpy.generic)
_NO_SPEC: dict = {}
_BACKWARDS = [tuple(reversed(range(n))) for n in range(65)]  # 64 axes are NumPy's limit


def _binary(op):
    def forward(self, other):
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return bind(op, (self, other), _NO_SPEC)

    return directly(op, forward)


def _reflected(op):
    def backward(self, other):
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        return bind(op, (other, self), _NO_SPEC)

    return small.reflected(op, launched.reflected(op, backward))


def _in_place(op, symbol):
    def update(self, other):
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        if isinstance(self._data, Aval) and not self._data.is_input:
            return op(self, other)  # a temporary of the trace: the name is rebound
        indexing.check_writable(self, f"x {symbol} value", other)
        y = op(self, other)
        if y.shape != self.shape:
            raise ValueError(
                f"x {symbol} value: the result has shape {y.shape} but x has shape {self.shape}. In place the"
                " shape cannot"
                f" change. Write x = x {symbol[:-1]} value."
            )
        numpy.copyto(self._data, y._data, casting="unsafe")
        return self

    return update


_OPS = {
    "add": (ew.add, "+="), "sub": (ew.subtract, "-="), "mul": (ew.multiply, "*="), "truediv": (ew.divide, "/="),
    "pow": (ew.power, "**="), "mod": (ew.mod, "%="), "floordiv": (ew.floor_divide, "//="),
}  # fmt: skip
_BITS = {
    "and": (ints.bitwise_and, "&="), "or": (ints.bitwise_or, "|="), "xor": (ints.bitwise_xor, "^="),
    "lshift": (ints.left_shift, "<<="), "rshift": (ints.right_shift, ">>="),
}  # fmt: skip
_COMPARISONS = {
    "eq": ew.equal, "ne": ew.not_equal, "lt": ew.less, "le": ew.less_equal, "gt": ew.greater, "ge": ew.greater_equal,
}  # fmt: skip


def _power(self, other):
    if type(other) in (int, float):
        if other == 2:
            return ew.square(self)
        if other == 0.5 and self.dtype.kind == "f":
            return ew.sqrt(self)
        if other == 1:
            return self * 1
    if not isinstance(other, _OPERANDS):
        return NotImplemented
    return ew.power(self, other)


def _matmul(self, other):
    if not isinstance(other, (ndarray, numpy.ndarray)):
        return NotImplemented
    return mm.inner_matmul(self, other if isinstance(other, ndarray) else wrap(other, self._device))


def _concrete(x: ndarray, what: str) -> numpy.ndarray:
    """The values, or a `TraceError` that says which call asked and what the array depends on."""
    data = x._data
    if type(data) is numpy.ndarray:
        return data
    if isinstance(data, Aval):
        raise TraceError(
            f"{what}: the array {data} is traced{data.origin()}, so it has no value yet: a hybridized Block is"
            " compiled for any"
            f" input. Values cannot steer Python. Use np.where for a choice by value, or leave this Block unhybridized."
        )
    return values(data)


def _scalar(convert, name):
    def method(self):
        data = _concrete(self, f"{name}()")
        if data.size != 1:
            raise TypeError(
                f"{name}(): an array of shape {self.shape} is not one value. Only size-1 arrays can be converted."
            )
        return convert(data.item())

    return method


def _bool(self):
    data = _concrete(self, "bool()")
    if data.size > 1:
        raise ValueError(
            f"bool(): the truth value of an array of shape {self.shape} with more than one element is ambiguous. Use"
            f" .any() or .all()."
        )
    return bool(data.item()) if data.size else False


def _index(self):
    data = _concrete(self, "index")
    if data.ndim or data.dtype.kind not in "iu":
        raise TypeError(f"index: an array of shape {self.shape} and dtype {data.dtype} is not an integer. Use int(x).")
    return int(data)


def asnumpy(self) -> numpy.ndarray:
    """A copy as a NumPy array of the same shape and dtype."""
    return _concrete(self, "asnumpy()").copy()


def item(self, *index):
    """The single value (or the one at `index`) as a Python scalar; `ValueError` if there are several."""
    data = _concrete(self, "item()")
    if not index and data.size != 1:
        raise ValueError(
            f"item(): an array of shape {self.shape} holds {data.size} values. Only one value becomes a Python scalar."
            f" Index or reduce it first."
        )
    return data.item(*index)


def asscalar(self):
    """The single value of the array as a Python scalar."""
    return item(self)


def tolist(self):
    """Nested Python lists of the values."""
    return _concrete(self, "tolist()").tolist()


def _iterate(self):
    if not self.shape:
        raise TypeError("iteration: the array is 0-d. There is nothing to iterate over. Use .item().")
    return (self[k] for k in range(self.shape[0]))


def _grad(self):
    node = self._node
    return node.grad if type(node) is tape.Leaf else None


def attach_grad(self, grad_req: str = "write", stype=None) -> None:
    """Make this array a variable: a zero gradient buffer that `backward` writes ('write') or adds to ('add')."""
    if grad_req not in ("write", "add", "null"):
        raise KeyError(
            f"attach_grad: grad_req is {grad_req!r}. It says how gradients are stored. Use 'write', 'add' or 'null'."
        )
    buffer = wrap(numpy.zeros(self.shape, self.dtype), self._device, type(self))
    tape.mark(self, buffer, grad_req)


def backward(self, out_grad=None, retain_graph: bool = False, train_mode: bool = True) -> None:
    """Compute gradients of this array (ones as head gradient unless given) for all variables it came from."""
    autograd.backward([self], None if out_grad is None else [out_grad], retain_graph, train_mode)


def drop_grad(self) -> None:
    """Forget the gradient buffer; the array is no variable any more."""
    self._node = None


def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
    """Cast to `dtype`; with copy=False the array itself if it has that dtype."""
    want = dt.as_dtype(dtype)
    if self._data.dtype == want:
        return self if not copy else self.copy()
    return ew.cast.direct(self, dt.NAMES[want])


def copy(self, order="C"):
    """The same values in memory of their own; on the tape."""
    return _copied(self)


_copied = one(ew.cast, copying.copy, lambda d: {"dtype": dt.NAMES[d.dtype]},
              lambda x: ew.cast(x, dtype=x.dtype.name), numpy.inf)  # fmt: skip


def copyto(self, other):
    """Write the values into another array (returned), or onto a device."""
    if isinstance(other, ndarray):
        if other.shape != self.shape:
            raise ValueError(f"copyto: shapes {self.shape} and {other.shape} differ. Reshape one of them.")
        numpy.copyto(other._data, _concrete(self, "copyto()"), casting="unsafe")
        return other
    return place(_concrete(self, "copyto()").copy(), usable(other), type(self))


def as_in_ctx(self, ctx):
    """This array if it lives on `ctx`, else a copy there; a copy stays on the tape."""
    if self._device is ctx:
        return self
    y = place(_concrete(self, "as_in_ctx()").copy(), usable(ctx), type(self))
    if self._node is not None and autograd.is_recording():
        autograd.current.record(_across, (self,), _NO_SPEC, y)
    return y


# how a copy between devices stands on the tape: the cotangent goes back to where the array came from
_across = Op("as_in_ctx", "opaque", None, registered=False, vjp=(lambda g, y, x: as_in_ctx(g, x._device),))


def reshape(self, *shape, order="C", **kwargs):
    """Another shape with as many elements: `x.reshape(2, -1)` or `x.reshape((2, -1))`.

    In a tuple, a 0 stands for the size of that axis, as in Gluon 1.x, unless the array is empty.
    """
    if not kwargs and type(shape[0] if shape else None) is int:
        return move.reshape.direct(self, shape=shape)
    if kwargs:
        shape = kwargs.get("shape", kwargs.get("newshape", shape))
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = shape[0]
    sizes = tuple(int(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))
    if 0 in sizes and self.size and all(n or k < self.ndim for k, n in enumerate(sizes)):
        sizes = tuple(n or self.shape[k] for k, n in enumerate(sizes))
    return move.reshape(self, shape=sizes)


def transpose(self, *order, axes=None):
    """Axes reversed, or in the given order: numbers, or a tuple, which may be called `axes` as in Gluon 1.x."""
    if len(order) == 1 and (order[0] is None or isinstance(order[0], (tuple, list))):
        order = order[0]
    return shape.transpose(self, order or axes or None)


def _transposed(self):
    data = self._data
    if type(data) is not numpy.ndarray:
        return shape.transpose(self)
    return small.view(move.transpose, self, data.T, {"axes": _BACKWARDS[data.ndim]})


def flatten(self, order="C"):
    """A copy with one axis."""
    return copy(shape.ravel(self))


def dot(self, other):
    """NumPy's dot product."""
    return mm.dot(self, other)


def array_interface(self, dtype=None, copy=None) -> numpy.ndarray:
    """NumPy's view of the array (`numpy.asarray(x)`); the buffer itself when neither copy nor cast is asked."""
    data = _concrete(self, "numpy.asarray()")
    if dtype is not None and data.dtype != dtype:
        return data.astype(dtype)
    return data.copy() if copy else data


def array_ufunc(self, ufunc, method, *inputs, out=None, **kwargs):
    """NumPy ufuncs on our arrays: ours where one of that name exists, else NumPy's on the values."""
    ours = getattr(math, ufunc.__name__, None)
    if method == "__call__" and out is None and not kwargs and ours is not None:
        return ours(*inputs)
    raw = [_concrete(x, f"numpy.{ufunc.__name__}") if isinstance(x, ndarray) else x for x in inputs]
    if out is not None:
        kwargs["out"] = tuple(o._data if isinstance(o, ndarray) else o for o in out)
    result = getattr(ufunc, method)(*raw, **kwargs)
    if out is not None:
        return out[0]
    return wrap(numpy.asarray(result), self._device, type(self)) if method == "__call__" else result


_METHODS = {
    "asnumpy": asnumpy, "item": item, "asscalar": asscalar, "tolist": tolist, "attach_grad": attach_grad,
    "backward": backward, "drop_grad": drop_grad, "astype": astype, "copy": copy, "copyto": copyto,
    "as_in_ctx": as_in_ctx, "as_in_context": as_in_ctx, "to_device": as_in_ctx, "reshape": reshape,
    "transpose": transpose, "flatten": flatten, "dot": dot, "detach": detached, "ravel": shape.ravel,
    "__getitem__": indexing.getitem, "__setitem__": indexing.setitem, "__matmul__": small.matrices(mm.matmul,
        _matmul),
    "__pow__": _power,
    "__neg__": ew.negative.direct, "__pos__": lambda self: self, "__abs__": ew.abs_.direct,
    "__invert__": lambda self: ew.logical_not(self) if self.dtype.kind == "b" else integers.invert(self),
    "__divmod__": lambda self, o: (self // o, self % o), "__rdivmod__": lambda self, o: (o // self, o % self),
    "__rmatmul__": lambda self, o: mm.inner_matmul(wrap(numpy.asarray(o), self._device), self),
    "__float__": _scalar(float, "float"), "__int__": _scalar(int, "int"), "__bool__": _bool, "__index__": _index,
    "__complex__": _scalar(complex, "complex"), "__iter__": _iterate, "__repr__": printing.array_repr,
    "__str__": printing.array_str, "__array__": array_interface, "__array_ufunc__": array_ufunc,
    "__format__": lambda self, spec: format(self.item(), spec) if spec else str(self), "__hash__": object.__hash__,
    "__copy__": copy, "__deepcopy__": lambda self, memo: wrap(_concrete(self, "deepcopy").copy(), self._device,
        type(self)),
    "__reduce__": lambda self: (_rebuild, (self.asnumpy(), self._device, type(self))),
    "as_np_ndarray": lambda self: self,
}  # fmt: skip


def _rebuild(data, device, cls):
    return wrap(data, device, cls)


def _attach() -> None:
    for name, (op, symbol) in _OPS.items():
        setattr(ndarray, f"__{name}__", _binary(op))
        setattr(ndarray, f"__r{name}__", _reflected(op))
        setattr(ndarray, f"__i{name}__", _in_place(op, symbol))
    for name, (op, symbol) in _BITS.items():
        setattr(ndarray, f"__{name}__", lambda self, other, op=op: bind(op, (self, other), _NO_SPEC))
        setattr(ndarray, f"__r{name}__", lambda self, other, op=op: bind(op, (other, self), _NO_SPEC))
        setattr(ndarray, f"__i{name}__", _in_place(op, symbol))
    for name, op in _COMPARISONS.items():
        setattr(ndarray, f"__{name}__", _binary(op))
    for name, method in _METHODS.items():
        setattr(ndarray, name, method)
    for module, names in (
        (calculus, "cumprod"),
        (statistics, "ptp"),
        (reductions, "sum mean max min prod std var argmax argmin cumsum any all"),
        (sorting, "sort argsort"),
        (missing, "nansum nanprod"),
        (products, "diagonal trace"),
        (norms, "norm"),
        (math,
            "clip abs exp expm1 log log1p log2 log10 sqrt square sign sin cos tan tanh sinh cosh floor ceil trunc rint"
               " round nonzero arcsin arccos arctan arccosh arcsinh arctanh cbrt degrees radians fix reciprocal rsqrt"),
        (repeating, "repeat tile flip"),
        (shape, "squeeze swapaxes expand_dims split broadcast_to diag"),
        (padding, "pad"),
        (indexing, "take"),
    ):  # fmt: skip
        for name in names.split():
            setattr(ndarray, name, getattr(module, name))
    ndarray.grad = property(_grad, doc="The gradient buffer after `attach_grad()`, else None.")
    ndarray.writable = property(lambda self: self._data.flags.writeable, doc="Whether the buffer may be written.")
    ndarray.reshape_view = reshape
    ndarray.T = property(_transposed, doc="Axes reversed.")
    ndarray.broadcast_like = lambda self, other: shape.broadcast_to(self, other.shape)
    ndarray.zeros_like = lambda self: self * 0
    ndarray.ones_like = lambda self: self * 0 + 1
    ndarray.slice_axis = lambda self, axis, begin, end: self[(slice(None),) * (axis % self.ndim) + (slice(begin, end),)]
    ndarray.reshape_like = lambda self, other: move.reshape(self, shape=other.shape)


_attach()
