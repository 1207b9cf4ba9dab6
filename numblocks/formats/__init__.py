"""Files of other worlds. Every module here works on NumPy arrays and knows nothing of Blocks.

| module | file |
|---|---|
| `params` | MXNet's `.params`: a list of arrays, with or without names |
| `deployed` | what `export_compiled` writes; a loader that needs NumPy alone |
"""

from . import params as params
