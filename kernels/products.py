"""Matrix products of NumPy arrays by one BLAS thread each of our own team.

NumPy's own call wakes BLAS's threads, which then spin beside ours (see `native.py`); for small products there are none.
What a product of given shapes and strides launches is worked out once.
"""

from __future__ import annotations

from array import array

import numpy as np

from . import build, entry, loops, native, reuse, workers

SMALL = 1 << 18  # products of numbers below which there is nothing to share
BRIEF = 1 << 25  # the same up to which the GIL stays held: 200 us
_DTYPES = {np.dtype("float32"): "float32", np.dtype("float64"): "float64"}

# Runs the second kernel over 0..hi between two calls of the first: BLAS with one thread, and with as many as before.
# a: a word that is not read | the two kernels | what the second takes
_APART = """
define void @{kernel}(i64 %lo, i64 %hi, ptr %a) {
  %threads = alloca i64
  %p1 = getelementptr i64, ptr %a, i64 1
  %p2 = getelementptr i64, ptr %a, i64 2
  %p3 = getelementptr i64, ptr %a, i64 3
  %alone = load ptr, ptr %p1
  %f = load ptr, ptr %p2
  call void %alone(i64 0, i64 0, ptr %threads)
  call void %f(i64 0, i64 %hi, ptr %p3)
  call void %alone(i64 1, i64 0, ptr %threads)
  ret void
}
"""


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """`numpy.matmul`, which does what is small, broadcast, or laid out in another way than BLAS likes.

    >>> matmul(np.ones((300, 200)), np.ones((200, 100)))[0, 0]
    200.0
    """
    if a.ndim < 2 or b.ndim < 2 or a.size * b.shape[-1] <= SMALL:
        return np.matmul(a, b, out=out)
    key = ("product", a.shape, b.shape, a.strides, b.strides, a.dtype, b.dtype, build.threads())
    plan = loops.remembered(key, lambda: _plan(a, b))
    if plan is None:
        return np.matmul(a, b, out=out)
    shape, launch = plan
    if out is None:
        out = reuse.empty(shape, a.dtype)
    elif not out.flags.c_contiguous or out.dtype is not a.dtype or out.shape != shape:
        return np.matmul(a, b, out=out)
    launch(a, b, out)
    return out


def _plan(a, b):
    """The shape of the product, and the function of `(a, b, out)` that computes it; None: NumPy should."""
    if a.ndim != b.ndim or a.dtype is not b.dtype or a.shape[-1] != b.shape[-2]:
        return None
    lead, (m, k), n = a.shape[:-2], a.shape[-2:], b.shape[-1]
    batch = 1
    for size in lead:
        batch *= size
    work = batch * m * n * k
    if not work or lead != b.shape[:-2] or a.dtype not in _DTYPES or build.interpreted():
        return None
    gemm, alone, item = native.gemm(_DTYPES[a.dtype]), native.alone(), a.itemsize
    forms = [native.gemm_operand(x.strides[-2:], x.shape[-2:], item) for x in (a, b)]
    steps = [native.batch_step(lead, x.strides[:-2]) for x in (a, b)]
    if gemm is None or alone is None or None in forms or None in steps:
        return None
    if lead:
        count, cut, grain = native.batched(m, n, k, batch, steps, item)
    else:
        grain, (count, cut) = 1, native.pieces(m, n, k, *forms, item)
    words = native.product_words(k, *forms, n, [0, 0, 0], cut)
    long = _long(gemm, count, grain, words)
    return (*lead, m, n), _brief(gemm, alone, count, grain, words, long) if work <= BRIEF else long


PLACES = (8, 9, 10)  # of the addresses in the words of a product


def _brief(gemm, alone, count, grain, words, otherwise):
    """The same with the GIL held, by one call into machine code."""
    workers.prepare(build.load)
    shared, before = workers.prefixed(gemm, grain, build.load)
    before = [0, alone, shared.address, *before]
    operands = [(len(before) + k, entry.ARRAY) for k in PLACES]
    launch = entry.launcher(native.kernel("apart", _APART), count, count, [*before, *words], operands)
    if launch is None:
        return otherwise

    def run(*arrays):
        if build.recorder is not None or not launch(*arrays):
            otherwise(*arrays)

    return run


def _long(gemm, count, grain, words):
    def run(*arrays):
        packed = array("q", words)
        for k, x in zip(PLACES, arrays, strict=True):
            packed[k] = native.address(x)
        keep: list = [packed]
        row, shared = native.shared_row(gemm, count, packed.buffer_info()[0], grain, keep)
        if shared:
            workers.wake()
        table = native.table([row], shared, True, keep)
        native.sequence()(0, len(table), native.address(table))

    return run
