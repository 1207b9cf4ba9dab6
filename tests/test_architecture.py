"""The floors hold: imports go down only, without cycles, and `import numblocks` stays light."""

import ast
import functools
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import numblocks
import numblocks.kernels

ROOTS = {"numblocks": Path(numblocks.__file__).parent, "numblocks.kernels": Path(numblocks.kernels.__file__).parent}

FLOORS = [  # every module lies on the floor of its longest prefix here
    "kernels",
    "errors config device dtype base context runtime engine symbol attribute spans",
    "array",
    "op eager shortcut cuda",
    "ops",
    "tape autograd graph custom operator",
    "formats recordio",
    "distributions np npx nd random init initializer optimizer kvstore lr_scheduler metric profiler",
    "gluon contrib testing test_utils pytest_plugin io image util name visualization",
    "demo",
    "__main__",
]
FLOOR = {f"numblocks.{name}": k for k, names in enumerate(FLOORS) for name in names.split()} | {
    "numblocks": len(FLOORS)
}
FLOOR["numblocks.__main__"] = len(FLOORS) + 1

LONG: dict[str, str] = {}  # files above 400 lines, and why they are whole
INSIDE = {  # imports inside functions: optional parts, and the compiler that comes with the first kernel
    ("numblocks.demo", "matplotlib"),
    ("numblocks.custom.loop", "numba"),
    ("numblocks.kernels.build", "numblocks.kernels.loader"),
    ("numblocks.kernels.build", "numblocks.kernels.compiler"),
    ("numblocks.kernels.build", "numblocks.kernels.direct"),
    ("numblocks.gluon.hybrid", "numblocks.gluon.deploy"),
    ("numblocks.gluon.download", "http"),
    ("numblocks.gluon.download", "ssl"),
    ("numblocks.gluon.download", "urllib"),
    ("numblocks.formats.picture", "PIL"),
    ("numblocks.gluon.progress", "tqdm"),
    ("numblocks.kernels.build", "numblocks.kernels.cache"),
    ("numblocks.kernels.cache", "importlib"),
    ("numblocks.kernels.sources", "hashlib"),
    ("numblocks.kernels.loader", "numblocks.kernels.llvm"),
    ("numblocks.kernels.machine", "numblocks.kernels.llvm"),
    ("numblocks.kernels.loops", "numblocks.kernels.emit_cpu"),
}
HEAVY = {"numba", "llvmlite", "scipy", "matplotlib", "tqdm"}


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of numblocks and its file."""
    found = {}
    for package, root in ROOTS.items():
        for file in sorted(root.rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            if "kernels" in parts and package == "numblocks":
                continue  # a wheel holds it inside
            name = ".".join([package, *parts]).removesuffix(".__init__")
            found[name] = file
    return found


def imports(name: str):
    """`(target module, inside a function)` for each import of a module of ours or not."""
    file = modules()[name]
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(file.read_text())
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.Lambda)) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in inside
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                sub = f"{source}.{alias.name}"
                yield (sub if sub in modules() else source), id(node) in inside


def floor(name: str) -> int:
    """The floor of the longest known prefix."""
    while name not in FLOOR:
        name = name.rpartition(".")[0]
    return FLOOR[name]


def edges(name: str) -> set[str]:
    """Modules of ours that `name` imports, its own package left out where only a neighbour is taken from it."""
    return {target for target, _ in imports(name) if target in modules() and target != name}


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_go_down(name):
    mine = floor(name)
    up = sorted(t for t in edges(name) if floor(t) > mine)
    assert not up, f"{name} (floor {mine}) imports {', '.join(f'{t} (floor {floor(t)})' for t in up)}"


def test_every_module_has_a_floor_of_its_own():
    assert [n for n in modules() if floor(n) == FLOOR["numblocks"] and n != "numblocks"] == []


def test_no_cycles():
    done, path = set(), []

    def visit(name):
        assert name not in path, "imports in a circle: " + " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            path.append(name)
            for target in sorted(edges(name)):
                visit(target)
            path.pop()
            done.add(name)

    for name in modules():
        visit(name)


def test_kernels_know_nothing_of_numblocks():
    for name in modules():
        if name.startswith("numblocks.kernels"):
            assert all(t.startswith("numblocks.kernels") for t in edges(name)), name


def test_import_brings_no_compiler():
    script = f"import sys, numblocks; print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_heavy_imports_are_where_they_belong():
    """No module that `import numblocks` loads names a heavy package at its top."""
    script = "import sys, numblocks; print('\\n'.join(m for m in sys.modules if m.startswith('numblocks')))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120).stdout.split()
    for name in set(loaded) & set(modules()):
        heavy = [t for t, inside in imports(name) if t.split(".")[0] in HEAVY and not inside]
        assert not heavy, f"{name} imports {heavy}"


def test_imports_in_functions_are_for_optional_parts():
    found = set()
    for name in modules():
        for target, inside in imports(name):
            if inside:
                found.add((name, target if target in modules() else target.split(".")[0]))
    assert found <= INSIDE, f"imports inside functions: {sorted(found - INSIDE)}"


def test_long_files_have_a_reason():
    long = {n for n, file in modules().items() if len(file.read_text().splitlines()) > 400}
    assert long <= set(LONG), f"over 400 lines: {sorted(long - set(LONG))}"


def test_no_drawer():
    drawers = [n for n in modules() if n.split(".")[-1] in ("utils", "util", "helpers", "misc", "common")]
    imported = ["numblocks.contrib.text.utils", "numblocks.gluon.utils", "numblocks.util"]  # by Gluon code
    assert sorted(drawers) == imported


def is_arithmetic(node) -> bool:
    """Whether a function is scalar arithmetic on one line, whose name says all (or the op made of it does)."""
    return isinstance(node, ast.FunctionDef) and node.body[0].lineno == node.lineno


def test_public_names_have_docstrings():
    missing = []
    for name, file in modules().items():
        tree = ast.parse(file.read_text())
        if not ast.get_docstring(tree) and tree.body:
            missing.append(name)
        for node in tree.body:
            if (
                isinstance(node, (ast.FunctionDef, ast.ClassDef))
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
            ):
                if not is_arithmetic(node) and not documented_later(name, node.name):
                    missing.append(f"{name}.{node.name}")
    assert missing == []


def documented_later(module: str, name: str) -> bool:
    """Whether code gives the object a docstring of its own (families of layers that differ in a number)."""
    found = getattr(importlib.import_module(module), name)
    return "__doc__" in vars(found) and bool(found.__doc__) if isinstance(found, type) else bool(found.__doc__)
