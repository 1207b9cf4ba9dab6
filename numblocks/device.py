"""Where an array lives: ``cpu(i)`` or ``gpu(i)``. Gluon calls this a context; both names work.

All CPU devices share the machine's memory; several of them (``cpu(0)``, ``cpu(1)``) are a cheap way to test
code written for several devices.
"""

from __future__ import annotations

import functools
import importlib
import threading

from .errors import MXNetError


class Device:
    """A place for arrays. Equal by type and number; usable as ``with gpu(0):`` to set the default.

    Args:
        device_type: `'cpu'`, `'gpu'`, `'cpu_pinned'` or `'cpu_shared'`, or another Device to copy.
        device_id: which one, from 0.

    >>> Device('cpu', 1)
    cpu(1)
    """

    __slots__ = ("device_type", "device_id", "far", "_outer")
    _known: dict[tuple[str, int], Device] = {}
    _types = ("cpu", "gpu", "cpu_pinned", "cpu_shared")

    def __new__(cls, device_type="cpu", device_id: int = 0):
        if isinstance(device_type, Device):
            device_type, device_id = device_type.device_type, device_type.device_id
        if device_type not in cls._types:
            raise ValueError(
                f"Device: unknown type {device_type!r}. The types are {', '.join(cls._types)}. Use cpu(i) or gpu(i)."
            )
        key = (device_type, int(device_id))
        found = cls._known.get(key)
        if found is None:
            found = object.__new__(cls)
            found.device_type, found.device_id = key
            found.far = device_type == "gpu"  # whether its memory is not the CPU's
            found._outer = []
            cls._known[key] = found
        return found

    @property
    def device_typeid(self) -> int:
        """The number MXNet's files use for the type."""
        return {"cpu": 1, "gpu": 2, "cpu_pinned": 3, "cpu_shared": 5}[self.device_type]

    def __repr__(self) -> str:
        return f"{self.device_type}({self.device_id})"

    def __reduce__(self):
        return Device, (self.device_type, self.device_id)

    def __enter__(self) -> Device:
        self._outer.append(_default.device)
        _default.device = self
        return self

    def __exit__(self, *exc) -> None:
        _default.device = self._outer.pop()

    def empty_cache(self) -> None:
        """Give unused device memory back. On the CPU there is none to give."""
        if self.far and self.device_id < num_gpus():
            backend().get(self.device_id).pool.empty()


def cpu(device_id: int = 0) -> Device:
    """The CPU. >>> cpu() is cpu(0)
    True"""
    return Device("cpu", device_id)


def cpu_pinned(device_id: int = 0) -> Device:
    """Page-locked CPU memory; the same as `cpu` where there is no GPU."""
    return Device("cpu_pinned", device_id)


def gpu(device_id: int = 0) -> Device:
    """The GPU with this number. Naming it is free; an array put on an absent GPU raises `MXNetError`."""
    return Device("gpu", device_id)


class _Default(threading.local):
    device = Device("cpu", 0)


_default = _Default()


def current_device() -> Device:
    """The device new arrays go to: the innermost ``with device:``, else ``cpu(0)``."""
    return _default.device


def num_gpus() -> int:
    """How many GPUs can be used: 0 without a driver or a compiler for kernels. NUMBLOCKS_CUDA=sim simulates one."""
    return backend().count()


@functools.cache
def backend():
    """What stands behind `gpu(i)`: the package `numblocks.cuda`, imported with the first question about GPUs."""
    return importlib.import_module("numblocks.cuda")


def usable(device) -> Device:
    """`device` (None: the current one) if arrays can be put there, else `MXNetError`."""
    if device is None:
        return _default.device
    if not isinstance(device, Device):
        raise TypeError(f"device: got {device!r} ({type(device).__name__}). A device is cpu(i) or gpu(i). Pass one.")
    if device.far and device.device_id >= num_gpus():
        raise MXNetError(
            f"{device}: there is no such GPU, {num_gpus()} can be used."
            f" {'' if num_gpus() else 'Neither a driver with a GPU nor a simulated one was found. '}Use cpu(), or ask"
            f" num_gpus() first."
        )
    return device


Context = Device
current_context = current_device


def gpu_memory_info(device_id: int = 0) -> tuple[int, int]:
    """Free and total bytes of a GPU's memory; `MXNetError` when it is absent."""
    usable(gpu(device_id))
    return backend().get(device_id).memory_info()
