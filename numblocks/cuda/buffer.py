"""The memory of an array on a GPU. It stands where an array on the CPU has its NumPy array.

Views are NumPy's: a movement is done to a NumPy array of the same shape and strides that points to the device's
address and is never read; what comes back says where the view begins and how it strides. The values are reached by
`fetch` alone; code that takes them from NumPy's side by mistake is told so.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy

from ..device import Device
from ..errors import MXNetError
from ..kernels.cuda import devices, launch
from ..kernels.loops import natural_strides

VIEWS = {numpy.broadcast_to, numpy.diagonal, numpy.transpose, numpy.swapaxes, numpy.moveaxis, numpy.flip}


class Buffer:
    """Elements on a GPU.

    Attributes:
        device: `gpu(i)`.
        block: the memory; it lives as long as a Buffer refers to it.
        address: of the first element.
        shape, strides, dtype: as NumPy's; strides in bytes.
    """

    __slots__ = ("device", "block", "address", "shape", "strides", "dtype", "__weakref__")

    def __init__(self, device: Device, block, address: int, shape, strides, dtype):
        self.device, self.block, self.address = device, block, address
        self.shape, self.strides, self.dtype = shape, strides, dtype

    @property
    def gpu(self):
        """The driver's (or the simulator's) side of the device."""
        return devices.get(self.device.device_id)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie one after the other in C order."""
        natural = natural_strides(self.shape)
        pairs = zip(self.shape, self.strides, natural, strict=True)
        return self.size == 0 or all(n == 1 or s == step * self.itemsize for n, s, step in pairs)

    @property
    def flags(self):
        return SimpleNamespace(writeable=True, c_contiguous=self.contiguous)

    def __repr__(self) -> str:
        return f"<{self.dtype.name}[{','.join(map(str, self.shape))}] on {self.device}>"

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(self.fetch())

    # --- values ---

    def fetch(self) -> numpy.ndarray:
        """The values, as a NumPy array of its own memory."""
        source = self if self.contiguous else self.copy()
        values = numpy.empty(self.shape, self.dtype)
        if values.size:
            self.gpu.download(values, source.address)
        return values

    def copy(self, order="C") -> Buffer:
        """The same values in memory of their own, one after the other."""
        return self.astype(self.dtype)

    def astype(self, dtype, *args, **kwargs) -> Buffer:
        """The values in another dtype, in memory of their own."""
        out = empty(self.shape, numpy.dtype(dtype), self.device)
        out.fill_from(self)
        return out

    def fill_from(self, value) -> None:
        """Write `value` into all elements: a Buffer or a NumPy array that broadcasts, or a number."""
        if isinstance(value, (numpy.ndarray, numpy.generic)):
            value = upload(numpy.asarray(value), self.device) if value.ndim else value.item()
        if isinstance(value, Buffer) and value.device is not self.device:
            value = upload(value.fetch(), self.device)
        if isinstance(value, Buffer) and shared(self, value):
            value = value.copy()
        shape = getattr(value, "shape", ())
        if shape != self.shape:
            numpy.broadcast_to(numpy.empty(()), self.shape)
            if numpy.broadcast_shapes(shape, self.shape) != self.shape:
                raise ValueError(f"could not broadcast input array from shape {shape} into shape {self.shape}")
        if self.size:
            compute = value.dtype if isinstance(value, Buffer) else self.dtype
            launch.run_cast(self.gpu, value, self, compute.name)

    def item(self, *index):
        """One value as a Python number."""
        return self.fetch().item(*index)

    # --- views ---

    def view_by(self, move) -> Buffer:
        """The view that `move`, done to a NumPy array, makes of this."""
        seen = move(self.template())
        address = seen.__array_interface__["data"][0]
        return Buffer(self.device, self.block, address, seen.shape, seen.strides, self.dtype)

    def template(self) -> numpy.ndarray:
        """A NumPy array of this shape and these strides at the device's address: to be moved, never to be read."""
        facts = {
            "version": 3, "shape": self.shape, "strides": self.strides, "typestr": self.dtype.str,
            "data": (self.address, True),
        }  # fmt: skip
        return numpy.asarray(SimpleNamespace(__array_interface__=facts))

    def reshape(self, *shape, **kwargs) -> Buffer:
        """Another shape: a view where there is one, else of a copy."""
        shape = shape[0] if len(shape) == 1 else shape
        source = self if self.contiguous else self.copy()
        return source.view_by(lambda x: x.reshape(shape))

    def transpose(self, *axes) -> Buffer:
        return self.view_by(lambda x: x.transpose(*axes))

    @property
    def T(self) -> Buffer:
        return self.transpose()

    def __getitem__(self, key) -> Buffer:
        refuse_fancy(key, self.device)
        parts = tupled(key)  # with an ellipsis the answer is a view even of one element, and nothing is read
        return self.view_by(lambda x: x[parts if any(p is Ellipsis for p in parts) else (*parts, Ellipsis)])

    def __setitem__(self, key, value) -> None:
        self[key].fill_from(value)

    # --- NumPy asks ---

    def __array_function__(self, function, types, args, kwargs):
        if function in VIEWS and args[0] is self:
            return self.view_by(lambda x: function(x, *args[1:], **kwargs))
        if function is numpy.copyto and isinstance(args[0], Buffer) and kwargs.get("where", True) is True:
            return args[0].fill_from(args[1])
        if function is numpy.copyto and kwargs.get("where", True) is True:
            return numpy.copyto(args[0], args[1].fetch(), casting=kwargs.get("casting", "same_kind"))
        raise unavailable(f"numpy.{function.__name__}", self.device)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        if method != "__call__" or kwargs.keys() - {"casting"} or ufunc.__name__ not in ARITHMETIC:
            raise unavailable(f"numpy.{ufunc.__name__}", self.device)
        raw = [upload(x, self.device) if isinstance(x, numpy.ndarray) else x for x in inputs]
        kinds = [x.dtype for x in raw if isinstance(x, Buffer)]
        dtype = numpy.result_type(*kinds)
        raw = [x.astype(dtype) if isinstance(x, Buffer) and x.dtype != dtype else x for x in raw]
        shape = numpy.broadcast_shapes(*(getattr(x, "shape", ()) for x in raw))
        target = out[0] if out else empty(shape, dtype, self.device)
        direct = isinstance(target, Buffer) and target.dtype == dtype and target.shape == shape
        fresh = target if direct else empty(shape, dtype, self.device)
        launch.run_scalar(self.gpu, ARITHMETIC[ufunc.__name__], raw, fresh, dtype.name)
        if not direct:
            target[...] = fresh
        return target

    def __array__(self, dtype=None, copy=None):
        raise MXNetError(
            f"{self!r}: its values were asked for by code that runs on the CPU. They are not copied behind your back."
            f" Copy them with .asnumpy(), or move the array with .as_in_ctx(cpu())."
        )


def add(a, b): return a + b  # noqa: E704
def subtract(a, b): return a - b  # noqa: E704
def multiply(a, b): return a * b  # noqa: E704


ARITHMETIC = {"add": add, "subtract": subtract, "multiply": multiply}  # what `tape` and its like ask of NumPy


def tupled(key) -> tuple:
    """An index as a tuple."""
    return key if isinstance(key, tuple) else (key,)


def refuse_fancy(key, device) -> None:
    """Index arrays need a kernel that is not there yet."""
    for part in tupled(key):
        if isinstance(part, (list, numpy.ndarray, Buffer)) or isinstance(part, (bool, numpy.bool_)):
            raise unavailable("indexing with arrays", device)


def unavailable(where: str, device) -> MXNetError:
    """The error of what has no kernel on a GPU."""
    return MXNetError(
        f"{where}: not available on {device} yet. Its kernel exists for the CPU only. Move the operands with"
        f" .as_in_ctx(cpu()), or leave this part of the net on the CPU."
    )


def shared(a: Buffer, b: Buffer) -> bool:
    """Whether a write of `a` may change what is still to be read of `b`."""
    return a.block is b.block and (a.address, a.strides) != (b.address, b.strides)


def empty(shape, dtype, device: Device) -> Buffer:
    """Memory for `shape`, with whatever it held."""
    dtype = numpy.dtype(dtype)
    gpu = devices.get(device.device_id)
    try:
        block = gpu.pool.get(math.prod(shape) * dtype.itemsize)
    except MemoryError as error:
        raise MXNetError(f"{device}: {error}. Use smaller batches, or drop arrays that are not needed.") from None
    strides = tuple(s * dtype.itemsize for s in natural_strides(shape))
    return Buffer(device, block, block.address, tuple(shape), strides, dtype)


def upload(data, device: Device) -> Buffer:
    """The values of a NumPy array, or of a Buffer of any GPU, on `device`."""
    if isinstance(data, Buffer):
        if data.device is device:
            return data
        data = data.fetch()
    out = empty(data.shape, data.dtype, device)
    if data.size:
        out.gpu.upload(out.address, numpy.ascontiguousarray(data).reshape(data.shape))
    return out
