"""Tracing: run an ordinary function with arrays that know shape and dtype but no values, and keep what it did.

A traced array is an ndarray whose buffer is a graph Node. `bind` evaluates ops on them by adding nodes; the tape
records over them as over any array, so the backward graph is the tape walked while tracing.
"""

from __future__ import annotations

import contextlib
import sys
import threading

import numpy

from .. import dtype as dt
from .. import eager, tape
from ..array import Aval, ndarray, wrap
from ..op import Op, current
from ..ops.elementwise import cast
from ..ops.kinds import evaluate_composite
from .graph import Node
from .rules import rewrite

_PACKAGE = __name__.split(".")[0]
_scopes = threading.local()


class Builder:
    """A graph under construction.

    Attributes:
        inputs: Node of each input, in the order they appeared.
        sources: for each input the array it stands for, or None for an argument of the call.
        effects: `(target array, Node)` state updates to make after the forward pass.
        guards: `(flag Node, Node it is about, check)`; see `Current.guard`.
        draws: how many random streams the function takes.
        device: where its arrays live.
    """

    def __init__(self, device):
        self.inputs: list[Node] = []
        self.sources: list[ndarray | None] = []
        self.effects: list[tuple[ndarray, Node]] = []
        self.guards: list = []
        self.draws = 0
        self.device = device
        self._interned: dict = {}
        self._captured: dict[int, ndarray] = {}
        self._stand_ins: list[tuple[ndarray, ndarray]] = []  # (traced array, what it stands for)
        self._count = 0

    def input(self, shape, dtype, label: str, source: ndarray | None = None) -> Node:
        """A new input."""
        node = Node(None, (), {}, shape, dtype, self._next(), label=label)
        self.inputs.append(node)
        self.sources.append(source)
        return node

    def capture(self, x: ndarray) -> ndarray:
        """The traced array that stands for `x`, a parameter or another array the function reached for."""
        found = self._captured.get(id(x))
        if found is None:
            node = self.input(x.shape, x.dtype, f"p{len(self._captured)}", x)
            found = self._stand_in(x, node)
            if x._node is not None:
                self.on_capture(x, found)
        return found

    def substitute(self, x: ndarray) -> ndarray:
        """`x` as an array of this trace: itself, or what stands for it."""
        return x if isinstance(x._data, Node) else self.capture(x)

    def _stand_in(self, x: ndarray, node: Node) -> ndarray:
        found = self._captured[id(x)] = wrap(node, x._device, type(x))
        self._stand_ins.append((found, x))
        return found

    def assign(self, target: ndarray, value: ndarray) -> None:
        """Note that `target` becomes `value` after the call; whoever reads it later in the trace sees `value`."""
        source = next((x for traced, x in self._stand_ins if traced is target), target)
        self.capture(source)
        node = self.substitute(value)._data
        if node.dtype != source.dtype:
            node = self.node(cast, (node,), {"dtype": source.dtype.name})
        self.effects = [(x, n) for x, n in self.effects if x is not source] + [(source, node)]
        self._stand_in(source, node)

    def on_capture(self, x: ndarray, traced: ndarray) -> None:
        """Called when a captured array is on the tape; whoever wants gradients overrides it."""

    def node(self, op: Op, inputs: tuple, spec: dict) -> Node:
        """The node for `op(*inputs, **spec)`: an existing equal one, or what a rule makes of it, or a new one."""
        key = (op, tuple(x.number if isinstance(x, Node) else ("c", type(x), x) for x in inputs), tuple(spec.items()))
        found = self._interned.get(key)
        if found is None:
            aval = op.infer(*inputs, **spec)
            if isinstance(aval, tuple):
                whole = Node(op, inputs, spec, (), aval[0].dtype, self._next(), user_line())
                found = whole.parts = tuple(
                    Node(ITEM, (whole,), {"index": k}, a.shape, a.dtype, self._next(), whole.where)
                    for k, a in enumerate(aval)
                )
            else:
                found = Node(op, inputs, spec, aval.shape, aval.dtype, self._next(), user_line())
                simpler = rewrite(found, self.node)
                found = found if simpler is None else simpler
            self._interned[key] = found
        return found

    def _next(self) -> int:
        self._count += 1
        return self._count

    def evaluate(self, op: Op, args, spec):
        """`bind`'s evaluator while this builder is pushed."""
        if op.kind == "composite":
            return evaluate_composite(op, args, spec)
        inputs, cls, traced = [], ndarray, op.kind in ("random", "loop", "branch")
        for a in args:
            if isinstance(a, ndarray):
                traced = traced or isinstance(a._data, Node) or a._node is not None  # a variable changes between calls
                cls = type(a) if issubclass(type(a), cls) else cls
        if not traced:
            return op.eager(op, args, spec)
        if op.traced is not None:
            return evaluate_composite(op, args, spec)
        for a in args:
            if isinstance(a, numpy.ndarray):
                a = wrap(a, self.device)
            elif isinstance(a, numpy.generic):
                a = a.item()
            if isinstance(a, ndarray):
                inputs.append(self.substitute(a)._data)
            elif isinstance(a, (int, float)):
                inputs.append(a)
            else:
                eager.unpack(op, args)  # raises the public error
        if op.kind == "elementwise" and op is not cast:
            inputs = self.cast_operands(op, inputs)
        node = self.node(op, tuple(inputs), spec)
        if isinstance(node, tuple):
            return tuple(wrap(n, self.device, cls) for n in node)
        if not isinstance(node, Node):  # a rule left a Python scalar
            return wrap(numpy.asarray(node, dtype=op.infer(*inputs, **spec).dtype), self.device, cls)
        return wrap(node, self.device, cls)

    def cast_operands(self, op: Op, inputs: list) -> list:
        """Inputs in the dtype the op computes in, with the casts as nodes."""
        eager.broadcast(op, [x if isinstance(x, Aval) else 0 for x in inputs])
        want = compute_dtype(op, inputs)
        skip = op.result == "where"
        for k, x in enumerate(inputs):
            if isinstance(x, Node):
                target = dt.bool_ if skip and k == 0 else want
                if x.dtype != target:
                    inputs[k] = self.node(cast, (x,), {"dtype": target.name})
        for k, x in enumerate(inputs):  # an operand broadcasts by itself beside one that has the whole shape
            if isinstance(x, Node) and x.op is not None and x.op.name == "broadcast_to":
                if any(isinstance(y, Node) and y.shape == x.shape and y is not x for y in inputs[:k] + inputs[k + 1 :]):
                    inputs[k] = x.inputs[0]
        return inputs


def compute_dtype(op: Op, inputs) -> numpy.dtype:
    """The dtype an elementwise op computes in, for Nodes and Python scalars."""
    return eager.operand_dtype(op, [numpy.empty((), x.dtype) if isinstance(x, Aval) else x for x in inputs])


def user_line() -> tuple[str, int, str] | None:
    """File and line of the innermost caller outside numblocks, and the name of the layer of ours it called, or ''.

    What a gradient needs comes from where the differentiated value came from.
    """
    frame, layer = sys._getframe(2), ""
    while frame is not None:
        if frame.f_globals.get("__name__", "").split(".")[0] != _PACKAGE:
            return frame.f_code.co_filename, frame.f_lineno, layer
        name = frame.f_code.co_name
        if not layer and name in ("forward", "hybrid_forward"):
            layer = getattr(frame.f_locals.get("self"), "name", "")
        elif name == "pull" and frame.f_code is tape.pull.__code__:
            y = frame.f_locals.get("y")
            where = getattr((y[0] if type(y) is tuple else y)._data, "where", None)
            if where is not None:
                return where
        frame = frame.f_back
    return None


def innermost() -> Builder | None:
    """The Builder of the trace that this thread is in, None outside."""
    return getattr(_scopes, "builder", None)


@contextlib.contextmanager
def tracing(builder: Builder):
    """A scope in which ops on traced arrays add nodes to `builder`."""

    def next_stream() -> int:
        builder.draws += 1
        return builder.draws - 1

    def guard(flag: ndarray, on: ndarray, check) -> None:
        if all(flag._data is not known for known, _, _ in builder.guards):
            builder.guards.append((flag._data, on._data, check))

    cur = current
    before = cur.evaluate, cur.substitute, cur.assign, cur.next_stream, cur.guard
    cur.evaluate, cur.substitute, cur.assign, cur.next_stream, cur.guard = (
        builder.evaluate, builder.substitute, builder.assign, next_stream, guard
    )  # fmt: skip
    outside, _scopes.builder = innermost(), builder
    try:
        yield builder
    finally:
        _scopes.builder = outside
        cur.evaluate, cur.substitute, cur.assign, cur.next_stream, cur.guard = before


def _item(parts, *, index, out=None):
    if out is None:
        return parts[index]
    out[...] = parts[index]
    return out


ITEM = Op("item", "item", None, registered=False, run=_item)  # one of several results: a node of the graph only
