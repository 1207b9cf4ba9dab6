"""Every name of MXNet 1.9's namespaces and classes is there, or left out for a reason that is written down."""

import inspect
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import table


@pytest.mark.parametrize("namespace", table.namespaces())
def test_names_are_there_or_left_out_with_a_reason(namespace):
    missing, unexplained, found = [], [], []
    for name, state in table.names(namespace).items():
        there = table.there(namespace, name)
        if state == "present":
            missing += [] if there else [name]
        elif not state.startswith("absent: ") or len(state) < 20:
            unexplained.append(name)
        elif there:
            found.append(name)
    assert not missing, f"{namespace}: said to be present but missing: {missing}"
    assert not unexplained, f"{namespace}: neither present nor absent with a reason: {unexplained}"
    assert not found, f"{namespace}: said to be absent but there (python -m tests.coverage.table --refresh): {found}"


@pytest.mark.parametrize(
    "namespace", [n for n in table.namespaces() if table.ours(n) and not isinstance(table.ours(n), type)]
)
def test_functions_say_what_they_do(namespace):
    where = table.ours(namespace)
    here = [getattr(where, n) for n, state in table.names(namespace).items() if state == "present"]
    assert [x.__name__ for x in here if callable(x) and not inspect.getdoc(x)] == []


def test_the_table_has_a_row_for_what_is_not_whole():
    text = table.table()
    for namespace in table.namespaces():
        assert (f"| `{namespace}` |" in text) is bool(table.absent(namespace))
        assert f"`{namespace}`" in text


def test_the_readme_has_this_table():
    readme = table.README.read_text()
    assert table.BEGIN in readme and table.written(readme) == readme, "python -m tests.coverage.table --write"
