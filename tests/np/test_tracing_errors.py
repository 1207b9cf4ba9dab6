"""What depends on values is refused while tracing, by name; what does not, traces."""

import numpy
import pytest

from numblocks import gluon, np
from numblocks.errors import TraceError

DEPENDS = {
    "unique": lambda x: np.unique(x), "nonzero": lambda x: np.nonzero(x)[0], "argwhere": lambda x: np.argwhere(x),
    "mask": lambda x: x[x > 0], "histogram": lambda x: np.histogram(x)[0], "isin": lambda x: np.isin(x, [1.0]),
    "roots": lambda x: np.roots(x[0]), "extract": lambda x: np.extract(x > 0, x),
    "bincount": lambda x: np.bincount(x.astype("int64")), "asnumpy": lambda x: np.array(x.asnumpy()),
    "polyfit": lambda x: np.polyfit(x[0], x[1], 1), "nanmedian": lambda x: np.nanmedian(x),
    "union1d": lambda x: np.union1d(x, x),
}  # fmt: skip
STATIC = {
    "eig": lambda x: np.linalg.eig(np.matmul(x.T, x) + np.diag(np.array([1.0, 2.0, 4.0])))[0],
    "complete qr": lambda x: np.linalg.qr(x.T, mode="complete")[0],
    "full svd": lambda x: np.linalg.svd(x, full_matrices=True)[1],
    "argsort": lambda x: np.argsort(x), "searchsorted": lambda x: np.searchsorted(np.sort(x[0]), x[1]),
    "lexsort": lambda x: np.lexsort((x[0], x[1])),
    "count_nonzero": lambda x: np.count_nonzero(x), "matrix_rank": lambda x: np.linalg.matrix_rank(x),
    "digitize": lambda x: np.digitize(x, [0.0, 1.0]),
    "isclose": lambda x: np.isclose(x, 1.0), "nanargmax": lambda x: np.nanargmax(x),
    "select": lambda x: np.select([x > 0], [x], 2.0),
    "nan_to_num": lambda x: np.nan_to_num(x), "unwrap": lambda x: np.unwrap(x), "tril": lambda x: np.tril(x),
    "modf": lambda x: np.modf(x)[0],
    "bitwise": lambda x: (x > 0) ^ (x > 1), "invert": lambda x: np.invert((x * 3).astype("int32")),
    "triu_indices": lambda x: x[np.triu_indices_from(x)],
}  # fmt: skip


class Call(gluon.HybridBlock):
    """A Block whose forward is one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


X = numpy.array([[0.3, -1.2, 2.0], [1.5, 0.4, -0.7], [0.1, 0.9, 1.1]])


@pytest.mark.parametrize("name", DEPENDS)
def test_refused(name):
    block = Call(DEPENDS[name])
    block.hybridize()
    with pytest.raises(TraceError):
        block(np.array(X))


@pytest.mark.parametrize("name", STATIC)
def test_traces(name):
    block = Call(STATIC[name])
    eager = block(np.array(X))
    block.hybridize()
    for _ in range(2):
        found = block(np.array(X))
        assert found.dtype == eager.dtype and numpy.allclose(found.asnumpy(), eager.asnumpy())
