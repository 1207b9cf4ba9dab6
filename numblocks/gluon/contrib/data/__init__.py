"""Data of `gluon.contrib`.

| name | what |
|---|---|
| IntervalSampler | every k-th example, then the ones after them |
| text | WikiText for language models |
"""

from . import text as text
from .sampler import IntervalSampler as IntervalSampler
