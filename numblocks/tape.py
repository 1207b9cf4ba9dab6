"""The tape: what was computed from what, and the walk back through it.

Every answer computed from a tracked array points to a `Step`; a variable points to its `Leaf`. A Step keeps the raw
data of its answer rather than the answer itself, so there are no reference cycles and memory goes when the last
array does.
"""

from __future__ import annotations

import heapq
import itertools

from .array import ndarray, wrap
from .errors import MXNetError
from .op import Op, current, detached
from .ops.elementwise import add, astype
from .ops.reduce import sum_to

_count = itertools.count()


class Leaf:
    """A variable: where a gradient is collected.

    Attributes:
        grad: the gradient buffer.
        req: 'write', 'add' or 'null'.
        fresh: set when backward has written `grad`; whoever consumes it (Trainer) clears it.
    """

    __slots__ = ("grad", "req", "fresh", "order")

    def __init__(self, grad: ndarray | None, req: str):
        self.grad, self.req, self.fresh = grad, req, False
        self.order = -1


class Step:
    """One recorded operation."""

    __slots__ = ("op", "args", "spec", "data", "device", "cls", "parents", "order", "keep")

    def __init__(self, op: Op, args, spec, y):
        self.op, self.args, self.spec = op, args, spec
        several = type(y) is tuple
        self.data = tuple(part._data for part in y) if several else y._data
        first = y[0] if several else y
        self.device, self.cls = first._device, type(first)
        self.parents = [getattr(a, "_node", None) for a in args]
        self.order = next(_count)

    def answer(self):
        """The answer again, attached to this step so that higher orders see it."""
        if type(self.data) is tuple:
            parts = []
            for k, data in enumerate(self.data):
                part = wrap(data, self.device, self.cls)
                part._node = Part(self, k)
                parts.append(part)
            return tuple(parts)
        y = wrap(self.data, self.device, self.cls)
        y._node = self
        return y

    def release(self) -> None:
        """Forget operands and answer; a second walk through this step is refused."""
        self.args = self.data = None
        self.parents = ()


class Part:
    """One of several answers of a Step."""

    __slots__ = ("step", "index")

    def __init__(self, step: Step, index: int):
        self.step, self.index = step, index


def record(op: Op, args, spec, y) -> None:
    """Put an operation on the tape if any of its operands is on it."""
    if op.vjp is None:
        return
    for a in args:
        if isinstance(a, ndarray) and a._node is not None:
            step = Step(op, args, spec, y)
            if type(y) is tuple:
                for k, part in enumerate(y):
                    part._node = Part(step, k)
            else:
                y._node = step
            return


def mark(x: ndarray, grad: ndarray | None, req: str) -> None:
    """Make `x` a variable with this gradient buffer."""
    if req not in ("write", "add", "null"):
        raise KeyError(f"attach_grad: grad_req is {req!r}. It says how gradients are stored. Use 'write', 'add' or 'null'.")
    x._node = None if req == "null" else Leaf(grad, req)


def not_on_tape(where: str) -> MXNetError:
    """The error of a walk that finds no tape."""
    return MXNetError(
        f"{where}: cannot differentiate an array that is not in a computational graph. It was computed outside"
        f" autograd.record(), from no variable with attach_grad(), or its graph was already used and freed. Compute it"
        f" inside record(); pass retain_graph=True to differentiate the same graph twice."
    )


def cotangents(where: str, heads, head_grads, wanted, retain: bool, through: bool = True) -> list:
    """Walk back from `heads` and return the cotangents of the nodes in `wanted` (None where nothing arrives).

    Args:
        heads: arrays on the tape.
        head_grads: one cotangent for each head.
        wanted: nodes (Leaf, Step or Part), or None to collect at every Leaf and return `(leaf, cotangent)` pairs.
        retain: keep the steps for another walk.
        through: walk on behind wanted nodes too.
    """
    pending: dict = {}  # node -> cotangent (for a Step with parts: list)
    queue: list = []
    leaves: dict[Leaf, ndarray] = {}
    found: dict = {}
    targets = None if wanted is None else {id(n): n for n in wanted if n is not None}

    def arrive(node, g) -> None:
        if not through and id(node) in targets:
            found[id(node)] = g if id(node) not in found else add(found[id(node)], g)
        elif type(node) is Part:
            if targets is not None and id(node) in targets:
                found[id(node)] = g if id(node) not in found else add(found[id(node)], g)
            parts = pending.get(node.step)
            if parts is None:
                parts = pending[node.step] = [None] * len(node.step.data or ())
                if not parts:
                    raise not_on_tape(where)
                heapq.heappush(queue, (-node.step.order, node.step))
            parts[node.index] = g if parts[node.index] is None else add(parts[node.index], g)
        elif type(node) is Leaf:
            leaves[node] = g if node not in leaves else add(leaves[node], g)
        else:
            if node not in pending:
                if node.args is None:
                    raise not_on_tape(where)
                pending[node] = g
                heapq.heappush(queue, (-node.order, node))
            else:
                pending[node] = add(pending[node], g)

    for head, g in zip(heads, head_grads, strict=True):
        if head._node is None:
            raise not_on_tape(where)
        arrive(head._node, g)
    while queue:
        step = heapq.heappop(queue)[1]
        g = pending.pop(step)
        if targets is not None and id(step) in targets:
            found[id(step)] = g
        pull(step, g, arrive)
        if not retain:
            step.release()
    if wanted is None:
        return list(leaves.items())
    return [None if n is None else found.get(id(n), leaves.get(n) if type(n) is Leaf else None) for n in wanted]


def pull(step: Step, g, arrive) -> None:
    """Send the cotangent of a step's answer to its operands."""
    op, args, y = step.op, step.args, step.answer()
    elementwise = op.kind == "elementwise"
    for k, parent in enumerate(step.parents):
        if parent is None or not op.differentiable(k):
            continue
        d = op.pullback(k, g, y, args, step.spec)
        if d is None:
            continue
        x = args[k]
        if elementwise and d.shape != x.shape:
            d = sum_to(d, x.shape)
        if d.dtype != x.dtype:
            d = astype(d, x.dtype)
        arrive(parent, d)


def recording(on: bool):
    """Push or pop the tape; returns what was in force."""
    before = current.record
    current.record = record if on else None
    return before


__all__ = ["Leaf", "Part", "Step", "cotangents", "detached", "mark", "not_on_tape", "record", "recording"]
