"""Arrays from bytes."""

import pytest

from numblocks import nd
from numblocks.errors import MXNetError


def test_load_from_bytes(tmp_path):
    path = tmp_path / "x.params"
    nd.save(str(path), {"a": nd.ones((2,)), "b": nd.zeros((1, 3))})
    found = nd.load_frombuffer(path.read_bytes())
    assert list(found) == ["a", "b"] and found["a"].asnumpy().tolist() == [1, 1] and type(found["b"]) is nd.NDArray
    with pytest.raises(MXNetError):
        nd.load_frombuffer(b"no arrays")
