"""Device memory that is kept when it is freed: an allocation costs a lookup once a program has warmed up.

All work of a device goes through one stream, so a block may be handed on as soon as its last user has been launched.
"""

from __future__ import annotations

import threading

SMALL, LARGE = 512, 1 << 21  # blocks come in multiples of this: below 1 MiB, and from there on


class Block:
    """A piece of device memory; goes back to its pool when nothing refers to it any more.

    Attributes:
        address: of the first byte, on the device.
        size: in bytes, at least as many as were asked for.
    """

    __slots__ = ("pool", "address", "size")

    def __init__(self, pool: Pool, address: int, size: int):
        self.pool, self.address, self.size = pool, address, size

    def __del__(self):
        self.pool.put(self.address, self.size)  # needs no global name: the interpreter may be going down


class Pool:
    """Free blocks by size.

    Args:
        allocate: `nbytes -> address`, None when there is no memory left.
        free: takes an address back.
        lend: told of each block handed out, `(address, nbytes)`.

    Attributes:
        allocations: how often the device was asked for memory.
        used, kept: bytes in use, and bytes that wait to be asked for, as rounded.
    """

    def __init__(self, allocate, free, lend=None):
        self._allocate, self._free, self._lend = allocate, free, lend
        self._free_blocks: dict[int, list[int]] = {}
        self._lock = threading.RLock()  # the collector may run in `get` and put blocks back from there
        self.allocations = self.used = self.kept = 0

    @staticmethod
    def rounded(nbytes: int) -> int:
        """The size of the block that serves `nbytes`.

        >>> Pool.rounded(1), Pool.rounded(513), Pool.rounded(3 << 20)
        (512, 1024, 4194304)
        """
        step = SMALL if nbytes <= 1 << 20 else LARGE
        return max(-(-nbytes // step), 1) * step

    def get(self, nbytes: int) -> Block:
        """A block of at least `nbytes`.

        Raises:
            MemoryError: the device has no more, even after everything kept was given back.
        """
        size = self.rounded(nbytes)
        with self._lock:
            blocks = self._free_blocks.get(size)
            address = blocks.pop() if blocks else None
            self.kept -= size if blocks is not None and address is not None else 0
        if address is None:
            address = self._allocate(size)
            if address is None:
                self.empty()
                address = self._allocate(size)
            if address is None:
                raise MemoryError(f"{nbytes} bytes of device memory cannot be had; {self.used} are in use")
            self.allocations += 1
        self.used += size
        if self._lend is not None:
            self._lend(address, nbytes)
        return Block(self, address, size)

    def put(self, address: int, size: int) -> None:
        """Take a block back."""
        with self._lock:
            self.used -= size
            self.kept += size
            self._free_blocks.setdefault(size, []).append(address)

    def empty(self) -> None:
        """Give everything that is kept back to the device."""
        with self._lock:
            blocks, self._free_blocks, self.kept = self._free_blocks, {}, 0
        for addresses in blocks.values():
            for address in addresses:
                self._free(address)
