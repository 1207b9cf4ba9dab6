"""`np` against NumPy: the same expressions (one a line in `expressions.txt`), evaluated with both."""

from pathlib import Path

import numpy
import pytest

from numblocks import np
from numblocks.array import ndarray

rng = numpy.random.default_rng(0)
DATA = {
    "a": rng.standard_normal((3, 4)), "b": rng.standard_normal((3, 4)), "c": rng.standard_normal((4, 5)),
    "t": rng.standard_normal((2, 3, 4)), "v": rng.standard_normal(6), "w": rng.uniform(0.5, 2.0, 6),
    "s": rng.standard_normal((4, 4)), "p": numpy.cov(rng.standard_normal((4, 30))), "i": rng.integers(0, 9, 8),
    "j": rng.integers(1, 6, 8), "m": rng.standard_normal((3, 4)) > 0, "n": numpy.array([1.0, numpy.nan, -2.0,
        numpy.inf, 3.0]),
    "q": numpy.array([[1.0, numpy.nan, 3.0], [numpy.nan, 5.0, 4.0]]), "u": numpy.sort(rng.uniform(0, 5, 7)),
    "z": rng.standard_normal((3, 2, 4, 5)), "k": numpy.array([3, 1, 2, 3, 1]), "h": rng.standard_normal((5, 3)),
}  # fmt: skip

CALLS = (Path(__file__).parent / "expressions.txt").read_text().splitlines()
RENAMED = {"msort": lambda x: numpy.sort(x, 0)}  # gone from NumPy 2, still in MXNet


class Theirs:
    """NumPy with the names that MXNet kept."""

    linalg = numpy.linalg

    def __getattr__(self, name):
        return RENAMED[name] if name in RENAMED else getattr(numpy, name)


@pytest.mark.parametrize("expression", CALLS)
def test_same_as_numpy(expression):
    wanted = eval(expression, {"np": Theirs(), **DATA})
    found = eval(expression, {"np": np, **{k: np.array(x) for k, x in DATA.items()}})
    if isinstance(wanted, (bool, tuple, int)) and not isinstance(wanted, numpy.bool_):
        assert found == wanted
        return
    assert isinstance(found, ndarray), type(found)
    wanted = numpy.asarray(wanted)
    assert found.shape == wanted.shape
    if wanted.dtype.kind in "iub" and found.dtype.kind != "f":
        assert (found.asnumpy() == wanted).all()
    else:
        tolerance = 1e-11 if found.dtype == "float64" else 1e-5
        numpy.testing.assert_allclose(found.asnumpy(), wanted, rtol=tolerance, atol=tolerance)
