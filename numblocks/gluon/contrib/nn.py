"""Layers of `gluon.contrib.nn`: those of `gluon.nn` by the same names, and `SparseEmbedding`."""

from __future__ import annotations

from ..nn import (
    Concurrent,
    Embedding,
    HybridConcurrent,
    Identity,
    PixelShuffle1D,
    PixelShuffle2D,
    PixelShuffle3D,
    SyncBatchNorm,
)

__all__ = [
    "Concurrent", "HybridConcurrent", "Identity", "PixelShuffle1D", "PixelShuffle2D", "PixelShuffle3D",
    "SparseEmbedding", "SyncBatchNorm",
]  # fmt: skip


class SparseEmbedding(Embedding):
    """`Embedding` under the name for which the original kept sparse gradients; here they are dense.

    Args:
        input_dim: number of different integers.
        output_dim: length of the vectors.
        dtype: of the table.
        weight_initializer: initializer or its name.

    Shapes: any shape of integers -> that shape with `output_dim` added. weight `(input_dim, output_dim)`.

    >>> layer = SparseEmbedding(10, 4)
    >>> layer
    SparseEmbedding(10 -> 4, float32)
    """

    def __init__(self, input_dim, output_dim, dtype="float32", weight_initializer=None, **kwargs):
        super().__init__(input_dim, output_dim, dtype, weight_initializer, **kwargs)

    def __repr__(self):
        return f"Sparse{super().__repr__()}"
