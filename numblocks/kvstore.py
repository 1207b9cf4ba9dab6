"""`mx.kv`: values by key, summed over the devices of one process.

A Trainer needs none, its gradients are summed in place; this serves code that pushes and pulls by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy

from . import optimizer as optimizers
from .array import ndarray
from .errors import MXNetError
from .formats import params as params_file
from .op import assign, detached

_ONE_PROCESS = ("local", "device", "nccl", "local_allreduce_cpu", "local_allreduce_device", "local_update_cpu")


def check_type(where: str, name) -> None:
    """Refuse what needs other processes, and names that are unknown."""
    if not isinstance(name, str):
        raise TypeError(f"{where}: got {name!r}. The kind of a store is a name. Use 'local' or 'device'.")
    if name.startswith(("dist", "horovod", "byteps", "p3")):
        raise MXNetError(
            f"{where}: '{name}' joins several processes. numblocks trains in one. Use 'local' or 'device', and several"
            " devices."
        )
    if name not in _ONE_PROCESS:
        raise MXNetError(f"{where}: '{name}' is unknown. The names are {', '.join(_ONE_PROCESS)}. Use 'local'.")


def create(name: str = "local") -> KVStore:
    """A store of one process.

    >>> store = create("local")
    >>> store.rank, store.num_workers
    (0, 1)
    """
    check_type("kvstore.create", name)
    return KVStore(name)


class KVStore:
    """Values by key: `push` sums what several devices give, `pull` copies the value to them.

    What is pushed replaces the value, or goes through the optimizer or updater that was set. Keys are ints or texts,
    one or a list; values arrays, or for each key a list of them, one for each device.
    """

    def __init__(self, name: str = "local"):
        self.type, self.rank, self.num_workers = name, 0, 1
        self._values: dict = {}
        self._update: Callable | None = None
        self._updater: optimizers.Updater | None = None

    def init(self, key, value) -> None:
        """Set the values of new keys."""
        for k, (first, *_) in _pairs("init", key, value):
            if k in self._values:
                raise MXNetError(f"KVStore.init: key {k!r} has a value. Keys are set once. Use push.")
            self._values[k] = detached(first).copy()

    def push(self, key, value, priority: int = 0) -> None:
        """Sum each key's arrays over the devices; the sum replaces the value or updates it."""
        for k, values in _pairs("push", key, value):
            stored = self._of("push", k)
            total = detached(values[0]).as_in_ctx(stored.ctx)
            for part in values[1:]:
                total = total + detached(part).as_in_ctx(stored.ctx)
            if self._update is not None:
                self._update(k, total, stored)
            else:
                assign(stored, total)

    def pull(self, key, out=None, priority: int = 0, ignore_sparse: bool = True) -> None:
        """Copy each key's value into the arrays of `out`."""
        if out is None:
            raise ValueError("KVStore.pull: out is None. Values are copied into arrays. Pass out=.")
        for k, targets in _pairs("pull", key, out):
            stored = self._of("pull", k)
            for target in targets:
                assign(target, stored.as_in_ctx(target.ctx))

    def pushpull(self, key, value, out=None, priority: int = 0) -> None:
        """`push`, then `pull` into `out`, or into what was pushed."""
        self.push(key, value, priority)
        self.pull(key, value if out is None else out, priority)

    def broadcast(self, key, value, out, priority: int = 0) -> None:
        """`init`, then `pull`."""
        self.init(key, value)
        self.pull(key, out, priority)

    def row_sparse_pull(self, key, out=None, priority: int = 0, row_ids=None):
        """Refused: arrays are dense.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("KVStore.row_sparse_pull: sparse storage is not here, arrays are dense. Use pull.")

    def set_optimizer(self, optimizer) -> None:
        """Let pushes be gradients, by which `optimizer` updates the values."""
        self._updater = self._update = optimizers.Updater(optimizer)

    def _set_updater(self, updater: Callable) -> None:
        """Let pushes call `updater(key, pushed, stored)` (the name of this method is the original's)."""
        self._updater, self._update = None, updater

    set_updater = _set_updater

    def set_gradient_compression(self, compression_params) -> None:
        """Accepted and without effect: nothing is sent anywhere."""

    def is_capable(self, capability: str) -> bool:
        """Whether the store can do something: 'optimizer'."""
        return capability.lower() == "optimizer"

    def save_optimizer_states(self, fname, dump_optimizer: bool = False) -> None:
        """Write the optimizer's states as `Trainer.save_states` does."""
        packed = self._having("save_optimizer_states").pack()
        params_file.write(fname, list(packed), list(packed.values()))

    def load_optimizer_states(self, fname) -> None:
        """Read what `save_optimizer_states` wrote."""
        updater = self._having("load_optimizer_states")
        names, arrays = params_file.read(fname)
        weights = {k: x for k, x in self._values.items()}
        updater.unpack(f"KVStore: '{fname}'", dict(zip(names, map(numpy.asarray, arrays), strict=True)), weights)

    def _having(self, where: str) -> optimizers.Updater:
        if self._updater is None:
            raise AssertionError(f"KVStore.{where}: there is no optimizer. It has the states. Call set_optimizer.")
        return self._updater

    def _of(self, where: str, key) -> ndarray:
        if key not in self._values:
            raise MXNetError(f"KVStore.{where}: key {key!r} has not been inited. Its value is unknown. Call init.")
        return self._values[key]


def _pairs(where: str, key, value):
    """Each key with the list of its arrays."""
    keys, values = (list(key), list(value)) if isinstance(key, (list, tuple)) else ([key], [value])
    if len(keys) != len(values):
        raise ValueError(
            f"KVStore.{where}: {len(keys)} keys, {len(values)} values. Each key has its own. Pass as many."
        )
    for k, v in zip(keys, values, strict=True):
        yield k, list(v) if isinstance(v, (list, tuple)) else [v]


__all__ = ["KVStore", "create"]
