"""Hand-written kernels of `cpu/`, by name: `get("conv.im2col", T="float32")`.

The file is read as text and cut apart with `ast`, so nothing of it is imported: the kernel's text is the header,
the bindings (`T = float32`), the file's constants and the functions that the kernel reaches by name.
"""
import ast
import functools
from pathlib import Path

from . import build, cache, prelude

_FOLDER = Path(__file__).parent / "cpu"
_memo: dict[tuple, tuple[str, str]] = {}


def get(name: str, **bindings: str) -> build.Kernel:
    """Kernel `<file>.<function>` of `kernels/cpu`, with dtype names bound to the file's free names.

    Args:
        name: "conv.im2col" is function `im2col` of cpu/conv.py.
        **bindings: module-level names and their values as text: `T="float32"`, `I="int64"`, `K="3"`.

    Returns:
        The Kernel, the same one for the same arguments.

    Raises:
        KeyError: there is no such file or function.
        RuntimeError: the kernel cannot be built.

    Example:
        >>> get("conv.im2col", T="float32")                          # doctest: +SKIP
        <kernel conv_im2col_float32_0a1b2c3d4e5f>
    """
    key = (name, *sorted(bindings.items()))
    if key not in _memo:
        _memo[key] = assemble(name, **bindings)
    return build.load(*_memo[key])


def assemble(name: str, **bindings: str) -> tuple[str, str]:
    """`(kernel name, text)` of a hand-written kernel; see `get`."""
    area, _, function = name.partition(".")
    nodes = _definitions(area)
    if function not in nodes:
        raise KeyError(f"library.get: no function {function} in cpu/{area}.py. It has "
                       f"{', '.join(key for key, node in nodes.items() if isinstance(node, ast.FunctionDef))}. "
                       "Check the name.")
    wanted = _reach(function, nodes, bindings)
    parts = [f"{key} = {value}" for key, value in bindings.items()]
    source = _source(area)
    parts += [_cut(source, node) for key, node in nodes.items() if key in wanted]
    title = f"{name}[{', '.join(f'{key}={value}' for key, value in bindings.items())}], from kernels/cpu/{area}.py"
    body = "\n\n".join(parts)
    stem = "_".join([area, function, *(value for value in bindings.values() if value.isidentifier())])
    full = f"{stem}_{cache.digest(title, body)}"
    body = body.replace(f"def {function}(", f"def {full}(", 1)
    return full, f"{prelude.header(title)}\n{body}\n"


@functools.cache
def _source(area: str) -> str:
    try:
        return cache.read_source(_FOLDER / f"{area}.py")
    except OSError:
        raise KeyError(f"library.get: there is no cpu/{area}.py. Check the name.") from None


@functools.cache
def _definitions(area: str) -> dict[str, ast.stmt]:
    """Name -> statement of the file's functions and constants, in order; imports are the header's business."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(_source(area)).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = node
    return found


def _reach(function, nodes, bindings):
    """Names that `function` needs, itself included, less the bound ones."""
    wanted, todo = {"FASTMATH"}, [function]
    while todo:
        name = todo.pop()
        if name in wanted or name in bindings or name not in nodes:
            continue
        wanted.add(name)
        todo += [node.id for node in ast.walk(nodes[name]) if isinstance(node, ast.Name)]
    return wanted


def _cut(source, node):
    lines = source.splitlines()
    first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", ()))])
    return "\n".join(lines[first - 1:node.end_lineno])
