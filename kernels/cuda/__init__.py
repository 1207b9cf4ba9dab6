"""CUDA: the same Programs as text for a GPU, compiled without one, run on one or on a simulated one.

    inline      an op's scalar function as CUDA expressions (`kernels/emit_cuda.py` puts the loops round them)
    products    hand-written: matrix products in tiles of shared memory
    gather      hand-written: rows by index, and adding to them
    threads     a user's function for one thread as a kernel
    compiler    text -> cubin, cached on disk: the one module that knows numba-cuda
    simulator   text -> Python functions that run a thread at a time, with barriers, shuffles and bounds
    driver      memory, copies, modules and launches by libcuda, through ctypes
    simulated   the same interface over NumPy memory and the simulator
    pool        freed blocks kept for the next who asks, for both
    launch      from strided operands to a launch

Kernel texts reach all of CUDA through the names that `namespace` lists, which compiler and simulator bind.
"""
