"""What is asked of both libraries: `answers(image, array, fixed)` gives NumPy arrays by name."""

import itertools
import json
from pathlib import Path

import numpy

HERE = Path(__file__).parent
SIZES = [
    ((7, 9), (4, 5)), ((7, 9), (14, 20)), ((7, 9), (14, 5)), ((8, 12), (2, 3)), ((9, 6), (3, 12)), ((1, 1), (3, 3)),
]  # fmt: skip
LABEL = numpy.array([[1, 0.1, 0.2, 0.5, 0.6], [0, 0.3, 0.3, 0.9, 0.8], [2, 0.7, 0.1, 0.95, 0.25]])
WINDOWS = [(2, 1, 5, 4), (0, 0, 9, 7), (3, 2, 6, 5), (0, 0, 4, 3)]
EVERYTHING = dict(resize=5, rand_mirror=True, mean=True, std=True, brightness=0.1, contrast=0.2, saturation=0.3,
                  hue=0.1, pca_noise=0.1, rand_gray=0.2)  # fmt: skip


def picture(height, width, channels=3):
    seed = height * 100 + width
    return numpy.random.RandomState(seed).randint(0, 256, (height, width, channels)).astype("uint8")


def answers(image, array, fixed):
    """`fixed()` is a context in which uniform draws lie at 2/3, coins show 0.1 and normal draws are 1."""
    found = {}
    for ((h, w), (new_h, new_w)), code, dtype in itertools.product(SIZES, range(5), ("uint8", "float32")):
        x = array(picture(h, w).astype(dtype))
        found[f"resize {h}x{w} {new_h}x{new_w} {code} {dtype}"] = image.imresize(x, new_w, new_h, interp=code)
    small, x = array(picture(3, 3, 1)), array(picture(7, 9))
    real = array(picture(7, 9).astype("float32"))
    found["resize grey"] = image.imresize(small, 5, 4, interp=2)
    for size, (h, w) in itertools.product((4, 20), ((7, 9), (9, 7))):
        found[f"short {size} {h}x{w}"] = image.resize_short(array(picture(h, w)), size)
    for code in range(5):
        found[f"border {code}"] = image.copyMakeBorder(small, 4, 1, 5, 2, type=code, value=7)
    found["border values"] = image.copyMakeBorder(x, 1, 2, 0, 3, type=0, values=(1, 2, 3))
    found["fixed"] = image.fixed_crop(x, 2, 1, 4, 5)
    found["fixed scaled"] = image.fixed_crop(x, 2, 1, 4, 5, (8, 3), 1)
    for size in ((4, 3), (5, 4), (40, 30), (30, 4)):
        found[f"centre {size}"], box = image.center_crop(x, size, 1)
        found[f"centre box {size}"] = numpy.array(box)
    pairs = [((640, 480), (720, 120)), ((360, 1000), (480, 500)), ((10, 10), (20, 5)), ((5, 5), (3, 3))]
    found["scale_down"] = numpy.array([image.scale_down(*pair) for pair in pairs])
    found["normalized"] = image.color_normalize(real, array(numpy.float32([1, 2, 3])), array(numpy.float32([2, 3, 4])))
    values, vectors = numpy.array([55.46, 4.794, 1.148]), numpy.arange(9).reshape(3, 3) / 10
    steps = {
        "brightness": image.BrightnessJitterAug(0.5), "contrast": image.ContrastJitterAug(0.5),
        "saturation": image.SaturationJitterAug(0.5), "hue": image.HueJitterAug(0.5), "grey": image.RandomGrayAug(0.5),
        "flip": image.HorizontalFlipAug(0.5), "lighting": image.LightingAug(0.1, values, vectors),
        "cast": image.CastAug(), "normalize": image.ColorNormalizeAug([1, 2, 3], [2, 3, 4]),
        "force": image.ForceResizeAug((5, 3), 1), "middle": image.CenterCropAug((5, 3)),
    }  # fmt: skip
    with fixed():
        for name, step in steps.items():
            found[f"aug {name}"] = step(array(picture(7, 9).astype("float32")))
    for h, w in ((4, 4), (5, 8), (9, 6)):
        planes = array(picture(h, w, 2).transpose(2, 0, 1).astype("float32") / 255)
        for degrees, zoom in itertools.product((0, 30, 90, -50, 200), ((False, False), (True, False), (False, True))):
            found[f"rotate {h}x{w} {degrees} {zoom}"] = image.imrotate(planes, degrees, *zoom)
    return {name: numpy.asarray(y.asnumpy() if hasattr(y, "asnumpy") else y) for name, y in found.items()}


def dumped(image):
    """How chains of augmenters describe themselves."""
    chains = {
        "plain": image.CreateAugmenter((3, 4, 6)),
        "everything": image.CreateAugmenter((3, 4, 6), rand_crop=True, rand_resize=True, **EVERYTHING),
        "cropped": image.CreateAugmenter((3, 4, 6), rand_crop=True, inter_method=1),
        "detection": image.CreateDetAugmenter((3, 4, 6)),
        "detection everything": image.CreateDetAugmenter((3, 4, 6), rand_crop=0.5, rand_pad=0.5, **EVERYTHING),
        "crops": [image.CreateMultiRandCropAugmenter([0.1, 0.5], area_range=[(0.05, 1.0), (0.1, 1.0)], skip_prob=0.2)],
        "groups": [image.SequentialAug([image.CastAug(), image.ColorJitterAug(0.1, 0, 0.3)])],
    }
    return {name: [unpacked(aug.dumps()) for aug in chain] for name, chain in chains.items()}


def unpacked(said):
    """What `dumps` said, as lists: JSON in JSON is read, numbers are rounded to what float32 holds."""
    if isinstance(said, str):
        try:
            return unpacked(json.loads(said))
        except ValueError:
            return said
    if isinstance(said, dict):
        return {key: unpacked(value) for key, value in said.items()}
    if isinstance(said, list):
        return [unpacked(value) for value in said]
    return float(f"{said:.6g}") if isinstance(said, (int, float)) else said
