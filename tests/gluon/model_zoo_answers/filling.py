"""Parameters and images by formula, so that two libraries can compute the same net without exchanging files."""

import zlib

import numpy

# name of the net: size of the image, arguments
NETS = {
    "resnet18_v1": (32, {"thumbnail": True}), "resnet50_v1": (32, {}), "resnet18_v2": (32, {}),
    "resnet50_v2": (32, {"thumbnail": True}), "mobilenet0.25": (64, {}), "mobilenetv2_0.25": (64, {}),
    "squeezenet1.0": (213, {}), "squeezenet1.1": (213, {}), "densenet121": (224, {}), "inceptionv3": (299, {}),
}  # fmt: skip


def image(size: int) -> numpy.ndarray:
    return numpy.random.RandomState(size).normal(size=(1, 3, size, size)).astype("float32")


def value(name: str, shape: tuple) -> numpy.ndarray:
    """What the parameter with this structural name holds."""
    random = numpy.random.RandomState(zlib.crc32(name.encode()))
    kind = name.rsplit(".", 1)[-1]
    if kind == "weight":
        bound = (6 / numpy.prod(shape[1:])) ** 0.5
        return random.uniform(-bound, bound, shape).astype("float32")
    low, high = (0.5, 1.0) if kind in ("gamma", "running_var") else (-0.1, 0.1)
    return random.uniform(low, high, shape).astype("float32")
