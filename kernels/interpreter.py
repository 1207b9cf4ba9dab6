"""NUMBA_DISABLE_JIT=1: kernels run as the plain Python they are written in, for a debugger to step through. Slow.

The prelude, the lane functions and tiles that a text imports have pure-Python bodies, which the compiler otherwise
replaces. Results agree with compiled kernels up to rounding (a fused multiply-add rounds twice here).
"""

from __future__ import annotations

import linecache
import os
import types

import numpy

from .prelude import int64, pointer


def wanted() -> bool:
    """Whether NUMBA_DISABLE_JIT asks for plain Python."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def load(name: str, text: str, path: str):
    """A function `(lo, hi, argp)` that runs function `name` of the module `text`, whose file is shown as `path`."""
    module = types.ModuleType(f"numblocks_kernel_{name}")
    module.__file__ = path
    if not os.path.exists(path):
        linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    exec(compile(text, path, "exec"), module.__dict__)
    function = module.__dict__[name]

    def call(lo: int, hi: int, argp: int) -> None:
        with numpy.errstate(all="ignore"):  # machine code does not warn either
            function(lo, hi, pointer(argp, int64))

    call.module = module
    return call
