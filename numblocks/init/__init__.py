"""Initial values of parameters.

An initializer is called as `init(name, array)` and fills the array in place. Most override only
`_init_weight(name, array)`; so does a custom one:

>>> class Small(Initializer):
...     def _init_weight(self, name, arr):
...         arr[:] = 0.001

Layers and `initialize` take an initializer, or the name of one in any case (`'xavier'`), or the JSON that
`dumps()` returns. Random values come from the generator that `numblocks.random.seed` seeds.

| module | what |
|---|---|
| `base` | `Initializer`, the registry, `create` |
| `constant` | Zero, One, Constant, Bilinear, LSTMBias |
| `draw` | Uniform, Normal, Orthogonal, Xavier, MSRAPrelu |
| `choose` | Mixed, Load |
| `packed` | FusedRNN |
"""

from .base import InitDesc as InitDesc
from .base import Initializer as Initializer
from .base import alias as alias
from .base import create as create
from .base import register as register
from .choose import Load as Load
from .choose import Mixed as Mixed
from .constant import Bilinear as Bilinear
from .constant import Constant as Constant
from .constant import LSTMBias as LSTMBias
from .constant import One as One
from .constant import Zero as Zero
from .draw import MSRAPrelu as MSRAPrelu
from .draw import Normal as Normal
from .draw import Orthogonal as Orthogonal
from .draw import Uniform as Uniform
from .draw import Xavier as Xavier
from .packed import FusedRNN as FusedRNN
