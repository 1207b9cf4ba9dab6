"""The array functions of Gluon 1.x (`mx.nd`), on `NDArray`."""

from __future__ import annotations

from . import functions as _functions
from . import random as random
from .array import NDArray as NDArray
from .functions import *  # noqa: F403

globals().update({name: value for name, value in vars(_functions).items() if not name.startswith("_")})
