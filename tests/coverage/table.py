"""The coverage table: which names of MXNet 1.9 there are.

    python -m tests.coverage.table            # prints it as Markdown
    python -m tests.coverage.table --write    # puts it into README.md, between its markers
    python -m tests.coverage.table --refresh  # marks listed names that exist by now as present

One text file per namespace or class beside this one, `name<TAB>present` or `name<TAB>absent: reason`; its name is the
namespace as it follows `mx.` (`np.linalg.txt`, `gluon.Block.txt`). `walk.py` wrote the names, using MXNet. `absent`
names must not exist, present ones must: who adds a name runs `--refresh`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
README = HERE.parent.parent / "README.md"
BEGIN, END = "<!-- coverage:begin -->", "<!-- coverage:end -->"
# names of a class that only its objects have: class -> how an object is made is not said, so the names are
OF_OBJECTS = {"gluon.contrib.estimator.Estimator": {"logger"}}


def namespaces() -> list[str]:
    """The namespaces that have a list."""
    return sorted(path.stem for path in HERE.glob("*.txt"))


def names(namespace: str) -> dict[str, str]:
    """For each name of MXNet's 'present' or 'absent: reason'."""
    rows = (line.split("\t") for line in (HERE / f"{namespace}.txt").read_text().splitlines() if line)
    return {name: state for name, state in rows}


def ours(namespace: str):
    """The module or class of numblocks that a namespace of MXNet's corresponds to; None if there is none."""
    found, path = importlib.import_module("numblocks"), "numblocks"
    for part in namespace.split("."):
        path += f".{part}"
        if not hasattr(found, part):
            try:
                importlib.import_module(path)
            except ModuleNotFoundError:
                return None
        found = getattr(found, part)
    return found


def there(namespace: str, name: str) -> bool:
    """Whether the name exists."""
    where = ours(namespace)
    return where is not None and (hasattr(where, name) or name in OF_OBJECTS.get(namespace, ()))


def absent(namespace: str) -> dict[str, list[str]]:
    """The names left out, by reason."""
    reasons: dict[str, list[str]] = {}
    for name, state in names(namespace).items():
        if state != "present":
            reasons.setdefault(state.partition(": ")[2], []).append(f"`{name}`")
    return reasons


def row(namespace: str) -> str:
    """One line of the table."""
    reasons, count = absent(namespace), len(names(namespace))
    said = "; ".join(f"{', '.join(few(who))}: {why}" for why, who in reasons.items())
    return f"| `{namespace}` | {count} | {count - sum(map(len, reasons.values()))} | {said} |"


def few(items: list[str], most: int = 6) -> list[str]:
    """The first items, and how many more there are."""
    return items if len(items) <= most else [*items[:most], f"and {len(items) - most} more"]


def table() -> str:
    """What is whole in one sentence, the rest as a table."""
    whole = [n for n in namespaces() if not absent(n)]
    rest = [n for n in namespaces() if absent(n)]
    every = [state for n in namespaces() for state in names(n).values()]
    here = sum(state == "present" for state in every)
    return "\n".join([
        f"{here} of {len(every)} names. Whole are {', '.join(f'`{n}` ({len(names(n))})' for n in whole)}.", "",
        "| namespace or class | names in MXNet 1.9 | here | left out, and why |", "|---|--:|--:|---|", *map(row, rest),
    ])  # fmt: skip


def refresh() -> None:
    """Mark what exists by now as present."""
    for namespace in namespaces():
        states = {
            name: "present" if there(namespace, name) else state for name, state in names(namespace).items()
        }
        (HERE / f"{namespace}.txt").write_text("".join(f"{name}\t{state}\n" for name, state in states.items()))


def written(readme: str) -> str:
    """The README with the present table between its markers."""
    before, _, after = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{after.partition(END)[2]}"


if __name__ == "__main__":
    if "--refresh" in sys.argv:
        refresh()
    elif "--write" in sys.argv:
        README.write_text(written(README.read_text()))
    else:
        print(table())
