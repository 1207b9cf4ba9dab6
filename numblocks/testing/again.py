"""Source text that makes an object again in another process: functions, lambdas, classes, Blocks, ops of one's own."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import io
import os
import pickle
import sys
import tempfile
import textwrap
import types

import numpy
from hypothesis import currently_in_test_context

from ..array import ndarray
from ..op import Op
from .origin import attached, closure, findable, home, known, made_from, project, source

SHOWN = 64  # elements of an array that are written out; larger arrays go into a file
folders: dict[str, str] = {}  # of tests: while a case is shrunk, the files of the smaller one replace the larger's
PLAIN = (bool, int, str, bytes, type(None), type(Ellipsis), range)


def load(path: str, name: str):
    """The module in a file, under the name it had in the process that wrote the script."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def unpickled(path: str, names: dict):
    """An object written by `Again`; what has no place in a module is taken from `names`."""
    with open(path, "rb") as file:
        reader = pickle.Unpickler(file)
        reader.persistent_load = names.__getitem__
        return reader.load()


class Again:
    """The lines of a script, which grow by what an object needs.

    Attributes:
        lines: imports and definitions, in order.
        missing: names of what could not be found again; the lines say `...` there.
    """

    def __init__(self):
        extra = [os.path.abspath(p or ".") for p in sys.path if project(os.path.abspath(p or "."))]
        self.lines: list[str] = [f"import sys\nsys.path += {extra!r}"] if extra else []
        self.named: dict[int, str] = {}
        self.kept: list = []  # keeps ids unique
        self.missing: list[str] = []
        self.folder = None

    def expression(self, x, name: str) -> str:
        """Source text for `x`; definitions it needs are added to the lines, under `name` if it has no other."""
        if id(x) in self.named:
            return self.named[id(x)]
        if type(x) in PLAIN:
            return repr(x)
        if type(x) is float:
            return repr(x) if numpy.isfinite(x) else f"float({str(x)!r})"
        if type(x) in (tuple, list):
            parts = [self.expression(v, f"{name}_{k}") for k, v in enumerate(x)]
            return f"[{', '.join(parts)}]" if type(x) is list else f"({', '.join(parts)}{',' * (len(x) == 1)})"
        if type(x) is dict:
            pairs = [f"{self.expression(k, name)}: {self.expression(v, f'{name}_{k}')}" for k, v in x.items()]
            return "{" + ", ".join(pairs) + "}"
        if type(x) is ndarray:
            return f"np.array({self.array(x._data, name)})"
        if type(x) is numpy.ndarray:
            return self.array(x, name)
        self.kept.append(x)
        self.named[id(x)] = name
        self.define(x, name)
        return self.named[id(x)]

    def array(self, x: numpy.ndarray, name: str) -> str:
        """A NumPy array, written out or in a file."""
        if x.size <= SHOWN:
            text = repr(x.tolist()).replace("inf", "numpy.inf").replace("nan", "numpy.nan")
            shape = f".reshape({x.shape})" if x.size == 0 or x.ndim == 0 else ""
            return f"numpy.array({text}, numpy.{x.dtype.name}{'_' if x.dtype == bool else ''}){shape}"
        path = self.path(f"{name}.npy")
        numpy.save(path, x)
        return f"numpy.load({path!r})"

    def path(self, name: str) -> str:
        """A file beside the script."""
        test = os.environ.get("PYTEST_CURRENT_TEST") or ("drawn" if currently_in_test_context() else "")
        self.folder = self.folder or folders.get(test) or tempfile.mkdtemp(prefix="numblocks-check-")
        if test:
            folders[test] = self.folder
        return os.path.join(self.folder, name)

    def define(self, x, name: str) -> None:
        """Add the lines that bind `name` to the like of `x`."""
        if isinstance(x, types.ModuleType):
            self.lines.append(self.module(x, name))
        elif isinstance(x, Op) and not x.name.startswith("custom."):
            self.lines.append(f"from numblocks.op import REGISTRY\n{name} = REGISTRY[{x.name!r}]")
        elif (place := home(x)) is not None:
            module, path = place
            top = path.split(".")[0]
            if findable(module):
                self.lines.append(f"from {module.__name__} import {top}")
                self.named[id(x)] = path
            else:
                self.lines.append(f"{self.module(module, '_module')}\n{name} = _module.{path}")
        elif isinstance(x, Op):
            self.from_source(made_from(x), x, name)
        elif isinstance(x, (types.FunctionType, type)):
            self.from_source(x, x, name)
        else:
            self.pickled(x, name)

    def module(self, module, name: str) -> str:
        """The line that imports a module as `name`."""
        if findable(module):
            return f"import {module.__name__} as {name}"
        return f"from numblocks.testing.again import load\n{name} = load({module.__file__!r}, {module.__name__!r})"

    def from_source(self, thing, x, name: str) -> None:
        """`x`, made by the source of the function or class `thing`, with the names that it uses."""
        text = source(thing) if thing is not None else None
        if text is None or (isinstance(x, Op) and not text.startswith("@")):
            self.give_up(name, x)
            return
        bound = (attached(x) if isinstance(x, Op) else {}) | closure(thing)
        scope = vars(sys.modules[thing.__module__]) if thing.__module__ in sys.modules else {}
        tree = ast.parse(text)
        own = getattr(tree.body[0], "name", None)
        stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        stored |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)} | {own}
        for used in sorted({n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - stored):
            if used in bound or used in scope:
                found = self.expression(bound[used] if used in bound else scope[used], used)
                if found != used:
                    self.lines.append(f"{used} = {found}")
            elif not hasattr(builtins, used):
                self.give_up(used, f"a local name round {name}")
        self.lines.append(text if own else f"{name} = {text}")
        self.named[id(x)] = own or name

    def give_up(self, name: str, x) -> None:
        self.missing.append(name)
        self.lines.append(f"{name} = ...  # {x!r}: its source cannot be found; write it here")

    def pickled(self, x, name: str) -> None:
        """Any other object, in a file."""
        file = io.BytesIO()
        writer = pickle.Pickler(file)

        def reference(part):
            if not isinstance(part, (types.FunctionType, type, types.ModuleType, Op)) or known(part):
                return None
            given = getattr(part, "__name__", part.name if isinstance(part, Op) else "").rpartition(".")[2]
            free = given.isidentifier() and given not in self.named.values()
            return self.expression(part, given if free else f"part{len(self.named)}")

        writer.persistent_id = reference
        try:
            writer.dump(x)
        except Exception as error:  # whatever an object has against it
            self.give_up(name, f"{x!r} ({error})")
            return
        path = self.path(f"{name}.pickle")
        with open(path, "wb") as target:
            target.write(file.getvalue())
        self.lines += [
            "from numblocks.testing.again import unpickled", textwrap.indent(repr(x), "# "),
            f"{name} = unpickled({path!r}, globals())",
        ]  # fmt: skip
