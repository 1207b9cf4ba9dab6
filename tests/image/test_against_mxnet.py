"""Answers of MXNet 1.9.1, kept in `mxnet_answers`, and ours.

Tolerances: MXNet resizes uint8 pictures in fixed-point numbers of 11 bits (OpenCV), we in float32, so a pixel may
differ by 1; float32 pictures agree to 1e-3 of 255. Its hue turns with an inverse matrix rounded to three digits. Its
grey conversion of PNG files (libpng) and its JPEG decoder round otherwise than Pillow's: by 1 and by 4.
"""

import contextlib
import json
import sys
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).parent / "mxnet_answers"))

import image_cases as cases

from numblocks import image, nd, np
from numblocks.formats import picture
from numblocks.image import boxes
from numblocks.image.pixels import drawing_from

ANSWERS = cases.HERE
STORED = dict(numpy.load(ANSWERS / "answers.npz"))
SAID = json.loads((ANSWERS / "said.json").read_text())
LABEL = cases.LABEL


class Fixed:
    """A generator that always draws the same."""

    def uniform(self, low, high):
        return low + (high - low) * 2 / 3

    def random(self):
        return 0.1

    def normal(self, mean, deviation, size):
        return numpy.full(size, float(deviation))


@contextlib.contextmanager
def fixed():
    with drawing_from(Fixed()):
        yield


@pytest.fixture(scope="module", params=["np", "nd", "numpy"])
def ours(request):
    kind = {"np": np.array, "nd": nd.array, "numpy": lambda x: x}[request.param]
    array = lambda x: kind(x) if request.param == "numpy" else kind(x, dtype=x.dtype)
    return array


def test_functions_and_augmenters(ours):
    found = cases.answers(image, ours, fixed)
    for name, y in found.items():
        wanted = STORED[name]
        resized = wanted.dtype == "uint8" and name.startswith(("resize", "short", "centre (", "fixed scaled"))
        atol = 1 if resized else 0.8 if name == "aug hue" else 1e-3
        assert y.shape == wanted.shape, name
        assert y.dtype == wanted.dtype, name
        numpy.testing.assert_allclose(y.astype(float), wanted, rtol=0, atol=atol, err_msg=name)
    assert len(found) > 100


def test_most_pixels_of_resized_pictures_are_equal(ours):
    found = cases.answers(image, ours, fixed)
    names = [n for n in found if n.startswith("resize") and n.endswith("uint8")]
    same = numpy.concatenate([(found[n] == STORED[n]).ravel() for n in names])
    assert same.mean() > 0.95


def test_classes_of_arrays_are_kept():
    x = cases.picture(7, 9)
    for make, kind in ((np.array, type(np.ones(1))), (nd.array, nd.NDArray)):
        for aug in (image.ResizeAug(3), image.CenterCropAug((3, 3)), image.CastAug(), image.HueJitterAug(0.1)):
            assert type(aug(make(x, dtype="uint8"))) is kind
    assert type(image.ResizeAug(3)(x)) is type(np.ones(1))


def test_chains_describe_themselves_alike():
    found = cases.dumped(image)
    assert found == SAID["dumped"]


@pytest.mark.parametrize("window", cases.WINDOWS)
def test_boxes(window):
    x, y, w, h = window
    name = f"{x} {y} {w} {h}"
    near = boxes.overlaps(LABEL[:, 1:], (x / 9, y / 7, (x + w) / 9, (y + h) / 7))
    numpy.testing.assert_allclose(near, STORED[f"overlap {name}"], atol=1e-12)
    numpy.testing.assert_allclose(boxes.cropped(LABEL, x, y, w, h, 9, 7, 0.3), STORED[f"crop {name}"], atol=1e-12)
    # MXNet's padding is told where the picture lies in the larger one
    moved = boxes.moved(LABEL, -x, -y, w + 12, h + 9, 9, 7)
    numpy.testing.assert_allclose(moved, STORED[f"pad {name}"], atol=1e-12)
    for share in (0.1, 0.5, 0.9):
        assert boxes.kept_enough(LABEL, x, y, w, h, 9, 7, share) == STORED[f"enough {name} {share}"]


def test_areas_and_mirrored_boxes():
    numpy.testing.assert_allclose(boxes.areas(LABEL[:, 1:]), STORED["areas"])
    with fixed():
        label = image.DetHorizontalFlipAug(0.5)(np.zeros((7, 9, 3)), LABEL)[1]
    numpy.testing.assert_allclose(label, STORED["flip"])


@pytest.mark.parametrize("name", ["png", "grey", "alpha", "bmp", "jpeg", "turned", "deep"])
@pytest.mark.parametrize("flag", [0, 1])
def test_decoding(name, flag):
    pytest.importorskip("PIL")
    with numpy.load(ANSWERS / "pictures.npz") as files:
        raw = files[name].tobytes()
    y, wanted = picture.decode(raw, flag), STORED[f"decode {name} {flag}"]
    assert y.shape == wanted.shape and y.dtype == wanted.dtype
    atol = 4 if name in ("jpeg", "turned") else 1 if flag == 0 else 0
    assert abs(y.astype(int) - wanted).max() <= atol
    assert (image.imdecode(raw, flag=flag).asnumpy() == y).all()


def test_decoding_blue_first():
    pytest.importorskip("PIL")
    with numpy.load(ANSWERS / "pictures.npz") as files:
        assert (image.imdecode(files["png"], to_rgb=0).asnumpy() == STORED["decode png bgr"]).all()


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("PIL")
    with numpy.load(ANSWERS / "pictures.npz") as files:
        (tmp_path / "a.png").write_bytes(files["png"].tobytes())
    return tmp_path


@pytest.mark.parametrize("handle", ["pad", "discard", "roll_over"])
def test_rounds(folder, handle):
    it = image.ImageIter(2, (3, 4, 4), imglist=[[k, "a.png"] for k in range(5)], path_root=folder,
                         last_batch_handle=handle)  # fmt: skip
    for wanted in SAID["rounds"][handle]:
        assert [batch.label[0].tolist() for batch in it] == wanted
        it.reset()


def test_parts(folder):
    parts = [image.ImageIter(1, (3, 4, 4), imglist=[[k, "a.png"] for k in range(5)], path_root=folder, num_parts=2,
                             part_index=part) for part in range(2)]  # fmt: skip
    assert [[b.label[0].tolist() for b in it] for it in parts] == SAID["rounds"]["parts"]


def test_objects(folder):
    one, two = [1, 0.1, 0.2, 0.5, 0.6], [0, 0.3, 0.3, 0.9, 0.8]
    raw = [[2, 5, *one], [2, 5, *one, *two], [3, 5, 9, *two]]
    it = image.ImageDetIter(2, (3, 4, 4), imglist=[[label, "a.png"] for label in raw], path_root=folder)
    for batch, wanted in zip(it, SAID["rounds"]["objects"], strict=True):
        numpy.testing.assert_allclose(batch.label[0].asnumpy(), wanted, atol=1e-6)
