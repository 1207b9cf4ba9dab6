"""Values and expressions of the direct translator; Numba's rules for types hold.

Integers compute as int64, two floats as the wider one, a float and an integer as float64, and nothing is checked.
"""

from __future__ import annotations

import ast
import math
import operator

import numpy
from llvmlite import ir

from . import lanes, tile_ir
from .lane_values import Value

I64, I1 = ir.IntType(64), ir.IntType(1)
NUMBERS = {
    "float32": ir.FloatType(),
    "float64": ir.DoubleType(),
    "bool": I1,
    **{f"{u}int{n}": ir.IntType(n) for u in ("", "u") for n in (8, 16, 32, 64)},
}
_FOLD = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.LShift: operator.lshift, ast.RShift: operator.rshift, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip
_INTEGER = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul"}
_FLOATING = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
_BITWISE = {ast.BitAnd: "and_", ast.BitOr: "or_", ast.BitXor: "xor"}
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


class Unsupported(Exception):
    """The text holds something that only Numba can compile."""


class Val:
    """A value while instructions are written: `kind` is a dtype name,
    `('pointer', dtype)` or `('tile', M, V, dtype)`."""

    __slots__ = ("kind", "ir")

    def __init__(self, kind, value):
        self.kind, self.ir = kind, value


def llvm_type(kind):
    """LLVM's type of a kind."""
    if isinstance(kind, str):
        return NUMBERS[kind]
    if kind[0] == "pointer":
        return NUMBERS[kind[1]].as_pointer()
    return tile_ir.tile_type(kind[1], kind[2], NUMBERS[kind[3]])


def dtype_of(T) -> str:
    """Name of the dtype that a name such as `float32` stands for."""
    if not (isinstance(T, type) and issubclass(T, (numpy.generic, bool))):
        raise Unsupported(f"{T} is no dtype")
    return numpy.dtype(T).name


def in_memory(T) -> str:
    """The same for an element in memory, where a bool is a byte."""
    name = dtype_of(T)
    if name != "bool" and name not in NUMBERS:
        raise Unsupported(name)
    return "uint8" if name == "bool" else name


def constant(x) -> Val:
    """A Python number as Numba types it."""
    if isinstance(x, bool):
        return Val("bool", I1(x))
    return Val("int64", I64(x)) if isinstance(x, int) else Val("float64", ir.DoubleType()(x))


class Values:
    """What an expression gives: a Val, or what is known now: a number, a dtype, a function.

    The class of statements derives from it and brings `unit` and `variables`.
    """

    @property
    def builder(self):
        return self.unit.builder

    # --- memory ---

    def place(self, node):
        """Pointer and index of `p[i]`."""
        p = self.visit(node.value)
        if not (isinstance(p, Val) and p.kind[0] == "pointer"):
            raise Unsupported(ast.unparse(node))
        return p, self.integer(self.visit(node.slice))

    def load(self, p, i):
        return Val(p.kind[1], self.builder.load(self.builder.gep(p.ir, [i])))

    def store(self, p, i, value):
        self.builder.store(self.cast(value, p.kind[1]), self.builder.gep(p.ir, [i]))

    # --- values ---

    def value(self, x) -> Val:
        if isinstance(x, Val):
            return x
        if isinstance(x, (bool, int, float)):
            return constant(x)
        raise Unsupported(repr(x))

    def number(self, x) -> Val:
        x = self.value(x)
        if not isinstance(x.kind, str):
            raise Unsupported("arithmetic with a pointer")
        return x

    def integer(self, x):
        """As int64."""
        x = self.number(x)
        if x.kind[0] not in "iu" or x.kind == "uint64":
            raise Unsupported(f"{x.kind} as an integer")
        return self.cast(x, "int64")

    def cast(self, x, dtype):
        """LLVM value of `x` in `dtype`, as an assignment or a call of the dtype converts it."""
        x = self.number(x)
        if x.kind == dtype:
            return x.ir
        if dtype == "bool":
            raise Unsupported("a number as a bool")
        if x.kind == "bool":
            x = Val("uint8", self.builder.zext(x.ir, ir.IntType(8)))
            if dtype == "uint8":
                return x.ir
        builder, source, target = self.builder, llvm_type(x.kind), llvm_type(dtype)
        if x.kind[0] == "f":
            if dtype[0] != "f":
                if dtype[0] == "u" or target.width < 32:
                    raise Unsupported(f"{x.kind} as {dtype}")
                return builder.fptosi(x.ir, target)
            return builder.fpext(x.ir, target) if dtype == "float64" else builder.fptrunc(x.ir, target)
        if dtype[0] == "f":
            return (builder.uitofp if x.kind[0] == "u" else builder.sitofp)(x.ir, target)
        if source.width == target.width:
            return x.ir
        if source.width > target.width:
            return builder.trunc(x.ir, target)
        return (builder.zext if x.kind[0] == "u" else builder.sext)(x.ir, target)

    def truth(self, x):
        """A condition: an i1, or a bool known now."""
        if isinstance(x, (bool, int)):
            return bool(x)
        x = self.number(x)
        if x.kind == "bool":
            return x.ir
        if x.kind[0] == "f":
            return self.builder.fcmp_unordered("!=", x.ir, llvm_type(x.kind)(0.0))
        return self.builder.icmp_signed("!=", x.ir, x.ir.type(0))

    def alike(self, a, b):
        """Two numbers in the kind they compute in."""
        a, b = self.number(a), self.number(b)
        if a.kind == b.kind == "bool":
            return "bool", a.ir, b.ir
        if a.kind[0] == "f" or b.kind[0] == "f":
            if "bool" in (a.kind, b.kind) or "uint64" in (a.kind, b.kind):
                raise Unsupported(f"{a.kind} with {b.kind}")
            small = {x.kind for x in (a, b)} & {"int8", "uint8", "int16", "uint16"}
            kind = a.kind if a.kind == b.kind else "float64"
            if small:
                raise Unsupported(f"{a.kind} with {b.kind}")
            return kind, self.cast(a, kind), self.cast(b, kind)
        if a.kind[0] == b.kind[0] == "u" or "uint64" in (a.kind, b.kind) or "bool" in (a.kind, b.kind):
            raise Unsupported(f"{a.kind} with {b.kind}")
        return "int64", self.cast(a, "int64"), self.cast(b, "int64")

    # --- expressions ---

    def visit(self, node):
        handler = getattr(self, f"see_{type(node).__name__}", None)
        if handler is None:
            raise Unsupported(type(node).__name__)
        return handler(node)

    def name(self, name):
        if name in self.variables:
            held = self.variables[name]
            return Val(held.kind, self.builder.load(held.ir))
        if name in self.unit.namespace:
            return self.unit.namespace[name]
        found = {"range": range, "min": min, "max": max, "bool": bool}.get(name)
        if found is None:
            raise Unsupported(f"the name {name}")
        return found

    def see_Name(self, node):
        return self.name(node.id)

    def see_Constant(self, node):
        if isinstance(node.value, (bool, int, float)):
            return node.value
        raise Unsupported(repr(node.value))

    def see_Attribute(self, node):
        if self.visit(node.value) is math and isinstance(getattr(math, node.attr, None), float):
            return getattr(math, node.attr)
        raise Unsupported(ast.unparse(node))

    def see_Subscript(self, node):
        return self.load(*self.place(node))

    def see_BinOp(self, node):
        return self.binary(node.op, self.visit(node.left), self.visit(node.right))

    def binary(self, op, left, right):
        op = type(op)
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            return _FOLD[op](left, right)
        kind, a, b = self.alike(left, right)
        builder = self.builder
        if kind == "bool":
            if op not in _BITWISE:
                raise Unsupported("arithmetic with bools")
            return Val(kind, getattr(builder, _BITWISE[op])(a, b))
        if kind[0] == "f":
            if op not in _FLOATING:
                raise Unsupported(f"{op.__name__} of floats")
            return Val(kind, getattr(builder, _FLOATING[op])(a, b))
        if op in _INTEGER:
            return Val(kind, getattr(builder, _INTEGER[op])(a, b, flags=["nsw"]))
        if op in _BITWISE:
            return Val(kind, getattr(builder, _BITWISE[op])(a, b))
        if op in (ast.LShift, ast.RShift) and type(right) is int and 0 <= right < 64:
            return Val(kind, (builder.shl if op is ast.LShift else builder.ashr)(a, b))
        if op in (ast.FloorDiv, ast.Mod):
            function = lanes.floordiv if op is ast.FloorDiv else lanes.mod
            return Val(kind, function(Value(builder, a, kind), Value(builder, b, kind)).ir)
        raise Unsupported(f"{op.__name__} of integers")

    def see_UnaryOp(self, node):
        x = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            test = self.truth(x)
            return not test if isinstance(test, bool) else Val("bool", self.builder.not_(test))
        if isinstance(node.op, ast.USub):
            if not isinstance(x, Val):
                return -x
            if x.kind[0] == "f":
                return Val(x.kind, self.builder.fneg(x.ir))
            return Val("int64", self.builder.sub(I64(0), self.integer(x), flags=["nsw"]))
        raise Unsupported(ast.unparse(node))

    def see_Compare(self, node):
        if len(node.ops) > 1:  # a < b < c: every operand once, the next only if the last held
            parts, left = [], node.left
            for op, right in zip(node.ops, node.comparators, strict=True):
                if not isinstance(right, (ast.Name, ast.Constant)):
                    raise Unsupported("a chain of comparisons")
                parts.append(ast.Compare(left, [op], [right]))
                left = right
            return self.see_BoolOp(ast.BoolOp(ast.And(), parts))
        left, right = self.visit(node.left), self.visit(node.comparators[0])
        op = _COMPARE.get(type(node.ops[0]))
        if op is None:
            raise Unsupported(ast.unparse(node))
        if not isinstance(left, Val) and not isinstance(right, Val):
            return bool(eval(f"a {op} b", {"a": left, "b": right}))
        kind, a, b = self.alike(left, right)
        if kind[0] == "f":
            compare = self.builder.fcmp_unordered if op == "!=" else self.builder.fcmp_ordered
        else:
            compare = self.builder.icmp_unsigned if kind == "bool" else self.builder.icmp_signed
        return Val("bool", compare(op, a, b))

    def see_BoolOp(self, node):
        """Left to right, no further than needed: what stands on the right may read memory."""
        stop = isinstance(node.op, ast.Or)
        *first, last = node.values
        end, ways = self.builder.append_basic_block("known"), []
        for one in first:
            test = self.truth(self.visit(one))
            test = I1(test) if isinstance(test, bool) else test
            ways.append(self.builder.block)
            more = self.builder.append_basic_block("more")
            self.builder.cbranch(test, *((end, more) if stop else (more, end)))
            self.builder.position_at_end(more)
        test = self.truth(self.visit(last))
        test, here = I1(test) if isinstance(test, bool) else test, self.builder.block
        self.builder.branch(end)
        self.builder.position_at_end(end)
        found = self.builder.phi(I1)
        for way in ways:
            found.add_incoming(I1(stop), way)
        found.add_incoming(test, here)
        return Val("bool", found)

    def see_IfExp(self, node):
        test = self.truth(self.visit(node.test))
        if isinstance(test, bool):
            return self.visit(node.body if test else node.orelse)
        then, other, end = self.blocks("then", "else", "end")
        self.builder.cbranch(test, then, other)
        found = []
        for start, expression in ((then, node.body), (other, node.orelse)):
            self.builder.position_at_end(start)
            found.append((self.value(self.visit(expression)), self.builder.block))
            self.builder.branch(end)
        (a, way), (b, detour) = found
        if a.kind != b.kind:
            raise Unsupported(f"{a.kind} if ... else {b.kind}")
        self.builder.position_at_end(end)
        value = self.builder.phi(llvm_type(a.kind))
        value.add_incoming(a.ir, way)
        value.add_incoming(b.ir, detour)
        return Val(a.kind, value)
