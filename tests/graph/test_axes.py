"""Arrays of many axes that do not merge: eager and compiled."""

import numpy
import pytest

from numblocks import autograd, np, npx, random
from numblocks.gluon import HybridBlock
from numblocks.testing.opcheck import kernels_always


class Run(HybridBlock):
    """A Block around a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *xs):
        return self.function(*xs)


CASES = {
    "numpy": lambda x, y: np.tanh(x + y) * 2,
    "no numpy": lambda x, y: npx.gelu(x + y) - npx.erf(y),
    "sum": lambda x, y: (x * y).sum(axis=(0, 2, 4)),
    "sum of one axis": lambda x, y: np.exp(x - y).sum(axis=5),
    "transposed": lambda x, y: (x * y).transpose(5, 0, 4, 1, 3, 2) + y,
    "random": lambda x, y: x * y + np.random.uniform(size=(2,) * 6),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("large", [False, True])
def test_six_axes(name, large):
    rng = numpy.random.default_rng(0)
    xs = [np.array(rng.standard_normal(s).astype("f4")) for s in ((2, 1, 2, 1, 2, 1), (1, 2, 1, 2, 1, 2))]
    block, found = Run(CASES[name]), []
    for active in (False, True):
        block.hybridize(active)
        random.seed(1)
        for x in xs:
            x.attach_grad()
        if large:
            with kernels_always(), autograd.record():
                y = block(*xs)
                loss = (y * y).sum()
        else:
            with autograd.record():
                y = block(*xs)
                loss = (y * y).sum()
        loss.backward()
        found.append([y.asnumpy(), *(x.grad.asnumpy() for x in xs)])
    for a, b in zip(*found, strict=True):
        numpy.testing.assert_allclose(b, a, rtol=2e-5, atol=1e-5)
