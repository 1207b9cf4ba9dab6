"""numblocks: Gluon on NumPy and Numba.

Gluon code runs when `mxnet` in its imports becomes `numblocks`:

>>> from numblocks import autograd, gluon, np, npx
>>> from numblocks.gluon import nn
"""

from __future__ import annotations

import importlib as _importlib
import os as _os

# in a checkout `kernels/` lies beside this package; in a wheel inside it
_beside = _os.path.dirname(_os.path.dirname(_os.path.abspath(__file__)))
if _os.path.isfile(_os.path.join(_beside, "kernels", "build.py")):
    __path__.append(_beside)

__version__ = "0.1.0"

from . import autograd as autograd
from . import base as base
from . import context as context
from . import device as device
from . import errors as errors
from . import gluon as gluon
from . import init as init
from . import initializer as initializer
from . import lr_scheduler as lr_scheduler
from . import metric as metric
from . import nd as nd
from . import np as np
from . import npx as npx
from . import optimizer as optimizer
from . import random as random
from . import recordio as recordio
from . import util as util
from .array import ndarray as ndarray
from .base import MXNetError as MXNetError
from .device import Context as Context
from .device import Device as Device
from .device import cpu as cpu
from .device import cpu_pinned as cpu_pinned
from .device import current_context as current_context
from .device import current_device as current_device
from .device import gpu as gpu
from .device import num_gpus as num_gpus
from .gluon.check import check_hybrid as check_hybrid
from .kernels.build import cache_info as cache_info
from .npx import waitall as waitall


def __getattr__(name: str):
    if name in ("contrib", "custom", "image", "io", "profiler", "test_utils", "testing"):  # imported when first named
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
