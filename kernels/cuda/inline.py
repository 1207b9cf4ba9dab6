"""A scalar function as CUDA expressions: typed like the CPU's text, but put in place instead of called.

    def gelu(x): return 0.5 * x * (1.0 + math.erf(x * 0.7071067811865476))

    t0 = (float32(0.5) * x) * (float32(1) + math.erf(x * float32(0.7071067811865476)))

The reading of the function, its types and its refusals are `rendering`'s. What differs is what the compiler for the
GPU needs: every integer intermediate is cast (Numba widens them), choices are conditional expressions, and the
functions of `math` are libdevice's instead of `mathlib`'s. Two functions called by one line share no names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from .. import typed
from ..rendering import Renderer, _bare
from ..scalars import Scalar, conditions, function_of

# Functions of `math` that the compiler maps to libdevice in the dtype of their argument.
MATH = frozenset(
    "acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh erf erfc exp exp2 expm1 floor fmod gamma hypot"
    " lgamma log log10 log1p log2 pow remainder sin sinh sqrt tan tanh trunc".split()
)
LIBDEVICE = frozenset(("cbrt", "rint"))  # what Python's math lacks, or Numba's part of it
_ATOM = re.compile(r"\w+|\w+\([-\w.]*\)")  # a name or a literal: may stand in a text twice

__all__ = ["Inline", "LIBDEVICE", "MATH"]


class Inline(Renderer):
    """One use of a scalar function.

    Args:
        fn: the function.
        dtype: of its operands.
        args: texts of the arguments, each a name.
        fresh: gives a name that nobody has yet.

    >>> from ..typed import scalar
    >>> def half(x): return 0.5 * x
    >>> Inline(scalar(half), "float32", ["t1"], str).render()
    ([], 'float32(0.5) * t1', 'float32')
    """

    def __init__(self, fn: Scalar, dtype: str, args: list[str], fresh: Callable[[str], str]):
        super().__init__(fn, dtype, typed.typed)
        self.fresh, self.lines = fresh, []
        self.tree = function_of(fn.source)
        self.own: dict[str, str] = {}
        for argument, text, asked in zip(self.tree.args.args, args, conditions(fn), strict=True):
            self.own[argument.arg] = text
            self.kinds[argument.arg] = "bool" if asked or dtype == "bool" else "number"

    def render(self) -> tuple[list[str], str, str]:
        """Statements that come before, the expression, and its dtype."""
        text, kind = self.block(self.tree.body, self.lines)
        return self.lines, _bare(text), "bool" if kind == "bool" else self.number

    # --- names ---

    def local(self, name):
        if name not in self.own:
            self.own[name] = self.fresh(name)
        return self.own[name]

    def assign(self, name, value, lines):
        text, kind = self.visit(value)
        self.own.pop(name, None)  # the branches of a choice are all computed: a name given again is another name
        self.kinds[name] = kind
        lines.append(f"{self.local(name)} = {_bare(text)}")

    def block(self, statements, lines):
        held = dict(self.own)
        try:
            return super().block(statements, lines)
        finally:
            self.own = held

    def atom(self, text):
        """`text` as something that may be repeated."""
        if _ATOM.fullmatch(text):
            return text
        name = self.fresh("v")
        self.lines.append(f"{name} = {_bare(text)}")
        return name

    # --- expressions ---

    def whole(self, text):
        """`text` in the function's dtype: what Numba would widen is cast."""
        return text if self.floating else f"{self.number}({_bare(text)})"

    def as_number(self, text, kind):
        return f"{self.number}({_bare(text)})" if kind == "bool" else text

    def select(self, test, a, b):
        kind = a[1] if a[1] == b[1] else "number"
        left, right = (a[0], b[0]) if kind == a[1] == b[1] else (self.as_number(*a), self.as_number(*b))
        return f"({left} if {_bare(test)} else {right})", kind

    def visit_Constant(self, node):
        return (str(node.value), "bool") if isinstance(node.value, bool) else super().visit_Constant(node)

    def visit_UnaryOp(self, node):
        text, kind = super().visit_UnaryOp(node)
        if text.startswith("(~") and kind == "bool":
            return f"(not {text[2:]}", kind
        return (self.whole(text) if text.startswith(("(-", "(~")) else text), kind

    def visit_BinOp(self, node):
        if isinstance(node.op, (ast.LShift, ast.RShift)) and not isinstance(node.right, ast.Constant):
            return self.shift(node), "number"
        text, kind = super().visit_BinOp(node)
        plain = not isinstance(node.op, (ast.Pow, ast.FloorDiv, ast.Mod))
        if plain:
            return (self.whole(text) if kind == "number" else text), kind
        return self.rewritten(text), kind

    def shift(self, node):
        """Shifts by the width or more fill, as NumPy's do."""
        right = isinstance(node.op, ast.RShift)
        left, by = self.atom(self.num(node.left)), self.atom(self.num(node.right))
        zero, unsigned = f"{self.number}(0)", self.number.startswith("u")
        fill = zero if unsigned or not right else f"({self.number}(-1) if {left} < {zero} else {zero})"
        width = f"{self.number}({self.number.lstrip('uint')})"
        inside = f"{by} < {width}" if unsigned else f"({by} >= {zero}) & ({by} < {width})"
        return f"({self.number}({left} {'>>' if right else '<<'} {by}) if {inside} else {fill})"

    def power(self, node):
        base, value = self.num(node.left), getattr(node.right, "value", None)
        if value == 2 and isinstance(node.left, ast.Name):
            return self.whole(f"({base} * {base})")
        if value == 0.5 and self.floating:
            return f"math.sqrt({_bare(base)})"
        return self.library("pow", [base, self.num(node.right)], node)

    def visit_Call(self, node):
        text, kind = super().visit_Call(node)
        return self.rewritten(text), kind

    def rewritten(self, text):
        """Calls of what lanes have and CUDA has not, in terms that CUDA has."""
        name, _, rest = text.partition("(")
        how = getattr(self, f"call_{name}", None)
        return text if how is None else how(*map(self.rewritten, _arguments(rest[:-1])))

    def call_abs(self, x):
        if self.number.startswith("u"):
            return x
        return f"abs({_bare(x)})" if self.floating else f"{self.number}(abs({_bare(x)}))"

    def call_rint(self, x):
        return f"{self.libdevice('rint')}({_bare(x)})" if self.floating else x

    def call_maximum(self, a, b, op=">="):
        """The larger; NaN if either is."""
        a, b = self.atom(a), self.atom(b)
        test = f"({a} {op} {b}) | ({a} != {a})" if self.floating else f"{a} {op} {b}"
        return f"({a} if {test} else {b})"

    def call_minimum(self, a, b):
        return self.call_maximum(a, b, "<=")

    def call_floordiv(self, a, b):
        return self.divided(a, b)[0]

    def call_mod(self, a, b):
        return self.divided(a, b)[1]

    def divided(self, a, b):
        """Quotient and remainder with NumPy's conventions: Python's, but integers by 0 give 0."""
        a, b, T = self.atom(a), self.atom(b), self.number
        if not self.floating:
            safe = self.atom(f"({b} if {b} != {T}(0) else {T}(1))")
            return (
                f"({T}({a} // {safe}) if {b} != {T}(0) else {T}(0))",
                f"({T}({a} % {safe}) if {b} != {T}(0) else {T}(0))",
            )
        zero = f"{T}(0)"
        r = self.atom(f"math.fmod({a}, {b})")
        q = self.atom(f"({a} - {r}) / {b}")
        turn = self.atom(f"({r} != {zero}) & (({b} < {zero}) != ({r} < {zero}))")
        q = self.atom(f"({q} - {T}(1) if {turn} else {q})")
        near = self.atom(f"math.floor({q})")
        near = self.atom(f"({near} + {T}(1) if {q} - {near} > {T}(0.5) else {near})")
        near = self.atom(f"(math.copysign({zero}, {a} / {b}) if {q} == {zero} else {near})")
        r = self.atom(f"({r} + {b} if {turn} else (math.copysign({zero}, {b}) if {r} == {zero} else {r}))")
        return f"({a} / {b} if {b} == {zero} else {near})", r

    def call_ipow(self, a, b):
        """By squaring; negative exponents give 0 unless the base is 1 or -1."""
        T, a, b = self.number, self.atom(a), self.atom(b)
        y, square, left = self.fresh("v"), self.fresh("v"), self.fresh("v")
        self.lines += [
            f"{y}, {square}, {left} = {T}(1), {a}, {b}",
            f"while {left} > {T}(0):",
            f"    {y} = {T}({y} * {square}) if {T}({left} & {T}(1)) != {T}(0) else {y}",
            f"    {square}, {left} = {T}({square} * {square}), {T}({left} >> {T}(1))",
        ]
        if T.startswith("u"):
            return y
        odd = f"{T}({b} & {T}(1)) != {T}(0)"
        below = f"({a} if ({a} == {T}(1)) | (({a} == {T}(-1)) & ({odd})) else {T}(abs({a}) == {T}(1)))"
        return f"({below} if {b} < {T}(0) else {y})"

    def scalar_call(self, used, node):
        if len(node.args) != used.nargs:
            return super().scalar_call(used, node)  # refuses
        args = [
            self.atom(self.truth(a) if asked or self.dtype == "bool" else self.num(a))
            for a, asked in zip(node.args, conditions(used), strict=True)
        ]
        lines, text, dtype = Inline(used, self.dtype, args, self.fresh).render()
        self.lines += lines
        return f"({text})", "bool" if dtype == "bool" else "number"

    def composed(self, node):
        """Libdevice has none of these."""

    def library(self, name, args, node):
        if name in ("floor", "ceil", "trunc") and not self.floating:
            return args[0]
        text = super().library(name, args, node)  # refuses what has no kernels
        if text.startswith("ipow("):
            return text
        args = ", ".join(map(_bare, args))
        if name in LIBDEVICE:
            return f"{self.libdevice(name)}({args})"
        if name in MATH:
            return f"math.{name}({args})"
        return self.refuse(node, f"math.{name} is not available on a GPU", "Compose it from others")

    def libdevice(self, name):
        return f"libdevice.{name}{'f' if self.number == 'float32' else ''}"


def _arguments(text: str) -> list[str]:
    """The arguments of a call, apart."""
    parts, depth, start = [], 0, 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(text[start:k].strip())
            start = k + 1
    return [*parts, text[start:].strip()]

