"""Classifiers of images. Each has `features` and `output`; images are `(batch, 3, height, width)`.

| module | what |
|---|---|
| `alexnet`, `vgg` | convolutions, then dense layers |
| `resnet`, `residual` | blocks added to their input, in two versions |
| `densenet` | blocks joined with their input |
| `squeezenet`, `mobilenet`, `mobilenet_v3` | small ones |
| `inception` | branches of different window sizes |
| `net` | what they have in common |
"""

from .alexnet import AlexNet as AlexNet
from .alexnet import alexnet as alexnet
from .densenet import DenseNet as DenseNet
from .densenet import densenet121 as densenet121
from .densenet import densenet161 as densenet161
from .densenet import densenet169 as densenet169
from .densenet import densenet201 as densenet201
from .densenet import get_densenet as get_densenet
from .inception import Inception3 as Inception3
from .inception import inception_v3 as inception_v3
from .mobilenet import RELU6 as RELU6
from .mobilenet import LinearBottleneck as LinearBottleneck
from .mobilenet import MobileNet as MobileNet
from .mobilenet import MobileNetV2 as MobileNetV2
from .mobilenet import get_mobilenet as get_mobilenet
from .mobilenet import get_mobilenet_v2 as get_mobilenet_v2
from .mobilenet import mobilenet0_5 as mobilenet0_5
from .mobilenet import mobilenet0_25 as mobilenet0_25
from .mobilenet import mobilenet0_75 as mobilenet0_75
from .mobilenet import mobilenet1_0 as mobilenet1_0
from .mobilenet import mobilenet_v2_0_5 as mobilenet_v2_0_5
from .mobilenet import mobilenet_v2_0_25 as mobilenet_v2_0_25
from .mobilenet import mobilenet_v2_0_75 as mobilenet_v2_0_75
from .mobilenet import mobilenet_v2_1_0 as mobilenet_v2_1_0
from .mobilenet_v3 import MobileNetV3 as MobileNetV3
from .mobilenet_v3 import get_mobilenet_v3 as get_mobilenet_v3
from .mobilenet_v3 import mobilenet_v3_large as mobilenet_v3_large
from .mobilenet_v3 import mobilenet_v3_small as mobilenet_v3_small
from .residual import BasicBlockV1 as BasicBlockV1
from .residual import BasicBlockV2 as BasicBlockV2
from .residual import BottleneckV1 as BottleneckV1
from .residual import BottleneckV2 as BottleneckV2
from .resnet import ResNetV1 as ResNetV1
from .resnet import ResNetV2 as ResNetV2
from .resnet import get_resnet as get_resnet
from .resnet import resnet18_v1 as resnet18_v1
from .resnet import resnet18_v2 as resnet18_v2
from .resnet import resnet34_v1 as resnet34_v1
from .resnet import resnet34_v2 as resnet34_v2
from .resnet import resnet50_v1 as resnet50_v1
from .resnet import resnet50_v2 as resnet50_v2
from .resnet import resnet101_v1 as resnet101_v1
from .resnet import resnet101_v2 as resnet101_v2
from .resnet import resnet152_v1 as resnet152_v1
from .resnet import resnet152_v2 as resnet152_v2
from .squeezenet import SqueezeNet as SqueezeNet
from .squeezenet import get_squeezenet as get_squeezenet
from .squeezenet import squeezenet1_0 as squeezenet1_0
from .squeezenet import squeezenet1_1 as squeezenet1_1
from .vgg import VGG as VGG
from .vgg import get_vgg as get_vgg
from .vgg import vgg11 as vgg11
from .vgg import vgg11_bn as vgg11_bn
from .vgg import vgg13 as vgg13
from .vgg import vgg13_bn as vgg13_bn
from .vgg import vgg16 as vgg16
from .vgg import vgg16_bn as vgg16_bn
from .vgg import vgg19 as vgg19
from .vgg import vgg19_bn as vgg19_bn

# Names in files and for get_model, where they differ from the functions' names.
_OTHER_NAMES = {
    "inceptionv3": inception_v3,
    "mobilenet0.25": mobilenet0_25, "mobilenet0.5": mobilenet0_5, "mobilenet0.75": mobilenet0_75,
    "mobilenet1.0": mobilenet1_0,
    "mobilenetv2_0.25": mobilenet_v2_0_25, "mobilenetv2_0.5": mobilenet_v2_0_5, "mobilenetv2_0.75": mobilenet_v2_0_75,
    "mobilenetv2_1.0": mobilenet_v2_1_0,
    "mobilenetv3_large": mobilenet_v3_large, "mobilenetv3_small": mobilenet_v3_small,
    "squeezenet1.0": squeezenet1_0, "squeezenet1.1": squeezenet1_1,
}  # fmt: skip
_MODELS = {make.__name__: make for make in (
    alexnet, densenet121, densenet161, densenet169, densenet201, resnet18_v1, resnet34_v1, resnet50_v1, resnet101_v1,
    resnet152_v1, resnet18_v2, resnet34_v2, resnet50_v2, resnet101_v2, resnet152_v2, vgg11, vgg11_bn, vgg13, vgg13_bn,
    vgg16, vgg16_bn, vgg19, vgg19_bn,
)} | _OTHER_NAMES  # fmt: skip


def get_model(name: str, **kwargs):
    """A net by its name.

    Args:
        name: in any case, such as `'resnet18_v1'`, `'mobilenetv2_1.0'`, `'vgg16_bn'`.
        kwargs: `pretrained`, `ctx`, `root`, `classes` and what else the net's own function takes.

    Raises:
        ValueError: there is no net of that name.

    >>> get_model('mobilenet0.25', classes=10).output
    Dense(-1 -> 10, linear)
    """
    if name.lower() not in _MODELS:
        raise ValueError(
            f"get_model: Model {name} is not supported. It is not in the zoo. Available options are\n\t"
            + "\n\t".join(sorted(_MODELS))
        )
    return _MODELS[name.lower()](**kwargs)
