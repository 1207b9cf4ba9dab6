"""Blocks side by side."""

from __future__ import annotations

from ... import np
from ..block import Block
from ..hybrid import HybridBlock


class _Beside:
    """What Concurrent and HybridConcurrent share."""

    def __init__(self, axis=-1, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self.axis = axis

    def add(self, *blocks: Block) -> None:
        """Put blocks beside the others."""
        for block in blocks:
            self.register_child(block)

    def forward(self, x):
        """The outputs of all blocks for the same input, joined."""
        return np.concatenate([block(x) for block in self._children.values()], axis=self.axis)


class Concurrent(_Beside, Block):
    """Runs its blocks on the same input and joins their outputs.

    Args:
        axis: the axis along which outputs are joined.

    Shapes: x -> the outputs' shape, summed along `axis`.

    >>> both = Concurrent(axis=1)
    >>> both.add(Identity(), Identity())
    >>> both(np.ones((2, 3))).shape
    (2, 6)
    """


class HybridConcurrent(_Beside, HybridBlock):
    """Runs its HybridBlocks on the same input and joins their outputs; see `Concurrent`.

    Args:
        axis: the axis along which outputs are joined.

    Shapes: x -> the outputs' shape, summed along `axis`.

    >>> both = HybridConcurrent(axis=1)
    >>> both.add(Identity(), Identity())
    >>> both(np.ones((2, 3))).shape
    (2, 6)
    """


class Concatenate(Concurrent):
    """`Concurrent` by its name in Gluon 2.

    Args:
        axis: the axis along which outputs are joined.

    Shapes: x -> the outputs' shape, summed along `axis`.

    >>> both = Concatenate(axis=1)
    >>> both.add(Identity(), Identity())
    >>> both(np.ones((2, 3))).shape
    (2, 6)
    """


class HybridConcatenate(HybridConcurrent):
    """`HybridConcurrent` by its name in Gluon 2.

    Args:
        axis: the axis along which outputs are joined.

    Shapes: x -> the outputs' shape, summed along `axis`.

    >>> both = HybridConcatenate(axis=1)
    >>> both.add(Identity(), Identity())
    >>> both(np.ones((2, 3))).shape
    (2, 6)
    """
