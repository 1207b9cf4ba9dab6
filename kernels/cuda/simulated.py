"""A simulated GPU: NumPy memory, kernels run by the simulator. The interface is `driver.Gpu`'s."""

from __future__ import annotations

import bisect

import numpy

from . import simulator
from .pool import Pool

MEMORY = 1 << 32  # bytes a simulated GPU has


class SimulatedGpu:
    """One simulated GPU. Memory handed out is filled with 0xA5, and kernels cannot touch what was not.

    Attributes:
        name, capability: what a program may ask of a GPU.
        threads, most, tile: in a block of a map; in a block of a row, at most; along a side of a tile of a product.
            Small: a thread costs as much as an interpreter.
        busy, share: blocks that keep the device busy; elements a block should at least have of a row it shares.
        pool: the device's memory.
        launches, copied: kernels started; bytes moved between host and device.
        loaded: the texts of all kernels that were asked for, by name.
    """

    name, capability = "simulated", (0, 0)
    threads, most, tile, busy, share = 32, 64, 8, 8, 200

    def __init__(self, number: int = 0):
        self.number, self.launches, self.copied, self.loaded = number, 0, 0, {}
        self._memory: dict[int, numpy.ndarray] = {}  # by address
        self._lent: dict[int, int] = {}  # address -> bytes that may be touched
        self._starts: list[int] = []
        self.pool = Pool(self._allocate, self._free, self._lend)

    # --- memory ---

    def _allocate(self, nbytes: int) -> int | None:
        if nbytes + sum(map(len, self._memory.values())) > MEMORY:
            return None
        memory = numpy.empty(nbytes + 16, numpy.uint8)
        memory = memory[-memory.ctypes.data % 16 :][:nbytes]
        address = memory.ctypes.data
        self._memory[address] = memory
        bisect.insort(self._starts, address)
        return address

    def _free(self, address: int) -> None:
        del self._memory[address]
        self._lent.pop(address, None)
        self._starts.remove(address)

    def _lend(self, address: int, nbytes: int) -> None:
        self._lent[address] = nbytes
        self._memory[address][:] = 0xA5

    def _find(self, address: int, what: str) -> tuple[numpy.ndarray, int]:
        """The bytes lent at `address`, from their start, and how far into them it points."""
        k = bisect.bisect_right(self._starts, address) - 1
        start = self._starts[k] if k >= 0 else 0
        if k < 0 or address > start + self._lent.get(start, -1):
            raise IndexError(f"{what}: the address {address:#x} is not in memory of {self.name} gpu({self.number})")
        return self._memory[start][: self._lent[start]], address - start

    def upload(self, address: int, data: numpy.ndarray) -> None:
        """Copy a C-contiguous array onto the device."""
        memory, at = self._find(address, "upload")
        memory[at : at + data.nbytes] = data.reshape(-1).view(numpy.uint8)
        self.copied += data.nbytes

    def download(self, data: numpy.ndarray, address: int) -> None:
        """Fill a C-contiguous array from the device, when all work before is done."""
        memory, at = self._find(address, "download")
        data.reshape(-1).view(numpy.uint8)[:] = memory[at : at + data.nbytes]
        self.copied += data.nbytes

    def memory_info(self) -> tuple[int, int]:
        """Free and total bytes."""
        return MEMORY - self.pool.used, MEMORY

    def synchronize(self) -> None:
        """Wait for all work: it is done already."""

    # --- kernels ---

    def load(self, text) -> simulator.Function:
        """The function of an `emit_cuda.Text`."""
        self.loaded[text.name] = text.text
        return simulator.load(text.text, text.name)

    def launch(self, function: simulator.Function, grid, block, words) -> None:
        """Start a kernel; `words` are the bits of its parameters."""
        args = []
        for (name, dtype, pointed), word in zip(function.signature.parameters, words, strict=True):
            kind = numpy.dtype(dtype)
            if pointed:
                memory, at = self._find(word, f"{function.name}, {name}")
                if at % kind.itemsize:
                    raise TypeError(f"{function.name}: {name} is not aligned to {dtype}")
                items = memory[: len(memory) // kind.itemsize * kind.itemsize].view(kind)
                args.append(simulator.Pointer(items, at // kind.itemsize, name))
            else:
                args.append(numpy.array([word], numpy.int64).view(kind)[0])
        self.launches += 1
        simulator.run(function, grid, block, args)
