"""From the syntax tree of a scalar function to the text of a typed one: expression by expression."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

from . import lanes, mathlib, prelude
from .scalars import Scalar, conditions, function_of

SUFFIX = {"float16": "f32", "float32": "f32", "float64": "f64", "bool": "b1"} | {
    f"{u}int{n}": f"{u or 'i'}{n}" for u in ("", "u") for n in (8, 16, 32, 64)
}
CONSTANTS = {name: getattr(math, name) for name in ("pi", "e", "tau", "inf", "nan")}
LANEWISE = {"sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "copysign": "copysign"}
_BINARY = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}
_COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True)
class Typed:
    """A rendered scalar: name and text of the lane function, dtype of its result, what it calls."""

    name: str
    text: str
    result: str
    needs: tuple[str, ...]


class Renderer:
    """Expression by expression: each gives its text and whether it is a number or a truth value."""

    def __init__(self, fn: Scalar, dtype: str, typed: Callable[[Scalar, str], Typed]):
        self.fn, self.dtype, self.typed = fn, dtype, typed
        if dtype not in SUFFIX:
            raise TypeError(f"{fn.name}: dtype {dtype!r} has no kernels. Use one of {', '.join(SUFFIX)}")
        self.number = {"float16": "float32", "bool": "int64"}.get(dtype, dtype)  # what arithmetic happens in
        self.floating = self.number.startswith("float")
        self.needs: dict[str, None] = {}
        self.kinds: dict[str, str] = {}
        self.scalars = {used.name: used for used in fn.uses}

    def function(self) -> Typed:
        tree = function_of(self.fn.source)
        for argument, asked in zip(tree.args.args, conditions(self.fn), strict=True):
            self.kinds[argument.arg] = "bool" if asked or self.dtype == "bool" else "number"
        lines: list[str] = []
        text, kind = self.block(tree.body, lines)
        name = f"{self.fn.name}_{SUFFIX[self.dtype]}"
        parameters = ", ".join(self.local(a.arg) for a in tree.args.args)
        if mathlib.has(name):
            if (
                text == f"{name}({parameters})" and not lines
            ):  # `def exp(x): return math.exp(x)` is exp itself
                texts = mathlib.closure(name)
                return Typed(name, texts.pop(name), self.number, tuple(texts))
            name = f"{self.fn.name}_op_{SUFFIX[self.dtype]}"
        result = "bool" if kind == "bool" else self.number
        head = f"@lane({result})\ndef {name}({parameters}):\n"
        body = "".join(f"    {line}\n" for line in [*lines, f"return {_bare(text)}"])
        return Typed(name, head + body, result, tuple(self.needs))

    def refuse(self, node, what, advice):
        file, first = self.fn.where
        line = first + getattr(node, "lineno", 1) - 1
        place = f"{file}, near line {line}" if file else f"line {getattr(node, 'lineno', 1)}"
        raise TypeError(
            f"{self.fn.name} ({place}): {what}. Scalar functions are arithmetic, comparisons, conditional"
            f" expressions, math, min, max, abs, round and other scalars. {advice}"
        )

    def local(self, name):
        """Names of the text's own functions and dtypes are not shadowed."""
        return name + "_" if name in RESERVED or name in self.scalars else name

    def block(self, statements, lines):
        """Text and kind of what `statements` return; assignments go to `lines`."""
        for k, s in enumerate(statements):
            if isinstance(s, ast.Return) and s.value is not None:
                return self.visit(s.value)
            if isinstance(s, ast.Assign) and len(s.targets) == 1 and isinstance(s.targets[0], ast.Name):
                self.assign(s.targets[0].id, s.value, lines)
            elif isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name):
                value = ast.copy_location(ast.BinOp(ast.Name(s.target.id, ast.Load()), s.op, s.value), s)
                self.assign(s.target.id, ast.fix_missing_locations(value), lines)
            elif isinstance(s, ast.If):
                test = self.truth(s.test)
                held = dict(self.kinds)
                a = self.block(s.body, lines)
                self.kinds = held
                return self.select(test, a, self.block(s.orelse or statements[k + 1 :], lines))
            elif not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)) and not isinstance(
                s, ast.Pass
            ):
                self.refuse(
                    s,
                    f"`{ast.unparse(s).splitlines()[0]}` is not straight-line arithmetic",
                    "Use assignments to names, `if ...: return`, and return",
                )
        return self.refuse(
            statements[-1] if statements else None, "not every path returns a value", "Add a return"
        )

    def assign(self, name, value, lines):
        text, kind = self.visit(value)
        self.kinds[name] = kind
        lines.append(f"{self.local(name)} = {_bare(text)}")

    def visit(self, node) -> tuple[str, str]:
        return getattr(self, f"visit_{type(node).__name__}", self.other)(node)

    def other(self, node):
        self.refuse(node, f"`{ast.unparse(node)}` is not allowed", "Write it in those terms")

    def num(self, node) -> str:
        return self.as_number(*self.visit(node))

    def as_number(self, text, kind):
        return f"cast({text}, {self.number})" if kind == "bool" else text

    def truth(self, node) -> str:
        text, kind = self.visit(node)
        return text if kind == "bool" else f"({text} != {self.number}(0))"

    def select(self, test, a, b):
        if a[1] == b[1]:
            return f"select({test}, {a[0]}, {b[0]})", a[1]
        return f"select({test}, {self.as_number(*a)}, {self.as_number(*b)})", "number"

    def literal(self, value, node):
        if self.floating:
            if value != value or value in (math.inf, -math.inf):
                sign, name = ("-", "inf") if value == -math.inf else ("", "nan" if value != value else "inf")
                return f"{self.number}({sign}math.{name})"
            return f"{self.number}({int(value) if value == int(value) and abs(value) < 1e16 else value!r})"
        if value != value or value in (math.inf, -math.inf) or value != int(value):
            self.refuse(
                node,
                f"the literal {value} does not exist in {self.dtype}",
                "Cast the operands to a float dtype",
            )
        return f"{self.number}({int(value)})"

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            return f"bool({node.value})", "bool"
        if isinstance(node.value, (int, float)):
            return self.literal(node.value, node), "number"
        return self.other(node)

    def visit_Name(self, node):
        if node.id not in self.kinds:
            self.refuse(
                node,
                f"the name `{node.id}` is not known",
                "Write constants as literals, or pass them as arguments",
            )
        return self.local(node.id), self.kinds[node.id]

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id == "math" and node.attr in CONSTANTS:
            return self.literal(CONSTANTS[node.attr], node), "number"
        return self.other(node)

    def visit_IfExp(self, node):
        return self.select(self.truth(node.test), self.visit(node.body), self.visit(node.orelse))

    def visit_BoolOp(self, node):
        op = " & " if isinstance(node.op, ast.And) else " | "
        values = [self.visit(v) for v in node.values]
        return "(" + op.join(
            t if k == "bool" else f"({t} != {self.number}(0))" for t, k in values
        ) + ")", "bool"

    def visit_Compare(self, node):
        parts, left = [], self.num(node.left)
        for op, right in zip(node.ops, node.comparators, strict=True):
            if type(op) not in _COMPARE:
                self.other(node)
            right = self.num(right)
            parts.append(f"({left} {_COMPARE[type(op)]} {right})")
            left = right
        return parts[0] if len(parts) == 1 else "(" + " & ".join(parts) + ")", "bool"

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.Not):
            text, kind = self.visit(node.operand)
            return (f"(~{text})" if kind == "bool" else f"({text} == {self.number}(0))"), "bool"
        if isinstance(node.op, ast.UAdd):
            return self.num(node.operand), "number"
        if isinstance(node.op, ast.USub):
            if (
                isinstance(node.operand, ast.Constant)
                and type(node.operand.value) in (int, float)
                and (not self.number.startswith("u"))
            ):
                value = node.operand.value
                if value != 0 or not self.floating:
                    return self.literal(-value, node), "number"
            return f"(-{self.num(node.operand)})", "number"
        if self.floating:
            self.refuse(
                node,
                f"`{ast.unparse(node)}` has no meaning in {self.dtype}",
                "Cast to an integer dtype first",
            )
        text, kind = self.visit(node.operand)
        return f"(~{text})", kind

    def visit_BinOp(self, node):
        if isinstance(node.op, ast.Pow):
            return self.power(node), "number"
        if isinstance(node.op, (ast.FloorDiv, ast.Mod)):
            name = "floordiv" if isinstance(node.op, ast.FloorDiv) else "mod"
            return f"{name}({self.num(node.left)}, {self.num(node.right)})", "number"
        op = _BINARY.get(type(node.op))
        if op is None:
            self.other(node)
        whole = self.composed(node)
        if whole is not None:
            return whole, "number"
        left, right = self.visit(node.left), self.visit(node.right)
        if op in "&|^":
            if left[1] == right[1] == "bool":
                return f"({left[0]} {op} {right[0]})", "bool"
        if op in ("<<", ">>", "&", "|", "^") and self.floating:
            self.refuse(node, f"`{op}` has no meaning in {self.dtype}", "Cast to an integer dtype first")
        if op == "/" and not self.floating:
            self.refuse(
                node,
                f"`/` of integers is not an integer ({self.dtype})",
                "Cast to a float dtype first, or use `//`",
            )
        return f"({self.as_number(*left)} {op} {self.as_number(*right)})", "number"

    def composed(self, node):
        """The text of an expression for which mathlib has one function, shorter than its parts; None for all others."""
        match node:
            case ast.BinOp(ast.Constant(1), ast.Add(), ast.Call(
                ast.Attribute(ast.Name("math"), "exp"), [ast.UnaryOp(ast.USub(), x)]
            )):  # fmt: skip
                name = "logistic_divisor"
            case ast.Call(ast.Attribute(ast.Name("math"), "log1p"), [ast.Call(
                ast.Attribute(ast.Name("math"), "exp"), [ast.UnaryOp(ast.USub(), ast.Call(ast.Name("abs"))) as x]
            )]):  # fmt: skip
                name = "log1pexp"
            case _:
                return None
        return self.library(name, [self.num(x)], node) if mathlib.has(f"{name}_{SUFFIX[self.dtype]}") else None

    def power(self, node):
        base, exponent = self.num(node.left), node.right
        value = exponent.value if isinstance(exponent, ast.Constant) else None
        if value == 2 and isinstance(node.left, ast.Name):
            return f"({base} * {base})"
        if value == 0.5 and self.floating:
            return f"sqrt({base})"
        return self.library("pow", [base, self.num(exponent)], node)

    def visit_Call(self, node):
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            self.refuse(node, f"`{ast.unparse(node)}` passes keywords or stars", "Pass positional arguments")
        f = node.func
        if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "math":
            return self.math_call(f.attr, node)
        if not isinstance(f, ast.Name):
            return self.other(node)
        if f.id in ("min", "max") and len(node.args) >= 2:
            name = {"min": "minimum", "max": "maximum"}[f.id]
            return functools.reduce(
                lambda a, b: f"{name}({a}, {b})", [self.num(a) for a in node.args]
            ), "number"
        if f.id == "abs" and len(node.args) == 1:
            return f"abs({self.num(node.args[0])})", "number"
        if f.id == "round" and len(node.args) == 1:
            return f"rint({self.num(node.args[0])})", "number"
        if f.id in self.scalars:
            return self.scalar_call(self.scalars[f.id], node)
        return self.refuse(
            node, f"the name `{f.id}` is not known", "Use math, or a scalar defined in the same module"
        )

    def scalar_call(self, used, node):
        if len(node.args) != used.nargs:
            self.refuse(
                node, f"{used.name} takes {used.nargs} arguments, not {len(node.args)}", "Pass as many"
            )
        found = self.typed(used, self.dtype)
        args = [
            self.truth(a) if asked or self.dtype == "bool" else self.num(a)
            for a, asked in zip(node.args, conditions(used), strict=True)
        ]
        return f"{found.name}({', '.join(args)})", "bool" if found.result == "bool" else "number"

    def math_call(self, name, node):
        arguments = node.args
        whole = self.composed(node)
        if whole is not None:
            return whole, "number"
        constant = self.folded(node)
        if constant is not None:
            return self.literal(constant, node), "number"
        if (
            name == "floor"
            and not self.floating
            and isinstance(arguments[0], ast.BinOp)
            and isinstance(arguments[0].op, ast.Div)
        ):
            return f"floordiv({self.num(arguments[0].left)}, {self.num(arguments[0].right)})", "number"
        if name == "fmod" and not self.floating and len(arguments) == 2:
            return self.visit(self.whole_fmod(*arguments))
        args = [self.num(a) for a in arguments]
        if name == "fabs":
            return f"abs({args[0]})", "number"
        if name == "isnan":
            return f"({args[0]} != {args[0]})", "bool"
        if name == "isinf":
            return (
                f"(abs({args[0]}) == {self.literal(math.inf, node)})" if self.floating else "bool(False)"
            ), "bool"
        if name == "isfinite":
            return (
                f"(abs({args[0]}) < {self.literal(math.inf, node)})" if self.floating else "bool(True)"
            ), "bool"
        return self.library(name, args, node), "number"

    def whole_fmod(self, a, b):
        """`math.fmod` of integers: `%`, but with the sign of `a`."""
        rest = ast.BinOp(a, ast.Mod(), b)
        apart = ast.Compare(ast.BinOp(a, ast.BitXor(), b), [ast.Lt()], [ast.Constant(0)])
        turn = ast.BoolOp(ast.And(), [ast.Compare(rest, [ast.NotEq()], [ast.Constant(0)]), apart])
        return ast.fix_missing_locations(ast.IfExp(turn, ast.BinOp(rest, ast.Sub(), b), rest))

    def folded(self, node):
        """Value of `math.log(2.0)` and its like: a constant is computed here, once, in double precision."""
        try:
            values = [
                a.value for a in node.args if isinstance(a, ast.Constant) and type(a.value) in (int, float)
            ]
            values = values if len(values) == len(node.args) else [CONSTANTS[a.attr] for a in node.args]
            return float(getattr(math, node.func.attr)(*values)) if self.floating and values else None
        except (AttributeError, KeyError, ValueError, OverflowError, TypeError):
            return None

    def library(self, name, args, node):
        if name in LANEWISE and (self.floating or name in ("floor", "ceil", "trunc")):
            return f"{LANEWISE[name]}({', '.join(args)})"
        if name == "pow" and not self.floating:
            return f"ipow({', '.join(args)})"
        symbol = {"gamma": "tgamma"}.get(name, name)
        own = f"{name}_{SUFFIX[self.dtype]}"
        if not self.floating and (mathlib.has(f"{name}_f32") or symbol in lanes.LIBM or name in LANEWISE):
            self.refuse(node, f"math.{name} needs a float dtype, not {self.dtype}", "Cast the operands first")
        if mathlib.has(own):
            if len(args) != mathlib.arity(own):
                self.refuse(node, f"math.{name} takes {mathlib.arity(own)} argument(s) here", "Pass as many")
            self.needs[own] = None
            return f"{own}({', '.join(args)})"
        if symbol in lanes.LIBM and lanes.LIBM[symbol] == len(args):
            return f'libm("{symbol}", {", ".join(args)})'
        return self.refuse(
            node, f"math.{name} with {len(args)} argument(s) is not available", "Compose it from others"
        )


def _bare(text):
    """`text` without parentheses that embrace all of it."""
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return text[1:-1] if text[0] == "(" and k == len(text) - 1 else text
    return text


RESERVED = (
    frozenset(lanes.__all__)
    | frozenset(prelude.__all__)
    | SUFFIX.keys()
    | {"abs", "bool", "cast"}
    | frozenset(mathlib.names())
)
