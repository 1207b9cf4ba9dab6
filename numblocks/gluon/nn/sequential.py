"""Blocks one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import warn
from ..block import Block
from ..hybrid import HybridBlock


class _Chain:
    """What Sequential and HybridSequential share."""

    _is_container = True

    def __init__(self, *blocks: Block, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self.add(*blocks)

    def add(self, *blocks: Block) -> None:
        """Put blocks at the end. To name one, use `register_child(block, name)`."""
        for block in blocks:
            self.register_child(block)

    def forward(self, x):
        """The output of the last block, each having been given the output of the one before."""
        for block in self._children.values():
            x = block(x)
        return x

    def __getitem__(self, key):
        """The block at an index, or a net of the same class and prefix over those in a slice."""
        blocks = list(self._children.values())[key]
        return type(self)(*blocks, prefix=self._prefix) if isinstance(key, slice) else blocks

    def __iter__(self) -> Iterator[Block]:
        return iter(list(self._children.values()))

    def __len__(self) -> int:
        return len(self._children)

    def __bool__(self) -> bool:
        return True  # an empty net is still a net


class Sequential(_Chain, Block):
    """Blocks one after the other; any Block may be one of them.

    Args:
        blocks: the first blocks; more with `add`.
        prefix, params: as of Block.

    Shapes: what the first block takes -> what the last one returns.

    >>> net = Sequential()
    >>> net.add(Dense(256, activation='relu'), Dense(10))
    >>> net
    Sequential(
      (0): Dense(-1 -> 256, Activation(relu))
      (1): Dense(-1 -> 10, linear)
    )
    """

    def hybridize(self, active: bool = True, **flags) -> None:
        """Compile each HybridBlock in it. A HybridSequential of the same blocks compiles to one."""
        hybrid = all(isinstance(block, HybridBlock) for block in self._children.values())
        if active and self._children and hybrid:
            warn(
                f"{self.name}: all blocks of this Sequential are HybridBlocks, but each will be compiled"
                f" alone. A Sequential itself runs as Python. Use nn.HybridSequential to compile them as"
                f" one.",
            )
        super().hybridize(active, **flags)


class HybridSequential(_Chain, HybridBlock):
    """HybridBlocks one after the other, compiled as one after `hybridize()`.

    Args:
        blocks: the first blocks; more with `add`.
        prefix, params: as of Block.

    Shapes: what the first block takes -> what the last one returns.

    >>> net = HybridSequential(Dense(8), Dense(1))
    >>> net.initialize()
    >>> net.hybridize()
    >>> net(np.ones((2, 3))).shape
    (2, 1)
    """
