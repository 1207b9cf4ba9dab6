"""What was experimental in Gluon, under the names it had there.

| module | what |
|---|---|
| `nn` | layers; all but `SparseEmbedding` are those of `gluon.nn` |
"""

from . import nn as nn
