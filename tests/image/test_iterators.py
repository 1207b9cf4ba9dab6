"""`ImageIter`, `ImageDetIter` and `ImageRecordIter`: sources, orders, shapes, errors."""

import numpy
import pytest

from numblocks import image, io, np, npx, random, recordio

pytest.importorskip("PIL")

from numblocks.formats.picture import encode  # noqa: E402


@pytest.fixture
def folder(tmp_path):
    """Five pictures 6x8, the k-th of value 10 k; a list of them, and a record file with labels 3 k."""
    with recordio.MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "w") as file:
        for k in range(5):
            raw = encode(numpy.full((6, 8, 3), 10 * k, "uint8"))
            (tmp_path / f"{k}.png").write_bytes(raw)
            file.write_idx(k, recordio.pack(recordio.IRHeader(0, 3.0 * k, k, 0), raw))
    (tmp_path / "a.lst").write_text("".join(f"{k}\t{2.0 * k}\t{k}.png\n" for k in range(5)))
    return tmp_path


def labels(it):
    return [x for batch in it for x in batch.label[0].tolist()[: it.batch_size - batch.pad]]


def test_sources(folder):
    listed = [[k, f"{k}.png"] for k in range(5)]
    files = dict(path_root=folder)
    for source, step in (
        (dict(imglist=listed, **files), 1), (dict(path_imglist=folder / "a.lst", **files), 2),
        (dict(path_imgrec=folder / "a.rec"), 3), (dict(path_imgrec=folder / "a.rec", path_imglist=folder / "a.lst"), 2),
        (dict(path_imgrec=folder / "a.rec", path_imgidx=folder / "none.idx"), 3),
    ):  # fmt: skip
        it = image.ImageIter(2, (3, 4, 4), **source)
        for _ in range(2):
            batches = list(it)
            assert [b.pad for b in batches] == [0, 0, 1]
            data = numpy.concatenate([b.data[0].asnumpy() for b in batches])
            assert data.shape == (6, 3, 4, 4) and data.dtype == "float32"
            assert data[:5, 0, 0, 0].tolist() == [0, 10, 20, 30, 40]
            assert [x for b in batches for x in b.label[0].tolist()][:5] == [k * step for k in range(5)]
            with pytest.raises(StopIteration):
                it.next()
            it.reset()


def test_orders(folder):
    def three():
        random.seed(4)
        it = image.ImageIter(2, (3, 4, 4), path_imgrec=folder / "a.rec", shuffle=True)
        found = []
        for _ in range(3):
            np.random.uniform(size=3)  # what others draw between the rounds belongs to the seed, too
            found.append(labels(it))
            it.reset()
        return found

    rounds = three()
    assert all(sorted(r) == [0, 3, 6, 9, 12] for r in rounds) and len({tuple(r) for r in rounds}) > 1
    assert three() == rounds


def test_draws_do_not_depend_on_other_threads(folder):
    def pictures(wrap):
        random.seed(4)
        it = wrap(image.ImageIter(2, (3, 4, 4), path_imgrec=folder / "a.rec", rand_crop=True, brightness=0.5, hue=0.2))
        found = []
        for batch in it:
            np.random.uniform(size=3)
            found.append(batch.data[0].asnumpy())
        return numpy.concatenate(found)

    numpy.testing.assert_array_equal(pictures(lambda it: it), pictures(io.PrefetchingIter))


def test_wide_labels_grey_pictures_and_dtypes(folder):
    listed = [[[1.0, 2.0], "0.png"], [numpy.array([3, 4]), "1.png"], [5, 6, "2.png"]]
    it = image.ImageIter(3, (1, 4, 4), label_width=2, imglist=listed, path_root=folder, dtype="uint8", data_name="x")
    batch = next(it)
    assert batch.label[0].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert batch.data[0].dtype == "uint8" and batch.data[0].shape == (3, 1, 4, 4)
    assert it.provide_data == [("x", (3, 1, 4, 4))] and it.provide_label == [("softmax_label", (3, 2))]
    assert it.provide_data[0].dtype == "uint8"


def test_small_sets_fill_a_batch_going_round(folder):
    it = image.ImageIter(5, (3, 4, 4), imglist=[[1, "0.png"], [2, "1.png"]], path_root=folder)
    batch = next(it)
    assert batch.pad == 3 and batch.label[0].tolist() == [1, 2, 1, 2, 1]


def test_own_augmenters_and_hooks(folder):
    class Mine(image.ImageIter):
        def imdecode(self, s):
            return np.ones((4, 4, 3)) * len(s)

        def postprocess_data(self, datum):
            return super().postprocess_data(datum) * 0 + 7

    it = Mine(1, (3, 4, 4), imglist=[[1, "0.png"]], path_root=folder, aug_list=[])
    assert (next(it).data[0].asnumpy() == 7).all()
    label, raw = (it.reset(), it.next_sample())[1]
    assert label.tolist() == [1] and raw == it.read_image("0.png")


def test_rolled_over_pictures_can_be_forgotten(folder):
    it = image.ImageIter(2, (3, 4, 4), path_imgrec=folder / "a.rec", last_batch_handle="roll_over")
    labels(it)
    it.hard_reset()
    assert labels(it) == [0, 3, 6, 9]


@pytest.mark.parametrize("arguments, error, word", [
    (dict(), ValueError, "neither path_imgrec"), (dict(path_imgrec="none.rec"), FileNotFoundError, "none.rec"),
    (dict(imglist=[[0, "0.png"]], data_shape=(4, 4)), ValueError, "data_shape"),
    (dict(imglist=[[0, "0.png"]], data_shape=(2, 4, 4)), ValueError, "3 channels"),
    (dict(imglist=[[0, "0.png"]], num_parts=2, part_index=2), ValueError, "part 2 of 2"),
    (dict(imglist=[[0, "0.png"]], num_parts=2, part_index=1), ValueError, "no pictures"),
    (dict(imglist=[[0, "0.png"]], last_batch_handle="keep"), ValueError, "last_batch_handle='keep'"),
    (dict(imglist=[[0, "0.png"]], aug_list=[]), ValueError, r"0.png' is \(3, 6, 8\) after the augmenters|0.png is"),
    (dict(imglist=[[0, "bad.png"]]), RuntimeError, "bad.png is no picture"),
    (dict(imglist=[[[0, 1], "0.png"]]), ValueError, "has 2 labels"),
    (dict(imglist=[[0, "0.png"]], path_imglist="a.lst"), ValueError, "one list"),
    (dict(path_imglist="wrong.lst"), ValueError, "line 1"),
])  # fmt: skip
def test_refusals(folder, monkeypatch, arguments, error, word):
    monkeypatch.chdir(folder)
    (folder / "bad.png").write_bytes(b"abc")
    (folder / "wrong.lst").write_text("cat\t0.png\n")
    arguments = {"data_shape": (3, 4, 4), "path_root": folder} | arguments
    with pytest.raises(error, match=word):
        next(image.ImageIter(1, **arguments))


def test_record_iterators(folder):
    it = io.ImageRecordIter(
        path_imgrec=folder / "a.rec", data_shape=(3, 4, 4), batch_size=2, mean_r=1, mean_g=2, mean_b=3, std_r=2,
        scale=2, preprocess_threads=3, round_batch=False,
    )  # fmt: skip
    data = [b.data[0].asnumpy() for b in it]
    assert len(data) == 2
    numpy.testing.assert_allclose(data[0][1, :, 0, 0], [9, 16, 14])
    exact = io.ImageRecordUInt8Iter(folder / "a.rec", data_shape=(3, 10, 12), batch_size=5, pad=2, fill_value=9)
    x = next(exact).data[0].asnumpy()
    assert x.dtype == "uint8" and x[3, 0, 0, 0] == 9 and x[3, 0, 5, 5] == 30
    assert exact.auglist[0](np.zeros((6, 8, 3))).shape == (10, 12, 3)
    signed = io.ImageRecordInt8Iter(path_imgrec=folder / "a.rec", data_shape=(3, 4, 4), batch_size=5, mean_r=200)
    assert next(signed).data[0].asnumpy()[:, 0, 0, 0].tolist() == [-128, -128, -128, -128, -128]
    many = io.ImageRecordIter(
        path_imgrec=folder / "a.rec", data_shape=(3, 4, 4), batch_size=5, resize=5, random_resized_crop=True,
        min_random_area=0.5, max_aspect_ratio=0.2, rand_mirror=True, brightness=0.1, contrast=0.1, saturation=0.1,
        pca_noise=0.1, shuffle=True,
    )  # fmt: skip
    assert next(many).data[0].shape == (5, 3, 4, 4)
    with pytest.raises(TypeError, match="max_rotate_angle, random_h"):
        io.ImageRecordIter(folder / "a.rec", (3, 4, 4), 2, max_rotate_angle=3, random_h=2)


ONE, TWO = [1, 0.1, 0.2, 0.5, 0.6], [0, 0.3, 0.3, 0.9, 0.8]


def objects(folder, *labels, **more):
    listed = [[label, f"{k}.png"] for k, label in enumerate(labels)]
    return image.ImageDetIter(2, (3, 8, 8), imglist=listed, path_root=folder, **more)


def test_detection_shapes(folder):
    it = objects(folder, [2, 5, *ONE], [2, 5, *ONE, *TWO], [2, 5, -1, *TWO[1:]])
    assert it.label_shape == (2, 5) and it.provide_label == [("label", (2, 2, 5))]
    batches = list(it)  # the third has only an object that fills: it is left out
    assert [b.pad for b in batches] == [0] and batches[0].label[0][0, 1].tolist() == [-1] * 5
    other = objects(folder, [2, 5, *ONE] + TWO * 2)
    assert it.sync_label_shape(other) is other and it.label_shape == other.label_shape == (3, 5)
    it.reshape((3, 4, 6), (4, 6))
    it.reset()
    batch = next(it)
    assert batch.data[0].shape == (2, 3, 4, 6) and batch.label[0].shape == (2, 4, 6)


@pytest.mark.parametrize("label, word", [
    ([2, 5], "2 numbers"), ([2, 4, 1, 2, 3, 4, 5, 6], "objects of 4"), ([1, 5, *ONE, 1], "come out even"),
    ([2, 5, *ONE, 1], "come out even"), ([2, 5, 1, 0.5, 0.2, 0.1, 0.6], "no box with an area"),
    ([2, 5, -1, *ONE[1:]], "no picture has an object"),
])  # fmt: skip
def test_detection_labels_that_are_wrong(folder, label, word):
    with pytest.raises(RuntimeError, match=word):
        objects(folder, label)


def test_detection_refusals(folder):
    it = objects(folder, [2, 5, *ONE, *TWO])
    for wrong in ((1, 5), (2, 4), (3,)):
        with pytest.raises(ValueError, match="label_shape"):
            it.reshape(label_shape=wrong)
    with pytest.raises(RuntimeError, match="5 and of 6"):
        objects(folder, [2, 5, *ONE], [2, 6, *ONE, 0])
    with pytest.raises(TypeError, match="ImageDetIter"):
        it.sync_label_shape(3)
    with pytest.raises(ValueError, match="No window"):
        it.draw_next(waitKey=3)


def test_drawn_boxes(folder):
    it = objects(folder, [2, 5, 1, 0, 0, 1, 1], [2, 5, 1, 0.25, 0.25, 0.75, 0.75], mean=True, std=True)
    whole, half = it.draw_next(color=(9, 200, 3), thickness=1, mean=True, std=True)
    assert whole.shape == (8, 8, 3) and whole.dtype == "uint8"
    assert (whole[0] == (9, 200, 3)).all() and (whole[1:-1, 1:-1] == 0).all()
    assert (half[2, 2:6] == (9, 200, 3)).all() and (half[0] == 10).all()


def test_random_crops_keep_what_they_promise():
    random.seed(1)
    label = numpy.array([ONE, TWO])
    crop, sizes = image.DetRandomCropAug(0.5, (0.5, 2.0), (0.2, 0.9), 0.4), set()
    for _ in range(80):
        x, new = crop(np.zeros((40, 50, 3)), label)
        h, w = x.shape[:2]
        sizes.add((h, w))
        if (h, w) == (40, 50):
            continue
        assert 0.19 < h * w / 2000 < 0.91 and 0.45 < w / h < 2.1
        assert len(new) and (new[:, 1:] >= 0).all() and (new[:, 1:] <= 1).all()
        assert (new[:, 3] > new[:, 1]).all() and (new[:, 4] > new[:, 2]).all()
    assert len(sizes) > 20
    assert label.tolist() == [ONE, TWO]


def test_random_padding_keeps_the_objects():
    random.seed(1)
    label = numpy.array([ONE, TWO])
    pad, sizes = image.DetRandomPadAug((0.5, 2.0), (1.0, 4.0), pad_val=(1, 2, 3)), set()
    picture = np.full((40, 50, 3), 100)
    for _ in range(40):
        x, new = pad(picture, label)
        h, w = x.shape[:2]
        sizes.add((h, w))
        assert 2000 <= h * w < 4.2 * 2000 and h >= 40 and w >= 50
        assert (x.asnumpy() == 100).all(axis=-1).sum() == 2000
        widths = (new[:, 3] - new[:, 1]) * w
        numpy.testing.assert_allclose(widths, (label[:, 3] - label[:, 1]) * 50)
        row, column = int(new[0, 2] * h), int(new[0, 1] * w)
        assert (x[row, column].asnumpy() == 100).all()
    assert len(sizes) > 20


def test_detection_augmenters_refuse_and_switch_off():
    with pytest.warns(UserWarning, match="DetRandomCropAug.*leave nothing"):
        off = image.DetRandomCropAug(area_range=(1, 0.5))
    assert not off.enabled and off(np.ones((4, 4, 3)), numpy.array([ONE]))[0].shape == (4, 4, 3)
    with pytest.warns(UserWarning, match="DetRandomPadAug"):
        assert not image.DetRandomPadAug(area_range=(0.1, 0.5)).enabled
    with pytest.raises(TypeError, match="DetBorrowAug"):
        image.DetBorrowAug(3)
    with pytest.raises(ValueError, match="Allow DetAugmenter in list only"):
        image.DetRandomSelectAug([image.CastAug()])
    with pytest.raises(ValueError, match="lists of"):
        image.CreateMultiRandCropAugmenter([0.1, 0.5], [(0.75, 1.33)] * 3)
    same = image.DetRandomSelectAug([])
    x = np.ones((2, 2, 3))
    assert all(same(x, None)[0] is x for _ in range(20))
    with pytest.raises(NotImplementedError, match="DetAugmenter"):
        image.DetAugmenter()(x, None)


def test_a_seed_repeats_detection(folder):
    def two_rounds():
        random.seed(8)
        it = objects(folder, [2, 5, *ONE], [2, 5, *ONE, *TWO], rand_crop=0.5, rand_pad=0.5, rand_mirror=True, hue=0.1,
                     rand_gray=0.2, shuffle=True, mean=True, std=True)  # fmt: skip
        found = []
        for _ in range(6):
            found += [b.label[0].asnumpy() for b in it]
            it.reset()
        return found

    first, again = two_rounds(), two_rounds()
    assert len({x.tobytes() for x in first}) > 3
    for a, b in zip(first, again, strict=True):
        numpy.testing.assert_array_equal(a, b)


def test_from_a_record_file_to_the_targets_of_a_detector(tmp_path):
    """The path of a detector's data: squares are packed, read, cropped, and still lie where their labels say."""
    random.seed(3)
    draw = numpy.random.default_rng(3)
    with recordio.MXIndexedRecordIO(tmp_path / "s.idx", tmp_path / "s.rec", "w") as file:
        for k in range(12):
            x, y, side = (int(v) for v in draw.integers((2, 2, 14), (30, 30, 30)))
            picture = numpy.full((64, 64, 3), 40, "uint8")
            picture[y : y + side, x : x + side] = (250, 10, 10)
            label = [4, 5, 64, 64, 0, x / 64, y / 64, (x + side) / 64, (y + side) / 64]
            file.write_idx(k, recordio.pack_img(recordio.IRHeader(0, label, k, 0), picture, img_fmt=".png"))
    it = image.ImageDetIter(
        4, (3, 48, 48), path_imgrec=tmp_path / "s.rec", path_imgidx=tmp_path / "s.idx", shuffle=True, rand_crop=0.7,
        rand_pad=0.5, rand_mirror=True, min_object_covered=0.95, max_attempts=200, pad_val=(40, 40, 40),
        inter_method=1,
    )  # fmt: skip
    anchors = npx.multibox_prior(np.zeros((1, 3, 12, 12)), sizes=[0.2, 0.35, 0.5], ratios=[1, 1.5, 0.7])
    matched = 0
    for _ in range(3):
        for batch in it:
            pictures, labels = batch.data[0].asnumpy(), batch.label[0]
            for x, (kind, *box) in zip(pictures, labels.asnumpy()[:, 0], strict=True):
                red = numpy.argwhere((x[0] > 145) & (x[1] < 25))
                (top, left), (bottom, right) = red.min(0), red.max(0) + 1
                assert kind == 0
                numpy.testing.assert_allclose(numpy.array(box) * 48, [left, top, right, bottom], atol=2.5)
            _, mask, classes = npx.multibox_target(anchors, labels, np.zeros((4, 2, anchors.shape[1])))
            assert ((classes.asnumpy() == 1).sum(axis=1) >= 1).all() and mask.asnumpy().any()
            matched += int((classes.asnumpy() == 1).sum())
        it.reset()
    assert matched > 40
