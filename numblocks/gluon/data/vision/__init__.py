"""Image datasets and transforms.

| module | what |
|---|---|
| `datasets` | `Digits`, inside the package |
| `transforms` | from stored images to what a net takes |
"""

from . import transforms as transforms
from .datasets import Digits as Digits
