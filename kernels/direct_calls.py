"""Calls in the direct translator: casts, lane functions, the names of the prelude, tiles, the functions of a text."""

from __future__ import annotations

import ast
import types

import numpy
from llvmlite import ir

from . import lane_memory, lanes, prelude, tile, tile_ir
from .direct_values import NUMBERS, Unsupported, Val, Values, dtype_of, in_memory
from .lane_values import Value


class Calls(Values):
    """`f(x, ...)`."""

    def see_Call(self, node):
        if node.keywords:
            raise Unsupported("keywords")
        function = self.visit(node.func)
        args = [self.visit(a) for a in node.args]
        if isinstance(function, type) and issubclass(function, (numpy.generic, bool)):
            dtype = dtype_of(function)
            if len(args) == 1 and dtype in NUMBERS:
                return Val(dtype, self.cast(args[0], dtype))
        elif hasattr(function, "lane"):
            return self.lane(function, args)
        elif function in _BUILTIN:
            return _BUILTIN[function](self, *args)
        elif isinstance(function, types.FunctionType) and function.__name__ in self.unit.functions:
            return self.unit.inline(function.__name__, args)
        raise Unsupported(ast.unparse(node.func))

    def lane(self, function, args):
        given = [self.number(x) for x in args]
        found = function(*[Value(self.builder, x.ir, x.kind) for x in given])
        dtype = dtype_of(function.lane)
        if not isinstance(found, Value):
            found = Value(self.builder, None, dtype).like(found)
        if found.dtype != dtype:
            raise Unsupported(f"{function.__name__}: returns {found.dtype}, declared {dtype}")
        return Val(dtype, found.ir)

    def extremum(self, op, *args):
        if len(args) < 2:
            raise Unsupported("min or max of one")
        best = args[0]
        for x in args[1:]:
            if not isinstance(best, Val) and not isinstance(x, Val):
                best = (min if op == "<" else max)(best, x)
                continue
            best, x = self.integer(best), self.integer(x)
            best = Val("int64", self.builder.select(self.builder.icmp_signed(op, x, best), x, best))
        return best

    def pointer(self, address, T):
        dtype = in_memory(T)
        return Val(("pointer", dtype), self.builder.inttoptr(self.integer(address), NUMBERS[dtype].as_pointer()))

    def stack(self, count, T):
        if type(count) is not int:
            raise Unsupported("stack of a size that is no literal")
        return self.unit.stack(count, in_memory(T))

    def bits(self, x, source, target, through=None):
        """The bits of `x` read as another type; `through` LLVM's half for float16."""
        x = self.number(x)
        if x.kind != source:
            raise Unsupported(f"bits of {x.kind}")
        builder = self.builder
        if through is None:
            return Val(target, builder.bitcast(x.ir, NUMBERS[target]))
        if source == "uint16":
            return Val(target, builder.fpext(builder.bitcast(x.ir, through), NUMBERS[target]))
        return Val(target, builder.bitcast(builder.fptrunc(x.ir, through), NUMBERS[target]))

    def lane_load(self, p, i):
        dtype = p.kind[1]
        return Val(dtype, lane_memory.load(self.builder, p.ir, self.integer(i), numpy.dtype(dtype).itemsize))

    def lane_store(self, p, i, value, k):
        dtype = p.kind[1]
        value = self.cast(value, dtype)
        self.unit.stores += 1
        lane_memory.store(self.builder, p.ir, self.integer(i), value, k, numpy.dtype(dtype).itemsize)

    def tile(self, M, V, T):
        if type(M) is not int or type(V) is not int:
            raise Unsupported("tile of a size that is no literal")
        dtype = dtype_of(T)
        return Val(("tile", M, V, dtype), tile_ir.zeros(M, V, NUMBERS[dtype]))

    def on_tile(self, function, t, *args):
        """`outer`, `dots`, `dots_below`, `put`, `more`, `sums`: those that return a tile return one like `t`."""
        _, M, V, dtype = t.kind
        found = function(self.builder, M, V, NUMBERS[dtype], t.ir, *self.operands(args))
        return None if found is None else Val(t.kind, found)

    def on_rows(self, function, y, *rest):
        """`copy`, `window` and `turn`."""
        function(self.builder, NUMBERS[y.kind[1]], *self.operands((y, *rest)))

    def operands(self, args):
        pointers = [isinstance(x, Val) and x.kind[0] == "pointer" for x in args]
        return [x.ir if is_pointer else self.integer(x) for x, is_pointer in zip(args, pointers, strict=True)]


def _tile(name):
    function = getattr(tile_ir, name)
    if name in ("copy", "window", "turn"):
        return lambda body, *args: body.on_rows(function, *args)
    return lambda body, *args: body.on_tile(function, *args)


_HALF = ir.HalfType()
_BUILTIN = {
    min: lambda body, *args: body.extremum("<", *args),
    max: lambda body, *args: body.extremum(">", *args),
    prelude.pointer: Calls.pointer,
    prelude.stack: Calls.stack,
    prelude.bits_to_float: lambda body, x: body.bits(Val("int64", body.integer(x)), "int64", "float64"),
    prelude.float_to_bits: lambda body, x: body.bits(x, "float64", "int64"),
    prelude.bits_to_float32: lambda body, x: body.bits(x, "int32", "float32"),
    prelude.float32_to_bits: lambda body, x: body.bits(x, "float32", "int32"),
    prelude.half_to_float: lambda body, x: body.bits(x, "uint16", "float32", _HALF),
    prelude.float_to_half: lambda body, x: body.bits(x, "float32", "uint16", _HALF),
    lanes.load: Calls.lane_load,
    lanes.store: Calls.lane_store,
    tile.tile: Calls.tile,
    **{getattr(tile, name): _tile(name) for name in ("outer", "dots", "dots_below", "put", "more", "sums")},
    **{getattr(tile, name): _tile(name) for name in ("copy", "window", "turn")},
}
