"""`numblocks.init` under its long name."""

from .init import Bilinear as Bilinear
from .init import Constant as Constant
from .init import FusedRNN as FusedRNN
from .init import InitDesc as InitDesc
from .init import Initializer as Initializer
from .init import Load as Load
from .init import LSTMBias as LSTMBias
from .init import Mixed as Mixed
from .init import MSRAPrelu as MSRAPrelu
from .init import Normal as Normal
from .init import One as One
from .init import Orthogonal as Orthogonal
from .init import Uniform as Uniform
from .init import Xavier as Xavier
from .init import Zero as Zero
from .init import create as create
from .init import register as register
