"""Native glue: run a table of kernels in one call, and call NumPy's own BLAS from it.

Both are a few lines of LLVM IR with the signature of every kernel, `void (lo, hi, a)`, so a plan can be one table of
`(address, lo, hi, a)` rows: `sequence` walks it, and `gemm` is a row like any other. The BLAS is the one NumPy has
loaded; where its `cblas_?gemm` cannot be found, `gemm()` is None and plans call `numpy.matmul` instead.
"""

from __future__ import annotations

import ctypes
import functools
import glob
import os

import numpy as np

from . import build

# a: rows of four words (address, lo, hi, a); calls rows lo..hi in order
_SEQUENCE = """
define void @{kernel}(i64 %lo, i64 %hi, ptr %table) {
entry:
  %any = icmp slt i64 %lo, %hi
  br i1 %any, label %loop, label %done
loop:
  %k = phi i64 [ %lo, %entry ], [ %next, %loop ]
  %at = shl i64 %k, 2
  %row = getelementptr i64, ptr %table, i64 %at
  %pa = getelementptr i64, ptr %row, i64 1
  %pb = getelementptr i64, ptr %row, i64 2
  %pc = getelementptr i64, ptr %row, i64 3
  %fw = load i64, ptr %row
  %f = inttoptr i64 %fw to ptr
  %a = load i64, ptr %pa
  %b = load i64, ptr %pb
  %cw = load i64, ptr %pc
  %c = inttoptr i64 %cw to ptr
  call void %f(i64 %a, i64 %b, ptr %c)
  %next = add i64 %k, 1
  %more = icmp slt i64 %next, %hi
  br i1 %more, label %loop, label %done
done:
  ret void
}
"""

# a: m n k | transposed a, b | lda ldb ldc | A B C | batch strides of A B C in bytes; lo..hi runs over the batch.
# Row-major C = op(A) op(B); 101 is CblasRowMajor, 111 CblasNoTrans, 112 CblasTrans.
_GEMM = """
declare void @{symbol}(
  i32, i32, i32, {int}, {int}, {int}, {real}, ptr, {int}, ptr, {int}, {real}, ptr, {int})

define void @{{kernel}}(i64 %lo, i64 %hi, ptr %a) {{
entry:
  %any = icmp slt i64 %lo, %hi
{loads}
  %ta = trunc i64 %w3 to i32
  %tb = trunc i64 %w4 to i32
{ints}
  br i1 %any, label %loop, label %done
loop:
  %i = phi i64 [ %lo, %entry ], [ %next, %loop ]
  %oa = mul i64 %i, %w11
  %ob = mul i64 %i, %w12
  %oc = mul i64 %i, %w13
  %aw = add i64 %w8, %oa
  %bw = add i64 %w9, %ob
  %cw = add i64 %w10, %oc
  %pa = inttoptr i64 %aw to ptr
  %pb = inttoptr i64 %bw to ptr
  %pc = inttoptr i64 %cw to ptr
  call void @{symbol}(
    i32 101, i32 %ta, i32 %tb, {int} %i0, {int} %i1, {int} %i2,
    {real} 1.0, ptr %pa, {int} %i5, ptr %pb, {int} %i6, {real} 0.0, ptr %pc, {int} %i7)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %hi
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""


def _kernel(name: str, text: str) -> build.Kernel:
    """The kernel of IR in which its own name stands as `{kernel}`; built once, then loaded like any other."""
    name = f"{name}_{build.digest(text)}"
    return build.load(name, f"; {name}\n" + text.replace("{kernel}", name))


@functools.cache
def sequence():
    """A ctypes function `(lo, hi, table)` that calls rows lo..hi of a table of `(address, lo, hi, a)` words."""
    return _kernel("sequence", _SEQUENCE).call


@functools.cache
def _blas():
    """`(library, symbol pattern, bits of an integer)` of the BLAS that NumPy uses, or None."""
    here = os.path.dirname(np.__file__)
    places = [(os.path.dirname(here), "numpy.libs"), (here, ".dylibs")]
    for path in sorted(p for place in places for p in glob.glob(os.path.join(*place, "*openblas*"))):
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        for pattern, bits in (("scipy_cblas_{}64_", 64), ("cblas_{}64_", 64), ("scipy_cblas_{}", 32), ("cblas_{}", 32)):
            if hasattr(library, pattern.format("sgemm")):
                return library, pattern, bits
    return None


@functools.cache
def gemm(dtype: str) -> int | None:
    """Address of a kernel that multiplies matrices of float32 or float64, or None where NumPy's BLAS is not found.

    Its packed words: m, n, k; 111 or 112 (transposed) for A and B; leading dimensions of A, B, C; their addresses;
    their steps in bytes from one batch to the next. `lo..hi` runs over the batch.
    """
    found = _blas()
    if found is None or dtype not in ("float32", "float64"):
        return None
    library, pattern, bits = found
    name, real = ("sgemm", "float") if dtype == "float32" else ("dgemm", "double")
    symbol = pattern.format(name)
    build.define(symbol, ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value)
    loads, ints = [], []
    for k in range(14):
        loads.append(f"  %q{k} = getelementptr i64, ptr %a, i64 {k}\n  %w{k} = load i64, ptr %q{k}")
    for k in (0, 1, 2, 5, 6, 7):
        ints.append(f"  %i{k} = add i64 %w{k}, 0" if bits == 64 else f"  %i{k} = trunc i64 %w{k} to i32")
    text = _GEMM.format(loads="\n".join(loads), ints="\n".join(ints), symbol=symbol, int=f"i{bits}", real=real)
    return _kernel(name, text).address


def gemm_operand(x_strides, x_shape, item: int) -> tuple[int, int] | None:
    """`(transposed, leading dimension)` of a matrix for BLAS, or None if neither of its axes is contiguous.

    Args:
        x_strides, x_shape: of the last two axes, strides in bytes.
    """
    (rows, columns), (down, across) = x_shape, (s // item for s in x_strides)
    if across == 1 and (down >= max(columns, 1) or rows == 1):
        return 111, max(down, columns, 1)
    if down == 1 and (across >= max(rows, 1) or columns == 1):
        return 112, max(across, rows, 1)
    return None


def transpose_first(m: int, n: int, k: int, dtype) -> bool:
    """Whether `A @ B.T` is faster with a transposed copy of B.

    OpenBLAS multiplies up to a million products (100**3) without packing its operands, except in this form for
    float32, which it packs and gives to all threads: 16 us for (64, 64) @ (128, 64).T, 7.5 us once B is transposed,
    which takes 1 us.
    """
    return dtype == np.float32 and m >= 16 and n >= 32 and n * k > 2048 and m * n * k <= 10**6


def _slow_address(x: np.ndarray) -> int:
    return x.__array_interface__["data"][0]


def _fast_address(x: np.ndarray) -> int:
    return _word(id(x) + 16).value


_word = ctypes.c_int64.from_address


def _object_layout_known() -> bool:
    """Whether an array object holds its data pointer right behind CPython's two-word object header."""
    if not hasattr(ctypes, "pythonapi") or object().__sizeof__() != 16:
        return False
    probes = [np.empty(n, np.uint8) for n in (1, 100, 10**6)]
    return all(_fast_address(p) == _slow_address(p) for p in probes)


# `__array_interface__` builds a dict and takes 0.9 us; the pointer itself is one load away
address = _fast_address if _object_layout_known() else _slow_address
