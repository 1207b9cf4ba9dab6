"""The update of all parameters of a Trainer, kept ready between steps."""

from __future__ import annotations

from ..optimizer import Optimizer
from .structure import Version


class FusedUpdate:
    """What one step of a Trainer did, so that the next like it is a few checks and one native call.

    It is about these parameters with these arrays and gradients on one device, and an optimizer that is nothing but
    its rule; `valid` says whether that still holds.

    Args:
        trainer: after a step in which all parameters that learn were updated together.
        indices: of these parameters.
        weights: their arrays.
        plan: the `Together` that made the update.
    """

    __slots__ = (
        "optimizer", "indices", "weights", "leaves", "plan", "version", "revision", "params", "count", "rates",
        "factors",
    )  # fmt: skip

    def __init__(self, optimizer, indices, weights, plan):
        self.optimizer, self.indices, self.weights, self.plan = optimizer, indices, weights, plan
        self.leaves = [w._node for w in weights]
        self.version, self.revision = Version.number, optimizer._revision
        klass = type(optimizer)
        plain = klass._get_lr is Optimizer._get_lr and klass._get_wd is Optimizer._get_wd
        params = [optimizer.param_dict.get(i) for i in indices]
        self.params = params if plain and None not in params else None
        self.factors = None if klass.factors is Optimizer.factors else optimizer.factors
        self.count, self.rates = -1, None

    def valid(self) -> bool:
        """Whether parameters, arrays, gradients and constants are still those of the plan, and all gradients new."""
        if self.version != Version.number or self.revision != self.optimizer._revision:
            return False
        for leaf in self.leaves:
            if not leaf.fresh:
                return False
        for w, leaf in zip(self.weights, self.leaves):  # noqa: B905
            if w._node is not leaf:
                return False
        return True

    def run(self) -> None:
        """Make the update."""
        self.write_numbers()
        self.plan.instance.forward.run(0)
        for leaf in self.leaves:
            leaf.fresh = False

    def write_numbers(self) -> None:
        """Count the update and bring the table of numbers up to date; what did not change is left as it is."""
        optimizer, table = self.optimizer, self.plan.table
        counts = optimizer._index_update_count
        if self.params is None or counts[self.indices[0]] != self.count:
            table[...] = optimizer.rows(self.indices)
            now = [counts[i] for i in self.indices]
            self.count = now[0] if min(now) == max(now) == optimizer.num_update else -1
            self.rates = None
            return
        t = self.count = self.count + 1
        for i in self.indices:
            counts[i] = t
        optimizer.__dict__["num_update"] = t
        rates = (
            optimizer.lr if optimizer.lr_scheduler is None else optimizer.learning_rate,
            optimizer.wd,
            optimizer.rescale_grad,
        )
        if rates != self.rates:
            lr, wd, rescale = self.rates = rates
            table[:, :3] = [(lr * p.lr_mult, wd * p.wd_mult, rescale) for p in self.params]
        if self.factors is not None:
            table[:, 3:] = self.factors(t)
