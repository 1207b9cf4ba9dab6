"""Steps of a plan in words and numbers: what kind, which ops, how many bytes.

Read by debug output, explain and the profiler.
"""

from __future__ import annotations

import os

from .graph import Node
from .lower import Launch, View, whole


def kind(step, native: bool) -> str:
    """'kernel' (generated loop), 'BLAS' (matrix product in the native table), 'python' (an op's own code), 'copy', or
    'loop' and 'branch' (they run compiled bodies)."""
    if isinstance(step, Launch):
        return "kernel"
    if not hasattr(step, "node"):
        return "copy"
    if step.node.kind in ("loop", "branch"):
        return step.node.kind
    return "BLAS" if native else "python"


def label(step) -> str:
    """The kernel's or op's name."""
    if isinstance(step, Launch):
        return step.program.name()
    return step.node.op.name if hasattr(step, "node") else f"copy to {step.target.name}"


def nodes(step) -> tuple[Node, ...]:
    """What the step computes."""
    if isinstance(step, Launch):
        return step.nodes
    return (step.node,) if hasattr(step, "node") else ()


def traffic(step) -> tuple[list[View], list[View]]:
    """The windows a step reads and those it writes."""
    if isinstance(step, Launch):
        reads = len(step.program.reads)
        found = [window for window, _ in step.operands]
        return found[:reads], found[reads:]
    if hasattr(step, "node"):
        results = step.node.parts or (step.node,)
        return [x for x in step.operands if isinstance(x, View)], [whole(n) for n in results]
    return [step.source], [whole(step.target)]


def bytes_of(window: View) -> int:
    """Bytes of memory a window covers, an element seen twice counted once."""
    count = window.root.itemsize
    for n, stride in zip(window.shape, window.strides, strict=True):
        count *= n if stride else min(n, 1)
    return count


def nbytes(step) -> int:
    """Bytes a step must read and write at least."""
    reads, writes = traffic(step)
    return sum(bytes_of(w) for w in (*reads, *writes))


def place(where) -> str:
    """`file:line` of a statement without the folder, and the layer it is in; '' if it is not known.

    >>> place(("/home/me/train.py", 12, "")), place(("/home/me/train.py", 12, "dense0"))
    ('train.py:12', 'train.py:12 dense0')
    """
    return f"{os.path.basename(where[0])}:{where[1]} {where[2]}".rstrip() if where else ""


def size(count: int) -> str:
    """Bytes for people.

    >>> size(512), size(20_000), size(3_500_000)
    ('512 B', '19.5 KB', '3.34 MB')
    """
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"
