"""What lane functions become inside compiled code. Imports numba: only `compiler.py` may import this."""
import inspect
import types as python_types

import numpy
from numba.core import types
from numba.extending import intrinsic

from . import lane_memory, lanes
from .lane_values import Value


def _numba(T):
    """Numba's type for a dtype."""
    name = numpy.dtype(T).name
    return types.boolean if name == "bool" else getattr(types, name)


def _dtype(numba_type):
    name = str(types.unliteral(numba_type))
    return "bool" if name == "boolean" else name


def compile_lanes(namespace: dict) -> dict:
    """Intrinsics for the lane functions of a kernel text, by name.

    Lane functions call each other as plain Python while instructions are written, so they get a namespace of
    their own in which those names keep their plain meaning.
    """
    plain = dict(namespace)
    for key, value in namespace.items():
        if isinstance(value, python_types.FunctionType) and hasattr(value, "lane"):
            plain[key] = python_types.FunctionType(value.__code__, plain, key)
            plain[key].lane = value.lane
    return {
        key: _lane(value)
        for key, value in plain.items()
        if isinstance(value, python_types.FunctionType) and hasattr(value, "lane")
    }


def _lane(function):
    out = _numba(function.lane)

    def typing(typingctx, *args):
        args = tuple(types.unliteral(x) for x in args)

        def codegen(context, builder, signature, values):
            given = [Value(builder, v, _dtype(t)) for v, t in zip(values, signature.args, strict=True)]
            found = function(*given)
            if not isinstance(found, Value):
                found = Value(builder, None, _dtype(out)).like(found)
            if found.dtype != _dtype(out):
                raise TypeError(f"{function.__name__}: returns {found.dtype}, declared {_dtype(out)}")
            return found.ir

        return out(*args), codegen

    names = list(inspect.signature(function).parameters)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    typing.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in ["typingctx", *names]])
    typing.__name__ = typing.__qualname__ = function.__name__
    return intrinsic(typing)


@intrinsic
def load(typingctx, p, i):
    """`p[i]` as the prelude's `load`, marked as reading what no store of the kernel writes."""

    def codegen(context, builder, signature, args):
        return lane_memory.load(builder, *args, align=_align(context, p.dtype))

    return p.dtype(p, types.intp), codegen


@intrinsic(prefer_literal=True)
def store(typingctx, p, i, value, k):
    """`p[i] = value`, marked as the kernel's `k`-th output, which overlaps no other."""
    number = k.literal_value

    def codegen(context, builder, signature, args):
        lane_memory.store(builder, *args[:3], number, align=_align(context, p.dtype))
        return context.get_dummy_value()

    return types.void(p, types.intp, p.dtype, k), codegen


def _align(context, dtype):
    return context.get_abi_sizeof(context.get_data_type(dtype))


COMPILED = {lanes.load: load, lanes.store: store}
