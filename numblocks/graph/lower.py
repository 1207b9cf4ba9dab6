"""Lowering: a fused group becomes a Program and the operands its kernel is launched on."""

from __future__ import annotations

from typing import NamedTuple

import numpy

from ..kernels import loops
from ..kernels.program import CAST, INDEX, Line, Operand, Program, Reduce, Store
from ..kernels.scalars import scalar
from .axes import identity, trailing
from .fuse import Group, is_map
from .graph import Node


class View(NamedTuple):
    """A window on the buffer of `root`: where it starts (elements) and how it strides (elements)."""

    root: Node
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Stream(NamedTuple):
    """A scalar argument that is only known at the call: the key of the call's random stream with this number."""

    number: int


class Launch(NamedTuple):
    """One kernel launch: the program, axis sizes, for each operand its View and loop strides, and which node each
    statement of the program belongs to."""

    program: Program
    sizes: tuple[int, ...]
    operands: tuple[tuple[View, tuple[int, ...]], ...]
    scalars: tuple
    nodes: tuple[Node, ...]
    lines: tuple[tuple[str, Node], ...] = ()


def whole(node: Node) -> View:
    """The View of all of a buffer."""
    return View(node, 0, node.shape, loops.natural_strides(node.shape))


def view_of(node: Node, has_buffer) -> View | None:
    """`node` as a window on the buffer of the value it is moved from, or None if it needs a buffer of its own.

    Args:
        has_buffer: whether a node has memory.
    """
    if has_buffer(node):
        return whole(node)
    if node.kind != "move" or not isinstance(node.inputs[0], Node) or len(node.inputs) != 1:
        return None
    base = view_of(node.inputs[0], has_buffer)
    if base is None:
        return None
    return moved(node, base)


def moved(node: Node, base: View) -> View | None:
    """The window a movement op opens on `base`, found by letting NumPy move an array that is never touched."""
    if 0 in base.shape:
        return View(base.root, base.offset, node.shape, loops.natural_strides(node.shape))
    item = node.dtype.itemsize
    span = 1 + sum((n - 1) * abs(s) for n, s in zip(base.shape, base.strides, strict=True)) if base.shape else 1
    low = sum((n - 1) * s for n, s in zip(base.shape, base.strides, strict=True) if s < 0)
    memory = numpy.empty(span, node.dtype)
    template = numpy.lib.stride_tricks.as_strided(memory[-low:], base.shape, [s * item for s in base.strides])
    y = node.op.run(template, **node.spec)
    if y.shape != node.shape or not numpy.may_share_memory(y, memory):
        return None
    start = (y.__array_interface__["data"][0] - template.__array_interface__["data"][0]) // item
    return View(base.root, base.offset + start, y.shape, tuple(s // item for s in y.strides))


def root_of(node: Node, members) -> Node:
    """The member whose values a member movement shows."""
    while node.kind == "move" and node in members and not is_map(node):
        node = node.inputs[0]
    return node


def lower(group: Group, stored: list[Node], view) -> Launch:
    """The launch of a fused group.

    Args:
        group: what to compute.
        stored: members (no movements) whose values are needed outside; each gets a buffer.
        view: `node -> View` for everything outside the group.
    """
    ndim = len(group.shape)
    members = set(group.nodes)
    reads: dict[tuple, str] = {}
    read_data: list[tuple[View, tuple[int, ...], str]] = []
    scalars: dict[tuple, str] = {}
    names: dict[Node, str] = {}
    statements = loops.Body()
    body = statements.statements

    def read(x: Node, axes: tuple) -> str:
        key = (x, axes)
        if key not in reads:
            window = view(x)
            steps = [0] * ndim
            for axis, step in zip(axes, window.strides, strict=True):
                if axis is not None:
                    steps[axis] += step
            reads[key] = f"x{len(reads)}"
            read_data.append((window, tuple(steps), x.dtype.name))
        return reads[key]

    def operand(node: Node, x, axes: tuple) -> str:
        if not isinstance(x, Node):
            dtype = scalar_dtype(node)
            key = (dtype, type(x), x)
            return scalars.setdefault(key, f"c{len(scalars)}")
        if x in members:
            return names[root_of(x, members)]
        need = trailing(axes, x, ndim, group.shape)
        return read(x, need)

    lines: list[tuple[str, Node]] = []
    for node in group.nodes:
        first = len(body)
        if node.kind == "reduce":
            source = node.inputs[0]
            axes = group.axes[source] if source in group.axes else identity(ndim)
            arg = operand(node, source, axes)
            if source.dtype != node.dtype:
                body.append(Line(f"t{len(body)}", CAST, (arg,), node.dtype.name))
                arg = body[-1].name
            names[node] = f"t{len(body)}"
            body.append(Reduce(names[node], node.op.result, arg, node.dtype.name))
        elif node.kind == "random":
            key = scalars.setdefault(("uint64", Stream, Stream(node.spec["stream"])), f"c{len(scalars)}")
            index = statements.line(None, (INDEX,), "uint64")
            names[node] = node.op.lines(statements.line, key, index, node.dtype.name)
        elif is_map(node):
            axes = group.axes[node]
            args = tuple(operand(node, x, axes) for x in node.inputs)
            function = scalar(node.op.scalar) if node.kind == "elementwise" and node.op.scalar else CAST
            names[node] = f"t{len(body)}"
            body.append(Line(names[node], function, args, node.dtype.name))
        lines += [(s.name, node) for s in body[first:]]
    inner = varying(body, {name for (x, axes), name in reads.items() if _follows(axes, group.reduced)})
    writes = []
    for k, node in enumerate(stored):
        steps = [0] * ndim
        for axis, step in zip(group.axes[node], loops.natural_strides(node.shape), strict=True):
            if axis is not None:
                steps[axis] += step
        if names[node] in inner and not any(steps[r] for r in group.reduced):
            for r in group.reduced:
                steps[r] = int(group.shape[r] == 1)  # the node's own axis, of length 1: no step is taken along it
        writes.append((whole(node), tuple(steps), node.dtype.name))
        body.append(Store(f"y{k}", names[node]))
    data = read_data + writes
    axes, sizes, strides = loops.nest(group.shape, [steps for _, steps, _ in data], group.reduced)
    layouts = [loops.layout(s) for s in strides]
    program = Program(
        axes,
        tuple(Operand(f"x{k}", d, lay) for k, ((_, _, d), lay) in enumerate(zip(read_data, layouts, strict=False))),
        tuple(
            Operand(f"y{k}", d, lay)
            for k, ((_, _, d), lay) in enumerate(zip(writes, layouts[len(read_data) :], strict=True))
        ),
        tuple((name, dtype) for (dtype, _, _), name in scalars.items()),
        tuple(body),
    )
    return Launch(
        program,
        sizes,
        tuple((window, steps) for (window, _, _), steps in zip(data, strides, strict=True)),
        tuple(value for _, _, value in scalars),
        tuple(group.nodes),
        tuple(lines),
    )


def _follows(axes: tuple, reduced) -> bool:
    """Whether an operand with this axis map varies along a reduced axis."""
    return any(axis in reduced for axis in axes)


def varying(body, names: set[str]) -> set[str]:
    """The names of a body that vary along the reduced axes, given the operands that do."""
    found = {*names, INDEX}
    for s in body:
        if isinstance(s, Line) and not found.isdisjoint(s.args):
            found.add(s.name)
    return found


def scalar_dtype(node: Node) -> str:
    """The dtype a Python number takes beside the node's other operands."""
    nodes = [x for k, x in enumerate(node.inputs) if isinstance(x, Node) and not (node.op.result == "where" and k == 0)]
    return (nodes[0] if nodes else node).dtype.name
