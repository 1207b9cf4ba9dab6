"""Rows by index, and their transpose: what an embedding does forward and backward.

`take` has a thread for each element of the answer. `add` has one for each place beside the indexed axis, which goes
through the indices in order: repeated indices add up in the same order each time, and nobody else writes there.
Indices are int64 in `[0, size)`; what is outside is cut off, so no kernel reads beyond its memory.
"""

from __future__ import annotations

import functools

from ..emit_cuda import Text, storage
from ..sources import digest
from ..statements import held
from . import launch

_TAKE = '''"""{name}: y[o, k, i] = x[o, index[k], i]."""


def {name}(
    outer: {I}, count: {I}, size: {I}, inner: {I}, x_p: pointer({T}), index_p: pointer(int64), y_p: pointer({T})
):
    i = {I}(cuda.grid(1))
    if i < {I}({I}(outer * count) * inner):
        rest = {I}(i // inner)
        k = {I}(rest % count)
        row = {I}({I}({I}(rest // count) * size) + {I}(min(max(index_p[k], int64(0)), int64(size) - int64(1))))
        y_p[i] = x_p[{I}({I}(row * inner) + {I}(i % inner))]
'''
_ADD = '''"""{name}: y[o, index[k], i] += g[o, k, i], k by k."""


def {name}(
    outer: {I}, count: {I}, size: {I}, inner: {I}, g_p: pointer({T}), index_p: pointer(int64), y_p: pointer({T})
):
    i = {I}(cuda.grid(1))
    if i < {I}(outer * inner):
        o = {I}(i // inner)
        j = {I}(i % inner)
        k = {I}(0)
        while k < count:
            row = {I}({I}(o * size) + {I}(min(max(index_p[k], int64(0)), int64(size) - int64(1))))
            at = {I}({I}(row * inner) + j)
            g = g_p[{I}({I}({I}({I}(o * count) + k) * inner) + j)]
            y_p[at] = {T}({A}(y_p[at]) + {A}(g))
            k = {I}(k + {I}(1))
'''


@functools.cache
def emit(what: str, dtype: str, wide: bool) -> Text:
    """The kernel 'take' or 'add' of elements of `dtype`.

    >>> emit("take", "float32", False).name[:13]
    'take_float32_'
    """
    facts = {"I": "int64" if wide else "uint32", "T": storage(dtype), "A": held(dtype) if dtype != "bool" else "uint8"}
    text = {"take": _TAKE, "add": _ADD}[what]
    name = f"{what}_{'wide_' if wide else ''}{dtype}_{digest(text, repr(facts))}"
    return Text(name, text.format(name=name, **facts), False, "map")


@functools.cache
def _function(device, what, dtype, wide):
    return device.load(emit(what, dtype, wide))


def run(device, what: str, x, index, y, outer: int, count: int, size: int, inner: int) -> None:
    """`take`: fill `y` `(outer, count, inner)` from `x` `(outer, size, inner)`; `add`: the other way, into zeros.

    Args:
        x, index, y: C-contiguous arrays of the device, `index` of int64.
    """
    n = outer * inner * (count if what == "take" else 1)
    if n and size and count:
        wide = launch.too_wide((outer, max(count, size), inner), [])
        words = [outer, count, size, inner, x.address, index.address, y.address]
        device.launch(_function(device, what, y.dtype.name, wide), -(-n // device.threads), device.threads, words)
