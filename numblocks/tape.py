"""The tape: what was computed from what, and the walk back through it.

Every answer computed from a tracked array points to a `Step`; a variable points to its `Leaf`. A Step keeps the raw
data of its answer rather than the answer itself, so there are no reference cycles and memory goes when the last
array does.
"""

from __future__ import annotations

import heapq
import itertools

import numpy

from .array import ndarray, wrap
from .errors import MXNetError
from .op import Op, current
from .ops.elementwise import add, astype
from .ops.pullback import LARGE, fused
from .ops.reduce import sum_to

counter = itertools.count()


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

    def answer(self):
        """The answer again, attached to this step so that higher orders see it."""
        if type(self.data) is tuple:
            parts = []
            for k, data in enumerate(self.data):
                part = wrap(data, self.device, self.cls)
                part._node = Part(self, k)
                parts.append(part)
            return tuple(parts)
        y = self.cls()
        y._data, y._device, y._node = self.data, self.device, self
        return y

    def release(self) -> None:
        """Forget operands and answer; a second walk through this step is refused."""
        self.args = self.data = self.spec = None
        self.parents = ()


class Part:
    """One of several answers of a Step."""

    __slots__ = ("step", "index")

    def __init__(self, step: Step, index: int):
        self.step, self.index = step, index


def record(op: Op, args, spec, y, parents=None) -> None:
    """Put an operation on the tape if any of its operands is on it.

    Args:
        parents: the nodes of the operands, None where there is none, by a caller who has seen that one is there.
    """
    if parents is None:
        if op.vjp is None:
            return
        parents = [getattr(a, "_node", None) for a in args]
        for node in parents:
            if node is not None:
                break
        else:
            return
    stand_in = current.substitute  # in a trace, variables it reached for are on the tape as what stands for them
    if stand_in is not None:
        args = tuple([stand_in(x) if isinstance(x, ndarray) and x._node is not None else x for x in args])
        parents = [getattr(a, "_node", None) for a in args]
    step = Step()
    step.op, step.args, step.spec, step.parents, step.order = op, args, spec, parents, next(counter)
    if type(y) is tuple:
        first = y[0]
        step.data = tuple([part._data for part in y])
        for k, part in enumerate(y):
            part._node = Part(step, k)
    else:
        first = y
        step.data = y._data
        y._node = step
    step.device, step.cls = first._device, type(first)


def mark(x: ndarray, grad: ndarray | None, req: str) -> None:
    """Make `x` a variable with this gradient buffer."""
    if req not in ("write", "add", "null"):
        raise KeyError(
            f"attach_grad: grad_req is {req!r}. It says how gradients are stored. Use 'write', 'add' or 'null'."
        )
    x._node = None if req == "null" else Leaf(grad, req)


def not_on_tape(where: str) -> MXNetError:
    """The error of a walk that finds no tape."""
    return MXNetError(
        f"{where}: cannot differentiate an array that is not in a computational graph. It was computed outside"
        f" autograd.record(), from no variable with attach_grad(), or its graph was already used and freed. Compute it"
        f" inside record(); pass retain_graph=True to differentiate the same graph twice."
    )


def deposit(leaf: Leaf, g: ndarray, first: bool) -> None:
    """Write or add a cotangent to a variable's gradient buffer; what arrives later in one walk is always added."""
    data = leaf.grad._data
    if first and leaf.req != "add":
        numpy.copyto(data, g._data, casting="same_kind")
    else:
        numpy.add(data, g._data, out=data, casting="same_kind")
    leaf.fresh = True


def backward(where: str, heads, head_grads, retain: bool) -> None:
    """Walk back from `heads` and leave the gradients in the buffers of the variables reached."""
    reached: set[Leaf] = set()

    def arrive_leaf(leaf: Leaf, g) -> None:
        deposit(leaf, g, leaf not in reached)
        reached.add(leaf)

    def into(node):
        """The buffer that a variable's gradient may be computed into, None if it must be added or sent on."""
        if type(node) is not Leaf or node.req == "add" or node in reached:
            return None
        reached.add(node)
        node.fresh = True
        return node.grad._data

    _walk(where, heads, head_grads, retain, arrive_leaf, into, None, None)


def cotangents(where: str, heads, head_grads, wanted, retain: bool, through: bool = True) -> list:
    """Walk back from `heads` and return the cotangents of the nodes in `wanted` (None where nothing arrives).

    Args:
        heads: arrays on the tape.
        head_grads: one cotangent for each head.
        wanted: nodes (Leaf, Step or Part; None is passed over).
        retain: keep the steps for another walk.
        through: walk on behind wanted nodes too.
    """
    found: dict[int, ndarray] = {}
    targets = {id(n) for n in wanted if n is not None}

    def collect(node, g) -> None:
        if id(node) in targets:
            found[id(node)] = g if id(node) not in found else add(found[id(node)], g)

    _walk(where, heads, head_grads, retain, collect, lambda node: None, collect, None if through else targets)
    return [None if n is None else found.get(id(n)) for n in wanted]


def _walk(where: str, heads, head_grads, retain: bool, arrive_leaf, into, collect, stop) -> None:
    """The walk itself, in reverse order of recording.

    Args:
        arrive_leaf: called with every Leaf and cotangent.
        into: see `backward`.
        collect: called with every other node and its whole cotangent, or None.
        stop: ids of nodes not to walk behind, or None.
    """
    pending: dict[Step, object] = {}  # cotangent of a Step's answer; a list for a Step with parts
    queue: list = []

    def arrive(node, g) -> None:
        kind = type(node)
        if kind is Leaf:
            arrive_leaf(node, g)
        elif stop is not None and id(node) in stop:
            collect(node, g)
        elif kind is Part:
            if collect is not None:
                collect(node, g)
            step = node.step
            parts = pending.get(step)
            if parts is None:
                if step.args is None:
                    raise not_on_tape(where)
                parts = pending[step] = [None] * len(step.data)
                heapq.heappush(queue, (-step.order, step))
            parts[node.index] = g if parts[node.index] is None else add(parts[node.index], g)
        elif node in pending:
            pending[node] = add(pending[node], g)
        else:
            if node.args is None:
                raise not_on_tape(where)
            pending[node] = g
            heapq.heappush(queue, (-node.order, node))

    for head, g in zip(heads, head_grads, strict=True):
        if head._node is None:
            raise not_on_tape(where)
        arrive(head._node, g)
    while queue:
        step = heapq.heappop(queue)[1]
        g = pending.pop(step)
        if collect is not None and type(g) is not list:
            collect(step, g)
        if step.op.kind == "compiled":
            step.op.pull(step, g, arrive, into)
        else:
            pull(step, g, arrive)
        if not retain:
            step.release()


def pull(step: Step, g, arrive) -> None:
    """Send the cotangent of a step's answer to its operands."""
    op, args, spec, y = step.op, step.args, step.spec, step.answer()
    vjp = op.vjp
    one_for_all = type(vjp) is not tuple
    elementwise = op.kind == "elementwise"
    large = elementwise and g._data.size >= LARGE
    together = None
    if op.at_once is not None and current.record is None:
        together = op.at_once(g, y, *args, wanted=[parent is not None for parent in step.parents], **spec)
    elif op.joint:
        together = vjp(g, y, *args, **spec)
    for k, parent in enumerate(step.parents):
        if parent is None:
            continue
        if together is not None:
            d = together[k]
        elif one_for_all:
            d = vjp(g, y, *args, index=k, **spec)
        else:
            pullback = vjp[k] if k < len(vjp) else None
            if pullback is None:
                continue
            d = fused(op, k, pullback, g, y, args) if large and not spec else None
            if d is None:
                d = pullback(g, y, *args, **spec)
        if d is None:
            continue
        have, want = d._data, args[k]._data
        if elementwise and have.shape != want.shape:
            d = sum_to(d, want.shape)
        if have.dtype != want.dtype:
            d = astype(d, want.dtype)
        arrive(parent, d)


__all__ = ["Leaf", "Part", "Step", "backward", "cotangents", "mark", "not_on_tape", "record"]
