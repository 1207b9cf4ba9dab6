"""Hand-written kernels found by name and assembled from text."""
import ast
from pathlib import Path

import numpy as np
import pytest

from numblocks.kernels import build, cache, direct, library

FOLDER = Path(library.__file__).parent / "cpu"
OURS = sorted(f"{file.stem}.{node.name}" for file in FOLDER.glob("*.py") for node in ast.parse(file.read_text()).body
              if isinstance(node, ast.FunctionDef) and [a.arg for a in node.args.args] == ["lo", "hi", "a"])

DEMO = '''"""A file of kernels."""
from numblocks.kernels.prelude import fast, float32, pointer, view
from ..helpers import shift

T = float32
STEP = 3
FASTMATH = {"contract"}


@fast()
def twice(x):
    return x * T(2) + T(STEP)


def other(x):
    return nothing_of_this_is_taken(x)


def scale(lo, hi, a):
    """a: x, y, n"""
    x = view(a[0], a[2], T)
    y = pointer(a[1], T)
    for i in range(lo, hi):
        y[i] = shift(twice(x[i]))
'''
HELPERS = '''OFFSET = 1


def shift(x):
    return x + OFFSET
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBLOCKS_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "demo.py").write_text(DEMO)
    (tmp_path / "helpers.py").write_text(HELPERS)
    monkeypatch.setattr(library, "_HERE", tmp_path)
    monkeypatch.setattr(library, "_FOLDER", tmp_path / "cpu")
    monkeypatch.setattr(library, "_memo", {})
    library._read.cache_clear()
    build.clear(disk=False)
    yield tmp_path
    build.clear(disk=False)
    library._read.cache_clear()


@pytest.mark.parametrize("T", ["float32", "float64", "int64"])
def test_get_binds_and_runs(folder, T):
    kernel = library.get("demo.scale", T=T)
    assert library.get("demo.scale", T=T) is kernel and kernel.name.startswith(f"demo_scale_{T}_")
    x = np.arange(5).astype(T)
    y = np.zeros_like(x)
    args = np.array([x.ctypes.data, y.ctypes.data, 5])
    kernel(0, 5, args.ctypes.data)
    np.testing.assert_array_equal(y, 2 * x + 4)


def test_text_holds_what_is_reached_and_no_more(folder):
    name, text = library.assemble("demo.scale", T="float64", STEP="5")
    assert f"def {name}(lo, hi, a):" in text and "T = float64" in text and "T = float32" not in text
    assert "STEP = 5" in text and "OFFSET = 1" in text and "@fast()" in text and "FASTMATH" in text
    assert "def other" not in text and "import shift" not in text
    compile(text, "demo", "exec")
    assert library.assemble("demo.scale", T="float64", STEP="6")[0] != name


def test_get_again_after_clear(folder):
    library.get("demo.scale")
    build.clear()
    before = build.cache_info().builds
    library.get("demo.scale")
    assert build.cache_info().builds == before + 1


def test_unknown_names(folder):
    with pytest.raises(KeyError, match="scale"):
        library.get("demo.nothing")
    with pytest.raises(KeyError, match="no kernel file"):
        library.get("nowhere.scale")
    with pytest.raises(KeyError, match="no module-level name U"):
        library.get("demo.scale", U="float32")


def test_two_definitions_of_one_name_are_refused(folder):
    library._read.cache_clear()
    (folder / "helpers.py").write_text("STEP = 9\n\n\ndef shift(x):\n    return x + STEP\n")
    with pytest.raises(RuntimeError, match="two definitions of STEP"):
        library.get("demo.scale")


def test_digest_tells_parts_apart():
    assert cache.digest("ab", "c") != cache.digest("a", "bc") and len(cache.digest("a")) == 12


@pytest.mark.parametrize("T", ["float32", "float64"])
@pytest.mark.parametrize("name", OURS)
def test_our_own_kernels_do_without_numba(name, T):
    kernel, text = library.assemble(name, T=T)
    assert f'@"{kernel}"' in direct.translate(kernel, text, f"<{kernel}>")
