"""Bits and divisors of integers. NumPy's own loops serve every size; none of these has a derivative."""

from __future__ import annotations

import numpy

from .. import eager
from ..op import Op
from .kinds import infer_elementwise


def _integer(ufunc, name=None, nin=2, text="") -> Op:
    """The op of a NumPy ufunc on integers."""
    op = Op(name or ufunc.__name__, "elementwise", eager.elementwise, numpy=_refusing_floats(ufunc, name),
        result="same",
            nin=nin, domain=(1.0, 3.0) if "shift" in (name or ufunc.__name__) else (-3.0, 3.0))  # fmt: skip
    op.infer = lambda *xs: infer_elementwise(op, xs)
    op.help = text
    return op


def _refusing_floats(ufunc, name):
    def call(*xs, **kwargs):
        try:
            return ufunc(*xs, **kwargs)
        except TypeError:
            kinds = ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in xs)
            raise TypeError(
                f"{name or ufunc.__name__}: the operands are {kinds}. It is defined for integers (most of them"
                " for bool)."
                f" Cast them with .astype('int64')."
            ) from None

    return call


bitwise_and = _integer(numpy.bitwise_and, text="Bits set in both; for bools the logical and.")
bitwise_or = _integer(numpy.bitwise_or, text="Bits set in either; for bools the logical or.")
bitwise_xor = _integer(numpy.bitwise_xor, text="Bits set in one of the two only.")
invert = _integer(numpy.invert, "invert", 1, "All bits flipped; for bools the logical not.")
left_shift = _integer(numpy.left_shift, text="Bits moved up: x1 * 2**x2.")
right_shift = _integer(numpy.right_shift, text="Bits moved down: x1 // 2**x2.")
gcd = _integer(numpy.gcd, text="The greatest common divisor of |x1| and |x2|.")
lcm = _integer(numpy.lcm, text="The least common multiple of |x1| and |x2|.")

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "invert", "lcm", "left_shift", "right_shift"]
