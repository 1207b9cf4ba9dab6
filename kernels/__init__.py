"""The kernel floor: readable Python text in, machine code out.

    prelude     names every kernel text may use: view, pointer, stack, bit casts, dtypes
    build       the front door: load(name, text) -> Kernel, run over threads, counts, report
    cache       where text and objects lie, how they are named and written
    direct      text -> LLVM IR for the plain part of Python that most kernels are written in; no numba
                (direct_values, direct_calls: its expressions)
    compiler    text -> Numba -> LLVM IR, for all other texts (imports numba, with the *intrinsics)
    codegen     LLVM IR -> object code
    tile        blocks of vectors that stay in registers: matrix products in kernels
    intrinsics  what the prelude's names become inside compiled code
    loader      object code -> address (elf: our own linker; llvm: the one for what that does not know)
    machine     what this CPU is
    entry       ways from Python into machine code (entry_ir: their LLVM IR)
    workers     threads that share one large kernel (teamwork: what they do, in LLVM IR)
    native      tables of kernels that run in one call, and NumPy's BLAS as a kernel
    products    matrix products of NumPy arrays by these
    lapack      NumPy's LAPACK, in the dtype that a matrix has
    copying     strided arrays copied, joined and taken from by threads
    notes       comments in a kernel's file: where in the user's code its statements come from
    interpreter kernels as plain Python, for a debugger (NUMBA_DISABLE_JIT=1)
    share       kernels as a shared library
    library     hand-written kernels of `cpu/`, by name and dtype

    program     a fused loop as frozen data: axes, operands, lines, reductions, stores
    emit_cpu    a program as the text of a CPU kernel: the loops (statements: what stands in them)
    emit_cuda   a program as the text of a CUDA kernel (cuda/: its compiler, a simulator, the driver, launches)
    typed       an op's scalar function (scalars) as typed text (rendering)
    lanes       straight-line functions that vectorize (lane_values, lanes_ir: what they become)
    mathlib     exp, log, tanh, atan2 ... as lane functions (math32, hyperbolic32, trig32, and for 64)
    loops       from strided arrays to a loop nest and a launch (mapping: launches that wait for any arrays of a dtype)
    rows        reductions and normalizations, remembered by shape
    reuse       memory that was used before

Nothing here imports from the rest of numblocks.
"""
