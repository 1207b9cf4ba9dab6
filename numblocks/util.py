"""`mx.util`: MXNet's switches to NumPy semantics, inert here, where an array's class carries its semantics."""

import contextlib

from .npx import is_np_array as is_np_array
from .npx import is_np_shape as is_np_shape
from .npx import reset_np as reset_np
from .npx import set_np as set_np
from .npx import use_np as use_np

use_np_array = use_np_shape = use_np


@contextlib.contextmanager
def np_shape(active: bool = True):
    """Accepted and without effect, as `np_array`.

    >>> with np_shape(), np_array():
    ...     pass
    """
    yield


np_array = np_shape
