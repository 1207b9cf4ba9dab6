"""The array functions of Gluon 1.x (`mx.nd`), on `NDArray`.

| room | what |
|---|---|
| array | NDArray |
| functions, elementwise, arrange | creation, arithmetic, shapes |
| layers | layers and outputs under their legacy names |
| update, update_rules, update_many | optimizer steps in place |
| densities | `random_pdf_*` |
| random, linalg, contrib, image | namespaces of their own |
"""

from __future__ import annotations

from ..array import ndarray as _ndarray
from . import arrange as _arrange
from . import contrib as contrib
from . import densities as _densities
from . import elementwise as _elementwise
from . import functions as _functions
from . import image as image
from . import layers as _layers
from . import linalg as linalg
from . import random as random
from . import update as _update
from . import update_many as _update_many
from . import update_rules as _update_rules
from .array import NDArray as NDArray
from .keywords import by_name as _by_name
from .keywords import legacy_names as _legacy_names


def _public(module) -> dict:
    """What a room offers: its own functions, not the modules it imports."""
    names = getattr(module, "__all__", None) or [
        n for n, v in vars(module).items() if not n.startswith("_") and callable(v) and not isinstance(v, type)
    ]
    return {n: getattr(module, n) for n in names}


for _room in (_elementwise, _functions, _arrange, _layers, _update, _update_rules, _update_many, _densities):
    globals().update(
        {n: v for n, v in _public(_room).items() if n not in ("export", "legacy", "at_least_1d", "to_legacy")}
    )
globals().update({f"linalg_{n}": getattr(linalg, n) for n in linalg.NAMES})
globals().update({f"random_{n}": getattr(random, n) for n in random.__all__ if not n.startswith("sample_")})
globals().update({n: getattr(random, n) for n in random.__all__ if n.startswith("sample_")})
random_exponential = random.random_exponential
normal, uniform, shuffle = random.normal, random.uniform, random.shuffle

for _name, _names in _legacy_names().items():
    _space, _, _last = _name.rpartition(".")
    _where = globals() if not _space else vars(globals()[_space])
    _where[_last] = _by_name(_where[_last], _names)

NDArray.split, NDArray.flatten, NDArray.diag = _functions.split, _functions.flatten, _arrange.diag
NDArray.broadcast_like = _by_name(_arrange.broadcast_like, ("lhs", "other"))
for _name, _names in {"swapaxes": ("a", "dim1", "dim2"), "as_in_context": ("self", "context")}.items():
    setattr(NDArray, _name, _by_name(getattr(NDArray, _name), _names))

# Datasets and Parameters give np arrays to code of both kinds, and code of Gluon 1.x calls these methods on them.
for _name in ("argmax_channel broadcast_axes depth_to_space log_softmax one_hot pick rcbrt relu shape_array sigmoid"
              " size_array slice slice_like softmax softmin space_to_depth split_v2 topk tostype").split():  # fmt: skip
    setattr(_ndarray, _name, vars(NDArray)[_name])
