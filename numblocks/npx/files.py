"""`npx.save` and `npx.load`: arrays in MXNet's `.params` layout."""

from __future__ import annotations

from ..array import ndarray
from ..formats import params
from ..np.creation import array


def save(file: str, arr) -> None:
    """Write an array, a list or a dict of arrays, atomically.

    Raises:
        TypeError: something in it is not an ndarray.
    """
    items = [arr] if isinstance(arr, ndarray) else arr
    names = list(items) if isinstance(items, dict) else []
    arrays = list(items.values()) if isinstance(items, dict) else list(items)
    for k, x in enumerate(arrays):
        if not isinstance(x, ndarray):
            raise TypeError(
                f"save: item {names[k] if names else k} is {type(x).__name__}. Files hold ndarrays. Convert it first."
            )
    params.write(file, names, [x.asnumpy() for x in arrays])


def load(file: str, make=array):
    """Read what `save` (or MXNet) wrote: a list of arrays, or a dict if they have names."""
    names, arrays = params.read(file)
    made = [make(a, dtype=a.dtype) for a in arrays]
    return dict(zip(names, made, strict=True)) if names else made
