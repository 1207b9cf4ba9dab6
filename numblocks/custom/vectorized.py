"""A scalar function over whole NumPy arrays: what serves small arrays without compiling anything."""

from __future__ import annotations

import ast
import functools

import numpy

from ..kernels.scalars import Scalar, function_of

NAMES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "pow": "power", "fabs": "abs",
}  # fmt: skip


class _Rewrite(ast.NodeTransformer):
    """math to NumPy, choices to `where`, truth to logic."""

    def visit_Attribute(self, node):
        if isinstance(node.value, ast.Name) and node.value.id == "math":
            name = NAMES.get(node.attr, node.attr)
            if not hasattr(numpy, name):
                raise LookupError(node.attr)
            return ast.Attribute(ast.Name("numpy", ast.Load()), name, ast.Load())
        return node

    def visit_IfExp(self, node):
        return self.numpy("where", *map(self.visit, (node.test, node.body, node.orelse)))

    def visit_BoolOp(self, node):
        name = "logical_and" if isinstance(node.op, ast.And) else "logical_or"
        return functools.reduce(lambda a, b: self.numpy(name, a, b), map(self.visit, node.values))

    def visit_UnaryOp(self, node):
        operand = self.visit(node.operand)
        return self.numpy("logical_not", operand) if isinstance(node.op, ast.Not) else ast.UnaryOp(node.op, operand)

    def visit_Compare(self, node):
        parts, left = [], self.visit(node.left)
        for op, right in zip(node.ops, map(self.visit, node.comparators), strict=True):
            parts.append(ast.Compare(left, [op], [right]))
            left = right
        return functools.reduce(lambda a, b: self.numpy("logical_and", a, b), parts)

    def visit_Call(self, node):
        args = [self.visit(a) for a in node.args]
        name = getattr(node.func, "id", "")
        if name in ("min", "max"):
            return functools.reduce(lambda a, b: self.numpy({"min": "minimum", "max": "maximum"}[name], a, b), args)
        if name == "round":
            return self.numpy("rint", *args)
        return ast.Call(self.visit(node.func), args, [])

    @staticmethod
    def numpy(name, *args):
        return ast.Call(ast.Attribute(ast.Name("numpy", ast.Load()), name, ast.Load()), list(args), [])

    def block(self, statements) -> list:
        """Early returns become one choice at the end."""
        done = []
        for k, s in enumerate(statements):
            if isinstance(s, ast.If):
                branches = [self.expression(s.body), self.expression(s.orelse or statements[k + 1 :])]
                return [*done, ast.Return(self.numpy("where", self.visit(s.test), *branches))]
            done.append(self.visit(s))
            if isinstance(s, ast.Return):
                break
        return done

    def expression(self, statements):
        """What a branch returns; branches with assignments have no NumPy form."""
        block = self.block(statements)
        if len(block) != 1 or not isinstance(block[0], ast.Return):
            raise LookupError("assignments in a branch")
        return block[0].value


@functools.cache
def vectorized(fn: Scalar):
    """A function of NumPy arrays and numbers that computes `fn`, None if NumPy lacks something in it.

    >>> from numblocks.kernels.scalars import Scalar
    >>> vectorized(Scalar("relu", "def relu(x): return x if x > 0 else 0.0", 1))(numpy.array([-1.0, 2.0]))
    array([0., 2.])
    """
    namespace = {"numpy": numpy, "abs": numpy.abs}
    for used in fn.uses:
        namespace[used.name] = vectorized(used)
        if namespace[used.name] is None:
            return None
    try:
        tree = function_of(fn.source)
        tree.body = _Rewrite().block(tree.body)
    except LookupError:
        return None
    exec(compile(ast.fix_missing_locations(ast.Module([tree], [])), f"<numpy {fn.name}>", "exec"), namespace)
    return namespace[fn.name]
