"""Native glue: run a table of kernels in one call, and call NumPy's own BLAS from it.

Both are a few lines of LLVM IR with the signature of every kernel, `void (lo, hi, a)`, so a plan can be one table of
`(address, lo, hi, a)` rows: `sequence` walks it, and `gemm` is a row like any other. The BLAS is the one NumPy has
loaded; where its `cblas_?gemm` cannot be found, `gemm()` is None and plans call `numpy.matmul` instead.

There is one team of threads, ours: OpenBLAS's own spin for a tenth of a second after each product, on the cores that
the next kernel wants (LeNet's step: 10.2 ms with them, 9.1 without). So a table's products run on one thread of BLAS
(`alone`), and the large ones are cut into pieces that our workers share.
"""

from __future__ import annotations

import ctypes
import functools
import glob
import os

import numpy as np

from . import build, workers
from .addresses import address

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

# a: m n k | transposed a, b | lda ldb ldc | A B C | strides of A B C in bytes from one product to the next | rows and
# columns in all; lo..hi runs over a batch, or over pieces of one product, of which the last may be smaller.
# Row-major C = op(A) op(B); 101 is CblasRowMajor, 111 CblasNoTrans, 112 CblasTrans.
_GEMM = """
declare i64 @llvm.smin.i64(i64, i64)
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
  %before = mul i64 %i, %w0
  %left = sub i64 %w14, %before
  %rows = call i64 @llvm.smin.i64(i64 %w0, i64 %left)
  %aside = mul i64 %i, %w1
  %rest = sub i64 %w15, %aside
  %columns = call i64 @llvm.smin.i64(i64 %w1, i64 %rest)
{sizes}
  call void @{symbol}(
    i32 101, i32 %ta, i32 %tb, {int} %m, {int} %n, {int} %i2,
    {real} 1.0, ptr %pa, {int} %i5, ptr %pb, {int} %i6, {real} 0.0, ptr %pc, {int} %i7)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %hi
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""

# lo = 0: one thread of BLAS from now on, a[0] remembers how many there were; lo = 1: as many again
_ALONE = """
declare i32 @{get}()
declare void @{set}(i32)

define void @{{kernel}}(i64 %lo, i64 %hi, ptr %a) {{
entry:
  %ending = icmp ne i64 %lo, 0
  br i1 %ending, label %end, label %begin
begin:
  %n = call i32 @{get}()
  store i32 %n, ptr %a
  %some = icmp sgt i32 %n, 1
  br i1 %some, label %one, label %done
one:
  call void @{set}(i32 1)
  br label %done
end:
  %m = load i32, ptr %a
  %more = icmp sgt i32 %m, 1
  br i1 %more, label %all, label %done
all:
  call void @{set}(i32 %m)
  br label %done
done:
  ret void
}}
"""

BLAS_ALONE = 1 << 18  # products m * n * k up to which OpenBLAS uses one thread anyway
SHARED = 1 << 19  # products worth another thread: 10 us
ENDLESS = 1 << 62


_held: list[build.Kernel] = []  # tables know addresses only, and code goes when its kernel does


def kernel(name: str, text: str) -> build.Kernel:
    """The kernel of IR in which its own name stands as `{kernel}`; built once, then loaded like any other."""
    name = f"{name}_{build.digest(text)}"
    _held.append(build.load(name, f"; {name}\n" + text.replace("{kernel}", name)))
    return _held[-1]


@functools.cache
def sequence():
    """A ctypes function `(lo, hi, table)` that calls rows lo..hi of a table of `(address, lo, hi, a)` words.

    Whatever tables may need beside it comes with the first: no kernel is built because a batch has grown.
    """
    if build.threads() > 1:
        workers.prepare(build.load)
        alone()
    return kernel("sequence", _SEQUENCE).call


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
    their steps in bytes from one product to the next; m and n in all (`ENDLESS` for a batch). `lo..hi` runs over the
    batch, or over the pieces of one product.
    """
    found = _blas()
    if found is None or dtype not in ("float32", "float64"):
        return None
    library, pattern, bits = found
    name, real = ("sgemm", "float") if dtype == "float32" else ("dgemm", "double")
    symbol = pattern.format(name)
    build.define(symbol, ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value)
    loads = []
    for k in range(16):
        loads.append(f"  %q{k} = getelementptr i64, ptr %a, i64 {k}\n  %w{k} = load i64, ptr %q{k}")

    def narrow(name, word):
        return f"  %{name} = add i64 %{word}, 0" if bits == 64 else f"  %{name} = trunc i64 %{word} to i32"

    ints = "\n".join(narrow(f"i{k}", f"w{k}") for k in (2, 5, 6, 7))
    sizes = "\n".join([narrow("m", "rows"), narrow("n", "columns")])
    text = _GEMM.format(loads="\n".join(loads), ints=ints, sizes=sizes, symbol=symbol, int=f"i{bits}", real=real)
    return kernel(name, text).address


@functools.cache
def alone() -> int | None:
    """Address of a kernel that puts BLAS on one thread (lo = 0, before products) and back (lo = 1, after them); None
    where NumPy's BLAS has no such switch. `a` is one word of its own for each pair of calls.

    Calls from several threads may overlap: who finds one thread leaves it, who found more brings those back.
    """
    found = _blas()
    if found is None:
        return None
    library, pattern, _ = found
    names = [pattern.format("").replace("cblas_", f"openblas_{verb}_num_threads", 1) for verb in ("get", "set")]
    if not all(hasattr(library, name) for name in names):
        return None
    for name in names:
        build.define(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
    return kernel("alone", _ALONE.format(get=names[0], set=names[1])).address


def whole(m: int, n: int) -> tuple[int, list[int]]:
    """One product in one piece, in the form of `pieces`."""
    return 1, [m, n, 0, 0, 0, ENDLESS, ENDLESS]


def pieces(m: int, n: int, k: int, a: tuple[int, int], b: tuple[int, int], item: int) -> tuple[int, list[int]]:
    """How to cut one product into pieces for several threads: their number, and their sizes and strides.

    Args:
        a, b: `(transposed, leading dimension)` of the operands.
        item: bytes of an element.

    Returns:
        `(count, [m, n, steps of A, B, C in bytes, m in all, n in all])`; one piece where it does not pay.
    """
    count = min(build.threads(), m * n * k // SHARED) if alone() is not None else 1
    size = max(m, n)
    part = -(-size // max(count, 1))
    part = -(-part // 16) * 16
    if count <= 1 or part >= size:
        return whole(m, n)
    if m > n:
        return -(-m // part), [part, n, part * item * (a[1] if a[0] == 111 else 1), 0, part * n * item, m, ENDLESS]
    return -(-n // part), [m, part, 0, part * item * (1 if b[0] == 111 else b[1]), part * item, ENDLESS, n]


def batched(m: int, n: int, k: int, batch: int, steps, item: int) -> tuple[int, list[int], int]:
    """Number of products in a batch, their sizes and strides in the form of `pieces`, and how many are worth a thread.

    Args:
        steps: bytes from one matrix of A, and of B, to the next.
        item: bytes of an element.
    """
    return batch, [m, n, *steps, m * n * item, ENDLESS, ENDLESS], max(SHARED // (m * n * k), 1)


def product_words(k: int, a: tuple[int, int], b: tuple[int, int], ldc: int, places, cut: list[int]) -> list[int]:
    """The packed words of `gemm`.

    Args:
        a, b: `(transposed, leading dimension)` of the operands.
        places: addresses of A, B and C.
        cut: as from `pieces` or `batched`.
    """
    return [*cut[:2], k, a[0], b[0], a[1], b[1], ldc, *places, *cut[2:]]


def shared_row(kernel: int, extent: int, argp: int, grain: int, keep: list) -> tuple[tuple, bool]:
    """A row of a table over `[0, extent)`, and whether workers may help with it, in pieces of at least `grain`."""
    found = workers.shared(kernel, argp, extent, grain, build.load)
    if found is None:
        return (kernel, 0, extent, argp), False
    words = np.array(found[1], np.int64)
    keep.append(words)
    return (found[0], 0, 1, address(words)), True


def table(rows, shared: bool, products: bool, keep: list) -> np.ndarray:
    """A table for `sequence`, `(rows, 4)`.

    Args:
        rows: `(address, lo, hi, a)`, as tuples or an int64 array.
        shared: whether workers share some of them; `workers.wake()` before each run is up to the caller.
        products: whether some are products that BLAS would use threads for.
        keep: what must live as long as the table is added here.
    """
    before, after = [], []
    if shared:
        first, last = workers.expecting()
        before.append(first)
        after.append(last)
    if products and alone() is not None:
        found = np.zeros(1, np.int64)
        keep.append(found)
        before.append((alone(), 0, 0, address(found)))
        after.insert(0, (alone(), 1, 0, address(found)))
    return np.array([*before, *rows, *after], np.int64)


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


def batch_step(shape, strides) -> int | None:
    """The one step from each matrix of a batch to the next; None if they do not lie so evenly."""
    step = expected = None
    for n, s in zip(reversed(shape), reversed(strides), strict=True):
        if n == 1:
            continue
        if step is None:
            step = s
        elif s != expected:
            return None
        expected = s * n
    return step or 0
