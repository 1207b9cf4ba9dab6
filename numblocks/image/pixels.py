"""Between arrays and their pixels, and where random numbers come from."""

from __future__ import annotations

import contextlib
import threading

import numpy

from ..array import ndarray, place
from ..device import cpu
from ..random import numpy_generator


def pixels(where: str, src) -> numpy.ndarray:
    """The NumPy array behind a picture `(height, width, channels)`, not copied.

    Raises:
        ValueError: another number of axes.

    >>> pixels('doc', numpy.zeros((2, 3, 1))).shape
    (2, 3, 1)
    """
    x = numpy.asarray(src)
    if x.ndim != 3:
        raise ValueError(
            f"{where}: an array of shape {x.shape}. A picture is (height, width, channels). Add or take away axes."
        )
    return x


def like(y: numpy.ndarray, src):
    """`y` as an array of the class and on the device of `src`; NumPy pictures give `np` arrays.

    >>> like(numpy.zeros(2), None)
    array([0., 0.], dtype=float64)
    """
    y = numpy.ascontiguousarray(y)
    return place(y, src.ctx, type(src)) if isinstance(src, ndarray) else place(y, cpu())


class _Draws(threading.local):
    generator: numpy.random.Generator | None = None


_draws = _Draws()


def generator() -> numpy.random.Generator:
    """Where random crops, flips and jitters draw from.

    Inside `drawing_from` it is what was passed there, as the iterators do; else a generator of its own for each call,
    seeded by the next stream of `numblocks.random.seed` (`numblocks.random.numpy_generator`).

    >>> from numblocks import random
    >>> random.seed(1)
    >>> a = generator().random()
    >>> random.seed(1)
    >>> a == generator().random()
    True
    """
    return numpy_generator() if _draws.generator is None else _draws.generator


@contextlib.contextmanager
def drawing_from(source: numpy.random.Generator):
    """Let this thread's draws come from `source`: what other threads draw meanwhile does not matter then.

    >>> with drawing_from(numpy.random.default_rng(0)):
    ...     generator() is generator()
    True
    """
    before, _draws.generator = _draws.generator, source
    try:
        yield source
    finally:
        _draws.generator = before
