"""The update of all parameters of a Trainer, kept ready between steps."""

from __future__ import annotations

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

    __slots__ = ("optimizer", "indices", "weights", "leaves", "plan", "version", "revision")

    def __init__(self, optimizer, indices, weights, plan):
        self.optimizer, self.indices, self.weights, self.plan = optimizer, indices, weights, plan
        self.leaves = [w._node for w in weights]
        self.version, self.revision = Version.number, optimizer._revision

    def valid(self) -> bool:
        """Whether parameters, arrays, gradients and constants are still those of the plan, and all gradients new."""
        if self.version != Version.number or self.revision != self.optimizer._revision:
            return False
        for w, leaf in zip(self.weights, self.leaves, strict=True):
            if w._node is not leaf or not leaf.fresh:
                return False
        return True

    def run(self) -> None:
        """Make the update."""
        self.plan(self.optimizer.rows(self.indices))
        for leaf in self.leaves:
            leaf.fresh = False
