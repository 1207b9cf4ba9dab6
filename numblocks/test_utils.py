"""MXNet's `test_utils`: the names that Gluon projects use in their own tests. See `numblocks.testing`."""

from .testing.mxnet import *  # noqa: F403
from .testing.mxnet import __all__ as __all__
