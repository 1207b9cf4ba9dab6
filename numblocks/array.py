"""`ndarray`: a buffer, a device and a place on the tape. It has no operations of its own.

The buffer is a NumPy array on the CPU (so shape, strides and views are NumPy's), a `numblocks.cuda.Buffer` on a GPU,
and an `Aval` while a hybridized Block is traced. The operators and methods that compute something are attached by
`numblocks.np`, one floor above the ops they call.
"""

from __future__ import annotations

import math

import numpy

from .device import Device, backend, usable
from .errors import MXNetError


class Aval:
    """What is known of an array without its values; stands in the place of the buffer while a Block is traced."""

    __slots__ = ("shape", "dtype")

    def __init__(self, shape: tuple[int, ...], dtype: numpy.dtype):
        self.shape, self.dtype = shape, dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"

    @property
    def is_input(self) -> bool:
        """Whether this is an argument of the traced function rather than something computed."""
        return False

    def origin(self) -> str:
        """Where a traced value comes from, for error messages."""
        return ""


class ndarray:
    """An n-dimensional array with NumPy's semantics and Gluon's methods. Made by `np.array`, `np.zeros` ...

    Attributes:
        shape: tuple of ints.
        dtype: NumPy dtype, float32 unless asked otherwise.
        ctx: the `Device` that holds it.
        grad: the gradient buffer after `attach_grad()`, else None.
    """

    __slots__ = ("_data", "_device", "_node", "__weakref__")
    __array_priority__ = 100.0

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def dtype(self):
        return self._data.dtype

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def size(self) -> int:
        return self._data.size

    @property
    def itemsize(self) -> int:
        return self._data.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self._data.size * self._data.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        return self._data.strides

    @property
    def ctx(self) -> Device:
        return self._device

    context = device = ctx

    @property
    def stype(self) -> str:
        return "default"

    def __len__(self) -> int:
        if not self._data.shape:
            raise TypeError("len(): the array is 0-d, it has no length. Use .size or .item().")
        return self._data.shape[0]

    def wait_to_read(self) -> None:
        """Return when the values are there: at once, since the CPU backend is synchronous."""

    wait_to_write = wait_to_read


def wrap(data: numpy.ndarray, device: Device, cls: type = ndarray) -> ndarray:
    """An ndarray over `data`, off the tape and without copying; for a GPU, a NumPy array is copied there."""
    if device.far and type(data) is numpy.ndarray:
        data = backend().upload(data, device)
    x = cls.__new__(cls)
    x._data = data
    x._device = device
    x._node = None
    return x


def array_on(data: numpy.ndarray, device: Device | None, cls: type = ndarray) -> ndarray:
    """An ndarray over `data` on `device` (None: the current one), checked to be usable."""
    return place(data, usable(device), cls)


def place(data, device: Device, cls: type = ndarray) -> ndarray:
    """An ndarray on `device`, which is usable, with the values of a raw buffer of any device."""
    return wrap(backend().upload(data, device) if device.far else values(data), device, cls)


def values(data) -> numpy.ndarray:
    """A raw buffer as a NumPy array: itself on the CPU, fetched from a GPU."""
    return data.fetch() if hasattr(data, "fetch") else data


def same_device(where: str, arrays) -> Device:
    """The one device of `arrays`; `MXNetError` if CPU and GPU are mixed."""
    first = arrays[0]
    for k, x in enumerate(arrays[1:], 1):
        if x._device.device_type != first._device.device_type:
            raise MXNetError(
                f"{where}: argument 0 is on {first._device} and argument {k} on {x._device}. An operation runs on one"
                f" device. Move one of them with .as_in_ctx({first._device})."
            )
    return first._device
