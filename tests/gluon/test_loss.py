"""Losses against NumPy and SciPy, and what they say about bad labels."""

import numpy
import pytest
from scipy.special import expit, log_softmax

from numblocks import autograd, gluon, np, npx
from numblocks.gluon import loss as gloss

RNG = numpy.random.default_rng(1)
P = RNG.normal(size=(4, 3)).astype("float32")
T = RNG.normal(size=(4, 3)).astype("float32")
SIGNS = numpy.sign(T).astype("float32")
BITS = (SIGNS + 1) / 2
D = numpy.exp(log_softmax(T, -1)).astype("float32")
LSM = log_softmax(P, -1)
BCE = -(BITS * numpy.log(expit(P)) + (1 - BITS) * numpy.log(1 - expit(P)))
DIFF = numpy.abs(P - T)


@pytest.mark.parametrize(
    "make, inputs, expected",
    [
        (lambda: gloss.L2Loss(), (P, T), (0.5 * (P - T) ** 2).mean(1)),
        (lambda: gloss.L2Loss(weight=3), (P, T), (1.5 * (P - T) ** 2).mean(1)),
        (lambda: gloss.L2Loss(), (P, T.reshape(12)), (0.5 * (P - T) ** 2).mean(1)),
        (lambda: gloss.L1Loss(), (P, T), DIFF.mean(1)),
        (lambda: gloss.L1Loss(batch_axis=1), (P, T), DIFF.mean(0)),
        (lambda: gloss.HuberLoss(0.5), (P, T), numpy.where(DIFF > 0.5, DIFF - 0.25, DIFF**2).mean(1)),
        (
            lambda: gloss.SoftmaxCrossEntropyLoss(),
            (P, numpy.array([0, 2, 1, 1])),
            -LSM[range(4), [0, 2, 1, 1]],
        ),
        (
            lambda: gloss.SoftmaxCELoss(),
            (P, numpy.array([[0.0], [2], [1], [1]])),
            -LSM[range(4), [0, 2, 1, 1]],
        ),
        (
            lambda: gloss.CELoss(from_logits=True),
            (LSM, numpy.array([0, 2, 1, 1])),
            -LSM[range(4), [0, 2, 1, 1]],
        ),
        (lambda: gloss.SoftmaxCELoss(sparse_label=False), (P, D), -(LSM * D).sum(1)),
        (lambda: gloss.SoftmaxCELoss(axis=0), (P, numpy.array([0, 3, 1])), None),
        (lambda: gloss.SigmoidBCELoss(), (P, BITS), BCE.mean(1)),
        (lambda: gloss.SigmoidBCELoss(from_sigmoid=True), (expit(P), BITS), BCE.mean(1)),
        (lambda: gloss.LogisticLoss(), (P, SIGNS), numpy.log1p(numpy.exp(-P * SIGNS)).mean(1)),
        (
            lambda: gloss.LogisticLoss(label_format="binary"),
            (P, BITS),
            numpy.log1p(numpy.exp(-P * SIGNS)).mean(1),
        ),
        (lambda: gloss.HingeLoss(), (P, SIGNS), numpy.maximum(0, 1 - P * SIGNS).mean(1)),
        (lambda: gloss.SquaredHingeLoss(2), (P, SIGNS), (numpy.maximum(0, 2 - P * SIGNS) ** 2).mean(1)),
        (lambda: gloss.KLDivLoss(), (LSM, D), (D * (numpy.log(D) - LSM)).sum(1)),
        (lambda: gloss.KLDivLoss(from_logits=False), (P, D), (D * (numpy.log(D) - LSM)).sum(1)),
        (lambda: gloss.PoissonNLLLoss(), (P, BITS), (numpy.exp(P) - BITS * P).mean()),
        (lambda: gloss.TripletLoss(), (P, T, D), numpy.maximum(0, ((T - P) ** 2 - (D - P) ** 2).sum(1) + 1)),
    ],
)
@pytest.mark.parametrize("hybridize", [False, True])
def test_values(make, inputs, expected, hybridize):
    loss = make()
    if hybridize:
        loss.hybridize()
    x = np.array(inputs[0].astype("float32"))
    x.attach_grad()
    with autograd.record():
        y = loss(x, *(np.array(v) for v in inputs[1:]))
    y.backward()
    assert numpy.isfinite(x.grad.asnumpy()).all() and numpy.abs(x.grad.asnumpy()).max() > 0
    if expected is not None:
        assert y.shape == numpy.shape(expected) and numpy.allclose(y.asnumpy(), expected, atol=1e-5)


def test_cosine_embedding():
    labels = numpy.array([1, -1, 1, -1], "float32")
    cosine = (P * T).sum(1) / numpy.linalg.norm(P, axis=1) / numpy.linalg.norm(T, axis=1)
    y = gloss.CosineEmbeddingLoss()(np.array(P), np.array(T), np.array(labels))
    assert numpy.allclose(
        y.asnumpy(), numpy.where(labels == 1, 1 - cosine, numpy.maximum(0, cosine)), atol=1e-5
    )


def test_extreme_logits_stay_finite():
    big = np.array([[1000.0, -1000.0]])
    assert gloss.SoftmaxCELoss()(big, np.array([1])).tolist() == [2000.0]
    assert gloss.SigmoidBCELoss()(big, np.array([[0.0, 1.0]])).tolist() == [1000.0]


def test_weights():
    loss = gloss.L1Loss(weight=2)
    y = loss(np.array(P), np.array(T), np.array([[1.0], [0.0], [1.0], [0.0]]))
    assert numpy.allclose(y.asnumpy(), 2 * DIFF.mean(1) * [1, 0, 1, 0], atol=1e-6)
    y = gloss.SigmoidBCELoss()(np.array(P), np.array(BITS), None, np.array([2.0]))
    expected = -(2 * BITS * numpy.log(expit(P)) + (1 - BITS) * numpy.log(1 - expit(P)))
    assert numpy.allclose(y.asnumpy(), expected.mean(1), atol=1e-5)


def test_sequence_output():
    y = gloss.SoftmaxCrossEntropyLoss()(np.zeros((2, 5, 3)), np.zeros((2, 5)))
    assert y.shape == (2,) and numpy.allclose(y.asnumpy(), numpy.log(3))


def test_repr_and_aliases():
    assert repr(gloss.L2Loss()) == "L2Loss(batch_axis=0, w=1.0)"
    assert repr(gloss.SoftmaxCELoss()) == "SoftmaxCrossEntropyLoss(batch_axis=0, w=None)"
    assert gloss.SigmoidBCELoss is gloss.SigmoidBinaryCrossEntropyLoss
    assert repr(gloss.SigmoidBCELoss()).startswith("SigmoidBinaryCrossEntropyLoss(")


@pytest.mark.parametrize("hybridize", [False, True])
@pytest.mark.parametrize("bad", [-1, 3, 7])
def test_label_out_of_range(bad, hybridize):
    loss = gloss.SoftmaxCrossEntropyLoss()
    if hybridize:
        loss.hybridize()
        loss(np.array(P), np.array([0, 1, 2, 0]))
    with pytest.raises(IndexError, match=f"softmaxcrossentropyloss0.*{bad}"):
        loss(np.array(P), np.array([0, bad, 2, 0]))


@pytest.mark.parametrize("hybridize", [False, True])
def test_label_that_does_not_count_may_be_anything(hybridize):
    loss, pred = gloss.SoftmaxCrossEntropyLoss(axis=1), np.random.normal(size=(2, 3, 4))
    if hybridize:
        loss.hybridize()
    pred.attach_grad()
    label, weight = np.array([[0, 1, 2, 1], [2, 2, 0, 1]]), np.array([[1, 1, 0, 0.5], [1, 0, 1, 1]])
    answers = []
    for masked in (label, np.where(weight == 0, -1, label), np.where(weight == 0, 255, label)):
        with autograd.record():
            l = loss(pred, masked, weight.reshape(2, 1, 4))
        l.backward()
        answers.append((l.tolist(), pred.grad.tolist()))
    assert answers[0] == answers[1] == answers[2]
    with pytest.raises(IndexError, match="softmaxcrossentropyloss0.*out of"):
        loss(pred, np.where(weight == 0.5, 255, label), weight.reshape(2, 1, 4))
    with pytest.raises(IndexError, match="softmaxcrossentropyloss0.*out of"):
        loss(pred, np.where(weight == 0, 255, label), np.ones((2, 1, 1)))


@pytest.mark.parametrize("hybridize", [False, True])
def test_label_nan(hybridize):
    loss = gloss.SoftmaxCrossEntropyLoss()
    if hybridize:
        loss.hybridize()
    with pytest.raises(ValueError, match="softmaxcrossentropyloss0"):
        loss(np.array(P), np.array([0, float("nan"), 2, 0]))


@pytest.mark.parametrize("labels", [(3,), (4, 3), (4, 2), ()])
def test_label_shape(labels):
    with pytest.raises(ValueError, match=r"softmaxcrossentropyloss0.*\(4, 3\)"):
        gloss.SoftmaxCrossEntropyLoss()(np.array(P), np.zeros(labels))


def test_count_differs():
    with pytest.raises(ValueError, match="l2loss0.*shape"):
        gloss.L2Loss()(np.array(P), np.array([1.0, 2.0]))


def test_subclass_as_in_d2l():
    class MaskedSoftmaxCELoss(gluon.loss.SoftmaxCELoss):
        def forward(self, pred, label, valid_len):
            weights = np.expand_dims(np.ones_like(label), axis=-1)
            weights = npx.sequence_mask(weights, valid_len, True, axis=1)
            return super().forward(pred, label, weights)

    y = MaskedSoftmaxCELoss()(np.ones((3, 4, 10)), np.ones((3, 4)), np.array([4, 2, 0]))
    assert numpy.allclose(y.asnumpy(), [2.3025851, 1.1512926, 0.0], atol=1e-5)


@pytest.mark.parametrize("hybridize", [False, True])
def test_loss_written_for_gluon_1(hybridize):
    from numblocks.gluon.loss import Loss, _apply_weighting

    class Absolute(Loss):
        def hybrid_forward(self, F, pred, label, sample_weight=None):
            loss = F.abs(pred - F.reshape_like(label, pred))
            return F.mean(_apply_weighting(F, loss, self._weight, sample_weight), axis=self._batch_axis, exclude=True)

    loss = Absolute(weight=2.0, batch_axis=0)
    if hybridize:
        loss.hybridize()
    pred, label = np.array([[1, 2], [3, 4]]), np.zeros((2, 2))
    assert loss(pred, label).tolist() == [3, 7]
    assert loss(pred, label, np.array([[1], [0]])).tolist() == [3, 0]
