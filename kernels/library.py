"""Hand-written kernels of `cpu/`, by name: `get("conv.im2col", T="float32")`.

The files are read as text and cut apart with `ast`; nothing of them is imported. A kernel's text is the
header, the bindings (`T = float32`) in place of the file's own, and the constants and functions that the
kernel reaches by name: in its own file, or in another file of this package from which that file imports
them. What the compiler has intrinsics for (prelude, tile) stays an import.
"""
import ast
import functools
import os.path

from . import build, prelude
from .sources import digest, read_source

_HERE = os.path.dirname(os.path.abspath(__file__))
_FOLDER = os.path.join(_HERE, "cpu")
_GIVEN = ("tile", "lanes")        # files like the prelude, whose functions the compiler replaces
_memo: dict[tuple, str] = {}


def get(name: str, **bindings: str) -> build.Kernel:
    """Kernel `<file>.<function>` of `kernels/cpu`, with the file's module-level names bound anew.

    Args:
        name: "conv.im2col" is function `im2col` of cpu/conv.py.
        **bindings: names and their values as text: `T="float32"`, `I="int64"`, `K="3"`.

    Returns:
        The Kernel, the same one for the same arguments.

    Raises:
        KeyError: there is no such file or function, or the file has no such name to bind.
        RuntimeError: the kernel cannot be built.

    Example:
        >>> get("conv.im2col", T="float32")                          # doctest: +SKIP
        <kernel conv_im2col_float32_0a1b2c3d4e5f>
    """
    key = (name, *sorted(bindings.items()))
    if key not in _memo:
        _memo[key] = _name(name, bindings)
    return build.load(_memo[key], lambda: assemble(name, **bindings)[1])


def _name(name: str, bindings) -> str:
    """The kernel's name: readable, and with the hash of the file that it is cut from."""
    area, _, function = name.partition(".")
    words = [area, function, *(value for value in bindings.values() if value.isidentifier())]
    try:
        text = read_source(_file(area))
    except OSError:
        raise _no_file(area) from None
    return "_".join([*words, digest(name, repr(bindings), text)])


def _file(area):
    return os.path.join(_FOLDER, area + ".py")


def _no_file(area):
    return KeyError(f"library.get: there is no kernel file {_file(area)}. Check the name.")


def assemble(name: str, **bindings: str) -> tuple[str, str]:
    """`(kernel name, text)` of a hand-written kernel; see `get`. Compiles nothing."""
    area, _, function = name.partition(".")
    here = _read(_file(area))
    if not isinstance(here.nodes.get(function), ast.FunctionDef):
        raise KeyError(f"library.get: no function {function} in cpu/{area}.py. "
                       f"It has {', '.join(here.functions())}. Check the name.")
    unknown = sorted(set(bindings) - set(here.nodes))
    if unknown:
        raise KeyError(f"library.get: cpu/{area}.py has no module-level name {', '.join(unknown)}. A binding "
                       "replaces a line such as `T = float32`. Check the keyword.")
    constants = [f"{key} = {value}" for key, value in bindings.items()]
    functions = []
    pieces, imports = _reach(here, function, bindings)
    for source, found in pieces:
        cut = source.cut(found)
        if isinstance(source.nodes[found], ast.FunctionDef):
            functions.append(cut)
        else:
            constants.append(cut)
    bound = ", ".join(f"{key}={value}" for key, value in bindings.items())
    title = f"{name}[{bound}], from kernels/cpu/{area}.py" if bound else f"{name}, from kernels/cpu/{area}.py"
    body = "\n\n\n".join(["\n".join(constants), *functions] if constants else functions)
    full = _name(name, bindings)
    return full, f"{prelude.header(title, *imports)}{body.replace(f'def {function}(', f'def {full}(', 1)}\n"


class _Source:
    """One file: its statements by name, and the names it takes from other files of this package."""

    def __init__(self, path: str):
        self.lines = read_source(path).splitlines()
        self.nodes: dict[str, ast.stmt] = {}
        self.imported: dict[str, str] = {}
        self.given: dict[str, str] = {}
        for node in ast.parse("\n".join(self.lines), str(path)).body:
            if isinstance(node, ast.FunctionDef):
                self.nodes[node.name] = node
            elif isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                self.nodes.update(dict.fromkeys(names, node))
            elif isinstance(node, ast.ImportFrom) and node.module:
                module = node.module.removeprefix("numblocks.kernels.")
                if module in _GIVEN:
                    self.given.update((item.name, module) for item in node.names)
                elif (node.level or module != node.module) and module != "prelude":
                    file = os.path.join(_HERE, *module.split(".")) + ".py"
                    self.imported.update((item.name, file) for item in node.names)

    def functions(self) -> list[str]:
        return [name for name, node in self.nodes.items() if isinstance(node, ast.FunctionDef)]

    def cut(self, name: str) -> str:
        """The statement's own lines, decorators included."""
        node = self.nodes[name]
        first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", ()))])
        return "\n".join(self.lines[first - 1:node.end_lineno])


@functools.cache
def _read(path: str) -> _Source:
    try:
        return _Source(path)
    except OSError:
        raise _no_file(os.path.basename(path)[:-3]) from None


def _reach(start: _Source, function: str, bindings) -> tuple[list[tuple[_Source, str]], list[str]]:
    """`(file, name)` of all that `function` needs but bindings, in order of definition; and imports."""
    found: dict[str, _Source] = {}
    given: dict[str, set[str]] = {}
    todo = [(start, function)] + [(start, "FASTMATH")] * ("FASTMATH" in start.nodes)
    while todo:
        source, name = todo.pop()
        while name in source.imported:
            source = _read(source.imported[name])
        if name in source.given:
            given.setdefault(source.given[name], set()).add(name)
        if name in bindings or name not in source.nodes or found.get(name) is source:
            continue
        if name in found:
            raise RuntimeError(f"library.get: {function} reaches two definitions of {name}. One text holds "
                               "both. Rename one.")
        found[name] = source
        todo += [(source, node.id) for node in ast.walk(source.nodes[name]) if isinstance(node, ast.Name)]
    pieces = sorted(((source, name) for name, source in found.items()),
                    key=lambda item: (item[0] is start, item[0].nodes[item[1]].lineno))
    return pieces, [f"from numblocks.kernels.{module} import {', '.join(sorted(names))}"
                    for module, names in sorted(given.items())]
