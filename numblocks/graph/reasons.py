"""Why a function is traced again: what of the call is new compared with the calls it knows."""

from __future__ import annotations

from ..op import current
from .structure import ARRAY, flatten


def describe(args, recording: bool) -> dict[str, str]:
    """The parts of a call's signature, by name, as words."""
    leaves, structure = flatten(args)
    parts = {
        "mode": ("training" if current.training else "predicting") + (", recorded" if recording else ""),
        "arguments": f"{len(leaves)} arrays",
        "nesting": _nesting(structure),
    }
    for k, x in enumerate(leaves):
        parts[f"shape of argument {k}"] = str(list(x.shape))
        parts[f"dtype of argument {k}"] = x.dtype.name
        parts[f"device of argument {k}"] = str(x._device)
        parts[f"class of argument {k}"] = type(x).__name__
        if recording:
            parts[f"gradient of argument {k}"] = "no" if x._node is None else "wanted"
    return parts


def _nesting(structure) -> str:
    if structure == ARRAY or structure is None:
        return str(structure)
    kind = structure[0]
    if kind == "value":
        return repr(structure[2])
    if kind is dict:
        return "{" + ", ".join(f"{k!r}: {_nesting(v)}" for k, v in structure[1]) + "}"
    return "(" + ", ".join(_nesting(v) for v in structure[1]) + ")"


def reason(new: dict[str, str], known: list[dict[str, str]]) -> str:
    """What differs between `new` and the most similar of the `known` signatures.

    >>> reason({"shape of argument 0": "[4]"}, [{"shape of argument 0": "[3]"}])
    'shape of argument 0 is [4], was [3]'
    """
    if not known:
        return "first call"
    differences = []
    for old in known:
        names = [n for n in (*new, *(n for n in old if n not in new)) if new.get(n) != old.get(n)]
        differences.append((len(names), names, old))
    _, names, old = min(differences, key=lambda d: d[0])
    if not names:
        return "the same signature (parameters were exchanged, or the compiled function was cleared)"
    return ", ".join(f"{n} is {new.get(n, 'absent')}, was {old.get(n, 'absent')}" for n in names)


def summary(parts: dict[str, str]) -> str:
    """The signature on one line.

    >>> summary({"mode": "training", "dtype of argument 0": "float32", "shape of argument 0": "[2, 3]"})
    '(float32[2, 3]), training'
    """
    count = sum(name.startswith("shape of") for name in parts)
    arrays = [parts[f"dtype of argument {k}"] + parts[f"shape of argument {k}"] for k in range(count)]
    return f"({', '.join(arrays)}), {parts['mode']}"
