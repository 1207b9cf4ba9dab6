"""What all short ways ask: whether an array is concrete, and whether they may be taken at all."""

from __future__ import annotations

import numpy

CONCRETE: type | None = numpy.ndarray  # the type of a buffer that is neither traced nor on a GPU
BOOL, FLOAT32, FLOAT64 = map(numpy.dtype, ("bool", "float32", "float64"))
NO_SPEC: dict = {}
ALL = [tuple(range(n)) for n in range(65)]  # all axes; 64 are NumPy's limit


def enable(on: bool) -> None:
    """Take the short ways, or none of them: the profiler wants every op to pass `op.eager`."""
    global CONCRETE
    CONCRETE = numpy.ndarray if on else None  # nothing has this type
