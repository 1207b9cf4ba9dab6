"""`mx.contrib`: what was experimental.

| name | what |
|---|---|
| `text` | vocabularies and word vectors |
| `nd`, `ndarray` | the array functions of `nd.contrib`: boxes, control flow, others |
"""

from ..nd import contrib as nd
from ..nd import contrib as ndarray
from . import text

__all__ = ["nd", "ndarray", "text"]
