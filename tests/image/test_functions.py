"""Functions and augmenters of pictures: what is random stays in its range and repeats, what is wrong is refused."""

import pickle
import threading

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import image, np, random
from numblocks.image.pixels import drawing_from, generator
from numblocks.npx.interpolate import dense, taps

PICTURE = numpy.random.default_rng(0).integers(0, 256, (7, 9, 3)).astype("uint8")


@pytest.fixture(autouse=True)
def seeded():
    random.seed(5)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 4))
def test_a_flat_line_stays_flat(old, new, code):
    index, weight = taps(old, new, code)
    assert index.shape == weight.shape == (len(index), new)
    assert 0 <= index.min() and index.max() < old
    numpy.testing.assert_allclose(dense(old, new, code).sum(axis=1), 1, atol=1e-5)
    if code in (0, 1, 3):
        assert weight.min() >= 0


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 4))
def test_a_mirrored_line_gives_a_mirrored_one(old, new, code):
    line = numpy.random.default_rng(old).normal(size=old).astype("float32")
    if code == 0 or (code == 3 and new > old):
        return  # these take the pixel before, from whichever side one looks
    there, back = dense(old, new, code) @ line, dense(old, new, code) @ line[::-1]
    numpy.testing.assert_allclose(there, back[::-1], atol=1e-4)


def test_interpolation_by_situation():
    x = np.array(PICTURE)
    for size, code in (((18, 14), 2), ((5, 4), 3), ((5, 14), 1), ((9, 14), 1)):
        assert (image.imresize(x, *size, interp=9) == image.imresize(x, *size, interp=code)).all()
    kinds = {image.imresize(x, 5, 4, interp=10).asnumpy().tobytes() for _ in range(60)}
    assert len(kinds) == 5
    with pytest.raises(ValueError, match=r"interpolation: code 7.*0 \(nearest\)"):
        image.imresize(x, 5, 4, interp=7)
    with pytest.raises(ValueError, match="from 9 to 0 pixels"):
        image.imresize(x, 0, 4)


def test_out_is_filled():
    x, out = np.array(PICTURE), np.zeros((4, 5, 3), dtype="uint8")
    assert image.imresize(x, 5, 4, out=out) is out
    assert (out == image.imresize(x, 5, 4)).all()
    out = np.zeros((8, 9, 3), dtype="uint8")
    assert image.copyMakeBorder(x, 1, 0, 0, 0, out=out) is out and (out[1:] == x).all()


@pytest.mark.parametrize("size", [(5, 4), (9, 7), (20, 4), (3, 30)])
def test_random_crops_lie_inside_and_move(size):
    x, boxes = np.array(PICTURE), set()
    for _ in range(60):
        part, (x0, y0, w, h) = image.random_crop(x, size)
        assert part.shape == (size[1], size[0], 3)
        assert 0 <= x0 <= 9 - w and 0 <= y0 <= 7 - h and min(w, h) >= 1
        if (w, h) == size:
            assert (part.asnumpy() == PICTURE[y0 : y0 + h, x0 : x0 + w]).all()
        boxes.add((x0, y0))
    room = (9 - w + 1) * (7 - h + 1)
    assert len(boxes) > 0.6 * room


def test_random_sizes_lie_in_their_ranges():
    x = np.zeros((60, 80, 3), dtype="uint8")
    for _ in range(100):
        part, (_, _, w, h) = image.random_size_crop(x, (8, 6), (0.2, 0.6), (0.5, 2.0))
        assert part.shape == (6, 8, 3)
        assert 0.19 < w * h / 4800 < 0.61 and 0.48 < w / h < 2.06
    # a shape that never fits: the centre
    assert image.random_size_crop(x, (8, 6), (1.0, 1.0), (9.0, 9.0))[1] == image.center_crop(x, (8, 6))[1]
    with pytest.warns(DeprecationWarning, match="min_area"):
        image.random_size_crop(x, (8, 6), 0.5, (1, 1), min_area=0.3)


AUGS = [
    image.RandomCropAug((5, 4)), image.RandomSizedCropAug((5, 4), 0.1, (0.75, 1.3)), image.HorizontalFlipAug(0.5),
    image.BrightnessJitterAug(0.4), image.ContrastJitterAug(0.4), image.SaturationJitterAug(0.4),
    image.HueJitterAug(0.4), image.ColorJitterAug(0.2, 0.2, 0.2), image.RandomGrayAug(0.5),
    image.LightingAug(0.5, numpy.ones(3) * 20, numpy.eye(3)),
    image.RandomOrderAug([image.CastAug(), image.BrightnessJitterAug(0.9)]),
    image.SequentialAug(image.CreateAugmenter((3, 4, 4), rand_crop=True, rand_mirror=True, hue=0.3)),
]  # fmt: skip


@pytest.mark.parametrize("aug", AUGS, ids=lambda a: type(a).__name__)
def test_a_seed_repeats_what_is_drawn(aug):
    def eight():
        random.seed(3)
        return [aug(np.array(PICTURE)).asnumpy() for _ in range(8)]

    first, again = eight(), eight()
    assert len({y.tobytes() for y in first}) > 1
    for a, b in zip(first, again, strict=True):
        assert a.dtype == b.dtype
        numpy.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("aug", AUGS[:10], ids=lambda a: type(a).__name__)
def test_pictures_are_not_changed_in_place(aug):
    for dtype in ("uint8", "float32"):
        x = np.array(PICTURE.astype(dtype))
        for _ in range(4):
            y = aug(x)
            assert y.dtype == dtype
        assert (x.asnumpy() == PICTURE).all()


def test_threads_have_draws_of_their_own():
    with drawing_from(numpy.random.default_rng(0)) as mine:
        found = []
        thread = threading.Thread(target=lambda: found.append(generator() is mine))
        thread.start()
        thread.join()
        assert generator() is mine and found == [False]
    assert generator() is not mine


def test_integers_are_rounded_and_kept_in_range():
    white = np.full((2, 2, 3), 250, dtype="uint8")
    assert {int(image.BrightnessJitterAug(0.5)(white).max()) for _ in range(40)} >= {255}
    y = image.LightingAug(5.0, numpy.ones(3) * 100, numpy.eye(3))(white)
    assert y.dtype == "uint8"


def test_strength_none_changes_nothing():
    x = np.array(PICTURE)
    for aug in (image.BrightnessJitterAug(0), image.ContrastJitterAug(0), image.SaturationJitterAug(0),
                image.HueJitterAug(0), image.RandomGrayAug(0), image.HorizontalFlipAug(0)):  # fmt: skip
        assert (aug(x).asnumpy() == PICTURE).all()
    assert image.ColorJitterAug(0, 0, 0).ts == []


@pytest.mark.parametrize("make, error, word", [
    (lambda: image.fixed_crop(np.zeros((5, 5, 3)), 3, 0, 3, 3), ValueError, r"3x3 pixels at \(3, 0\)"),
    (lambda: image.imresize(np.zeros((5, 5)), 3, 3), ValueError, r"imresize: an array of shape \(5, 5\)"),
    (lambda: image.copyMakeBorder(np.zeros((5, 5, 3)), 1, 1, 1, 1, type=9), ValueError, "type=9"),
    (lambda: image.HueJitterAug(0.1)(np.zeros((5, 5, 1))), ValueError, "HueJitterAug.*3 channels"),
    (lambda: image.CreateAugmenter((3, 4, 4), rand_resize=True), ValueError, "rand_resize without rand_crop"),
    (lambda: image.CreateAugmenter((3, 4, 4), mean=[1, 2]), ValueError, "mean of shape"),
    (lambda: image.imrotate(np.zeros((3, 4, 4), dtype="int32"), 3), TypeError, "imrotate.*real-valued"),
    (lambda: image.imrotate(np.zeros((3, 4, 4)), 3, True, True), ValueError, "zoom_in and zoom_out"),
    (lambda: image.imrotate(np.zeros((2, 3, 4, 4)), np.ones(3)), ValueError, "3 angles for 2 pictures"),
    (lambda: image.imrotate(np.zeros((3, 4, 4)), np.ones(2)), TypeError, "one picture"),
    (lambda: image.random_size_crop(np.zeros((3, 4, 4)), (2, 2), (0.5, 0.1), (1, 1)), ValueError, "Swap"),
    (lambda: image.Augmenter()(0), NotImplementedError, "Augmenter has no __call__"),
    (lambda: image.imdecode(numpy.zeros(3)), TypeError, "float64"),
])  # fmt: skip
def test_refusals(make, error, word):
    with pytest.raises(error, match=word):
        make()


def test_each_picture_of_a_batch_has_its_angle():
    x = np.random.uniform(size=(2, 3, 5, 5))
    both = image.imrotate(x, np.array([0, 90]))
    numpy.testing.assert_allclose(both[0].asnumpy(), x[0].asnumpy(), atol=1e-6)
    numpy.testing.assert_allclose(both[1].asnumpy(), image.imrotate(x[1], 90).asnumpy(), atol=1e-6)
    turned = image.random_rotate(np.ones((20, 1, 9, 9)), (-45, 45)).asnumpy()
    assert len({t.tobytes() for t in turned}) > 15


def test_reading(tmp_path):
    pytest.importorskip("PIL")
    from numblocks.formats.picture import encode

    (tmp_path / "a.png").write_bytes(encode(PICTURE))
    assert (image.imread(tmp_path / "a.png").asnumpy() == PICTURE).all()
    assert image.imread(str(tmp_path / "a.png"), flag=0).shape == (7, 9, 1)
    assert (image.imread(tmp_path / "a.png", to_rgb=False).asnumpy() == PICTURE[..., ::-1]).all()
    with pytest.raises(FileNotFoundError):
        image.imread(tmp_path / "b.png")
    with pytest.raises(ValueError, match="3 bytes could not be read"):
        image.imdecode(b"abc")
    out = np.zeros(PICTURE.shape, dtype="uint8")
    assert image.imdecode(encode(PICTURE), out=out) is out and (out.asnumpy() == PICTURE).all()


@pytest.mark.parametrize("aug", AUGS, ids=lambda a: type(a).__name__)
def test_augmenters_travel_to_worker_processes(aug):
    again = pickle.loads(pickle.dumps(aug))
    assert again.dumps() == aug.dumps()
    random.seed(3)
    first = aug(np.array(PICTURE)).asnumpy()
    random.seed(3)
    assert (again(np.array(PICTURE)).asnumpy() == first).all()


def test_orders_are_drawn():
    class Mark(image.Augmenter):
        def __call__(self, src):
            return src * 10 + self.digit

    steps = image.RandomOrderAug([Mark(digit=k) for k in (1, 2, 3)])
    seen = {int(steps(np.zeros((1, 1, 1)))[0, 0, 0]) for _ in range(60)}
    assert seen == {123, 132, 213, 231, 312, 321}
