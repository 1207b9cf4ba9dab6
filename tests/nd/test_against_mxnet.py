"""Answers of MXNet 1.9.1, kept in `nd_answers.npz`, and ours: also of the states that a call changes."""

import sys
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from nd_cases import ANSWERS, answers, calls

from numblocks import autograd, nd

STORED = dict(numpy.load(ANSWERS))
NAMES = sorted({name.rsplit(".", 1)[0] for name in STORED})


def test_every_case_has_answers():
    assert set(NAMES) == set(calls(nd))


@pytest.mark.parametrize("name", NAMES)
def test_same_as_mxnet(name):
    found = answers(nd, autograd, name)
    wanted = [STORED[f"{name}.{k}"] for k in range(len(found))]
    assert f"{name}.{len(found)}" not in STORED
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        loose = b.dtype == "float16" or "mp_lamb" in name  # MXNet's norms of float16 weights are coarse
        numpy.testing.assert_allclose(a, b, rtol=2e-3 if loose else 1e-4, atol=1e-4 if loose else 1e-5)
