"""Checks anyone can use on functions, ops and Blocks: gradients, consistency, saving, training. Needs hypothesis.

    from numblocks.testing import check_gradients
    check_gradients(net, x)
"""

try:
    import hypothesis as _hypothesis  # noqa: F401
except ImportError as _error:
    raise ImportError(
        "numblocks.testing: the package hypothesis is not installed. Checks draw their cases with it. Install the"
        " extra: pip install 'numblocks[test]'."
    ) from _error

from .compare import almost_equal, assert_almost_equal, same, ulps
from .gradients import check_gradients
from .numeric import KinkError
from .report import GradientError
