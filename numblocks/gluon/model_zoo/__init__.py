"""Known nets, ready to train or to fill with trained parameters from a file.

| module | what |
|---|---|
| `vision` | classifiers of images |
| `model_store` | files of trained parameters on this machine |
"""

from . import model_store as model_store
from . import vision as vision
from .vision import get_model as get_model
