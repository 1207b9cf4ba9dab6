"""Hand-written CPU kernels, one area a file. `kernels.library.get("conv.forward", T="float32", ...)` cuts
them out as text.

    conv     convolution by register tiles over a padded, stride-split copy of the input
    pool     max, sum and average windows, and their gradients
    gather   sums into rows by index

A file names its element type `T`, bound by the library. Each docstring says what `a[k]` is; sizes are
arguments.
"""
