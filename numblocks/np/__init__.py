"""NumPy's interface on numblocks arrays: float32 by default, differentiable, on any device."""

from __future__ import annotations

import math as _math

import numpy as _numpy

from ..array import ndarray as ndarray
from . import linalg as linalg
from . import operators as _operators  # noqa: F401  attaches the methods
from . import protocols as _protocols  # noqa: F401  attaches NumPy's protocols
from . import random as random
from .calculus import *  # noqa: F403
from .creation import *  # noqa: F403
from .editing import *  # noqa: F403
from .finance import *  # noqa: F403
from .floating import *  # noqa: F403
from .grids import *  # noqa: F403
from .indexing import put_along_axis as put_along_axis
from .indexing import take as take
from .integers import *  # noqa: F403
from .math import *  # noqa: F403
from .missing import *  # noqa: F403
from .padding import *  # noqa: F403
from .polynomials import *  # noqa: F403
from .printing import set_printoptions as set_printoptions
from .products import *  # noqa: F403
from .protocols import from_dlpack as from_dlpack
from .reductions import *  # noqa: F403
from .repeating import *  # noqa: F403
from .sets import *  # noqa: F403
from .shape import *  # noqa: F403
from .sorting import *  # noqa: F403
from .statistics import *  # noqa: F403
from .types import *  # noqa: F403
from .windows import *  # noqa: F403

pi, e, inf, nan, newaxis = _math.pi, _math.e, _math.inf, _math.nan, None
NAN = NaN = nan
PZERO, NZERO, NINF, PINF = 0.0, -0.0, -_math.inf, _math.inf


def genfromtxt(*args, ctx=None, **kwargs) -> ndarray:
    """Numbers from a text file, read by NumPy."""
    return array(_numpy.genfromtxt(*args, **kwargs), ctx=ctx)  # noqa: F405

