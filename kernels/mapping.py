"""Elementwise loops that are ready before it is known over which arrays: for those that are C-contiguous, of one shape.

What is decided here depends on dtypes alone, so nothing needs to be looked up by shape, and a launch takes a third of
a microsecond. A loop long enough is shared with the workers that are awake. The GIL stays held, so a loop may only be
so long; arrays that do not fit are told apart by machine code, and go the way of `loops.run_scalar`.
"""

from __future__ import annotations

import numpy as np

from . import build, entry, loops, workers


def launcher(function, dtypes, out, compute):
    """`launch(*operands, out) -> bool` of a scalar function; False where the arrays do not fit. None: there is no such
    way.

    Args:
        function: a plain scalar function (see `typed.scalar`).
        dtypes: of the operands, None for a number.
        out: dtype of the result.
        compute: dtype that numbers are taken in, a float.

    >>> a = np.arange(5, dtype=np.float32)
    >>> launch = launcher(lambda x, y: x * y, (a.dtype, None), a.dtype, a.dtype)
    >>> launch is None or launch(a, 2.0, a), a
    (True, array([0., 2., 4., 6., 8.], dtype=float32))
    """
    if build.interpreted() or not any(dtypes):
        return None
    layouts = ["c" if d is not None else None for d in dtypes]
    program, kernel = loops._single(
        function, "m", (*layouts, "c"), tuple((d or compute).name for d in dtypes), out.name
    )
    each = loops.ALONE // 2 * loops.grain(program, (1 << 40,), 1 << 40)  # two of them are worth sharing
    kernel, words = workers.prefixed(kernel.address, each, build.load)
    arrays, first = sum(d is not None for d in dtypes), len(words) + 1
    operands, array, number = [], first, first + arrays + 1
    for d in dtypes:
        if d is not None:
            operands.append((array, d))
            array += 1
        else:
            operands.append((number, entry.FLOAT))
            number += 1
    operands.append((array, out))
    return entry.launcher(kernel, entry.EACH, each * loops.BRIEF // 4, [*words, *[0] * (number - len(words))], operands)


def broadcast(function, raw, out: np.ndarray, compute):
    """`launch(*arrays, out) -> bool` for arrays of these shapes and strides, or None.

    Args:
        raw: arrays of one float dtype that broadcast to the shape of `out`.
        out: C-contiguous.
    """
    found = loops._prepare_scalar(function, raw, out, compute.name)
    return None if found is None else found.launch
