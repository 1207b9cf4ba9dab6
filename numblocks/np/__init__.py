"""NumPy's interface on numblocks arrays: float32 by default, differentiable, on any device."""

from __future__ import annotations

import math as _math

import numpy as _numpy

from ..array import ndarray as ndarray
from . import linalg as linalg
from . import operators as _operators
from . import random as random
from .creation import *  # noqa: F403
from .indexing import take as take
from .math import *  # noqa: F403
from .printing import set_printoptions as set_printoptions
from .products import *  # noqa: F403
from .reductions import *  # noqa: F403
from .shape import *  # noqa: F403
from .sorting import *  # noqa: F403

pi, e, inf, nan, newaxis = _math.pi, _math.e, _math.inf, _math.nan, None
PZERO, NZERO, NINF, PINF = 0.0, -0.0, -_math.inf, _math.inf
float16, float32, float64 = _numpy.float16, _numpy.float32, _numpy.float64
int8, int16, int32, int64 = _numpy.int8, _numpy.int16, _numpy.int32, _numpy.int64
uint8, uint16, uint32, uint64 = _numpy.uint8, _numpy.uint16, _numpy.uint32, _numpy.uint64
bool_, dtype, finfo, iinfo = _numpy.bool_, _numpy.dtype, _numpy.finfo, _numpy.iinfo


def genfromtxt(*args, ctx=None, **kwargs) -> ndarray:
    """Numbers from a text file, read by NumPy."""
    return array(_numpy.genfromtxt(*args, **kwargs), ctx=ctx)  # noqa: F405


def may_share_memory(a, b, max_work=None) -> bool:
    """Whether two arrays may overlap in memory."""
    return _numpy.may_share_memory(a._data, b._data)


def shape(a) -> tuple:
    """The shape of an array."""
    return a.shape
