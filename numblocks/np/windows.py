"""Window functions of signal processing, as vectors of M values."""

from __future__ import annotations

import numpy

from .. import dtype as dt
from ..array import array_on, ndarray


def _window(name: str, formula: str):
    function = getattr(numpy, name)

    def call(M, *beta, dtype=None, ctx=None, device=None) -> ndarray:
        return array_on(function(M, *beta).astype(dt.as_dtype(dtype)), ctx if ctx is not None else device)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"The {name.capitalize()} window {formula} for n from 0 to M - 1; float32 unless a dtype is given."
    return call


hamming = _window("hamming", "0.54 - 0.46 cos(2 pi n / (M - 1))")
hanning = _window("hanning", "0.5 - 0.5 cos(2 pi n / (M - 1))")
blackman = _window("blackman", "0.42 - 0.5 cos(2 pi n / (M - 1)) + 0.08 cos(4 pi n / (M - 1))")
bartlett = _window("bartlett", "1 - |2 n / (M - 1) - 1|")
kaiser = _window("kaiser", "I0(beta sqrt(1 - (2 n / (M - 1) - 1)**2)) / I0(beta)")

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]
