"""Lane functions: straight-line scalar arithmetic that LLVM can run on all lanes of a vector register.

A function marked `@lane(T)` has no control flow and strict types: every value has one dtype and nothing is
widened behind the scenes, so `x * 0.5` stays float32 and `int8 + int8` stays int8. The compiler does not send
it through Numba's type inference (60 ms for a polynomial) but calls it once with stand-ins that write LLVM
instructions (`lanes_ir.py`, 2 ms). Called from Python it computes on NumPy numbers and arrays.

No instruction carries a fast-math flag: a function gives the same bits in every kernel it is fused into. A
product and a sum are joined only where `fma` says so.
"""

import math

import numpy

__all__ = [
    "HEADER",
    "LIBM",
    "accumulate",
    "accumulate_product",
    "bits",
    "cast",
    "ceil",
    "copysign",
    "floor",
    "floordiv",
    "fma",
    "from_bits",
    "ipow",
    "lane",
    "ldexp",
    "libm",
    "load",
    "maximum",
    "minimum",
    "mod",
    "poly",
    "rint",
    "select",
    "sqrt",
    "store",
    "trunc",
    "wide",
]

HEADER = (
    "from numblocks.kernels.lanes import (  # noqa: F401\n"
    "    accumulate, accumulate_product, bits, cast, ceil, copysign, floor, floordiv, fma, from_bits, ipow, lane,\n"
    "    ldexp, libm, load, maximum, minimum, mod, poly, rint, select, sqrt, store, trunc, wide)\n"
)

# A `range` whose loop takes as many elements at once as a vector holds of float32, though it also adds up in float64:
# LLVM would go by the wider type, and compute exp in half of each vector.
wide = range

# Functions of `math` served by the C library where `mathlib` has none: correct, one lane at a time.
LIBM = {
    "fmod": 2,
    "lgamma": 1,
    "pow": 2,
    "remainder": 2,
    "tgamma": 1,
}


def lane(T):
    """Mark a straight-line function that returns dtype `T` (or bool) as a lane function.

    >>> @lane(numpy.float32)
    ... def half(x): return x * 0.5
    >>> half(numpy.float32(3))
    np.float32(1.5)
    """

    def mark(function):
        function.lane = T
        return function

    return mark


def _emitted(name, *args):
    """What `name` gives while instructions are written, or None when the arguments are ordinary numbers."""
    for x in args:
        emit = getattr(x, "emit", None)
        if emit is not None:
            return emit(name, args)
    return None


def _lanewise(name, compute, doc):
    def function(*args):
        found = _emitted(name, *args)
        return compute(*args) if found is None else found

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


fma = _lanewise("fma", lambda a, b, c: a * b + c, "`a * b + c`, rounded once where the processor can.")
select = _lanewise(
    "select", lambda c, a, b: numpy.where(c, a, b)[()], "`a` where `c` holds, else `b`; both are computed."
)
maximum = _lanewise("maximum", numpy.maximum, "The larger; NaN if either is.")
minimum = _lanewise("minimum", numpy.minimum, "The smaller; NaN if either is.")
sqrt = _lanewise("sqrt", numpy.sqrt, "Square root, correctly rounded.")
floor = _lanewise("floor", numpy.floor, "Largest whole number not above, in the same dtype.")
ceil = _lanewise("ceil", numpy.ceil, "Smallest whole number not below, in the same dtype.")
trunc = _lanewise("trunc", numpy.trunc, "Towards zero, in the same dtype.")
rint = _lanewise("rint", numpy.rint, "Nearest whole number, ties to even, in the same dtype.")
copysign = _lanewise("copysign", numpy.copysign, "Size of the first, sign of the second.")
floordiv = _lanewise("floordiv", numpy.floor_divide, "`a // b` as NumPy has it: integers by 0 give 0.")
mod = _lanewise("mod", numpy.remainder, "`a % b` as NumPy has it: the sign of `b`, integers by 0 give 0.")
ipow = _lanewise(
    "ipow", numpy.power, "Integer power, wrapping; negative exponents give 0 unless the base is 1 or -1."
)
bits = _lanewise(
    "bits", lambda x: x.view(f"int{8 * x.itemsize}"), "The bits of a float, as the int of its size."
)
from_bits = _lanewise(
    "from_bits", lambda i: i.view(f"float{8 * i.itemsize}"), "The float that has these bits."
)
ldexp = _lanewise(
    "ldexp", numpy.ldexp, "`x * 2**n` of a float32 by an int32 in -252 .. 254, rounded once."
)
accumulate = _lanewise(
    "accumulate",
    lambda total, x: total + x,
    "`total + x` in whatever order is fast: the one sum that may be reassociated.",
)
accumulate_product = _lanewise(
    "accumulate_product", lambda total, x: total * x, "`total * x`, likewise in whatever order is fast."
)
_cast = _lanewise("cast", lambda x, T: numpy.asarray(x).astype(T)[()], "")
_libm = _lanewise("libm", lambda x, name, *rest: _vectorized(name)(x, *rest).astype(x.dtype)[()], "")


def cast(x, T):
    """`x` in dtype `T`: as NumPy casts, so non-zero is True.

    >>> cast(numpy.float32(2.7), numpy.int32)
    np.int32(2)
    """
    return _cast(x, T)


def libm(name: str, *args):
    """`name` of the C math library (one of `LIBM`).

    >>> float(libm("fmod", numpy.float64(7.5), numpy.float64(2.0)))
    1.5
    """
    return _libm(args[0], name, *args[1:])


def poly(x, *coefficients):
    """Polynomial in `x` by Horner's rule, constant coefficient first.

    >>> poly(2.0, 1.0, 0.0, 3.0)
    13.0
    """
    y = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        y = fma(y, x, c)
    return y


def load(p, i):
    """Element `i` of pointer `p`, promised not to be changed by a `store` to another index or operand."""
    return p[i]


def store(p, i, value, k):
    """Set element `i` of `p`, the `k`-th written operand (a literal).

    Together with `load` this promises the compiler that written memory overlaps read memory only element for
    element (`x += 1` is fine, `x[1:] = x[:-1]` is not), provided the elements are loaded first.
    """
    p[i] = value


def _vectorized(name):
    return numpy.vectorize(getattr(math, {"tgamma": "gamma"}.get(name, name)))
