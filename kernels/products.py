"""Matrix products of NumPy arrays by one BLAS thread each of our own team.

NumPy's own call wakes BLAS's threads, which then spin beside ours (see `native.py`); for small products there are none.
"""

from array import array

import numpy as np

from . import build, native, reuse, workers

SMALL = 1 << 22  # below, what BLAS's threads disturb is less than what it takes to go round them
_DTYPES = {np.dtype("float32"): "float32", np.dtype("float64"): "float64"}


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """`numpy.matmul`, which does what is small, broadcast, or laid out in another way than BLAS likes.

    >>> matmul(np.ones((300, 200)), np.ones((200, 100)))[0, 0]
    200.0
    """
    if a.ndim != b.ndim or a.ndim < 2 or a.dtype is not b.dtype or a.shape[-1] != b.shape[-2]:
        return np.matmul(a, b, out=out)
    lead, (m, k), n = a.shape[:-2], a.shape[-2:], b.shape[-1]
    batch = 1
    for size in lead:
        batch *= size
    work = batch * m * n * k
    if work <= SMALL or lead != b.shape[:-2] or a.dtype not in _DTYPES or build.interpreted():
        return np.matmul(a, b, out=out)
    gemm, alone, item = native.gemm(_DTYPES[a.dtype]), native.alone(), a.itemsize
    forms = [native.gemm_operand(x.strides[-2:], x.shape[-2:], item) for x in (a, b)]
    fits = out is None or (out.flags.c_contiguous and out.dtype == a.dtype and out.shape == (*lead, m, n))
    if gemm is None or alone is None or None in forms or not fits:
        return np.matmul(a, b, out=out)
    steps = [native.batch_step(lead, x.strides[:-2]) for x in (a, b)]
    if None in steps:
        return np.matmul(a, b, out=out)
    if out is None:
        out = reuse.empty((*lead, m, n), a.dtype)
    if lead:
        count, cut, grain = native.batched(m, n, k, batch, steps, item)
    else:
        grain, (count, cut) = 1, native.pieces(m, n, k, *forms, item)
    places = [native.address(x) for x in (a, b, out)]
    packed = array("q", native.product_words(k, *forms, n, places, cut))
    keep: list = [packed]
    row, shared = native.shared_row(gemm, count, packed.buffer_info()[0], grain, keep)
    if shared:
        workers.wake()
    table = native.table([row], shared, True, keep)
    native.sequence()(0, len(table), native.address(table))
    return out
