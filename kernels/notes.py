"""Comments in a kernel's file that say where in the user's code its statements come from.

The text that is compiled, hashed and compared has no such comments: the same kernel asked for from two places is
one file, which names the place that asked first. Comments stand at the ends of lines, so line numbers are those of
the text.
"""

from __future__ import annotations

import re

_ASSIGNED = re.compile(r"\s+([A-Za-z_]\w*?)(?:_sum|_all\[j\])? = ")


def annotate(name: str, text: str, where: dict[str, str] | None) -> str:
    """`text` with `# file:line` behind the statements of function `name` that assign a name in `where`.

    >>> print(annotate("k", "def k(lo, hi, a):\\n    t0 = a[0]", {"t0": "train.py:12"}))
    def k(lo, hi, a):
        t0 = a[0]  # train.py:12
    """
    if not where:
        return text
    start = text.find(f"def {name}(")
    lines = text[max(start, 0) :].split("\n")
    for k, line in enumerate(lines):
        found = _ASSIGNED.match(line)
        if found and found[1] in where:
            lines[k] = f"{line}  # {where[found[1]]}"
    return text[: max(start, 0)] + "\n".join(lines)
