"""From stored images, `(height, width, channels)` uint8, to what a net takes. Each transform is a Block.

Random ones draw anew for each call; `numblocks.random.seed` repeats the draws.

| module | what |
|---|---|
| `basic` | Compose, ToTensor, Normalize, Resize, Cast |
| `crop` | parts of images, at the centre, at random or where told |
| `colour` | random brightness, contrast, saturation, hue, lighting, grey |
| `turn` | flips and rotations; transforms that are applied or not |

>>> to_net = Compose([ToTensor(), Normalize(0.5, 0.25)])
"""

from .basic import Cast as Cast
from .basic import Compose as Compose
from .basic import HybridCompose as HybridCompose
from .basic import Normalize as Normalize
from .basic import Resize as Resize
from .basic import ToTensor as ToTensor
from .colour import RandomBrightness as RandomBrightness
from .colour import RandomColorJitter as RandomColorJitter
from .colour import RandomContrast as RandomContrast
from .colour import RandomGray as RandomGray
from .colour import RandomHue as RandomHue
from .colour import RandomLighting as RandomLighting
from .colour import RandomSaturation as RandomSaturation
from .crop import CenterCrop as CenterCrop
from .crop import CropResize as CropResize
from .crop import RandomCrop as RandomCrop
from .crop import RandomResizedCrop as RandomResizedCrop
from .turn import HybridRandomApply as HybridRandomApply
from .turn import RandomApply as RandomApply
from .turn import RandomFlipLeftRight as RandomFlipLeftRight
from .turn import RandomFlipTopBottom as RandomFlipTopBottom
from .turn import RandomRotation as RandomRotation
from .turn import Rotate as Rotate
