"""numblocks: Gluon on NumPy and Numba.

Gluon code runs when `mxnet` in its imports becomes `numblocks`:

>>> from numblocks import autograd, gluon, np, npx
>>> from numblocks.gluon import nn
"""

from __future__ import annotations

import importlib as _importlib
import os as _os
import sys as _sys

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
from . import kvstore as kvstore
from . import lr_scheduler as lr_scheduler
from . import metric as metric
from . import nd as nd
from . import np as np
from . import npx as npx
from . import operator as operator
from . import optimizer as optimizer
from . import random as random
from . import recordio as recordio
from . import util as util
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
from .npx import is_np_array as is_np_array
from .npx import is_np_shape as is_np_shape
from .npx import use_np as use_np
from .npx import waitall as waitall
from .util import np_array as np_array
from .util import np_shape as np_shape

ndarray, numpy, numpy_extension, rnd, kv = nd, np, npx, random, kvstore  # MXNet's other names for them
for _name in ("ndarray", "numpy", "numpy_extension", "rnd", "kv"):
    _sys.modules[f"{__name__}.{_name}"] = globals()[_name]  # `import numblocks.numpy as np`

_LATER = {
    name: name
    for name in "attribute contrib custom engine image io name profiler runtime symbol test_utils testing visualization"
    .split()
} | {"img": "image", "sym": "symbol", "viz": "visualization"}  # imported when first named
_MODULE_API = "callback executor executor_manager mod model module mon monitor rnn"


def __getattr__(name: str):
    if name in _LATER:
        return _importlib.import_module(f"{__name__}.{_LATER[name]}")
    if name == "AttrScope":
        return __getattr__("attribute").AttrScope
    if name in _MODULE_API.split():
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}: it belongs to MXNet's symbols and Module. Use"
            " gluon.Block, gluon.Trainer and gluon.contrib.estimator."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
