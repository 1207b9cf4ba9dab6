"""One op's arithmetic as data: a scalar function, read from the source of a plain Python function."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import math
import textwrap
import types
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scalar:
    """One op's scalar function.

    Attributes:
        name: a Python identifier.
        source: `def name(...): ...` without decorators and docstring.
        nargs: number of arguments.
        uses: other scalars that the source names.
        where: `(file, first line)`, for messages.
    """

    name: str
    source: str
    nargs: int
    uses: tuple[Scalar, ...] = ()
    where: tuple[str, int] = field(default=("", 0), compare=False, repr=False)

    def __call__(self, *xs):
        """The value for Python numbers: the definition itself (min and max pass NaN on, as kernels do).

        >>> def twice(x): return 2.0 * x
        >>> read(twice)(1.5)
        3.0
        """
        return _python(self)(*xs)


@functools.cache
def read(pyfunc) -> Scalar:
    try:
        lines, first = inspect.getsourcelines(pyfunc)
    except (OSError, TypeError):
        raise TypeError(
            f"{pyfunc.__qualname__}: its source cannot be read. Kernels are made from source text. Define it"
            " in a file, not in exec or `python -c`"
        ) from None
    where = (inspect.getsourcefile(pyfunc) or "", first)
    tree = next(
        (n for n in ast.parse(textwrap.dedent("".join(lines))).body if isinstance(n, ast.FunctionDef)), None
    )
    if tree is None:
        raise TypeError(
            f"{pyfunc.__qualname__} ({where[0]}:{first}): it is not written with `def`. Scalars are read from"
            " their def statement. Write `def f(x): return ...`"
        )
    tree.decorator_list, tree.returns = [], None
    if ast.get_docstring(tree) is not None:
        tree.body = tree.body[1:]
    arguments = tree.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
        raise TypeError(
            f"{tree.name} ({where[0]}:{first}): scalars take positional arguments only."
            " Take out defaults, *args and keywords"
        )
    bound = {a.arg for a in arguments.args} | {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    names = (
        {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        - bound
        - {"math", "min", "max", "abs", "round"}
    )
    free = pyfunc.__globals__ | inspect.getclosurevars(pyfunc).nonlocals
    uses = []
    for name in sorted(names - vars(builtins).keys()):
        value = free.get(name)
        value = getattr(value, "scalar", value)  # an op stands for its scalar function
        if isinstance(value, types.FunctionType) and value is not pyfunc:
            value = read(value)
        if isinstance(value, Scalar):
            uses.append(value)
    fn = Scalar(tree.name, ast.unparse(tree), len(arguments.args), tuple(uses), where)
    return fn


@functools.cache
def conditions(fn: Scalar) -> tuple[bool, ...]:
    """For each argument, whether it is only ever asked whether it holds: `a if c else b` needs `c` as a bool.

    >>> def where(c, a, b): return a if c else b
    >>> conditions(read(where))
    (True, False, False)
    """
    tree = function_of(fn.source)
    asked: set[int] = set()

    def visit(node):
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                visit(value)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            visit(node.operand)
        elif isinstance(node, ast.Name):
            asked.add(id(node))

    for node in ast.walk(tree):
        if isinstance(node, (ast.IfExp, ast.If)):
            visit(node.test)
    uses: dict[str, list[bool]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            uses.setdefault(node.id, []).append(id(node) in asked)
    return tuple(all(uses.get(a.arg, [False])) for a in tree.args.args)


def function_of(source: str) -> ast.FunctionDef:
    return ast.parse(source).body[0]


@functools.cache
def _python(fn: Scalar):
    namespace = {
        "math": math,
        "max": lambda *xs: functools.reduce(lambda a, b: a if a >= b or a != a else b, xs),
        "min": lambda *xs: functools.reduce(lambda a, b: a if a <= b or a != a else b, xs),
    }
    namespace |= {used.name: used for used in fn.uses}
    exec(compile(fn.source, f"<scalar {fn.name}>", "exec"), namespace)
    return namespace[fn.name]
