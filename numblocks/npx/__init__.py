"""Neural-network functions, devices and files beside `np` (MXNet's `npx`)."""

from __future__ import annotations

from ..device import Device as Context  # noqa: F401
from ..device import cpu as cpu
from ..device import cpu_pinned as cpu_pinned
from ..device import current_device as current_context  # noqa: F401
from ..device import current_device as current_device
from ..device import gpu as gpu
from ..device import gpu_memory_info as gpu_memory_info
from ..device import num_gpus as num_gpus
from . import image as image
from . import random as random
from .activations import *  # noqa: F403
from .arrange import *  # noqa: F403
from .control import *  # noqa: F403
from .detection import *  # noqa: F403
from .files import load as load
from .files import save as save
from .layers import *  # noqa: F403
from .mode import is_np_array as is_np_array
from .mode import is_np_shape as is_np_shape
from .mode import reset_np as reset_np
from .mode import set_np as set_np
from .mode import use_np as use_np
from .mode import waitall as waitall
from .normalization import *  # noqa: F403
from .recurrent import *  # noqa: F403
from .select import *  # noqa: F403
from .sequence import *  # noqa: F403
from .sequence_loss import *  # noqa: F403
from .spatial import *  # noqa: F403
from .writing import writable as _writable

for _name in (
    "activation arange_like batch_flatten cast deconvolution gather_nd leaky_relu multibox_detection"
    " multibox_prior multibox_target reshape_like rnn roi_pooling sequence_mask shape_array slice smooth_l1"
    " topk"
).split():
    globals()[_name] = _writable(globals()[_name])
for _name in (
    "adjust_lighting crop flip_left_right flip_top_bottom normalize random_brightness random_color_jitter"
    " random_contrast random_flip_left_right random_flip_top_bottom random_hue random_lighting random_saturation"
    " resize to_tensor"
).split():
    setattr(image, _name, _writable(getattr(image, _name)))
