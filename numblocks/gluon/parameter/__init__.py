"""Parameters: what a Block learns.

| name | what |
|---|---|
| Parameter | a named array with its gradient, deferred until its shape is known |
| Constant | one that keeps its value |
| ParameterDict | the parameters of a block or a net, by name |
"""

from ...errors import DeferredInitializationError
from .constant import Constant
from .dictionary import ParameterDict
from .parameter import Parameter, tensor_types

__all__ = ["Constant", "DeferredInitializationError", "Parameter", "ParameterDict", "tensor_types"]
