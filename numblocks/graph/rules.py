"""Rewrite rules, applied once, when a node is built: `(op, condition, replacement)  # law`.

A rule sees inputs that are simplified already, so no rule is tried twice. Only laws that hold for every float,
NaN, infinities and signed zeros included, are listed (x + 0 is not: -0 + 0 = 0). No law looks at the value of a
number, since numbers come from sizes too (a mean is a sum times 1 / n) and kernels must not depend on sizes.
"""

from __future__ import annotations

from ..ops.elementwise import cast
from .graph import Node


def _made_by(x, name) -> bool:
    return isinstance(x, Node) and x.op is not None and x.op.name == name


def _swaps_last(x) -> bool:
    """A transpose of just the last two axes."""
    if not _made_by(x, "transpose"):
        return False
    n = len(x.spec["axes"])
    return n >= 2 and x.spec["axes"] == tuple(range(n - 2)) + (n - 1, n - 2)


# (op, condition(node), replacement(node, build)); build(op, inputs, spec) makes a node
RULES = [
    ("negative", lambda n: _made_by(n.inputs[0], "negative"), lambda n, build: n.inputs[0].inputs[0]),  # -(-x) = x
    ("cast", lambda n: n.inputs[0].dtype == n.dtype, lambda n, build: n.inputs[0]),  # already of that dtype
    *(
        (name, lambda n: n.spec["axis"] == (), lambda n, build: build(cast, n.inputs, {"dtype": n.dtype.name}))
        for name in ("sum", "prod", "max", "min")
    ),  # a reduction over no axis = the same values, in the reduction's dtype
    ("reshape", lambda n: n.inputs[0].shape == n.shape, lambda n, build: n.inputs[0]),  # the same shape
    ("broadcast_to", lambda n: n.inputs[0].shape == n.shape, lambda n, build: n.inputs[0]),  # the same shape
    (
        "reshape",
        lambda n: _made_by(n.inputs[0], "reshape"),
        lambda n, build: build(n.op, (n.inputs[0].inputs[0],), {"shape": n.shape}),
    ),  # reshape after reshape = the last
    (
        "transpose",
        lambda n: n.spec["axes"] == tuple(range(n.ndim)),
        lambda n, build: n.inputs[0],
    ),  # axes in their order
    (
        "transpose",
        lambda n: _made_by(n.inputs[0], "transpose"),
        lambda n, build: build(
            n.op, (n.inputs[0].inputs[0],), {"axes": tuple(n.inputs[0].spec["axes"][k] for k in n.spec["axes"])}
        ),
    ),  # transpose after transpose = one
    (
        "transpose",
        lambda n: _swaps_last(n) and _made_by(n.inputs[0], "matmul"),
        lambda n, build: build(
            n.inputs[0].op,
            tuple(build(n.op, (x,), {"axes": tuple(range(x.ndim - 2)) + (x.ndim - 1, x.ndim - 2)})
                  for x in reversed(n.inputs[0].inputs)),
            {},
        ),
    ),  # (a @ b).T = b.T @ a.T: BLAS reads transposed operands for nothing, a copy of the product costs
]  # fmt: skip

BY_OP: dict[str, list] = {}
for _op, _condition, _replacement in RULES:
    BY_OP.setdefault(_op, []).append((_condition, _replacement))


def rewrite(node: Node, build) -> Node | None:
    """What `node` can be replaced by, or None."""
    for condition, replacement in BY_OP.get(node.op.name, ()):
        if condition(node):
            return replacement(node, build)
    return None
