"""The kernel floor: readable Python text in, machine code out.

    prelude     names every kernel text may use: view, pointer, stack, bit casts, dtypes
    build       the front door: load(name, text) -> Kernel, run over threads, counts, report
    cache       where text and objects lie, how they are named and written
    compiler    text -> Numba -> LLVM IR -> object code (the only module that imports numba, with intrinsics)
    tile        blocks of vectors that stay in registers: matrix products in kernels
    intrinsics  what the prelude's names become inside compiled code
    loader      object code -> address, through llvmlite alone
    workers     threads that share one large kernel
    library     hand-written kernels of `cpu/`, by name and dtype

Nothing here imports from the rest of numblocks.
"""
