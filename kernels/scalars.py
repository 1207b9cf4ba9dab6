"""One op's arithmetic as data: a scalar function, read from the source of a plain Python function."""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import inspect
import math
import re
import textwrap
import types

from .sources import digest

# what `math` has that costs no more than arithmetic
CHEAP = {"floor", "ceil", "trunc", "copysign", "fabs", "sqrt", "isnan", "isinf", "isfinite", "inf", "nan", "pi", "e"}


class Scalar:
    """One op's scalar function.

    Two Scalars are equal when they do the same by their code; the source is read when a kernel is emitted, which a
    process whose kernels lie on disk never does.

    Attributes:
        name: a Python identifier.
        source: `def name(...): ...` without decorators and docstring.
        nargs: number of arguments.
        uses: other scalars that the source names.
        where: `(file, first line)`, for messages.
        key: 12 hex digits that stand for what it computes.
    """

    __slots__ = ("name", "nargs", "uses", "where", "_key", "_source", "_function", "_calls")

    def __init__(self, name: str, source: str, nargs: int, uses: tuple[Scalar, ...] = (), where=("", 0)):
        self.name, self.nargs, self.uses, self.where = name, nargs, tuple(uses), where
        self._source, self._function, self._key, self._calls = source, None, None, None

    @classmethod
    def of(cls, function: types.FunctionType) -> Scalar:
        """The Scalar of a Python function, whose source is not read yet."""
        self = cls.__new__(cls)
        code = function.__code__
        self.name, self.nargs, self.where = function.__name__, code.co_argcount, (code.co_filename, code.co_firstlineno)
        self.uses = tuple(_used(function))
        self._source, self._function, self._key, self._calls = None, function, None, None
        return self

    @property
    def key(self) -> str:
        if self._key is None:
            facts = [self._source] if self._function is None else map(str, _facts(self._function.__code__))
            self._key = digest(*facts, *(used.key for used in self.uses))
        return self._key

    @property
    def source(self) -> str:
        if self._source is None:
            self._source = _source(self._function)
        return self._source

    @property
    def calls(self) -> frozenset[str]:
        """Names of the functions of `math` that it reaches.

        >>> import math
        >>> def half_angle(x): return math.sin(0.5 * x)
        >>> sorted(scalar(half_angle).calls)
        ['sin']
        """
        if self._calls is None:
            if self._function is None:
                own = re.findall(r"\bmath\.(\w+)", self._source)
            else:
                own = set(self._function.__code__.co_names) & vars(math).keys()
            self._calls = frozenset(own).union(*(used.calls for used in self.uses))
        return self._calls

    def __eq__(self, other):
        return isinstance(other, Scalar) and (self.key, self.name) == (other.key, other.name)

    def __hash__(self):
        return hash(self.key)

    def __repr__(self):
        return f"<scalar {self.name} {self.key}>"

    def __call__(self, *xs):
        """The value for Python numbers: the definition itself (min and max pass NaN on, as kernels do).

        >>> def twice(x): return 2.0 * x
        >>> read(twice)(1.5)
        3.0
        """
        return _python(self)(*xs)


def _facts(code):
    """What of a function's code decides what it computes."""
    yield from (code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    yield from (code.co_argcount, code.co_kwonlyargcount)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _facts(constant)
        else:
            yield repr(constant)


def _used(function):
    """Scalars of the functions and ops that `function` names."""
    free = function.__globals__
    if function.__closure__:
        cells = zip(function.__code__.co_freevars, function.__closure__, strict=True)
        free = free | {name: cell.cell_contents for name, cell in cells if cell != types.CellType()}
    loads = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF")
    names = {i.argval for i in dis.get_instructions(function.__code__) if i.opname in loads}
    for name in sorted(names - vars(builtins).keys()):
        value = free.get(name)
        value = getattr(value, "scalar", value)  # an op stands for its scalar function
        if isinstance(value, types.FunctionType) and value is not function:
            value = scalar(value)
        if isinstance(value, Scalar):
            yield value


@functools.cache
def _of(function: types.FunctionType) -> Scalar:
    return Scalar.of(function)


def scalar(function) -> Scalar:
    """The Scalar of `function`, a plain Python function (or a Scalar: itself); mistakes show when it is rendered.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(function, Scalar):
        return function
    if not isinstance(function, types.FunctionType):
        raise TypeError(
            f"scalar: {function!r} is not a plain Python function. Kernels are made from source text. Write it"
            " as `def f(x): return ...`"
        )
    return _of(function)


def read(function) -> Scalar:
    """`scalar`, with the source read now.

    Raises:
        TypeError: the source cannot be read, or takes more than positional arguments.
    """
    found = scalar(function)
    found.source  # noqa: B018  raises what there is to raise
    return found


def _source(function) -> str:
    """Text of the function's `def` statement, without decorators and docstring."""
    try:
        lines, first = inspect.getsourcelines(function)
    except (OSError, TypeError):
        raise TypeError(
            f"{function.__qualname__}: its source cannot be read. Kernels are made from source text. Define it"
            " in a file, not in exec or `python -c`"
        ) from None
    file = inspect.getsourcefile(function) or ""
    tree = next(
        (n for n in ast.parse(textwrap.dedent("".join(lines))).body if isinstance(n, ast.FunctionDef)), None
    )
    if tree is None:
        raise TypeError(
            f"{function.__qualname__} ({file}:{first}): it is not written with `def`. Scalars are read from"
            " their def statement. Write `def f(x): return ...`"
        )
    tree.decorator_list, tree.returns = [], None
    if not function.__closure__ and not _same(tree, function):
        raise TypeError(
            f"{function.__qualname__} ({file}:{first}): its file has changed since it was imported. The kernel"
            " would not do what the function does. Start a new process"
        )
    if ast.get_docstring(tree) is not None:
        tree.body = tree.body[1:]
    arguments = tree.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
        raise TypeError(
            f"{tree.name} ({file}:{first}): scalars take positional arguments only."
            " Take out defaults, *args and keywords"
        )
    return ast.unparse(tree)


def _same(tree: ast.FunctionDef, function) -> bool:
    """Whether the statement read now compiles to the code that is running."""
    facts = list(_facts(function.__code__))
    for imports in ([ast.Import([ast.alias("math")])], []):  # calls through an imported module compile to other code
        module = compile(ast.fix_missing_locations(ast.Module([*imports, tree], [])), "<scalar>", "exec")
        found = next((c for c in module.co_consts if isinstance(c, types.CodeType)), None)
        if found is not None and list(_facts(found)) == facts:
            return True
    return False


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
    """The parsed definition that `source` consists of."""
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
