"""Control flow, eager and hybridized; functions that MXNet's nd does not have."""

import numpy
import pytest

from numblocks import autograd, np, npx
from numblocks.gluon import HybridBlock


class Run(HybridBlock):
    """A Block around a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *xs):
        return self.function(*xs)


def both(function, *xs):
    """Answers and gradients, eager and hybridized, which must agree; the eager ones."""
    block, results = Run(function), []
    for compiled in (False, True):
        if compiled:
            block.hybridize()
        for x in xs:
            x.attach_grad()
        with autograd.record():
            y = block(*xs)
            value = (y * y).sum()
        value.backward()
        results.append([y.asnumpy(), *(x.grad.asnumpy() for x in xs)])
    for a, b in zip(*results, strict=True):
        numpy.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    return results[0]


def test_foreach_is_a_loop_over_the_first_axis():
    x, s = np.arange(6).reshape(3, 2), np.ones((2,))
    y, *_ = both(lambda x, s: npx.foreach(lambda e, s: (e * s, e + s), x, s)[0], x, s)
    wanted, state = [], numpy.ones(2)
    for e in x.asnumpy():
        wanted.append(e * state)
        state = e + state
    numpy.testing.assert_allclose(y, wanted)


def test_while_loop_stops_and_pads():
    def loop(x):
        outputs, _ = npx.while_loop(lambda i, s: i < 3, lambda i, s: (s * i, [i + 1, s + x]), [np.zeros((1,)), x], 5)
        return outputs

    y, *_ = both(loop, np.array([2.0]))
    numpy.testing.assert_allclose(y.ravel(), [0, 4, 12, 0, 0])
    with pytest.raises(ValueError, match="max_iterations"):
        npx.while_loop(lambda i: i < 3, lambda i: (i, [i + 1]), [np.zeros((1,))])


def test_cond_chooses():
    for value in (1.0, -1.0):
        y, *_ = both(lambda x: npx.cond(x.sum() > 0, lambda: x * 2, lambda: x * 3), np.array([value, 0.5 * value]))
        numpy.testing.assert_allclose(y, numpy.array([value, 0.5 * value]) * (2 if value > 0 else 3))


def test_index_update_and_add():
    a, at, v = np.zeros((3, 2)), np.array([[0, 2], [1, 0]], dtype="int64"), np.array([5.0, 7.0])
    assert npx.index_update(a + 1, at, v).tolist() == [[1, 5], [1, 1], [7, 1]]
    assert npx.index_add(a + 1, at, v).tolist() == [[1, 6], [1, 1], [8, 1]]
    both(lambda a, v: npx.index_update(a, at, v), a + 1, v)


def test_masked_softmax():
    x, mask = np.array([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]), np.array([[1, 0, 1], [0, 0, 0]])
    y, *_ = both(lambda x: npx.masked_softmax(x, mask), x)
    e = numpy.exp([1, 3])
    numpy.testing.assert_allclose(y, [[e[0] / e.sum(), 0, e[1] / e.sum()], [0, 0, 0]], rtol=1e-6)
    assert (npx.masked_log_softmax(x, mask).asnumpy()[mask.asnumpy() == 0] == -numpy.inf).all()


def test_reshape_codes():
    x = np.zeros((8, 3, 3, 3, 4, 4))
    for codes, shape in [((-2, -2, 2, -1), (8, 3, 2, 72)), ((-5, -4), (24, 3, 3, 4, 4)), ((-6, 2, -1, -4), (2, 4, 3,
        3, 3, 4, 4))]:
        assert npx.reshape(x, codes).shape == shape
    assert npx.reshape(np.zeros((8, 1, 2)), (-2, -3, -1)).shape == (8, 2)
    assert npx.reshape(np.zeros((8, 3, 3)), (-1, 3), reverse=True).shape == (24, 3)


def test_what_needs_values_is_refused_in_a_trace():
    x = np.array([1.0, 0.0, 2.0])
    assert npx.boolean_mask(x, x).tolist() == [1, 2] and npx.nonzero(x).tolist() == [[0], [2]]
    block = Run(lambda x: npx.boolean_mask(x, x))
    block.hybridize()
    with pytest.raises(RuntimeError, match="depends on values"):
        block(x)


def test_box_encode_undoes_decode():
    rng = numpy.random.default_rng(0)
    low = rng.uniform(0, 0.5, (1, 6, 2))
    anchors = np.array(numpy.concatenate([low, low + rng.uniform(0.1, 0.5, (1, 6, 2))], 2), dtype="float32")
    offsets = np.array(rng.standard_normal((1, 6, 4)) * 0.3, dtype="float32")
    boxes = npx.box_decode(offsets, anchors, 0.1, 0.1, 0.2, 0.2, format="corner")
    again, mask = npx.box_encode(np.ones((1, 6)), np.arange(6).reshape(1, 6), anchors, boxes)
    numpy.testing.assert_allclose(again.asnumpy(), offsets.asnumpy(), atol=1e-4)
    assert mask.asnumpy().all()
