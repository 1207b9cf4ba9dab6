"""An optimizer together with the states of the weights it updates."""

from __future__ import annotations

import numpy

from ..array import ndarray, wrap
from ..errors import MXNetError
from ..op import assign
from . import together
from .optimizer import Optimizer


class Updater:
    """Calls an optimizer and keeps one state for each weight.

    Args:
        optimizer: the rule.

    Attributes:
        states: `{index: tuple of ndarrays}`.
    """

    def __init__(self, optimizer: Optimizer):
        self.optimizer = optimizer
        self.states: dict = {}
        self._together: dict[tuple, together.Together] = {}

    def state(self, index, weight: ndarray) -> tuple[ndarray, ...]:
        """The state of weight `index`, made at its first use."""
        found = self.states.get(index)
        if found is None:
            found = self.states[index] = self.optimizer.create_state_multi_precision(index, weight)
        return found

    def __call__(self, index, grad, weight) -> None:
        """Update one weight in place, or several given as lists of the same length.

        Several are updated together, by generated kernels, where the optimizer is nothing but its rule.
        """
        if not isinstance(index, (list, tuple)):
            self.optimizer.update_multi_precision(index, weight, grad, self.state(index, weight))
            return
        optimizer = self.optimizer
        states = [self.state(i, w) for i, w in zip(index, weight, strict=True)]
        if not weight or not together.possible(optimizer, weight):
            for i, g, w, state in zip(index, grad, weight, states, strict=True):
                optimizer.update_multi_precision(i, w, g, state)
            return
        numbers = optimizer.rows(index)
        arrays = [x for w, g, state in zip(weight, grad, states, strict=True) for x in (w, g, *state)]
        plan = self._together.get(tuple(index))
        if plan is None or not plan.fits(optimizer, arrays):
            plan = together.Together(optimizer, weight, grad, states, len(numbers[0]))
            self._together[tuple(index)] = plan
        plan(numbers)

    def plan_of(self, indices) -> together.Together | None:
        """The plan that updates these weights together, if there is one."""
        return self._together.get(tuple(indices))

    def pack(self) -> dict[str, numpy.ndarray]:
        """Everything needed to go on later, as NumPy arrays by name."""
        optimizer = self.optimizer
        packed = {f"optimizer:{type(optimizer).__name__}": numpy.zeros(0, "float32")}
        packed["num_update"] = numpy.array(optimizer.num_update, "int64")
        if optimizer.lr is not None:
            packed["learning_rate"] = numpy.array(optimizer.lr, "float64")
        for index, count in optimizer._index_update_count.items():
            packed[f"count:{index}"] = numpy.array(count, "int64")
        for index, state in self.states.items():
            for k, array in enumerate(_arrays(state)):
                packed[f"state:{index}:{k}"] = array.asnumpy()
        return packed

    def unpack(self, where: str, packed: dict[str, numpy.ndarray], weights: dict[int, ndarray]) -> None:
        """Take over what `pack` returned; nothing is changed unless all of it fits.

        Args:
            where: begins the error messages.
            packed: arrays by name.
            weights: `{index: weight}` that the states belong to.

        Raises:
            MXNetError: the states of another optimizer or of other weights, or no states at all.
        """
        kind = f"optimizer:{type(self.optimizer).__name__}"
        if kind not in packed:
            found = [n.partition(":")[2] for n in packed if n.startswith("optimizer:")]
            raise MXNetError(
                f"{where}: holds {f'states of {found[0]}' if found else 'no optimizer states'}, the"
                f" optimizer is {kind.partition(':')[2]}. States fit their own optimizer only. Load the"
                f" file saved with this one."
            )
        counts, states = {}, {}
        for name, array in packed.items():
            head, _, rest = name.partition(":")
            if head == "count":
                counts[int(rest)] = int(array)
            elif head == "state":
                index = int(rest.partition(":")[0])
                if index not in weights:
                    raise MXNetError(
                        f"{where}: has a state for weight {index}, there are {len(weights)} weights. The"
                        f" states belong to another net. Load the file saved with this one."
                    )
                states.setdefault(index, []).append(array)
        made = {}
        for index, arrays in states.items():
            fresh = made[index] = self.optimizer.create_state_multi_precision(index, weights[index])
            wanted = [(a.shape, a.dtype) for a in _arrays(fresh)]
            if wanted != [(a.shape, a.dtype) for a in arrays]:
                raise MXNetError(
                    f"{where}: the state of weight {index} has shapes {[a.shape for a in arrays]}, this"
                    f" optimizer needs {[s for s, _ in wanted]}. The states belong to other weights or"
                    f" hyper-parameters. Load the file saved with these."
                )
        for index, arrays in states.items():
            for old, new in zip(_arrays(made[index]), arrays, strict=True):
                assign(old, wrap(new, old.ctx))
        self.states = made
        self.optimizer._index_update_count = counts
        self.optimizer.num_update = int(packed["num_update"])
        if self.optimizer.lr_scheduler is None and "learning_rate" in packed:
            self.optimizer.lr = float(packed["learning_rate"])


def _arrays(state) -> list[ndarray]:
    """The arrays of a state, in order: those of Gluon's own optimizers may be None, one array, or tuples in tuples."""
    if isinstance(state, ndarray):
        return [state]
    return [] if state is None else [array for part in state for array in _arrays(part)]


def get_updater(optimizer: Optimizer) -> Updater:
    """An `Updater` of this optimizer."""
    return Updater(optimizer)
