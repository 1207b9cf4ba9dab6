"""Metrics against the definitions, by hand."""

import math

import numpy
import pytest

from numblocks import metric


def test_accuracy():
    m = metric.Accuracy()
    assert math.isnan(m.get()[1])
    scores = numpy.array([[0.3, 0.7], [0.6, 0.4], [0.9, 0.1]])
    m.update([numpy.array([1, 0, 1])], [scores])
    assert m.get() == ("accuracy", 2 / 3)
    m.update(
        numpy.array([[1], [0]]), numpy.array([1, 1])
    )  # classes instead of scores, and a column of labels
    assert m.get() == ("accuracy", 3 / 5)
    m.reset_local()
    assert math.isnan(m.get()[1]) and m.get_global() == ("accuracy", 3 / 5)
    m.reset()
    assert math.isnan(m.get_global()[1])


def test_top_k():
    m = metric.create("top_k_acc", top_k=2)
    m.update([numpy.array([0, 2])], [numpy.array([[0.2, 0.5, 0.3], [0.1, 0.5, 0.4]])])
    assert m.get() == ("top_k_accuracy_2", 0.5)
    with pytest.raises(ValueError):
        metric.TopKAccuracy(1)


@pytest.mark.parametrize(("name", "value"), [("mae", 1.5), ("mse", 2.5), ("rmse", math.sqrt(2.5))])
def test_regression(name, value):
    m = metric.create(name)
    m.update(labels=[numpy.array([1.0, 2.0])], preds=[numpy.array([[2.0], [4.0]])])
    assert m.get() == (name, pytest.approx(value))


def test_cross_entropy_family():
    labels, probabilities = numpy.array([0, 1]), numpy.array([[0.5, 0.5], [0.75, 0.25]])
    expected = -(math.log(0.5) + math.log(0.25)) / 2
    for m in (metric.create("ce"), metric.create("nll_loss")):
        m.update(labels, probabilities)
        assert m.get()[1] == pytest.approx(expected)
    p = metric.Perplexity(ignore_label=7)
    p.update(numpy.array([0, 1, 7]), numpy.vstack([probabilities, [[0.1, 0.9]]]))
    assert p.get()[1] == pytest.approx(math.exp(expected))
    with pytest.raises(ValueError, match="for 2 classes"):
        metric.CrossEntropy().update(numpy.array([0, 2]), probabilities)


def test_loss_ignores_labels():
    m = metric.Loss()
    m.update(None, [numpy.array([1.0, 3.0], "float32")])
    assert m.get() == ("loss", 2.0)


def test_composite_custom_and_create():
    m = metric.create(["acc", lambda label, pred: float((label + pred).sum())])
    m.update(numpy.array([1, 0]), numpy.array([1, 1]))
    names, values = m.get()
    assert names == ["accuracy", "custom(<lambda>)"] and values == [0.5, 3.0]
    assert m.get_name_value() == list(zip(names, values, strict=True))
    m.reset()
    assert math.isnan(m.get()[1][0])
    assert metric.create(m) is m
    assert metric.np(lambda a, b: (4.0, 2), name="half").name == "half"


def test_update_dict():
    m = metric.Accuracy(output_names=["out"], label_names=["y"])
    m.update_dict({"y": numpy.array([1]), "z": 0}, {"out": numpy.array([1]), "aux": 0})
    assert m.get()[1] == 1.0


def test_errors():
    with pytest.raises(ValueError, match="not registered"):
        metric.create("nonsense")
    with pytest.raises(TypeError):
        metric.create(5)
    with pytest.raises(ValueError):
        metric.Accuracy().update([numpy.array([1])], [])
    with pytest.raises(ValueError):
        metric.Accuracy().update(numpy.array([1, 0, 1]), numpy.array([[0.1, 0.9]]))


def test_a_class_of_ones_own_is_known_by_its_name():
    @metric.register
    class Wrong(metric.EvalMetric):
        def __init__(self):
            super().__init__("wrong")

    @metric.alias("other", "third")
    class Another(Wrong):
        pass

    assert isinstance(Wrong, type) and type(metric.create("wrong")) is Wrong
    assert {type(metric.create(name)) for name in ("another", "other", "third")} == {Another}
