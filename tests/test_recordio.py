"""Record files: the bytes of the format, any content, keys, damage, pickling; batches that pad."""

import pickle
import struct

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import np, recordio
from numblocks.gluon.data import DataLoader, RecordFileDataset, batchify
from numblocks.gluon.data.vision import ImageRecordDataset

MAGIC = struct.pack("<I", 0xCED7230A)


def write(path, records):
    with recordio.MXRecordIO(path, "w") as file:
        for r in records:
            file.write(r)


def test_bytes_of_the_format(tmp_path):
    write(tmp_path / "a", [b"abcde", b"1234" + MAGIC + b"5", b"x" + MAGIC])
    assert (tmp_path / "a").read_bytes() == (
        MAGIC + struct.pack("<I", 5) + b"abcde\0\0\0"
        + MAGIC + struct.pack("<I", 1 << 29 | 4) + b"1234" + MAGIC + struct.pack("<I", 3 << 29 | 1) + b"5\0\0\0"
        + MAGIC + struct.pack("<I", 5) + b"x" + MAGIC + b"\0\0\0"
    )  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.sampled_from([MAGIC, b"a", b"bcd", b"", b"1234"]), max_size=6).map(b"".join), max_size=5))
def test_any_content(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("rec") / "a.rec"
    write(path, records)
    file = recordio.MXRecordIO(path, "r")
    assert [file.read() for _ in records] == records and file.read() is None
    assert list(RecordFileDataset(path)) == records


def test_keys(tmp_path):
    paths = tmp_path / "a.idx", tmp_path / "a.rec"
    with recordio.MXIndexedRecordIO(*paths, "w") as file:
        for k in (5, 3, 9):
            file.write_idx(k, b"r%d" % k)
    file = recordio.MXIndexedRecordIO(*paths, "r")
    assert file.keys == [5, 3, 9] and file.read_idx(3) == b"r3" and file.read() == b"r9"
    assert pickle.loads(pickle.dumps(file)).read_idx(9) == b"r9"
    data = RecordFileDataset(paths[1])
    assert list(data) == [b"r5", b"r3", b"r9"] and pickle.loads(pickle.dumps(data))[1] == b"r3"
    with pytest.raises(KeyError):
        file.read_idx(4)


def test_damage_and_misuse(tmp_path):
    path = tmp_path / "a"
    write(path, [b"abcdefgh"])
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match="cut off"):
        recordio.MXRecordIO(path, "r").read()
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="no record begins"):
        recordio.MXRecordIO(path, "r").read()
    with pytest.raises(ValueError, match="'r' or 'w'"):
        recordio.MXRecordIO(path, "a")
    file = recordio.MXRecordIO(path, "w")
    with pytest.raises(RuntimeError, match="Open it with 'r'"):
        file.read()
    with pytest.raises(TypeError, match="being written"):
        pickle.dumps(file)
    file.close()
    with pytest.raises(RuntimeError, match="closed"):
        file.write(b"")
    with pytest.raises(ValueError, match="A header has 24"):
        recordio.unpack(b"short")


def test_headers():
    assert recordio.pack(recordio.IRHeader(0, 2.0, 5, 6), b"z") == struct.pack("<IfQQ", 0, 2.0, 5, 6) + b"z"
    header, rest = recordio.unpack(recordio.pack((0, [1.0, 2.0, 3.0], 5, 6), b"z"))
    assert header.flag == 3 and header.label.tolist() == [1, 2, 3] and header.label.dtype == "float32" and rest == b"z"


def test_images(tmp_path):
    pytest.importorskip("PIL")
    pixels = numpy.random.default_rng(0).integers(0, 256, (4, 6, 3)).astype("uint8")
    write(tmp_path / "a.rec", [recordio.pack_img((0, k, k, 0), pixels + k, img_fmt=".png") for k in range(3)])
    data = ImageRecordDataset(tmp_path / "a.rec")
    for k, (image, label) in enumerate(data):
        numpy.testing.assert_array_equal(image.asnumpy(), pixels + k)
        assert label == k
    assert ImageRecordDataset(tmp_path / "a.rec", flag=0)[0][0].shape == (4, 6, 1)
    x, _ = next(iter(DataLoader(data, 3, num_workers=2)))
    assert x.shape == (3, 4, 6, 3)
    header, found = recordio.unpack_img(recordio.pack_img((0, 1, 1, 0), numpy.full((8, 8, 3), 77, "uint8")))
    assert abs(found.astype(int) - 77).max() <= 2


def test_pad_and_group():
    batch, lengths = batchify.Pad(ret_length=True, round_to=4)([np.ones((3, 2)), np.ones((1, 2))])
    assert batch.shape == (2, 4, 2) and lengths.tolist() == [3, 1] and lengths.dtype == "int32"
    assert batch.asnumpy()[1].tolist() == [[1, 1], [0, 0], [0, 0], [0, 0]]
    assert batchify.Pad()([[1.5], [2.5, 3.5]]).dtype == "float32"
    assert batchify.Pad(dtype="int8")([[1], [2, 3]]).dtype == "int8"
    tokens, label = batchify.Group([batchify.Pad(val=-1), batchify.Stack()])([([1, 2], 0), ([3], 1)])
    assert tokens.tolist() == [[1, 2], [3, -1]] and label.tolist() == [0, 1]
    with pytest.raises(ValueError, match="there are 2 functions"):
        batchify.Group(batchify.Pad(), batchify.Stack())([([1],)])
    with pytest.raises(ValueError, match="equally many axes"):
        batchify.Pad()([numpy.zeros(2), numpy.zeros((2, 2))])
