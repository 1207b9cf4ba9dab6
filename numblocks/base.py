"""`mx.base`: where Gluon code looks for `MXNetError`."""

from .errors import MXNetError as MXNetError
