"""`mx.test_utils.get_mnist()` gives NumPy arrays from the files of the dataset."""

import struct

import numpy

import numblocks as mx


def idx(a):
    return struct.pack(f">HBB{a.ndim}I", 0, 8, a.ndim, *a.shape) + a.tobytes()


def test_get_mnist(tmp_path):
    images = numpy.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype("uint8")
    for part, n in (("train", 5), ("t10k", 2)):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(images[:n]))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(numpy.arange(n, dtype="uint8")))
    found = mx.test_utils.get_mnist(tmp_path)
    assert found["train_data"].shape == (5, 1, 28, 28) and found["train_data"].dtype == "float32"
    numpy.testing.assert_allclose(found["test_data"][:, 0] * 255, images[:2], rtol=1e-6)
    assert found["train_label"].tolist() == [0, 1, 2, 3, 4] and found["test_label"].tolist() == [0, 1]
    assert mx.test_utils.download is mx.gluon.utils.download
