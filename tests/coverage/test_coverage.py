"""Every name of MXNet 1.9's namespaces is there, or left out for a reason that is written down."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import table


@pytest.mark.parametrize("namespace", table.namespaces())
def test_names_are_there_or_left_out_with_a_reason(namespace):
    where, missing, unexplained, found = table.ours(namespace), [], [], []
    for name, state in table.names(namespace).items():
        there = hasattr(where, name)
        if state == "present":
            missing += [] if there else [name]
        elif not state.startswith("absent: ") or len(state) < 20:
            unexplained.append(name)
        elif there:
            found.append(name)
    assert not missing, f"{namespace}: said to be present but missing: {missing}"
    assert not unexplained, f"{namespace}: neither present nor absent with a reason: {unexplained}"
    assert not found, f"{namespace}: said to be absent but there: {found}"


@pytest.mark.parametrize("namespace", [n for n in table.namespaces() if "ndarray" not in n.lower()])
def test_functions_say_what_they_do(namespace):
    where = table.ours(namespace)
    silent = [n for n, state in table.names(namespace).items()
              if state == "present" and callable(getattr(where, n)) and not getattr(where, n).__doc__]  # fmt: skip
    assert silent == []


def test_the_table_has_a_row_for_each_namespace():
    assert len(table.table().splitlines()) == 2 + len(table.namespaces())
