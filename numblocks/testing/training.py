"""Training-step sequences: a net trained eagerly, hybridized, and by the formulas written out in NumPy."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy
from hypothesis import strategies as st

from .. import autograd, gluon, random
from ..array import wrap
from ..device import cpu
from .layers import Tree, trees

EVENTS = ("step", "step", "accumulate", "predict", "save", "hybridize")
RULES = {
    "sgd": {"learning_rate": 0.1},
    "sgd momentum": {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01},
    "adam": {"learning_rate": 0.05},
}


class Training(NamedTuple):
    """A net, an optimizer and what happens, in order.

    Attributes:
        tree: the net and the shape of its batches.
        rule: a key of `RULES`.
        events: of 'step' (forward, backward, update), 'accumulate' (forward and backward, gradients added),
            'predict', 'save' (parameters and trainer states through files), 'hybridize' (from here on).
        hybridized: from the start.
    """

    tree: Tree
    rule: str
    events: tuple
    hybridized: bool


@st.composite
def trainings(draw, max_events=4):
    """Random sequences of training steps.

    >>> trainings().example().events[-1]
    'step'
    """
    tree = draw(trees(max_layers=2, dtypes=("float64", "float32")))
    events = draw(st.lists(st.sampled_from(EVENTS), max_size=max_events))
    return Training(tree, draw(st.sampled_from(sorted(RULES))), (*events, "step"), draw(st.booleans()))


def check_training(training: Training) -> None:
    """Run the sequence and compare parameters and outputs with the same sequence in NumPy's formulas.

    The reference takes gradients from an eager copy of the net and updates by SGD's and Adam's formulas (Kingma and
    Ba 2015); random streams are set before each call, so dropout's masks must be the same.

    Raises:
        AssertionError: names event, array and difference.
    """
    tree, tolerance = training.tree, 3e-3 if training.tree.dtype == "float32" else 1e-8
    net, twin = tree.net(), tree.net()
    net.hybridize(training.hybridized)
    name = training.rule.split()[0]
    trainer = gluon.Trainer(net.collect_params(), name, dict(RULES[training.rule]))
    trained = [p for p in net.collect_params().values() if p.grad_req != "null"]
    reference = Reference(twin, training.rule)
    x = tree.input()
    adding = "accumulate" in training.events
    if adding:
        for p in trained:
            p.grad_req = "add"
    for k, event in enumerate(training.events):
        where = f"check_training: event {k} ({event})"
        if event in ("step", "accumulate"):
            walk(net, x, k)
            reference.walk(x, k, adding)
            if event == "step":
                trainer.step(x.shape[0])
                reference.step(x.shape[0])
                if adding:
                    for p in trained:
                        p.zero_grad()
        elif event == "predict":
            same(f"{where}: output", net(x)._data, twin(x)._data, tolerance)
        elif event == "hybridize":
            net.hybridize()
        else:
            through_files(net, trainer)
        for p, q in zip(net.collect_params().values(), twin.collect_params().values(), strict=True):
            same(f"{where}: {p.name}", p.data()._data, q.data()._data, tolerance)


def walk(net, x, k: int) -> None:
    """Forward and backward, with the k-th random seed and head gradient."""
    random.seed(100 + k)
    with autograd.record():
        y = net(x)
    if y._node is not None:
        y.backward(wrap(numpy.asarray(numpy.random.default_rng(k).uniform(-1, 1, y.shape), y.dtype), cpu(0)))


def through_files(net, trainer) -> None:
    """Save parameters and states, spoil the parameters, load them again."""
    with tempfile.TemporaryDirectory() as folder:
        net.save_parameters(str(Path(folder) / "net.params"))
        trainer.save_states(str(Path(folder) / "trainer.states"))
        for p in net.collect_params().values():
            p.set_data(wrap(numpy.zeros(p.shape, p.data().dtype), cpu(0)))
        net.load_parameters(str(Path(folder) / "net.params"))
        trainer.load_states(str(Path(folder) / "trainer.states"))


def same(what: str, a, b, tolerance: float) -> None:
    """Equal up to `tolerance` of the largest magnitude."""
    scale = max(1.0, float(numpy.abs(b).max(initial=0)))
    if not numpy.allclose(a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
        raise AssertionError(f"{what} is\n{a}\ninstead of\n{b}")


class Reference:
    """Updates written out: w -= lr g; with momentum m = mu m - lr g, w += m; Adam with bias correction."""

    def __init__(self, net, rule: str):
        self.net, self.rule, self.given, self.count = net, rule, RULES[rule], 0
        self.params = [p for p in net.collect_params().values() if p.grad_req != "null"]
        self.grads = [numpy.zeros(p.shape) for p in self.params]
        self.first = [numpy.zeros(p.shape) for p in self.params]
        self.second = [numpy.zeros(p.shape) for p in self.params]

    def walk(self, x, k: int, adding: bool) -> None:
        """Gradients, added by hand where they add up."""
        for p in self.params:
            p.zero_grad()
        walk(self.net, x, k)
        self.grads = [
            p.grad()._data.astype("f8") + (g if adding else 0) for p, g in zip(self.params, self.grads, strict=True)
        ]

    def step(self, batch: int) -> None:
        """One update."""
        self.count += 1
        lr, wd = self.given["learning_rate"], self.given.get("wd", 0.0)
        for k, p in enumerate(self.params):
            w = p.data()._data
            g = self.grads[k] / batch + wd * w.astype("f8")
            if self.rule == "adam":
                self.first[k] = 0.9 * self.first[k] + 0.1 * g
                self.second[k] = 0.999 * self.second[k] + 0.001 * g * g
                rate = lr * (1 - 0.999**self.count) ** 0.5 / (1 - 0.9**self.count)
                change = -rate * self.first[k] / (numpy.sqrt(self.second[k]) + 1e-8)
            elif "momentum" in self.given:
                change = self.first[k] = self.given["momentum"] * self.first[k] - lr * g
            else:
                change = -lr * g
            w[...] = w + change
            self.grads[k] = numpy.zeros_like(self.grads[k])
