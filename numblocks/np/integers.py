"""Bits and divisors of integers under NumPy's names."""

from __future__ import annotations

from ..ops import integers as ints
from .host import from_numpy
from .math import function

bitwise_and, bitwise_or, bitwise_xor = function(ints.bitwise_and), function(ints.bitwise_or), function(ints.bitwise_xor)
invert = bitwise_not = bitwise_invert = function(ints.invert)
left_shift = bitwise_left_shift = function(ints.left_shift)
right_shift = bitwise_right_shift = function(ints.right_shift)
gcd, lcm = function(ints.gcd), function(ints.lcm)
packbits = from_numpy("packbits", "Eight bools in each uint8.")
unpackbits = from_numpy("unpackbits", "Each uint8 as eight bits.")

__all__ = [
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor",
    "gcd", "invert", "lcm", "left_shift", "packbits", "right_shift", "unpackbits",
]  # fmt: skip
