"""Checks anyone can use on functions, ops and nets; cases are drawn and shrunk by hypothesis (extra `test`).

    from numblocks.testing import check_gradients
    check_gradients(net, x)

| name | asks |
|---|---|
| check_gradients | are gradients those of differences, within the differences' own error? |
| check_hybrid | does a hybridized net compute the same? |
| check_consistency | do dtypes and devices agree? |
| check_saved | is a net the same after saving, copying, pickling? |
| check_block, check_op | all of that for a net, for an op |
| check_program | gradients of a random little program, eager and compiled |
| check_training, check_autograd | training sequences, random programs on the tape, against naive references |
| assert_almost_equal, ulps | arrays, with differences in units in the last place |
| strategies, calls, layers, programs, training | what is drawn: arrays, calls of ops, nets, training steps |
| large_calls | calls that take threads, pieces, memory used again; for `check_op(op, cases=...)` |
| drawn | run a check on drawn cases outside a test |
"""

try:
    import hypothesis as _hypothesis  # noqa: F401
except ImportError as _error:
    raise ImportError(
        "numblocks.testing: the package hypothesis is not installed. Checks draw their cases with it. Install the"
        " extra: pip install 'numblocks[test]'."
    ) from _error

from ..gluon.check import check_hybrid
from . import calls, layers, machine, mxnet, programs, strategies, training
from .blocks import check_block
from .compare import almost_equal, assert_almost_equal, same, ulps
from .complexstep import NotAnalytic
from .consistency import check_consistency, check_saved
from .drawn import drawn
from .gradients import check_gradients
from .large import large_calls
from .machine import AutogradMachine, check_autograd
from .mxnet import check_numeric_gradient, default_context, rand_ndarray, rand_shape_nd
from .numeric import KinkError
from .ops import check_op
from .programs import check_program
from .report import GradientError
from .training import check_training

__all__ = [
    "AutogradMachine", "GradientError", "KinkError", "NotAnalytic", "almost_equal", "assert_almost_equal", "calls",
    "check_autograd", "check_block", "check_consistency", "check_gradients", "check_hybrid", "check_numeric_gradient",
    "check_op", "check_program", "check_saved", "check_training", "default_context", "drawn", "large_calls", "layers",
    "machine", "mxnet", "programs", "rand_ndarray", "rand_shape_nd", "same", "strategies", "training", "ulps",
]  # fmt: skip
