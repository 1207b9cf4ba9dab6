"""SDMLLoss by its formula. Numbers are compared with MXNet's in layers/test_layers.py."""

import numpy
import pytest
from scipy.special import log_softmax, xlogy

from numblocks import autograd, gluon, np
from numblocks.testing import check_gradients, check_hybrid

draw = numpy.random.default_rng(2)
A, B = (draw.normal(size=(5, 3)).astype("float32") for _ in range(2))


def formula(a, b, s):
    n = len(a)
    target = numpy.full((n, n), s / (n - 1))
    numpy.fill_diagonal(target, 1 - s)
    logs = log_softmax(-((a[:, None] - b[None]) ** 2).sum(2), axis=1)
    return (xlogy(target, target) - target * logs).sum(1)


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("rows", [2, 5])
def test_formula(smoothing, rows):
    loss = gluon.loss.SDMLLoss(smoothing_parameter=smoothing)
    found = loss(np.array(A[:rows]), np.array(B[:rows]))
    numpy.testing.assert_allclose(found.asnumpy(), formula(A[:rows], B[:rows], smoothing), rtol=1e-4, atol=1e-5)


def test_weight_repr_hybrid_gradients():
    loss, double = gluon.loss.SDMLLoss(), gluon.loss.SDMLLoss(weight=2.0)
    a, b = np.array(A), np.array(B)
    assert repr(loss) == "SDMLLoss(batch_axis=0, w=1.0)"
    numpy.testing.assert_allclose(double(a, b).asnumpy(), 2 * loss(a, b).asnumpy(), rtol=1e-6)
    check_hybrid(loss, a, b)
    check_gradients(loss, a, b)


def test_it_brings_partners_together():
    net = gluon.nn.Dense(2)
    net.initialize("normal")
    loss_fn, trainer = gluon.loss.SDMLLoss(), None
    a, b = np.array(A), np.array(A + 0.01 * B)
    losses = []
    for _ in range(60):
        with autograd.record():
            loss = loss_fn(net(a), net(b))
        loss.backward()
        trainer = trainer or gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.1})
        trainer.step(len(A))
        losses.append(float(loss.mean()))
    assert losses[-1] < losses[0] / 2
    x, y = net(a).asnumpy(), net(b).asnumpy()
    assert (((x[:, None] - y[None]) ** 2).sum(2).argmin(1) == numpy.arange(5)).all()


@pytest.mark.parametrize("shapes", [((4, 3), (4, 2)), ((4, 3), (3, 3)), ((4,), (4,)), ((1, 3), (1, 3))])
def test_refusals(shapes):
    with pytest.raises(AssertionError, match="Row i of one belongs to row i of the other"):
        gluon.loss.SDMLLoss()(*(np.zeros(shape) for shape in shapes))
