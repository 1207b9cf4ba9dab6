"""`x[key]` and `x[key] = value` against NumPy for every kind of key, with gradients, views and errors."""

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import autograd, gluon, np

SHAPE = (3, 4, 5)
VALUES = numpy.arange(60.0).reshape(SHAPE)


@st.composite
def keys(draw):
    """An index of a (3, 4, 5) array: ints, slices, None, Ellipsis, integer arrays and masks together."""
    parts, axis, arrays = [], 0, draw(st.booleans())
    shape = draw(st.sampled_from([(), (2,), (2, 3)]))
    rng = numpy.random.default_rng(draw(st.integers(0, 999)))
    while axis < draw(st.integers(0, 3)):
        kind = draw(st.sampled_from(["int", "slice", "none", "array", "mask"] if arrays else ["int", "slice", "none"]))
        n = SHAPE[axis]
        if kind == "int":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            ends = st.none() | st.integers(-n - 1, n + 1)
            parts.append(slice(draw(ends), draw(ends), draw(st.sampled_from([None, 1, 2, -1, -2]))))
        elif kind == "array":
            parts.append(rng.integers(-n, n, shape))
        elif kind == "mask" and shape == (2,):
            mask = numpy.zeros(n, bool)
            mask[:2] = True
            parts.append(rng.permutation(mask))
        axis += kind in ("int", "slice", "array") or (kind == "mask" and shape == (2,))
        if kind == "none":
            parts.append(None)
            if len(parts) > 4:
                break
    if draw(st.booleans()) and len(parts) < 6:
        parts.insert(len(parts) if arrays else draw(st.integers(0, len(parts))), Ellipsis)  # masks fit their axis only
    return tuple(parts)


def ours(key):
    """The key with our arrays in place of NumPy's."""
    return tuple(np.array(k) if isinstance(k, numpy.ndarray) else k for k in key)


@settings(max_examples=150)
@given(keys())
def test_get(key):
    assert numpy.array_equal(np.array(VALUES)[ours(key)].asnumpy(), VALUES[key])
    assert numpy.array_equal(np.array(VALUES)[key].asnumpy(), VALUES[key])


@settings(max_examples=80)
@given(keys())
def test_set(key):
    for value in (7.0, -numpy.arange(1.0 + VALUES[key].size)[1:].reshape(VALUES[key].shape)):
        x, wanted = np.array(VALUES), VALUES.copy()
        x[ours(key)] = np.array(value) if isinstance(value, numpy.ndarray) else value
        wanted[key] = value
        assert numpy.array_equal(x.asnumpy(), wanted)


@settings(max_examples=80)
@given(keys())
def test_gradient(key):
    x = np.array(VALUES)
    x.attach_grad()
    with autograd.record():
        y = (x[ours(key)] ** 2).sum()
    wanted = numpy.zeros(SHAPE)
    numpy.add.at(wanted, key, 2 * VALUES[key])
    if y.size:
        y.backward()
        assert numpy.allclose(x.grad.asnumpy(), wanted)


class Part(gluon.HybridBlock):
    """A Block that takes a part of its input."""

    def __init__(self, key):
        super().__init__()
        self.key = key

    def forward(self, x):
        return x[self.key] * 2


@settings(max_examples=40)
@given(keys())
def test_hybridized(key):
    block = Part(ours(key))
    block.hybridize()
    assert numpy.array_equal(block(np.array(VALUES)).asnumpy(), 2 * VALUES[key])


def test_masks_of_several_axes():
    mask = VALUES % 3 == 0
    x = np.array(VALUES)
    assert numpy.array_equal(x[np.array(mask)].asnumpy(), VALUES[mask])
    assert numpy.array_equal(x[np.array(mask[:, :, 0])].asnumpy(), VALUES[mask[:, :, 0]])
    x[x > 30] = 0
    assert x.max().item() == 30
    x[x == 5] = np.array([1.5])
    assert x[0, 1, 0].item() == 1.5


def test_lists_ranges_and_float_indices():
    x = np.array(VALUES)
    assert numpy.array_equal(x[[2, 0]].asnumpy(), VALUES[[2, 0]])
    assert numpy.array_equal(x[range(2)].asnumpy(), VALUES[:2])
    assert numpy.array_equal(x[np.array([0, 2])].asnumpy(), VALUES[[0, 2]])  # float32 whole numbers, as in Gluon
    assert numpy.array_equal(x[[True, False, True]].asnumpy(), VALUES[[True, False, True]])
    assert x[numpy.int64(1), np.array(2, dtype="int64"), 3].item() == VALUES[1, 2, 3]


def test_views_write_through():
    x = np.array(VALUES)
    x[1:3][0][:] = 0
    assert x[1].asnumpy().max() == 0
    row = x[2]
    row += 1
    assert numpy.array_equal(x[2].asnumpy(), VALUES[2] + 1)


@pytest.mark.parametrize("key", [7, (0, 9), (0, 0, 0, 0), numpy.array([3]), "name", 1.5, ([0, 1], [0, 1, 2])])
def test_errors(key):
    x = np.array(VALUES)
    with pytest.raises((IndexError, ValueError)):
        x[key].asnumpy()


def test_setting_errors():
    x = np.array(VALUES)
    with pytest.raises(ValueError, match="broadcast"):
        x[0] = np.ones(7)
    with pytest.raises(IndexError):
        x[5] = 1.0


@pytest.mark.parametrize(
    "update", [lambda x: x.__setitem__(0, 1.0), lambda x: x.__iadd__(1), lambda x: np.exp(x, out=x)]
)
def test_in_place_is_refused_while_recording(update):
    x = np.array(VALUES)
    x.attach_grad()
    with autograd.record(), pytest.raises(RuntimeError, match="record"):
        update(x)


@pytest.mark.parametrize("symbol", ["+=", "-=", "*=", "/=", "//=", "%=", "**="])
@pytest.mark.parametrize("other", [2.0, numpy.array([1.0, 2.0, 4.0, 0.5, 3.0])])
def test_in_place_operators(symbol, other):
    x, wanted = np.array(VALUES + 1), VALUES + 1
    buffer = x._data
    space = {"x": x, "o": np.array(other) if isinstance(other, numpy.ndarray) else other}
    exec(f"x {symbol} o", space)
    theirs = {"x": wanted, "o": other}
    exec(f"x {symbol} o", theirs)
    assert space["x"] is x and x._data is buffer
    numpy.testing.assert_allclose(x.asnumpy(), theirs["x"], rtol=1e-6)


def test_integer_in_place_operators():
    x = np.array([6, 3], dtype="int64")
    x &= 2
    assert x.tolist() == [2, 2]
    x |= 4
    x ^= 1
    x <<= 2
    x >>= 1
    assert (
        x.tolist() == [14, 14]
        and (x << 1).tolist() == [28, 28]
        and (1 << np.array([1, 2], dtype="int64")).tolist() == [2, 4]
    )
    assert divmod(np.array([7.0]), 2.0)[0].item() == 3.0 and (2 ** np.array([3.0])).item() == 8.0
