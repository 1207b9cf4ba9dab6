"""Answers of MXNet 1.9.1, kept in `mxnet_answers.npz`, and ours; eager and compiled."""

import sys
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mxnet_cases import ANSWERS, calls, data, parts

from numblocks import autograd, nd
from numblocks.gluon import HybridBlock

STORED = dict(numpy.load(ANSWERS))
INPUTS = {k: nd.array(v) for k, v in data().items()}
NAMES = sorted({name.rsplit(".", 1)[0] for name in STORED})
HOST = {"prior", "prior_steps", "reshape", "reshape_reverse", "slice_like"}  # nothing to compile


@pytest.mark.parametrize("name", NAMES)
def test_same_as_mxnet(name):
    found = parts(calls(nd, INPUTS)[name]())
    wanted = [STORED[f"{name}.{k}"] for k in range(len(found))]
    assert f"{name}.{len(found)}" not in STORED
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape
        numpy.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


class Call(HybridBlock):
    """A Block that makes one of the calls."""

    def __init__(self, name):
        super().__init__()
        self.call_name = name

    def forward(self, *arrays):
        y = calls(nd, dict(zip(INPUTS, arrays, strict=True)))[self.call_name]()
        return list(y) if isinstance(y, (list, tuple)) else [y]


@pytest.mark.parametrize("name", [n for n in NAMES if n not in HOST])
def test_compiled_is_eager(name):
    block = Call(name)
    results = []
    for compiled in (False, True):
        if compiled:
            block.hybridize()
        inputs = [nd.array(v) for v in data().values()]
        for x in inputs:
            x.attach_grad()
        with autograd.record():
            found = block(*inputs)
            smooth = [y for y in found if y._node is not None]
            loss = sum((y * y).sum() for y in smooth) if smooth else None
        if loss is not None:
            loss.backward()
        results.append([y.asnumpy() for y in found] + [x.grad.asnumpy() for x in inputs])
    for a, b in zip(*results, strict=True):
        numpy.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * max(1.0, numpy.abs(a).max(initial=0.0)))
