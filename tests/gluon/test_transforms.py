"""Random transforms of images: what stays, what changes, how often, eager and hybridized."""

import colorsys

import numpy
import pytest

from numblocks import np, random
from numblocks.gluon.data.vision import transforms as T

rng = numpy.random.default_rng(0)
PICTURE = rng.integers(0, 256, (7, 9, 3)).astype("uint8")


def image(dtype="uint8"):
    return np.array(PICTURE.astype(dtype))


@pytest.fixture(autouse=True)
def seeded():
    random.seed(5)


JITTERS = [
    T.RandomBrightness(0.4), T.RandomContrast(0.4), T.RandomSaturation(0.4), T.RandomHue(0.4),
    T.RandomColorJitter(0.3, 0.3, 0.3, 0.3), T.RandomLighting(0.5), T.RandomGray(0.5), T.RandomFlipLeftRight(),
    T.RandomFlipTopBottom(), T.HybridRandomApply([T.RandomBrightness(0.4)]),
]  # fmt: skip


@pytest.mark.parametrize("step", JITTERS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_draws_repeat_and_hybridize(step, dtype):
    def four():
        random.seed(3)
        return [step(image(dtype)).asnumpy() for _ in range(8)]

    step.hybridize(False)
    eager, again = four(), four()
    assert all(e.shape == PICTURE.shape and e.dtype == dtype for e in eager)
    assert len({e.tobytes() for e in eager}) > 1
    for a, b in zip(eager, again, strict=True):
        numpy.testing.assert_array_equal(a, b)
    step.hybridize()
    compiled = four()
    assert len({c.tobytes() for c in compiled}) > 1
    batch = step(np.array(numpy.stack([PICTURE, PICTURE]).astype(dtype)))
    assert batch.shape == (2, *PICTURE.shape)
    step.hybridize(False)


def test_no_strength_changes_nothing():
    for kind in (T.RandomBrightness, T.RandomContrast, T.RandomSaturation, T.RandomHue, T.RandomLighting):
        numpy.testing.assert_array_equal(kind(0)(image()).asnumpy(), PICTURE)
    numpy.testing.assert_array_equal(T.RandomColorJitter()(image()).asnumpy(), PICTURE)


def luma(x):
    return x @ [0.299, 0.587, 0.114]


def test_what_colours_keep():
    x = PICTURE.astype("float64")
    for k in range(5):
        random.seed(k)
        ratio = T.RandomBrightness(0.3)(np.array(x)).asnumpy() / numpy.maximum(x, 1e-9)
        assert numpy.ptp(ratio[x > 0]) < 1e-5 and 0.7 <= ratio.max() <= 1.3
        numpy.testing.assert_allclose(luma(T.RandomHue(0.9)(np.array(x)).asnumpy()), luma(x), rtol=1e-4)
        numpy.testing.assert_allclose(luma(T.RandomSaturation(0.9)(np.array(x)).asnumpy()), luma(x), rtol=1e-6)
        y = T.RandomContrast(0.9)(np.array(x)).asnumpy()
        assert luma(y).mean() == pytest.approx(luma(x).mean(), rel=1e-6)
        z = T.RandomLighting(1.0)(np.array(x)).asnumpy() - x
        assert numpy.ptp(z.reshape(-1, 3), axis=0).max() < 1e-9
    grey = T.RandomGray(1.0)(np.array(x)).asnumpy()
    numpy.testing.assert_allclose(grey, numpy.repeat(luma(x)[..., None], 3, -1))
    assert (T.RandomGray(0.0)(np.array(x)).asnumpy() == x).all()


def test_hue_turns():
    red = np.array(numpy.array([[[0.8, 0.2, 0.2]]]))
    found = {round(colorsys.rgb_to_hsv(*T.RandomHue(1.0)(red).asnumpy()[0, 0])[0], 1) for _ in range(30)}
    assert len(found) > 4


def test_refusals():
    for step in (*JITTERS[:9], T.CenterCrop(2), T.RandomCrop(2), T.RandomResizedCrop(2), T.CropResize(0, 0, 1, 1)):
        with pytest.raises(ValueError, match=type(step).__name__):
            step(np.ones((4, 4)))
    for wrong in (
        lambda: T.RandomHue(-1), lambda: T.RandomResizedCrop(3, scale=(1, 0.5)), lambda: T.Rotate(3, True, True),
        lambda: T.RandomRotation((3, 1)), lambda: T.RandomRotation((1, 3), rotate_with_proba=2),
        lambda: T.CropResize(7, 0, 5, 5)(image()),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(TypeError, match="ToTensor"):
        T.Rotate(10)(image())


def test_flips():
    for p, left, top in ((1.0, PICTURE[:, ::-1], PICTURE[::-1]), (0.0, PICTURE, PICTURE)):
        numpy.testing.assert_array_equal(T.RandomFlipLeftRight(p)(image()).asnumpy(), left)
        numpy.testing.assert_array_equal(T.RandomFlipTopBottom(p)(image()).asnumpy(), top)
    mirrored = sum(bool((T.RandomFlipLeftRight()(image()).asnumpy() != PICTURE).any()) for _ in range(400))
    assert 150 < mirrored < 250


def test_crops():
    numpy.testing.assert_array_equal(T.CenterCrop((5, 3))(image()).asnumpy(), PICTURE[2:5, 2:7])
    assert T.CenterCrop((20, 10))(image()).shape == (10, 20, 3)
    numpy.testing.assert_array_equal(T.CropResize(1, 2, 4, 3)(image()).asnumpy(), PICTURE[2:5, 1:5])
    assert T.CropResize(1, 2, 4, 3, 6)(image()).shape == (6, 6, 3)
    numpy.testing.assert_array_equal(T.RandomCrop((9, 7))(image()).asnumpy(), PICTURE)
    windows = {PICTURE[t : t + 3, l : l + 5].tobytes() for t in range(5) for l in range(5)}
    seen = {T.RandomCrop((5, 3))(image()).asnumpy().tobytes() for _ in range(200)}
    assert seen <= windows and len(seen) > 20
    padded = {T.RandomCrop((9, 7), pad=2, pad_value=255)(image()).asnumpy().tobytes() for _ in range(20)}
    assert len(padded) > 5
    assert T.RandomResizedCrop((4, 6))(image()).shape == (6, 4, 3)
    assert T.RandomResizedCrop(4, scale=(5, 5))(image()).shape == (4, 4, 3)  # nothing fits: the middle
    assert len({T.RandomResizedCrop(4)(image()).asnumpy().tobytes() for _ in range(20)}) > 10


def test_rotation():
    x = np.array(rng.normal(size=(2, 5, 5)).astype("float32"))
    for turns in range(4):
        numpy.testing.assert_allclose(
            T.Rotate(90 * turns)(x).asnumpy(), numpy.rot90(x.asnumpy(), turns, (1, 2)), atol=1e-5
        )
    ones = np.ones((3, 1, 21, 21))
    assert T.Rotate(30)(ones).asnumpy().min() < 0.01  # corners are empty
    assert T.Rotate(30, zoom_in=True)(ones).asnumpy().min() > 0.99
    small = T.Rotate(45, zoom_out=True)(ones).asnumpy()
    assert small.sum() == pytest.approx(3 * 21 * 21 / 2, rel=0.1)  # half the area, all of it there
    assert T.RandomRotation((1, 9), rotate_with_proba=0.0)(x) is x
    assert len({T.RandomRotation((-9, 9))(x).asnumpy().tobytes() for _ in range(5)}) == 5


def test_apply_or_not():
    flip = T.RandomFlipLeftRight(1.0)
    times = sum(bool((T.RandomApply([flip], 0.25)(image()).asnumpy() != PICTURE).any()) for _ in range(400))
    assert 60 < times < 140
    net = T.HybridCompose([flip, T.ToTensor(), T.Normalize(0.5, 0.5)])
    net.hybridize()
    expected = (PICTURE[:, ::-1].transpose(2, 0, 1) / 255 - 0.5) / 0.5
    numpy.testing.assert_allclose(net(image()).asnumpy(), expected, atol=1e-6)
