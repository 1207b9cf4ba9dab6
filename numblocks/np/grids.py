"""Arrays of indices: of triangles, diagonals, grids and places in memory order. int64, not differentiable."""

from __future__ import annotations

import numpy

from ..array import array_on, ndarray
from ..errors import MXNetError
from . import indexing
from .host import from_numpy, on_host


def _on(arrays, ctx=None):
    return tuple(array_on(numpy.ascontiguousarray(a), ctx) for a in arrays)


def indices(dimensions, dtype="int32", ctx=None, sparse=False):
    """For each axis of a grid the index along it: shape `(len(dimensions), *dimensions)`."""
    found = numpy.indices(dimensions, dtype, sparse)
    return _on(found, ctx) if sparse else array_on(found, ctx)


def tril_indices(n, k=0, m=None, ctx=None) -> tuple[ndarray, ndarray]:
    """Rows and columns of the lower triangle of an (n, m) matrix."""
    return _on(numpy.tril_indices(n, k, m), ctx)


def triu_indices(n, k=0, m=None, ctx=None) -> tuple[ndarray, ndarray]:
    """Rows and columns of the upper triangle of an (n, m) matrix."""
    return _on(numpy.triu_indices(n, k, m), ctx)


def tril_indices_from(arr, k=0) -> tuple[ndarray, ndarray]:
    """Rows and columns of the lower triangle of a matrix."""
    return tril_indices(arr.shape[-2], k, arr.shape[-1], arr.ctx)


def triu_indices_from(arr, k=0) -> tuple[ndarray, ndarray]:
    """Rows and columns of the upper triangle of a matrix."""
    return triu_indices(arr.shape[-2], k, arr.shape[-1], arr.ctx)


def diag_indices(n, ndim=2, ctx=None) -> tuple[ndarray, ...]:
    """Indices of the main diagonal of an array with `ndim` axes of length n."""
    return _on(numpy.diag_indices(n, ndim), ctx)


def diag_indices_from(arr) -> tuple[ndarray, ...]:
    """Indices of the main diagonal of an array whose axes are equally long."""
    if arr.ndim < 2 or len(set(arr.shape)) != 1:
        raise ValueError(
            f"diag_indices_from: the array has shape {arr.shape}. All its axes must be equally long. Slice it."
        )
    return diag_indices(arr.shape[0], arr.ndim, arr.ctx)


def fill_diagonal(a, val, wrap=False) -> None:
    """Write `val` on the main diagonal of `a`, in place."""
    indexing.check_writable(a, "fill_diagonal", val)
    numpy.fill_diagonal(a._data, val._data if isinstance(val, ndarray) else val, wrap)


def mask_indices(n, mask_func, k=0) -> tuple[ndarray, ...]:
    """Where `mask_func` of an (n, n) matrix is not zero."""
    return _on(numpy.mask_indices(n, lambda m, k: numpy.asarray(mask_func(array_on(m, None), k)), k))


def tri(N, M=None, k=0, dtype=None, ctx=None) -> ndarray:
    """Ones at and below the k-th diagonal of an (N, M) matrix."""
    return array_on(numpy.tri(N, M, k, dtype or numpy.float32), ctx)


ix_ = from_numpy("ix_", "Vectors shaped to index the grid they span.")
unravel_index = from_numpy("unravel_index", "The indices of flat places in an array of a shape.")


def ravel_multi_index(multi_index, dims, mode="raise", order="C") -> ndarray:
    """The flat places of indices in an array of shape `dims`."""
    try:
        places = tuple(multi_index)
        return on_host("ravel_multi_index", numpy.ravel_multi_index, places, dims=dims, mode=mode, order=order)
    except ValueError as error:
        raise MXNetError(f"ravel_multi_index: {error} (shape {dims}). Use mode='clip' or 'wrap'.") from None


__all__ = [
    "diag_indices", "diag_indices_from", "fill_diagonal", "indices", "ix_", "mask_indices", "ravel_multi_index", "tri",
    "tril_indices", "tril_indices_from", "triu_indices", "triu_indices_from", "unravel_index",
]  # fmt: skip
