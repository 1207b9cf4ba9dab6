"""The table of a run: `python bench/table.py [results/baseline.json]` prints the README's, in Markdown.

Times are the best of all rounds; with `--median` the medians. `loop x` and `step x` are the best peer's time
divided by ours, hybridized and as one compiled step; `eager x` is PyTorch eager's divided by our eager time. Above 1
we are faster.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

BASELINE = Path(__file__).resolve().parent / "results" / "baseline.json"
ORDER = (
    "mlp_16x20x64", "mlp_64x64x128", "mlp_256x784x256", "mlp_256x784x256_adam", "lenet_256", "resnet18_32x32_b32",
    "lstm_b32_t35_h256", "encoder_b16_t64_d256", "infer_mlp_b1", "infer_resnet18_b1", "chain_4M", "chain_4K", "cold",
    "warm", "import", "import_rss", "op_",
)  # fmt: skip
COLUMNS = {
    "loop": ("numblocks/loop",),
    "step": ("numblocks/step",),
    "eager": ("numblocks/eager",),
    "torch": ("torch/eager",),
    "compile": ("torch/compile",),
    "jax": ("jax/jit", "jax/eager"),
    "mxnet": ("mxnet/hybrid", "mxnet/eager"),
}
TITLES = {
    "loop": "numblocks hybridized", "step": "numblocks compiled step", "eager": "numblocks eager",
    "torch": "PyTorch eager", "compile": "torch.compile", "jax": "JAX jit", "mxnet": "MXNet hybridized",
}  # fmt: skip

RATIOS = ("loop x", "step x", "eager x")
SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def value(row: dict, column: str, which: str = "best") -> float | None:
    """The figure of a column, None if it could not be measured."""
    for key in COLUMNS[column]:
        if key in row["times"]:
            return row["times"][key][which]
    return None


def shown(seconds: float | None, unit: str = "s") -> str:
    """`0.0123` as `12.3 ms`, None as `-`."""
    if seconds is None:
        return "-"
    if unit == "MB":
        return f"{seconds:.0f} MB"
    scale, name = next((pair for pair in SCALES if seconds >= pair[0]), SCALES[-1])
    figure = seconds / scale
    return f"{figure:.0f} {name}" if figure >= 100 else f"{figure:.3g} {name}"


def ratios(row: dict, which: str = "best") -> list[float | None]:
    """How many times faster we are: loop, step (against the best peer), eager (against PyTorch eager)."""
    theirs = [v for c in ("torch", "compile", "jax", "mxnet") if (v := value(row, c, which)) is not None]
    best = min(theirs, default=None)
    against = {"loop": best, "step": best, "eager": value(row, "torch", which)}
    return [
        None if peer is None or (ours := value(row, column, which)) is None else peer / ours
        for column, peer in against.items()
    ]


def cells(name: str, row: dict, which: str = "best") -> list[str]:
    """One line of the table."""
    figures = [shown(value(row, column, which), row.get("unit", "s")) for column in COLUMNS]
    return [name, *figures, *("-" if r is None else f"{r:.2f}" for r in ratios(row, which)), row["goal"]]


def heading() -> str:
    """The columns' names for the screen."""
    names = ["", *COLUMNS, *RATIOS, "goal"]
    return names[0].ljust(28) + "".join(n.rjust(10) for n in names[1:-1]) + "  goal"


def line(name: str, row: dict) -> str:
    """One row for the screen."""
    found = cells(name, row)
    return found[0].ljust(28) + "".join(c.rjust(10) for c in found[1:-1]) + "  " + found[-1]


def reasons(row: dict) -> dict[str, list[str]]:
    """Why figures are missing: reason -> columns."""
    found: dict[str, list[str]] = {}
    for key, why in row["missing"].items():
        found.setdefault(why, []).append(key)
    return found


def markdown(result: dict, which: str = "best") -> str:
    """The README's table, from the JSON of a run."""
    device = result["device"]
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    lines = [
        "| | " + " | ".join(TITLES.values()) + f" | {' | '.join(RATIOS)} | goal |",
        "|---|" + "---|" * (len(COLUMNS) + len(RATIOS) + 1),
    ]
    rows = result["rows"]
    place = {name: next((k for k, o in enumerate(ORDER) if name == o or name.startswith(o) and o[-1] == "_"), 99)
             for name in rows}  # fmt: skip
    why: dict[str, list[str]] = {}
    for name in sorted(rows, key=place.__getitem__):
        lines.append("| " + " | ".join(cells(name, rows[name], which)) + " |")
        for reason, keys in reasons(rows[name]).items():
            why.setdefault(reason, []).extend(f"{name} {key}" for key in keys)
    lines += ["", f"{device['cpu']}, {device['threads']} threads; {versions}; {result['date'][:10]},"
              f" commit {result['commit']}. {'Best' if which == 'best' else 'Median'} of the rounds;"
              f" loop x, step x: best peer / numblocks hybridized, as compiled step; eager x: PyTorch eager / numblocks"
              f" eager; above 1 numblocks is faster."]  # fmt: skip
    numpy = rows.get("import", {}).get("times", {}).get("numpy/")
    if numpy:
        memory = rows.get("import_rss", {}).get("times", {}).get("numpy/")
        size = f", {memory[which]:.0f} MB" if memory else ""
        lines.append(f"NumPy alone imports in {shown(numpy[which])}{size}.")
    busy = [name for name in rows if rows[name].get("load", 0) > 2 * device["cores"]]
    if busy:
        lines.append(f"Other work kept the machine busy, to be measured again: {', '.join(busy)}.")
    if why:
        lines += ["", "Not measured:", *(f"- {reason}: {', '.join(keys)}" for reason, keys in why.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--median"]
    with open(words[0] if words else BASELINE) as file:
        print(markdown(json.load(file), "median" if "--median" in sys.argv else "best"))
