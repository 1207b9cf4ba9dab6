"""Where functions, classes and ops come from: their module, or the text that defines them."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import linecache
import os
import site
import sys
import sysconfig
import textwrap
import types

from ..op import Op


def project(path: str) -> bool:
    """Whether a folder is none of Python's own."""
    fixed = [*site.getsitepackages(), site.getusersitepackages(), sysconfig.get_path("stdlib"), sys.prefix]
    return os.path.isdir(path) and not any(path.startswith(p) for p in fixed)


def known(part) -> bool:
    """Whether a pickle may name a class, function or module as it is."""
    module = part if isinstance(part, types.ModuleType) else sys.modules.get(getattr(part, "__module__", ""))
    local = "<" in getattr(part, "__qualname__", "")
    mine = isinstance(part, (Op, types.ModuleType))
    return module is not None and not local and not mine and findable(module)


def findable(module) -> bool:
    """Whether `import` finds this very module by its name."""
    if module.__name__ == "__main__":
        return False
    try:
        spec = importlib.util.find_spec(module.__name__)
    except (ImportError, ValueError, AttributeError):
        return False
    if spec is None:
        return False
    return module.__name__.split(".")[0] in sys.stdlib_module_names or (
        spec.origin == getattr(module, "__file__", None) and importable_afresh(module)
    )


def importable_afresh(module) -> bool:
    """Whether the file of a module lies where a folder of `sys.path` has it under this name."""
    parts = module.__name__.split(".")
    top = sys.modules.get(parts[0])
    places = list(getattr(top, "__path__", ())) or [getattr(top, "__file__", None) or ""]
    return any(os.path.abspath(os.path.dirname(p)) in {os.path.abspath(q or ".") for q in sys.path} for p in places)


def home(x):
    """`(module, qualified name)` of what is found in a module that has a file, else None."""
    module = sys.modules.get(getattr(x, "__module__", None) or "")
    path = getattr(x, "__qualname__", "")
    if isinstance(x, Op) and made_from(x) is not None:
        module, path = sys.modules.get(made_from(x).__module__), made_from(x).__qualname__
    if module is None or not path or "<" in path or module.__name__ == "__main__":
        return None
    found = module
    for part in path.split("."):
        found = getattr(found, part, None)
    return (module, path) if found is x and (getattr(module, "__file__", None) or findable(module)) else None


def made_from(op: Op):
    """The Python function of an op of one's own."""
    return getattr(op.run, "__wrapped__", None) if op.scalar is None else getattr(op.scalar, "_function", op.scalar)


def attached(op: Op) -> dict:
    """The functions that were given to the decorator of an op, by name."""
    found = {}
    for vjp in op.vjp if isinstance(op.vjp, tuple) else (op.vjp,):
        if isinstance(vjp, types.FunctionType):
            found[vjp.__name__] = vjp
            parts = [v for v in closure(vjp).values() if isinstance(v, Op) and made_from(v) is not None]
            for part in parts:
                function = made_from(part)
                declared = (source(function) or "").startswith("@")
                found[part.name.removeprefix("custom.")] = part if declared else function
    return found


def closure(thing) -> dict:
    """The values of the outer local names that a function, or the methods of a class, use."""
    functions = [f for f in (vars(thing).values() if isinstance(thing, type) else [thing]) if hasattr(f, "__code__")]
    bound = {}
    for f in functions:
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                bound[name] = cell.cell_contents
            except ValueError:  # not bound yet
                continue
    bound.pop("__class__", None)
    return bound


def source(thing) -> str | None:
    """The definition of a function or class, the expression of a lambda, None where no source is found."""
    if getattr(thing, "__name__", "") == "<lambda>":
        return lambda_source(thing)
    try:
        text = textwrap.dedent(inspect.getsource(thing)).strip()
        tree = ast.parse(text)
    except (OSError, TypeError, SyntaxError):
        return None
    return text if hasattr(tree.body[0], "name") else None


def lambda_source(function) -> str | None:
    """The text of a lambda: of those that begin on its line, the one that compiles to the same code."""
    code = function.__code__
    text = "".join(linecache.getlines(code.co_filename, function.__globals__))
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    found = [ast.get_source_segment(text, n) for n in ast.walk(tree)
             if isinstance(n, ast.Lambda) and n.lineno == code.co_firstlineno and span(n.body) == body_span(code)]
    return " ".join(found[0].split()) if len(found) == 1 and "#" not in found[0] else None


def span(node) -> tuple:
    """Where an expression begins and ends."""
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def body_span(code) -> tuple:
    """The same of the expression of a lambda, from its code."""
    places = [p for p in code.co_positions() if None not in p and (p[0], p[2]) != (p[1], p[3])]
    starts, ends = [(p[0], p[2]) for p in places], [(p[1], p[3]) for p in places]
    return (min(starts), max(ends)) if places else ()
