"""Writes outputs.npz and names.json: run it with MXNet 1.9.1 (`python make.py`)."""

import hashlib
import json
import math
from pathlib import Path

import mxnet as mx
import numpy
from filling import NETS, image, value
from mxnet.gluon.model_zoo import vision

HERE = Path(__file__).parent
NAMES = (
    "alexnet densenet121 densenet161 densenet169 densenet201 inceptionv3 mobilenet0.25 mobilenet0.5 mobilenet0.75"
    " mobilenet1.0 mobilenetv2_0.25 mobilenetv2_0.5 mobilenetv2_0.75 mobilenetv2_1.0 resnet101_v1 resnet101_v2"
    " resnet152_v1 resnet152_v2 resnet18_v1 resnet18_v2 resnet34_v1 resnet34_v2 resnet50_v1 resnet50_v2 squeezenet1.0"
    " squeezenet1.1 vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn"
)


def structure(name):
    """Number of parameters for 1000 classes, digest of their names and shapes, digest of the printed net."""
    with mx.name.NameManager():
        net = vision.get_model(name)
    printed = repr(net).replace("None", "-1")
    net.initialize()
    found = net._collect_params_with_prefix()
    side = 299 if name == "inceptionv3" else 224
    net.infer_shape(mx.nd.zeros((1, 3, side, side)))
    lines = [f"{key} {p.name} {tuple(p.shape)}" for key, p in found.items()]
    digest = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in ("\n".join(lines), printed)]
    return [sum(math.prod(p.shape) for p in found.values()), *digest]


def output(name):
    size, arguments = NETS[name]
    net = vision.get_model(name, classes=10, **arguments)
    net.initialize()
    x = mx.nd.array(image(size))
    net(x)
    for key, p in net._collect_params_with_prefix().items():
        p.set_data(mx.nd.array(value(key, p.shape)))
    return net(x).asnumpy()


if __name__ == "__main__":
    rows = {name: structure(name) for name in NAMES.split()}
    lines = [f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()]
    (HERE / "names.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    numpy.savez_compressed(HERE / "outputs.npz", **{name: output(name) for name in NETS})
