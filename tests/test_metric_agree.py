"""F1, MCC, PCC and Pearson's correlation against their definitions, over batches and over everything."""

import math

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks import metric

rng = numpy.random.default_rng(0)
BATCHES = [(rng.integers(0, 2, n), rng.integers(0, 2, n)) for n in (11, 7, 30)]


def f1(label, pred):
    tp, fp, fn = ((label == a) & (pred == b) for a, b in ((1, 1), (0, 1), (1, 0)))
    precision, recall = tp.sum() / (tp.sum() + fp.sum()), tp.sum() / (tp.sum() + fn.sum())
    return 2 * precision * recall / (precision + recall)


def correlation(label, pred):
    return numpy.corrcoef(label, pred)[0, 1]


NUMBERS = [(rng.normal(size=n), rng.normal(size=n) + 1e6) for n in (5, 9)]


@pytest.mark.parametrize(
    ("name", "definition", "batches"),
    [("f1", f1, BATCHES), ("mcc", correlation, BATCHES), ("pearsonr", correlation, NUMBERS)],
)
def test_macro_and_micro(name, definition, batches):
    macro, micro = (metric.create(name, average=a) for a in ("macro", "micro"))
    assert math.isnan(macro.get()[1]) and math.isnan(micro.get()[1])
    for label, pred in batches:
        macro.update(label, pred)
        micro.update(label, pred)
    whole = definition(*(numpy.concatenate(v) for v in zip(*batches, strict=True)))
    assert macro.get() == (name, pytest.approx(numpy.mean([definition(*b) for b in batches])))
    assert micro.get() == micro.get_global() == (name, pytest.approx(whole))
    micro.reset_local()
    assert math.isnan(micro.get()[1]) and micro.get_global()[1] == pytest.approx(whole)
    micro.update(*batches[0])
    assert micro.get()[1] == pytest.approx(definition(*batches[0]))
    micro.reset()
    assert math.isnan(micro.get_global()[1])


def test_scores_and_degenerate_batches():
    m = metric.F1()
    m.update([numpy.array([[1.0], [0.0]])], [numpy.array([[0.2, 0.8], [0.9, 0.1]])])
    assert m.get()[1] == 1.0
    for name in ("f1", "mcc"):
        m = metric.create(name)
        m.update(numpy.zeros(3), numpy.zeros(3))
        assert m.get()[1] == 0.0
    m = metric.PCC()
    m.update(numpy.zeros(3), numpy.zeros(3))
    assert math.isnan(m.get()[1])
    m = metric.PearsonCorrelation()
    m.update(numpy.ones(3), numpy.arange(3))
    assert math.isnan(m.get()[1])


PAIRS = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(PAIRS, min_size=1, max_size=9), min_size=1, max_size=3))
def test_pcc_is_the_correlation_of_indicators(batches):
    m = metric.create("pcc")
    for batch in batches:
        m.update(numpy.array([b[0] for b in batch]), numpy.array([b[1] for b in batch]))
    both = numpy.array([pair for batch in batches for pair in batch])
    label, pred = (numpy.eye(4)[both[:, k]] for k in range(2))
    label, pred = label - label.mean(0), pred - pred.mean(0)
    scale = math.sqrt((label**2).sum() * (pred**2).sum())
    if scale < 1e-9:
        assert math.isnan(m.get()[1])
    else:
        assert m.get()[1] == pytest.approx((label * pred).sum() / scale, abs=1e-9)


def test_refusals():
    with pytest.raises(ValueError, match="PCC for more"):
        metric.F1().update(numpy.array([0, 2]), numpy.array([0, 1]))
    with pytest.raises(ValueError, match="below 0"):
        metric.PCC().update(numpy.array([0, -1]), numpy.array([0, 1]))
    for klass in (metric.F1, metric.MCC, metric.PearsonCorrelation):
        with pytest.raises(ValueError, match="macro"):
            klass(average="mean")
        with pytest.raises(ValueError):
            klass().update(numpy.array([0, 1]), numpy.array([0, 1, 1]))


def test_all_of_mxnet_are_there():
    names = """acc accuracy ce crossentropy composite compositeevalmetric custommetric f1 loss mae mcc mse nll_loss
    negativeloglikelihood pcc pearsonr pearsoncorrelation perplexity rmse top_k_acc top_k_accuracy topkaccuracy torch
    caffe""".split()
    assert set(names) <= set(metric.base._registry)
    for name in ("torch", "caffe"):
        m = metric.create(name)
        m.update(None, numpy.array([1.0, 3.0]))
        assert m.get() == (name, 2.0)
