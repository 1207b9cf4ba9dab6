"""Derivatives of scalar functions, from their syntax tree: straight-line forward differentiation.

    def mish(x): return x * math.tanh(math.log1p(math.exp(x)))

Beside each assignment `t = ...` stands its derivative; the tests of conditions are not differentiated (the derivative
of a choice is the choice of the derivatives), so at a point where the branches meet it is that of the branch taken.
"""

from __future__ import annotations

import ast
import functools

from ..kernels.scalars import Scalar, function_of

# d f(x) / dx, with `x` for the argument and `y` for f(x)
ONE = {
    "sqrt": "0.5 / y", "exp": "y", "expm1": "y + 1.0", "exp2": "y * 0.6931471805599453", "log": "1.0 / x",
    "log1p": "1.0 / (1.0 + x)", "log2": "1.4426950408889634 / x", "log10": "0.4342944819032518 / x",
    "sin": "math.cos(x)",
    "cos": "-math.sin(x)", "tan": "1.0 + y * y", "asin": "1.0 / math.sqrt(1.0 - x * x)",
    "acos": "-1.0 / math.sqrt(1.0 - x * x)", "atan": "1.0 / (1.0 + x * x)", "sinh": "math.cosh(x)",
    "cosh": "math.sinh(x)",
    "tanh": "1.0 - y * y", "asinh": "1.0 / math.sqrt(x * x + 1.0)", "acosh": "1.0 / math.sqrt(x * x - 1.0)",
    "atanh": "1.0 / (1.0 - x * x)", "erf": "1.1283791670955126 * math.exp(-x * x)",
    "erfc": "-1.1283791670955126 * math.exp(-x * x)", "fabs": "1.0 if x > 0.0 else (-1.0 if x < 0.0 else 0.0)",
    "cbrt": "1.0 / (3.0 * y * y)", "radians": "0.017453292519943295", "degrees": "57.29577951308232",
}  # fmt: skip
FLAT = {"floor", "ceil", "trunc"}  # derivative 0 wherever there is one
TWO = {
    "pow": ("z * math.pow(x, z - 1.0)", "(y * math.log(x) if x > 0.0 else 0.0)"),
    "atan2": ("z / (x * x + z * z)", "-x / (x * x + z * z)"),
    "hypot": ("x / y", "z / y"),
    "copysign": ("1.0 if (x >= 0.0) == (z >= 0.0) else -1.0", "0.0"),
}


class NotDerivable(TypeError):
    """The scalar function uses something whose derivative is not known; give the VJP."""


@functools.cache
def derivative(fn: Scalar, index: int) -> Scalar:
    """The scalar function that is the partial derivative of `fn` in argument `index`.

    Raises:
        NotDerivable: names what cannot be differentiated.

    >>> from numblocks.kernels.scalars import Scalar
    >>> print(derivative(Scalar("cube", "def cube(x): return x * x * x", 1), 0).source)
    def cube_d0(x):
        return x * x + (x + x) * x
    """
    tree = function_of(fn.source)
    deriver = Deriver(fn, tree, index)
    body = deriver.block(tree.body)
    tree.name, tree.body = f"{fn.name}_d{index}", body
    uses = tuple({u.name: u for u in (*fn.uses, *deriver.uses)}.values())
    return Scalar(tree.name, ast.unparse(ast.fix_missing_locations(tree)), fn.nargs, uses, fn.where)


def parsed(text: str, **names) -> ast.expr:
    """An expression with expressions put in for names."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node):
            return names.get(node.id, node)

    return Put().visit(ast.parse(text, mode="eval").body)


ZERO = None  # the derivative of what does not depend on the argument


def plus(a, b, sign=ast.Add):
    """a + b or a - b where either may be zero."""
    if b is ZERO:
        return a
    if a is ZERO:
        return b if sign is ast.Add else ast.UnaryOp(ast.USub(), b)
    return ast.BinOp(a, sign(), b)


def times(a, b):
    """a * b where either may be zero, and a factor of one goes."""
    if a is ZERO or b is ZERO:
        return ZERO
    for x, y in ((a, b), (b, a)):
        if isinstance(x, ast.Constant) and x.value == 1.0:
            return y
    return ast.BinOp(a, ast.Mult(), b)


def solid(d) -> ast.expr:
    """A derivative as an expression."""
    return ast.Constant(0.0) if d is ZERO else d


class Deriver:
    """Differentiates expressions; keeps the derivative of each local name."""

    def __init__(self, fn: Scalar, tree: ast.FunctionDef, index: int):
        self.fn, self.uses = fn, []
        self.known = {u.name: u for u in fn.uses}
        names = [a.arg for a in tree.args.args]
        self.taken = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | set(names)
        self.d = {name: ast.Constant(1.0) if k == index else ZERO for k, name in enumerate(names)}

    def refuse(self, node):
        raise NotDerivable(
            f"{self.fn.name}: the derivative of `{ast.unparse(node)}` is not known. It is derived for arithmetic, math"
            f" functions, conditional expressions, min, max, abs and other scalars. Give the VJP: vjp=lambda g,"
            f" y, x: ..."
        )

    def block(self, statements) -> list:
        """The statements with derivatives beside them; `return` returns the derivative."""
        done = []
        for k, s in enumerate(statements):
            if isinstance(s, ast.Return):
                done.append(ast.Return(solid(self.of(s.value))))
                return done
            if isinstance(s, ast.Assign):
                done += self.assign(s.targets[0].id, s.value)
            elif isinstance(s, ast.AugAssign):
                done += self.assign(s.target.id, ast.BinOp(ast.Name(s.target.id, ast.Load()), s.op, s.value))
            elif isinstance(s, ast.If):
                held = dict(self.d)
                body = self.block(s.body)
                self.d = held
                done.append(ast.If(s.test, body, []))
                done += self.block(s.orelse or statements[k + 1 :])
                return done
        return done

    def assign(self, name: str, value) -> list:
        """`name = value` after `d_name = its derivative`, which may need the old value of `name`."""
        d = self.of(value)
        statements = []
        self.d[name] = ZERO
        if d is not ZERO:
            slope = f"d_{name}"
            while slope in self.taken:
                slope += "_"
            self.d[name] = ast.Name(slope, ast.Load())
            statements.append(ast.Assign([ast.Name(slope, ast.Store())], d))
        return [*statements, ast.Assign([ast.Name(name, ast.Store())], value)]

    def of(self, node):
        """The derivative of an expression, or ZERO."""
        if isinstance(node, (ast.Constant, ast.Compare, ast.BoolOp)) or (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "math"
        ):
            return ZERO
        if isinstance(node, ast.Name):
            return self.d.get(node.id, ZERO)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd, ast.Not)):
            d = self.of(node.operand)
            return (
                ZERO if isinstance(node.op, ast.Not) else d if isinstance(node.op, ast.UAdd) else plus(ZERO, d, ast.Sub)
            )
        if isinstance(node, ast.IfExp):
            a, b = self.of(node.body), self.of(node.orelse)
            return ZERO if a is ZERO and b is ZERO else ast.IfExp(node.test, solid(a), solid(b))
        if isinstance(node, ast.BinOp):
            return self.binary(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        return self.refuse(node)

    def binary(self, node):
        """Sums, products, quotients and powers."""
        a, b, da, db = node.left, node.right, self.of(node.left), self.of(node.right)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            return plus(da, db, type(node.op))
        if isinstance(node.op, ast.Mult):
            return plus(times(a, db), times(da, b))
        if isinstance(node.op, ast.Div):
            first = ZERO if da is ZERO else ast.BinOp(da, ast.Div(), b)
            return plus(first, ZERO if db is ZERO else parsed("a * d / (b * b)", a=a, b=b, d=db), ast.Sub)
        if isinstance(node.op, ast.Pow):
            if isinstance(b, ast.Constant) and da is not ZERO:
                n = b.value
                rest = a if n == 2 else ast.BinOp(a, ast.Pow(), ast.Constant(n - 1))
                return times(ast.BinOp(ast.Constant(float(n)), ast.Mult(), rest), da)
            return self.pair("pow", node, a, b, da, db)
        if isinstance(node.op, ast.Mod):
            return plus(da, ZERO if db is ZERO else times(parsed("math.floor(a / b)", a=a, b=b), db), ast.Sub)
        if isinstance(node.op, ast.FloorDiv):
            return ZERO
        return self.refuse(node)

    def pair(self, name, whole, a, b, da, db):
        """A math function of two arguments."""
        first, second = (parsed(t, x=a, z=b, y=whole) for t in TWO[name])
        return plus(times(first, da), times(second, db))

    def call(self, node):
        """The chain rule."""
        args, ds = node.args, [self.of(a) for a in node.args]
        if all(d is ZERO for d in ds):
            return ZERO
        f = node.func
        if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name) and f.value.id == "math":
            if f.attr in FLAT:
                return ZERO
            if f.attr in ONE:
                return times(parsed(ONE[f.attr], x=args[0], y=node), ds[0])
            if f.attr in TWO:
                return self.pair(f.attr, node, *args, *ds)
            return self.refuse(node)
        name = f.id if isinstance(f, ast.Name) else ""
        if name == "abs":
            return times(parsed(ONE["fabs"], x=args[0]), ds[0])
        if name == "round":
            return ZERO
        if name in ("min", "max") and len(args) >= 2:
            test = "a >= b" if name == "max" else "a <= b"
            best, d = args[0], ds[0]
            for other, slope in zip(args[1:], ds[1:], strict=True):
                d = ast.IfExp(parsed(test, a=best, b=other), solid(d), solid(slope))
                best = ast.Call(ast.Name(name, ast.Load()), [best, other], [])
            return d
        if name in self.known:
            total = ZERO
            for k, d in enumerate(ds):
                if d is not ZERO:
                    partial = derivative(self.known[name], k)
                    self.uses.append(partial)
                    total = plus(total, times(ast.Call(ast.Name(partial.name, ast.Load()), args, []), d))
            return total
        return self.refuse(node)


__all__ = ["NotDerivable", "derivative"]
