"""Axis maps: for each axis of a value, the axis of a group's loop that indexes it, None where it has length 1."""

from __future__ import annotations

from .graph import Node


def identity(n: int) -> tuple:
    """The axis map of a node that has the loop's own shape."""
    return tuple(range(n))


def trailing(axes: tuple, node: Node, ndim: int, shape) -> tuple | None:
    """The loop axes of `node` as an operand that broadcasts from the right against a value with axes `axes`."""
    mine = axes[len(axes) - node.ndim :] if node.ndim else ()
    if len(mine) != node.ndim:
        return None
    return tuple(None if n == 1 and (a is None or shape[a] != 1) else a for a, n in zip(mine, node.shape, strict=True))


def realigned(node: Node, axes: tuple) -> tuple | None:
    """The axis map of a movement of a value with axis map `axes`, or None if it is more than a change of indexing."""
    name = node.op.name
    if name == "transpose":
        return tuple(axes[k] for k in node.spec["axes"])
    if name == "reshape":
        return through_reshape(axes, node.inputs[0].shape, node.shape)
    return None


def through_reshape(axes: tuple, before, after) -> tuple | None:
    """The axis map behind a reshape that only drops or adds axes of length 1, from the left; None for any other.

    Axes are matched by place, not by looking at what happens to have length 1: a batch of one is indexed as a batch
    of many is.
    """
    found, k = [], 0
    for n in after:
        while k < len(before) and before[k] != n and before[k] == 1:
            k += 1
        if k < len(before) and before[k] == n:
            found.append(axes[k])
            k += 1
        elif n == 1:
            found.append(None)
        else:
            return None
    return tuple(found) if all(n == 1 for n in before[k:]) else None


def outer_axes(node: Node, ndim: int) -> tuple:
    """The axis map of a reduction's answer in the loop over its operand."""
    kept = tuple(None if k in node.spec["axis"] else k for k in range(ndim))
    return kept if node.spec["keepdims"] else tuple(k for k in kept if k is not None)


def same_axes(a: tuple, b: tuple, shape) -> bool:
    """Whether two axis maps index alike; axes of length 1 do not matter."""
    return len(a) == len(b) and all(
        x == y or ((x is None or shape[x] == 1) and (y is None or shape[y] == 1)) for x, y in zip(a, b, strict=True)
    )
