"""`compile_step`: forward, loss, backward and update of a training step as one compiled call."""

from __future__ import annotations

from .. import autograd
from ..array import ndarray
from ..graph.compiled import Entry, bound, refuse, signature
from ..graph.explain import Explanation
from ..ops import random as rnd
from .hybrid import HybridBlock
from .structure import Version
from .trainer import Trainer


def compile_step(net: HybridBlock, loss: HybridBlock, trainer: Trainer) -> CompiledStep:
    """A training step as one function.

    It computes what these lines do, the same bits on the CPU, without their overhead:

        with autograd.record():
            l = loss(net(data), label)
        l.backward()
        trainer.step(batch_size)

    Learning-rate schedules, multipliers and optimizer states are the Trainer's, so steps of both kinds may be mixed;
    a new learning rate compiles nothing.

    Args:
        net, loss: HybridBlocks; they need not be hybridized themselves.
        trainer: a Trainer over the parameters of `net`.

    Returns:
        A callable `(data, label, batch_size=None) -> loss`; `batch_size` is `data.shape[0]` unless given.

    Raises:
        TypeError: `net` or `loss` is no HybridBlock.

    >>> from numblocks.gluon import Trainer, loss, nn
    >>> net = nn.HybridSequential(nn.Dense(8, activation='relu'), nn.Dense(2))
    >>> net.initialize()
    >>> data, label = np.ones((4, 3)), np.array([0, 1, 1, 0])
    >>> net(data).shape                                  # the Trainer wants shapes that are known
    (4, 2)
    >>> trainer = Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})
    >>> step = compile_step(net, loss.SoftmaxCrossEntropyLoss(), trainer)
    >>> step(data, label).shape
    (4,)
    """
    return CompiledStep(net, loss, trainer)


class _Objective(HybridBlock):
    """The loss of a net as a function of data and labels."""

    def __init__(self, net, loss):
        super().__init__(prefix="", params=None)
        self.net, self.loss = net, loss

    def forward(self, data, *rest):
        return self.loss(self.net(data), *rest)


class CompiledStep:
    """What `compile_step` returns: call it with a batch."""

    def __init__(self, net: HybridBlock, loss: HybridBlock, trainer: Trainer):
        for block, what in ((net, "net"), (loss, "loss")):
            if not isinstance(block, HybridBlock):
                raise TypeError(
                    f"compile_step: {what} is a {type(block).__name__}, not a HybridBlock. Only HybridBlocks"
                    " can be compiled."
                    f" Derive it from HybridBlock, or train it with record, backward and step."
                )
        if not isinstance(trainer, Trainer):
            raise TypeError(
                f"compile_step: trainer is a {type(trainer).__name__}. The third argument is a gluon.Trainer."
            )
        self.objective = _Objective(net, loss)
        self.objective.hybridize()
        self.trainer = trainer
        self._ready: dict[tuple, _Ready] = {}
        self._last: _Ready | None = None

    def __call__(self, data: ndarray, *label: ndarray, batch_size: int | None = None) -> ndarray:
        """Make one step; returns the loss of each example as before the update."""
        args = (data, *label)
        n = data.shape[0] if batch_size is None else batch_size
        ready = self._last
        if ready is None or ready.version != Version.number or not ready.fits(args):
            key = tuple([word for x in args for word in signature(x, True)])
            ready = self._last = self._ready.get(key)
        if ready is not None and ready.version == Version.number:
            out = ready.run(args)
            self.trainer.step(n)
            return out
        with autograd.record():
            out = self.objective(*args)
        out.backward()
        self.trainer.step(n)
        self.prepare(key, args)
        return out

    def explain(self, data: ndarray, *label: ndarray) -> Explanation:
        """What forward and backward of such a step consist of (see `HybridBlock.explain`); the update comes on top."""
        return self.objective.explain(data, *label, train=True)

    def prepare(self, key: tuple, args) -> None:
        """Keep the plan of this signature bound, if a step is nothing but its plan."""
        with autograd.record():
            entry, _ = self.objective._traced.compiled.entry(args)
        self._ready = {k: r for k, r in self._ready.items() if r.version == Version.number}
        if _Ready.possible(entry):
            self._ready[key] = _Ready(entry, args)


class _Ready:
    """One signature's plan with the gradients of the variables as its outputs."""

    __slots__ = ("entry", "instance", "leaves", "version", "slot", "like")

    @staticmethod
    def possible(entry: Entry) -> bool:
        """Whether backward may write every gradient in place: parameters only, with grad_req 'write', one result."""
        plan = entry.plan
        leaves = [source._node for source in entry.sources]
        wanted = [k - plan.arguments for k in entry.wanted]
        return (
            plan.second is not None
            and plan.results == 1
            and all(k >= 0 and leaves[k] is not None and leaves[k].req == "write" for k in wanted)
            and len({id(leaves[k]) for k in wanted}) == len(wanted)
        )

    def __init__(self, entry: Entry, args):
        plan = entry.plan
        self.like = [(x._data.shape, x._data.dtype, x._device, type(x), x._node is None) for x in args]
        self.entry, self.instance, self.version = entry, bound(entry), Version.number
        self.leaves = [entry.sources[k - plan.arguments]._node for k in entry.wanted]
        for slot, leaf in zip(plan.grad_slots, self.leaves, strict=True):
            self.instance.put(slot, leaf.grad._data)
        for node in plan.cotangents:
            self.instance.put(plan.slots[node], autograd.ones(node.shape, node.dtype))
        self.slot = plan.output_slots[0]

    def fits(self, args) -> bool:
        """Whether the arguments have this signature."""
        if len(args) != len(self.like):
            return False
        for x, (shape, dtype, device, cls, plain) in zip(args, self.like):  # noqa: B905
            d = x._data
            if (
                d.shape != shape or d.dtype is not dtype or x._device is not device or type(x) is not cls
                or (x._node is None) is not plain
            ):  # fmt: skip
                return False
        return True

    def run(self, args) -> ndarray:
        """Forward and backward; the gradients are in the parameters' buffers afterwards."""
        instance, entry = self.instance, self.entry
        for k, x in enumerate(args):
            instance.put(k, x._data)
        cls = entry.classes[0]
        y = cls.__new__(cls)
        y._data, y._device, y._node = instance.fresh(self.slot), entry.device, None
        base = rnd.generator.advance(entry.draws) if entry.draws else 0
        instance.forward.run(base)
        for k, flag in enumerate(instance.guards):
            if flag[()]:
                refuse(entry, instance, k)
        instance.backward.run(base)
        for leaf in self.leaves:
            leaf.fresh = True
        return y
