"""Files of other worlds. Every module here works on NumPy arrays and knows nothing of Blocks.

| module | file |
|---|---|
| `params` | MXNet's `.params`: a list of arrays, with or without names |
"""

from . import params as params
