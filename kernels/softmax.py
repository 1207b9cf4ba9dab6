"""Softmax and its logarithm along rows that lie together: several short rows at a time.

The kernel that a program of reductions becomes loops over each row, and a row of 20 leaves a vector of 16 with 4 more
numbers, each of which takes as long. Here rows are staged until there are some thousand elements, so that exp sees one
long row; it is computed once, where the program computes it again for the last pass.
"""

from __future__ import annotations

import functools
from array import array

from . import build, prelude, typed
from .addresses import address
from .lanes import HEADER
from .mathlib import closure
from .scalars import scalar
from .sources import digest

STAGE = 2048  # elements staged at once
GRAIN = 1 << 11  # elements worth another thread that is awake


def inverse(a): return 1.0 / a  # noqa: E704


_TEXT = '''
@lane({T})
def largest(a, b):
    return maximum(a, b)


@lane(float64)
def added(total, x):
    return accumulate(total, x)


@lane(float64)
def wide(x):
    return cast(x, float64)


@lane({T})
def narrow(x):
    return cast(x, {T})


def {name}(lo, hi, a):
    """a: 0 rows, 1 their length, 2 rows at a time, 3 input, 4 output; lo..hi counts such parts."""
    rows, n, each = a[0], a[1], a[2]
    x, y = pointer(a[3], {T}), pointer(a[4], {T})
    stage = stack({stage}, {T})
    raised = stack({stage}, {T})
    for part in range(lo, hi):
        first = part * each
        count = min(each, rows - first)
        for i in range(count):
            p = (first + i) * n
            q = i * n
            top = {T}(-math.inf)
            for k in range(n):
                top = largest(top, load(x, p + k))
            for k in range(n):
                stage[q + k] = load(x, p + k) - top
        for j in range(count * n):
            raised[j] = {exp}(stage[j])
        for i in range(count):
            p = (first + i) * n
            q = i * n
            total = float64(0)
            for k in range(n):
                total = added(total, wide(raised[q + k]))
            factor = {last}(narrow(total))
            for k in range(n):
                store(y, p + k, {answer}, 0)
'''


@functools.cache
def _kernel(T: str, logarithm: bool) -> build.Kernel:
    bits = T.removeprefix("float")
    texts = closure(f"exp_f{bits}")
    if logarithm:
        texts |= closure(f"log_f{bits}")
        last, answer = f"log_f{bits}", "stage[q + k] - factor"
    else:
        texts |= typed.closure(scalar(inverse), T)
        last, answer = f"inverse_f{bits}", "raised[q + k] * factor"
    name = "log_softmax" if logarithm else "softmax"
    body = "\n\n".join([HEADER, *texts.values()]) + _TEXT
    name = f"{name}_{T}_{digest(body, T, last, answer, str(STAGE))}"
    text = body.format(name=name, T=T, stage=STAGE, exp=f"exp_f{bits}", last=last, answer=answer)
    return build.load(name, prelude.header(f"{name}: rows of {T}") + text)


def rows(x, out, logarithm: bool) -> bool:
    """`out` filled with the softmax (or its logarithm) of `x` along the last axis; False where rows are too long.

    Args:
        x, out: C-contiguous, of one dtype, float32 or float64, and not empty.
    """
    n = x.shape[-1]
    if n > STAGE:
        return False
    count, each = x.size // n, STAGE // n
    packed = array("q", [count, n, each, address(x), address(out)])
    kernel = _kernel(x.dtype.name, logarithm)
    build.run(kernel, -(-count // each), packed.buffer_info()[0], max(1, GRAIN // (each * n)))
    return True
