"""Writes answers.npz and dumped.json: run it with MXNet 1.9.1 (`python make.py`), after pictures.py with Pillow."""

import contextlib
import json
import os
import random
import tempfile

import mxnet as mx
import numpy
from image_cases import HERE, LABEL, WINDOWS, answers, dumped

image = mx.image


@contextlib.contextmanager
def fixed():
    kept = random.uniform, random.random, numpy.random.normal
    random.uniform, random.random = lambda a, b: a + (b - a) * 2 / 3, lambda: 0.1
    numpy.random.normal = lambda mean, deviation, size: numpy.full(size, float(deviation))
    yield
    random.uniform, random.random, numpy.random.normal = kept


def boxes():
    crop, pad = image.DetRandomCropAug(min_eject_coverage=0.3), image.DetRandomPadAug()
    found = {"areas": crop._calculate_areas(LABEL[:, 1:])}
    for x, y, w, h in WINDOWS:
        near = crop._intersect(LABEL[:, 1:], x / 9, y / 7, (x + w) / 9, (y + h) / 7)
        found[f"overlap {x} {y} {w} {h}"] = crop._calculate_areas(near)
        kept = crop._update_labels(LABEL.copy(), (x, y, w, h), 7, 9)
        found[f"crop {x} {y} {w} {h}"] = numpy.zeros((0, 5)) if kept is None else kept
        found[f"pad {x} {y} {w} {h}"] = pad._update_labels(LABEL.copy(), (x, y, w + 12, h + 9), 7, 9)
        for share in (0.1, 0.5, 0.9):
            crop.min_object_covered = share
            good = crop._check_satisfy_constraints(LABEL, x, y, x + w, y + h, 9, 7)
            found[f"enough {x} {y} {w} {h} {share}"] = numpy.array(good)
    with fixed():
        found["flip"] = image.DetHorizontalFlipAug(0.5)(mx.nd.zeros((7, 9, 3)), LABEL.copy())[1]
    return found


def decoded():
    found = {}
    with numpy.load(HERE / "pictures.npz") as files:
        for name in files:
            for flag in (0, 1):
                found[f"decode {name} {flag}"] = image.imdecode(files[name].tobytes(), flag=flag).asnumpy()
        found["decode png bgr"] = image.imdecode(files["png"].tobytes(), to_rgb=0).asnumpy()
    return found


def rounds():
    """Labels and pads of three rounds, for each way to treat the last batch; labels of a detection iterator."""
    with numpy.load(HERE / "pictures.npz") as files, tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "a.png"), "wb") as file:
            file.write(files["png"].tobytes())
        found = {}
        for handle in ("pad", "discard", "roll_over"):
            it = image.ImageIter(2, (3, 4, 4), imglist=[[k, "a.png"] for k in range(5)], path_root=folder,
                                 last_batch_handle=handle)  # fmt: skip
            found[handle] = []
            for _ in range(3):
                found[handle].append([b.label[0].asnumpy().tolist() for b in it])
                it.reset()
        parts = [image.ImageIter(1, (3, 4, 4), imglist=[[k, "a.png"] for k in range(5)], path_root=folder, num_parts=2,
                                 part_index=part) for part in range(2)]  # fmt: skip
        found["parts"] = [[b.label[0].asnumpy().tolist() for b in it] for it in parts]
        one, two = [1, 0.1, 0.2, 0.5, 0.6], [0, 0.3, 0.3, 0.9, 0.8]
        raw = [[2, 5, *one], [2, 5, *one, *two], [3, 5, 9, *two]]
        it = image.ImageDetIter(2, (3, 4, 4), imglist=[[label, "a.png"] for label in raw], path_root=folder)
        found["objects"] = [b.label[0].asnumpy().round(6).tolist() for b in it]
    return found


if __name__ == "__main__":
    kept = answers(image, lambda x: mx.nd.array(x, dtype=x.dtype), fixed) | boxes() | decoded()
    numpy.savez_compressed(HERE / "answers.npz", **kept)
    (HERE / "said.json").write_text(json.dumps({"dumped": dumped(image), "rounds": rounds()}) + "\n")
