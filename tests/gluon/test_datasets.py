"""Datasets of images, each read from tiny files in its real format."""

import gzip
import io
import struct
import sys
import tarfile

import numpy
import pytest

from numblocks import np
from numblocks.gluon import download
from numblocks.gluon.data import DataLoader
from numblocks.gluon.data.vision import (
    CIFAR10,
    CIFAR100,
    MNIST,
    Digits,
    FashionMNIST,
    ImageFolderDataset,
    cifar,
    mnist,
)  # fmt: skip

rng = numpy.random.default_rng(0)


def idx(a):
    return bytes([0, 0, 8, a.ndim]) + struct.pack(f">{a.ndim}I", *a.shape) + a.tobytes()


@pytest.mark.parametrize("pack", [True, False])
@pytest.mark.parametrize("klass", [MNIST, FashionMNIST])
def test_mnist(tmp_path, klass, pack):
    images, labels = rng.integers(0, 256, (5, 28, 28), "uint8"), numpy.array([3, 1, 4, 1, 5], "uint8")
    for name, a in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)):
        (tmp_path / (name + ".gz" * pack)).write_bytes(gzip.compress(idx(a)) if pack else idx(a))
    data = klass(root=str(tmp_path))
    image, label = data[2]
    assert image.shape == (28, 28, 1) and image.dtype == numpy.uint8 and isinstance(image, np.ndarray)
    assert label == 4 and label.dtype == numpy.int32 and len(data) == 5
    numpy.testing.assert_array_equal(image.asnumpy()[..., 0], images[2])
    x, y = next(iter(DataLoader(data, batch_size=5)))
    numpy.testing.assert_array_equal(x.asnumpy()[..., 0], images)
    assert y.asnumpy().tolist() == labels.tolist()
    assert klass(str(tmp_path), transform=lambda im, lab: lab + 1)[0] == 4


def test_idx_types_and_damage(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(bytes([0, 0, 0x0D, 1]) + struct.pack(">I2f", 2, 1.5, -2.0))
    assert mnist.read_idx(path).tolist() == [1.5, -2.0]
    cut = path.read_bytes()[:-1]
    for damaged, words in ((b"no idx file", "begins with"), (cut, "promises shape"), (b"", "begins with")):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=words):
            mnist.read_idx(path)


def test_more_images_than_labels(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(numpy.zeros((2, 28, 28), "uint8")))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(numpy.zeros(3, "uint8")))
    with pytest.raises(ValueError, match="2 images and 3 labels"):
        MNIST(str(tmp_path), train=False)


def records(n, labels):
    pixels = rng.integers(0, 256, (n, 3, 32, 32), "uint8")
    rows = [bytes(label) + p.tobytes() for label, p in zip(labels, pixels, strict=True)]
    return b"".join(rows), pixels.transpose(0, 2, 3, 1)


def test_cifar10(tmp_path):
    expected = []
    for k in range(1, 6):
        raw, images = records(2, [[k], [k + 1]])
        (tmp_path / f"data_batch_{k}.bin").write_bytes(raw)
        expected.append(images)
    data = CIFAR10(str(tmp_path))
    assert len(data) == 10 and [int(label) for _, label in data] == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6]
    numpy.testing.assert_array_equal(numpy.stack([im.asnumpy() for im, _ in data]), numpy.concatenate(expected))
    (tmp_path / "test_batch.bin").write_bytes(b"12")
    with pytest.raises(ValueError, match="records of 3073 bytes"):
        CIFAR10(str(tmp_path), train=False)


def test_cifar100_labels(tmp_path):
    (tmp_path / "cifar-100-binary").mkdir()  # as the archive unpacks
    (tmp_path / "cifar-100-binary" / "test.bin").write_bytes(records(2, [[7, 70], [8, 80]])[0])
    for fine, labels in ((False, [7, 8]), (True, [70, 80])):
        assert [int(y) for _, y in CIFAR100(str(tmp_path), fine_label=fine, train=False)] == labels


def archive(path, files):
    with tarfile.open(path, "w:gz") as tar:
        for name, raw in files.items():
            info = tarfile.TarInfo(f"../{name}")  # a name that would leave the folder
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))


def test_cifar_archive(tmp_path, monkeypatch):
    files = {"train.bin": records(1, [[0, 5]])[0], "test.bin": records(1, [[1, 6]])[0]}
    archive(tmp_path / "cifar-100-binary.tar.gz", files)
    with pytest.raises(OSError, match="another SHA-1"):
        CIFAR100(str(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["cifar-100-binary.tar.gz"]
    monkeypatch.setattr(cifar, "checked", lambda path, sha1: path)
    assert CIFAR100(str(tmp_path), fine_label=True)[0][1] == 5
    assert not (tmp_path.parent / "train.bin").exists()


def test_offline(tmp_path, monkeypatch):
    def refuse(url, path, **kwargs):
        raise OSError(f"download: {url}: no network.")

    monkeypatch.setattr(download, "download", refuse)
    for klass in (MNIST, FashionMNIST, CIFAR10, CIFAR100):
        with pytest.raises(OSError, match="copy the dataset's files to"):
            klass(str(tmp_path))


def test_digits_are_as_before():
    assert len(Digits()) == 1438 and len(Digits(train=False)) == 359
    image, label = Digits()[0]
    assert image.shape == (8, 8, 1) and label.dtype == numpy.int32


def test_image_folder(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    for name, colour in (("cat", (255, 0, 0)), ("ant", (0, 9, 0))):
        (tmp_path / name).mkdir()
        Image.new("RGB", (6, 4), colour).save(tmp_path / name / "one.png")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "cat" / "a.gif").write_text("x")
    with pytest.warns(UserWarning, match="is ignored") as told:
        data = ImageFolderDataset(str(tmp_path))
    assert len(told) == 2 and data.synsets == ["ant", "cat"] and [label for _, label in data.items] == [0, 1]
    image, label = data[1]
    assert image.shape == (4, 6, 3) and image.asnumpy()[0, 0].tolist() == [255, 0, 0] and label == 1
    (tmp_path / "ant" / "one.png").write_text("no picture")
    with pytest.raises(ValueError, match="could not be read"):
        data[0]


def test_without_pillow(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"numblocks\[image\]"):
        ImageFolderDataset(str(tmp_path))[0]
