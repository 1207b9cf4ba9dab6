"""The exceptions numblocks raises, beside Python's own.

    RuntimeError
      MXNetError                      whatever Gluon code may catch as ``mxnet.base.MXNetError``
        DeferredInitializationError   a parameter whose shape is not known yet was asked for its data
        TraceError                    a traced array was asked for a value that only a real call has

Shapes, dtypes and arguments that are merely wrong raise ``ValueError``, ``TypeError`` or ``IndexError``, or
``MXNetError`` where Gluon did. Every message has the form ``<where>: <what was wrong>. <why>. <what to do>.``
"""

from __future__ import annotations

import sys
import warnings


class MXNetError(RuntimeError):
    """Base of numblocks' own errors; the name is Gluon's, so ``except mx.base.MXNetError`` keeps working."""


class DeferredInitializationError(MXNetError):
    """A parameter was used before the first batch told it its shape."""


class TraceError(MXNetError):
    """A value was asked of an array that stands for any value, because a hybridized Block is being traced."""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line of the caller's program: that of the innermost frame outside numblocks."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == __name__.split(".")[0]:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
