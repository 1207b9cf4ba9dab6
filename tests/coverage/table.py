"""The coverage table: which names of MXNet 1.9 there are. `python -m tests.coverage.table` prints it as Markdown.

One text file per namespace beside this one, `name<TAB>present` or `name<TAB>absent: reason`; its name is the namespace
as it follows `mx.` (`np.linalg.txt`). `[absent]` names must not exist, present ones must.
"""

from __future__ import annotations

import importlib
from pathlib import Path

HERE = Path(__file__).parent


def namespaces() -> list[str]:
    """The namespaces that have a list."""
    return sorted(path.stem for path in HERE.glob("*.txt"))


def names(namespace: str) -> dict[str, str]:
    """For each name of MXNet's 'present' or 'absent: reason'."""
    rows = (line.split("\t") for line in (HERE / f"{namespace}.txt").read_text().splitlines() if line)
    return {name: state for name, state in rows}


def ours(namespace: str):
    """The module or class of numblocks that a namespace of MXNet's corresponds to."""
    found = importlib.import_module("numblocks")
    for part in namespace.split("."):
        found = getattr(found, part)
    return found


def row(namespace: str) -> str:
    """One line of the table."""
    states = names(namespace)
    absent = {name: state.partition(": ")[2] for name, state in states.items() if state != "present"}
    reasons: dict[str, list[str]] = {}
    for name, reason in absent.items():
        reasons.setdefault(reason, []).append(f"`{name}`")
    said = "; ".join(f"{', '.join(few(who))}: {why}" for why, who in reasons.items())
    return f"| `{namespace}` | {len(states)} | {len(states) - len(absent)} | {said or '–'} |"


def few(items: list[str], most: int = 6) -> list[str]:
    """The first items, and how many more there are."""
    return items if len(items) <= most else [*items[:most], f"and {len(items) - most} more"]


def table() -> str:
    """The whole table."""
    head = ["| namespace | names in MXNet 1.9 | here | left out, and why |", "|---|--:|--:|---|"]
    return "\n".join(head + [row(namespace) for namespace in namespaces()])


if __name__ == "__main__":
    print(table())
