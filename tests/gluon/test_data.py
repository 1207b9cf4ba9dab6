"""Datasets, samplers, DataLoader, Digits and image transforms."""

import threading

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import np, random
from numblocks.array import ndarray
from numblocks.gluon import data as gdata
from numblocks.gluon.data.vision import Digits, transforms


def pairs(n=10):
    return gdata.ArrayDataset(np.arange(3 * n).reshape((n, 3)), np.arange(n))


def test_array_dataset():
    x, y = pairs()[4]
    assert x.shape == (3,) and isinstance(x, ndarray) and y == 4
    assert gdata.ArrayDataset([5, 6])[1] == 6
    with pytest.raises(AssertionError, match="array 0 has length 2, array 2 has 3"):
        gdata.ArrayDataset([1, 2], [1, 2], [1, 2, 3])


def test_transforms_of_datasets():
    data = gdata.SimpleDataset(list(range(10)))
    assert list(data.transform(lambda v: v * 2)) == list(range(0, 20, 2))
    assert list(data.filter(lambda v: v > 7)) == [8, 9]
    assert list(data.take(3)) == [0, 1, 2] and len(data.take(99)) == 10 and len(data.take(None)) == 10
    assert list(data.sample(gdata.SequentialSampler(2, start=4))) == [4, 5]
    assert [list(data.shard(3, k)) for k in range(3)] == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]
    paired = gdata.ArrayDataset([1, 2], [10, 20])
    assert list(paired.transform(lambda a, b: a + b)) == [11, 22]
    assert list(paired.transform_first(lambda a: -a)) == [(-1, 10), (-2, 20)]
    eager = paired.transform_first(lambda a: -a, lazy=False)
    assert isinstance(eager, gdata.SimpleDataset) and eager[1] == (-2, 20)
    for bad in (lambda: data.shard(2, 2), lambda: data.take(-1)):
        with pytest.raises(ValueError):
            bad()
    with pytest.raises(TypeError):
        data.sample([1, 2])


def test_lazy_transform_runs_each_time():
    calls = []
    lazy = gdata.SimpleDataset([1, 2]).transform(lambda v: calls.append(v) or v)
    assert calls == []
    lazy[0], lazy[0]
    assert calls == [1, 1]


@settings(deadline=None)
@given(st.integers(0, 12), st.integers(1, 5), st.sampled_from(["keep", "discard", "rollover"]))
def test_batch_sampler(length, size, last):
    sampler = gdata.BatchSampler(gdata.SequentialSampler(length), size, last)
    for round_ in range(3):
        promised, batches = len(sampler), list(sampler)
        assert len(batches) == promised
        if last != "keep":
            assert all(len(b) == size for b in batches)
        if last != "rollover":
            assert sum(batches, []) == list(range(length))[: sum(map(len, batches))]
        elif round_ == 1 and length % size:
            assert batches == [] or batches[0][0] == length - length % size


def test_random_sampler_follows_the_seed():
    random.seed(3)
    sampler = gdata.RandomSampler(20)
    first, second = list(sampler), list(sampler)
    assert sorted(first) == list(range(20)) and first != second
    random.seed(3)
    assert list(sampler) == first


def test_filter_sampler():
    assert list(gdata.FilterSampler(lambda e: e % 2, gdata.SimpleDataset([1, 2, 3]))) == [0, 2]


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_lists_of_arrays(workers):
    loader = gdata.DataLoader(pairs(), batch_size=4, num_workers=workers)
    batches = list(loader)
    assert len(loader) == 3 and [b[0].shape for b in batches] == [(4, 3), (4, 3), (2, 3)]
    assert all(isinstance(b, list) and all(isinstance(a, ndarray) for a in b) for b in batches)
    numpy.testing.assert_array_equal(
        numpy.concatenate([b[0].asnumpy() for b in batches]), numpy.arange(30).reshape(10, 3)
    )
    single = next(iter(gdata.DataLoader(gdata.ArrayDataset(np.zeros((4, 2))), 3, num_workers=workers)))
    assert single.shape == (3, 2)


def test_gathering_and_stacking_agree():
    whole = list(gdata.DataLoader(pairs(), 4))
    one_by_one = list(gdata.DataLoader(pairs().transform(lambda x, y: (x, y)), 4))
    for a, b in zip(whole, one_by_one, strict=True):
        for p, q in zip(a, b, strict=True):
            assert p.dtype == q.dtype and p.shape == q.shape and (p == q).all()


def test_changes_of_the_source_are_seen_both_ways():
    x, y = np.zeros((2, 2)), np.zeros(2)
    data = gdata.ArrayDataset(x, y)
    y[1] = 5
    assert data[1][1] == 5 and next(iter(gdata.DataLoader(data, 2)))[1].tolist() == [0, 5]


def test_shuffle_covers_everything_once():
    random.seed(0)
    loader = gdata.DataLoader(pairs(), 3, shuffle=True)
    orders = [numpy.concatenate([b[1].asnumpy() for b in loader]).tolist() for _ in range(2)]
    assert orders[0] != orders[1] and all(sorted(o) == list(range(10)) for o in orders)


def test_workers_keep_the_order_and_pass_exceptions_on():
    def slow(x, y):
        if y == 7:
            raise KeyError("seven")
        return x, y

    loader = gdata.DataLoader(pairs().transform(slow), 2, num_workers=3)
    seen = []
    with pytest.raises(KeyError, match="seven"):
        for batch in loader:
            seen += batch[1].asnumpy().tolist()
    assert seen == [0, 1, 2, 3, 4, 5]


def test_workers_end_when_iteration_does():
    for _ in gdata.DataLoader(pairs(), 1, num_workers=2):
        break
    for thread in threading.enumerate():
        if thread.name == "numblocks-data":
            thread.join(5)
            assert not thread.is_alive()


def test_worker_timeout():
    block = threading.Event()
    loader = gdata.DataLoader(
        gdata.SimpleDataset([1]).transform(lambda v: block.wait(5)), 1, num_workers=1, timeout=0.05
    )
    with pytest.raises(RuntimeError, match="timeout"):
        next(iter(loader))
    block.set()


def test_batchify_fn_and_batch_sampler():
    data = gdata.SimpleDataset([[1], [1, 2], [1, 2, 3]])
    loader = gdata.DataLoader(data, batch_sampler=[[0, 2], [1]], batchify_fn=lambda e: [len(v) for v in e])
    assert list(loader) == [[1, 3], [2]] and len(loader) == 2
    with pytest.raises(ValueError, match="one batch"):
        list(gdata.DataLoader(gdata.SimpleDataset([numpy.zeros(2), numpy.zeros(3)]), 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "batch_size must be specified unless batch_sampler is specified"),
        (
            {"batch_size": 2, "last_batch": "foo"},
            "last_batch must be one of 'keep', 'discard', or 'rollover'",
        ),
        (
            {"batch_size": 2, "shuffle": True, "sampler": [0]},
            "shuffle must not be specified if sampler is specified",
        ),
        ({"batch_size": 2, "batch_sampler": [[0]]}, "must not be specified"),
        ({"batch_size": 0}, "at least one"),
    ],
)
def test_arguments_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        gdata.DataLoader(pairs(), **arguments)


def test_dtypes_of_batches():
    def dtype(example):
        return gdata.batchify.stack([example, example]).dtype.name

    assert dtype(1.5) == "float32" and dtype(1) == "int64"
    assert dtype(numpy.float64(1)) == "float32" or dtype(numpy.zeros(2)) == "float64"
    assert dtype(numpy.int32(1)) == "int32"


def test_digits():
    train, test = Digits(train=True), Digits(train=False)
    assert len(train) == 1438 and len(test) == 359
    image, label = train[0]
    assert image.shape == (8, 8, 1) and image.dtype == numpy.uint8 and label.dtype == numpy.int32
    images, labels = next(iter(gdata.DataLoader(test, len(test))))
    assert images.shape == (359, 8, 8, 1) and labels.dtype == numpy.int32
    assert set(labels.tolist()) == set(range(10)) and images.asnumpy().max() == 255
    doubled = Digits(transform=lambda i, d: (i, d * 2))
    assert doubled[3][1] == 2 * train[3][1]


def test_no_image_is_in_both_parts():
    parts = [next(iter(gdata.DataLoader(Digits(train=t), 2000)))[0].asnumpy() for t in (True, False)]
    train, test = ({i.tobytes() for i in part} for part in parts)
    assert not train & test


def test_to_tensor_and_compose():
    image = np.arange(12).reshape((2, 3, 2)).astype("uint8")
    out = transforms.ToTensor()(image)
    numpy.testing.assert_allclose(out.asnumpy(), image.asnumpy().transpose(2, 0, 1) / 255, rtol=1e-6)
    assert transforms.ToTensor()(np.zeros((5, 2, 3, 1))).shape == (5, 1, 2, 3)
    net = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5, 0.25], 0.5)])
    expected = (image.asnumpy().transpose(2, 0, 1) / 255 - numpy.array([0.5, 0.25]).reshape(2, 1, 1)) / 0.5
    numpy.testing.assert_allclose(net(image).asnumpy(), expected, rtol=1e-5)
    assert transforms.Cast("float64")(image).dtype == numpy.float64
    with pytest.raises(ValueError, match="height, width, channels"):
        transforms.ToTensor()(np.zeros((2, 3)))
    with pytest.raises(TypeError, match="ToTensor"):
        transforms.Normalize()(image)


def test_resize():
    image = np.arange(16).reshape((4, 4, 1)).astype("uint8")
    assert transforms.Resize(4)(image) is image
    assert transforms.Resize((6, 2))(image).shape == (2, 6, 1)
    assert transforms.Resize(2, keep_ratio=True)(np.zeros((4, 8, 3))).shape == (2, 4, 3)
    halved = transforms.Resize(2)(np.arange(16).reshape((4, 4, 1)))
    # Half the size, centre on centre: each new pixel is the mean of the four it covers.
    numpy.testing.assert_allclose(halved.asnumpy()[..., 0], [[2.5, 4.5], [10.5, 12.5]])
    nearest = transforms.Resize(8, interpolation=0)(image)
    numpy.testing.assert_array_equal(nearest.asnumpy(), image.asnumpy().repeat(2, 0).repeat(2, 1))
    flat = transforms.Resize((5, 7))(np.full((3, 9, 2), 200).astype("uint8"))
    assert flat.dtype == numpy.uint8 and (flat == 200).all()


def test_transform_first_to_batches():
    data = Digits(train=False).transform_first(transforms.ToTensor()).take(5)
    x, y = next(iter(gdata.DataLoader(data, 5, num_workers=1)))
    assert (
        x.shape == (5, 1, 8, 8) and x.dtype == numpy.float32 and 0.9 < x.max() <= 1 and y.dtype == numpy.int32
    )
