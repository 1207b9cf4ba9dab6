"""A GPU by NVIDIA's driver library: memory, copies, modules, launches. ctypes is all it takes.

Why no binding: a launch is one foreign call with prepared pointers (0.5 us measured through ctypes, 0.8 through
cuda.core, 15 to 50 through numba-cuda's own launcher: reference/gpu.md section 3), these functions have been stable
for a decade, and a machine whose kernels lie in the cache needs nothing but its driver. Everything of a device runs
in one stream, so memory is handed on in the order of the launches.

Nothing here has run on a GPU yet: a driver written in C for the tests (`tests/kernels/null_driver.c`), whose device
memory is the host's and whose launches are written down, is what it was tested with.
"""

from __future__ import annotations

import ctypes
import os
import threading

import numpy

from .compiler import cubin
from .pool import Pool
from .simulator import Signature

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
_OUT_OF_MEMORY = 2
_SIGNATURES = {
    "cuInit": "u", "cuDeviceGetCount": "p", "cuDeviceGet": "pi", "cuDeviceGetName": "pii",
    "cuDeviceGetAttribute": "pii", "cuDevicePrimaryCtxRetain": "pi", "cuCtxSetCurrent": "p", "cuStreamCreate": "pu",
    "cuStreamSynchronize": "p", "cuMemAlloc_v2": "pz", "cuMemFree_v2": "z", "cuMemGetInfo_v2": "pp",
    "cuMemcpyHtoDAsync_v2": "zpzp", "cuMemcpyDtoHAsync_v2": "pzzp", "cuModuleLoadData": "pp",
    "cuModuleGetFunction": "pps", "cuLaunchKernel": "puuuuuuuppp", "cuGetErrorName": "ip", "cuGetErrorString": "ip",
}  # fmt: skip
_TYPES = {
    "u": ctypes.c_uint, "i": ctypes.c_int, "p": ctypes.c_void_p, "z": ctypes.c_size_t, "s": ctypes.c_char_p,
}  # fmt: skip

__all__ = ["CudaError", "Gpu", "Library", "find"]


class CudaError(RuntimeError):
    """The driver refused something, or tells now what went wrong in an earlier kernel."""


class Library:
    """The driver's functions, each raising `CudaError` for what is not success.

    Args:
        path: of the library, or a name the loader finds.
    """

    def __init__(self, path: str):
        self.path = path
        self._library = ctypes.CDLL(path)
        for name, letters in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.argtypes, function.restype = [_TYPES[c] for c in letters], ctypes.c_int
            setattr(self, name[2:].removesuffix("_v2"), self._checked(name, function))
        self.launch = self._library.cuLaunchKernel  # without a wrapper: the caller checks

    def _checked(self, name, function):
        def call(*args):
            status = function(*args)
            if status:
                raise self.error(name, status)

        return call

    def error(self, name: str, status: int) -> CudaError:
        """What a status means, in the driver's words."""
        words = ctypes.c_char_p()
        parts = []
        for ask in (self._library.cuGetErrorName, self._library.cuGetErrorString):
            if ask(status, ctypes.byref(words)) == 0 and words.value:
                parts.append(words.value.decode())
        return CudaError(f"{name}: {': '.join(parts) or 'unknown error'} ({status}).")


def find() -> Library | None:
    """The driver of this machine with at least one GPU, None where there is none.

    NUMBLOCKS_CUDA_DRIVER names another library than the system's.
    """
    try:
        names = ("nvcuda.dll",) if os.name == "nt" else ("libcuda.so.1", "libcuda.so")
        library = Library(os.environ.get("NUMBLOCKS_CUDA_DRIVER") or next(filter(_loads, names), names[0]))
        library.Init(0)
    except (OSError, AttributeError, CudaError):
        return None
    return library if count(library) else None


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def count(library: Library) -> int:
    """How many GPUs the driver knows."""
    number = ctypes.c_int()
    library.DeviceGetCount(ctypes.byref(number))
    return number.value


class Function:
    """A kernel on a device: its handle, and memory for the parameters of a launch."""

    __slots__ = ("name", "handle", "count", "words", "pointers", "module", "lock")

    def __init__(self, name: str, handle: int, parameters: int, module):
        self.name, self.handle, self.count, self.module = name, handle, parameters, module
        self.words = (ctypes.c_int64 * max(parameters, 1))()
        base = ctypes.addressof(self.words)
        self.pointers = (ctypes.c_void_p * max(parameters, 1))(*(base + 8 * k for k in range(parameters)))
        self.lock = threading.Lock()


class Gpu:
    """One GPU; `simulated.SimulatedGpu` has the same attributes and methods.

    Attributes:
        name, capability: the model, and `(major, minor)`.
        threads, most, tile: in a block of a map; in a block of a row, at most; along a side of a tile of a product.
        busy, share: blocks that keep the device busy; elements a block should at least have of a row it shares.
        pool: the device's memory.
        launches, copied: kernels started; bytes moved between host and device.
    """

    threads, most, tile, busy, share = 128, 256, 16, 1024, 16384

    def __init__(self, library: Library, number: int = 0):
        self.library, self.number, self.launches, self.copied = library, number, 0, 0
        found, text = ctypes.c_int(), ctypes.create_string_buffer(128)
        self._here = threading.local()
        library.DeviceGet(ctypes.byref(found), number)
        device = found.value
        library.DeviceGetName(text, 128, device)
        self.name = text.value.decode()
        numbers = []
        for attribute in (_MAJOR, _MINOR):
            library.DeviceGetAttribute(ctypes.byref(found), attribute, device)
            numbers.append(found.value)
        self.capability = tuple(numbers)
        self._context, self._stream = ctypes.c_void_p(), ctypes.c_void_p()
        library.DevicePrimaryCtxRetain(ctypes.byref(self._context), device)
        self._enter()
        library.StreamCreate(ctypes.byref(self._stream), 1)  # does not wait for the default stream
        self.pool = Pool(self._allocate, self._free)

    _last = threading.local()  # the device that is current in this thread

    def _enter(self) -> None:
        """Make this device current in this thread."""
        if getattr(Gpu._last, "gpu", None) is not self:
            self.library.CtxSetCurrent(self._context)
            Gpu._last.gpu = self

    # --- memory ---

    def _allocate(self, nbytes: int) -> int | None:
        self._enter()
        address = ctypes.c_size_t()
        status = self.library._library.cuMemAlloc_v2(ctypes.byref(address), nbytes)
        if status == _OUT_OF_MEMORY:
            self.synchronize()  # what is being freed is in use until then
            return None
        if status:
            raise self.library.error("cuMemAlloc", status)
        return address.value

    def _free(self, address: int) -> None:
        self._enter()
        self.library.MemFree(address)

    def upload(self, address: int, data: numpy.ndarray) -> None:
        """Copy a C-contiguous array onto the device; it may be changed on return."""
        if data.nbytes:
            self._enter()
            self.library.MemcpyHtoDAsync(address, data.ctypes.data, data.nbytes, self._stream)
            self.synchronize()
            self.copied += data.nbytes

    def download(self, data: numpy.ndarray, address: int) -> None:
        """Fill a C-contiguous array from the device, when all work before is done."""
        if data.nbytes:
            self._enter()
            self.library.MemcpyDtoHAsync(data.ctypes.data, address, data.nbytes, self._stream)
            self.synchronize()
            self.copied += data.nbytes

    def memory_info(self) -> tuple[int, int]:
        """Free and total bytes; what the pool keeps counts as free."""
        self._enter()
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self.library.MemGetInfo(ctypes.byref(free), ctypes.byref(total))
        return free.value + self.pool.kept, total.value

    def synchronize(self) -> None:
        """Wait for all work of the device.

        Raises:
            CudaError: also of a kernel that failed since the last time.
        """
        self._enter()
        self.library.StreamSynchronize(self._stream)

    # --- kernels ---

    def load(self, text) -> Function:
        """The function of an `emit_cuda.Text`: compiled, or from the disk, and loaded."""
        made = cubin(text.text, text.name, self.capability)
        self._enter()
        module, handle = ctypes.c_void_p(), ctypes.c_void_p()
        self.library.ModuleLoadData(ctypes.byref(module), ctypes.cast(made.code, ctypes.c_void_p))
        self.library.ModuleGetFunction(ctypes.byref(handle), module, made.entry.encode())
        return Function(text.name, handle.value, len(Signature.of(text.text, text.name).parameters), module)

    def launch(self, function: Function, grid: int, block: int, words) -> None:
        """Start a kernel; `words` are the bits of its parameters.

        Raises:
            CudaError: names the kernel. With NUMBLOCKS_SYNC=1 also what goes wrong while it runs; otherwise that
                shows where the device is next waited for.
        """
        self._enter()
        if len(words) != function.count:
            raise TypeError(f"{function.name}: {len(words)} parameters are given, it takes {function.count}")
        with function.lock:  # the driver has copied the parameters when the call returns
            function.words[: len(words)] = words
            status = self.library.launch(
                function.handle, grid, 1, 1, block, 1, 1, 0, self._stream, function.pointers, None
            )
        if status:
            raise CudaError(f"{function.name}, {grid} blocks of {block}: {self.library.error('launch', status)}")
        self.launches += 1
        if SYNC:
            try:
                self.synchronize()
            except CudaError as error:
                raise CudaError(f"{function.name}, {grid} blocks of {block}: {error}") from error


SYNC = os.environ.get("NUMBLOCKS_SYNC", "") == "1"
