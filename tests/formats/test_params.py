"""`.params`: files that MXNet 1.9.1 wrote, every version, and files that are not what they seem."""

import os
import struct
from pathlib import Path

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numblocks.errors import MXNetError
from numblocks.formats import params

DATA = Path(__file__).parent.parent / "data" / "params"
SAMPLES = sorted(DATA.glob("*.params"))
DTYPES = "float32 float64 float16 uint8 int32 int8 int64 bool int16 uint16 uint32 uint64".split()

arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
)
files = st.lists(st.tuples(st.text(max_size=8), arrays), max_size=4)


def listing(*arrays, names=()):
    """A file of hand-made arrays."""
    head = struct.pack("<3Q", 0x112, 0, len(arrays))
    tail = b"".join(struct.pack("<Q", len(n)) + n for n in names)
    return head + b"".join(arrays) + struct.pack("<Q", len(names)) + tail


def shape(*dims):
    return struct.pack(f"<i{len(dims)}q", len(dims), *dims)


CPU = struct.pack("<ii", 1, 0)
I32 = struct.Struct("<i").pack
U32 = struct.Struct("<I").pack


def test_dense_v2():
    names, (w, i) = params.read(DATA / "dense_v2.params")
    assert names == ["w", "i"]
    assert w.dtype == numpy.float32 and w.tolist() == [[1, 2, 3]]
    assert i.dtype == numpy.int32 and i.tolist() == [1, 2]
    w[0, 0] = 5  # the arrays are ours to change


def test_row_sparse_v2():
    names, (r,) = params.read(DATA / "row_sparse_v2.params")
    assert names == ["r"]
    expected = numpy.zeros((5, 3), "float32")
    expected[[1, 3]] = 1
    numpy.testing.assert_array_equal(r, expected)


def test_scalar_v3():
    names, (w,) = params.read(DATA / "scalar_v3.params")
    assert names == ["w"] and w.shape == () and w == 3.0


def test_csr():
    values = numpy.array([1, 2, 3], "<f4")
    data = listing(
        U32(0xF993FAC9)
        + I32(2)
        + shape(3)
        + shape(3, 4)
        + CPU
        + I32(0)
        + I32(6)
        + shape(4)
        + I32(6)
        + shape(3)
        + values.tobytes()
        + numpy.array([0, 1, 1, 3], "<i8").tobytes()
        + numpy.array([2, 0, 3], "<i8").tobytes()
    )
    names, (dense,) = params.read(data)
    assert names == []
    assert dense.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [2, 0, 0, 3]]


def test_oldest_versions():
    values = numpy.arange(6, dtype="<f8").reshape(2, 3)
    v1 = U32(0xF993FAC8) + shape(2, 3) + CPU + I32(1) + values.tobytes()
    v0 = U32(2) + struct.pack("<2I", 2, 3) + CPU + I32(1) + values.tobytes()
    names, found = params.read(listing(v1, v0, names=(b"a", b"b")))
    assert names == ["a", "b"]
    for array in found:
        numpy.testing.assert_array_equal(array, values)


def test_unknown_shapes_are_empty():
    unknown = [
        U32(0xF993FACA) + I32(0) + I32(-1),
        U32(0xF993FACA) + I32(0) + shape(3, -1),
        U32(0xF993FAC9) + I32(0) + shape(),
        U32(0xF993FAC8) + shape(),
        U32(0),
    ]
    _, found = params.read(listing(*unknown))
    assert [a.shape for a in found] == [(0,)] * 5


def test_bfloat16_is_read_as_float32():
    exact = numpy.array([1.0, -2.5, 0.15625], "<f4")
    raw = (exact.view("<u4") >> 16).astype("<u2").tobytes()
    _, (found,) = params.read(listing(U32(0xF993FACA) + I32(0) + shape(3) + CPU + I32(12) + raw))
    assert found.dtype == numpy.float32 and found.tolist() == exact.tolist()


def test_writes_what_mxnet_wrote():
    path = DATA / "scalar_v3.params"
    assert params.dump(*params.read(path)) == path.read_bytes()


@settings(deadline=None)
@given(files)
def test_round_trip(content):
    names, values = [n for n, _ in content], [a for _, a in content]
    found_names, found = params.read(params.dump(names, values))
    assert found_names == names
    for a, b in zip(values, found, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        assert b.flags.owndata or b.base is not None
        assert b.flags.writeable


@settings(deadline=None)
@given(files.filter(len), st.data())
def test_cut_short_anywhere(content, data):
    whole = params.dump([n for n, _ in content], [a for _, a in content])
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(MXNetError, match="byte"):
        params.read(whole[:cut])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_every_cut_of_a_real_file(path):
    whole = path.read_bytes()
    for cut in range(len(whole)):
        with pytest.raises(MXNetError):
            params.read(whole[:cut])


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_damage_is_noticed_or_harmless(path, data):
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        params.read(raw)
    except MXNetError:
        pass


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_anything_else_is_refused(garbage):
    if garbage[:8] == (0x112).to_bytes(8, "little"):
        garbage = b"x" + garbage
    with pytest.raises(MXNetError):
        params.read(garbage)


def test_huge_sizes_are_refused_before_memory_is_taken():
    for dims in [(1 << 62,), (1 << 40, 1 << 40), (0, 1 << 62)]:
        with pytest.raises(MXNetError):
            params.read(listing(U32(0xF993FACA) + I32(0) + shape(*dims) + CPU + I32(0)))
    with pytest.raises(MXNetError, match="list of"):
        params.read(struct.pack("<3Q", 0x112, 0, 1 << 60))


@pytest.mark.parametrize("rows", [[0, 5], [-1, 0]])
def test_row_numbers_out_of_range(rows):
    data = listing(
        U32(0xF993FAC9)
        + I32(1)
        + shape(2, 1)
        + shape(5, 1)
        + CPU
        + I32(0)
        + I32(6)
        + shape(2)
        + numpy.ones(2, "<f4").tobytes()
        + numpy.array(rows, "<i8").tobytes()
    )
    with pytest.raises(MXNetError, match="row numbers"):
        params.read(data)


def test_message_names_file_part_and_byte(tmp_path):
    path = tmp_path / "net.params"
    whole = params.dump(["w"], [numpy.zeros((4, 4), "float32")])
    path.write_bytes(whole[:80])
    expected = r"net\.params', array 0 of 1, byte \d+: .*\(4, 4\), float32 needs 64 bytes"
    with pytest.raises(MXNetError, match=expected):
        params.read(path)


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match="nope.params"):
        params.read(tmp_path / "nope.params")
    with pytest.raises(ValueError, match="cannot be opened"):
        params.read(tmp_path)


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.params"
    params.write(path, ["w"], [numpy.ones(3)])
    before = path.read_bytes()
    with pytest.raises(TypeError, match="complex"):
        params.write(path, ["w", "z"], [numpy.zeros(3), numpy.ones(2, complex)])
    with pytest.raises(ValueError, match="2 names for 1"):
        params.write(path, ["w", "z"], [numpy.zeros(3)])
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.params"]


def test_other_byte_order_and_strides_are_written_right(tmp_path):
    path = tmp_path / "a.params"
    big = numpy.arange(6, dtype=">f4").reshape(2, 3).T
    params.write(path, [], [big])
    names, (found,) = params.read(path)
    assert names == [] and found.dtype == numpy.float32
    numpy.testing.assert_array_equal(found, big)
