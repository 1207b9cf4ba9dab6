"""How gradients change weights.

| module | what |
|---|---|
| `optimizer` | the base class, the registry, `create` |
| `updater` | an optimizer together with the states of the weights it updates |
| `sgd` | steps along the gradient: SGD, NAG, Signum, SGLD, DCASGD, Test |
| `adam` | first and second moments: Adam, AdamW, Adamax, Nadam, LAMB |
| `large` | for large batches: LARS, LBSGD |
| `adaptive` | a step size for each weight: AdaGrad, GroupAdaGrad, RMSProp, AdaDelta, Ftrl, FTML |
"""

from .adam import LAMB as LAMB
from .adam import Adam as Adam
from .adam import Adamax as Adamax
from .adam import AdamW as AdamW
from .adam import Nadam as Nadam
from .adaptive import FTML as FTML
from .adaptive import AdaDelta as AdaDelta
from .adaptive import AdaGrad as AdaGrad
from .adaptive import Ftrl as Ftrl
from .adaptive import GroupAdaGrad as GroupAdaGrad
from .adaptive import RMSProp as RMSProp
from .large import LARS as LARS
from .large import LBSGD as LBSGD
from .optimizer import Optimizer as Optimizer
from .optimizer import create as create
from .optimizer import register as register
from .sgd import DCASGD as DCASGD
from .sgd import NAG as NAG
from .sgd import SGD as SGD
from .sgd import SGLD as SGLD
from .sgd import Signum as Signum
from .sgd import Test as Test
from .sgd import ccSGD as ccSGD
from .updater import Updater as Updater
from .updater import get_updater as get_updater
