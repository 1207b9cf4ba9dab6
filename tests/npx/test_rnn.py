"""`npx.rnn`, the recurrent network in one vector: second order against differences, eager and hybridized."""

import numpy
import pytest

from numblocks import autograd, np, npx
from numblocks.gluon import HybridBlock

GATES = {"rnn_relu": 1, "rnn_tanh": 1, "lstm": 4, "gru": 3}


class Net(HybridBlock):
    """A stack of two layers of width 2 over input of width 3."""

    def __init__(self, **options):
        super().__init__()
        self.options = options

    def forward(self, x, parameters, *states):
        y = npx.rnn(x, parameters, *states, state_size=2, num_layers=2, state_outputs=True, **self.options)
        return np.concatenate([part.reshape(-1) for part in y])


def arrays(mode, directions, projection):
    """Data, parameters and initial states in float64."""
    rng, gates, kept = numpy.random.default_rng(1), GATES[mode], projection or 2
    count = directions * sum(gates * 2 * (width + kept + 2) + (projection or 0) * 2 for width in (3, kept * directions))
    shapes = [(3, 2, 3), (count,), (2 * directions, 2, kept)] + [(2 * directions, 2, 2)] * (mode == "lstm")
    return [rng.standard_normal(s) * 0.7 for s in shapes]


def first(block, xs, us):
    """Gradients of a number by all arguments; with directions `us` those of their sum in these directions."""
    xs = [np.array(x) for x in xs]
    for x in xs:
        x.attach_grad()
    with autograd.record():
        y = block(*xs)
        value = (y * y + y).sum()
        if us is not None:
            found = autograd.grad(value, xs, create_graph=True)
            value = sum((g * np.array(u)).sum() for g, u in zip(found, us, strict=True))
    value.backward()
    return [x.grad.asnumpy() for x in xs]


@pytest.mark.parametrize("options", [
    {"mode": "rnn_tanh"}, {"mode": "rnn_relu", "bidirectional": True}, {"mode": "gru", "bidirectional": True},
    {"mode": "lstm"}, {"mode": "lstm", "bidirectional": True}, {"mode": "lstm", "projection_size": 1},
    {"mode": "lstm", "lstm_state_clip_min": -0.5, "lstm_state_clip_max": 0.5},
], ids=lambda o: " ".join(map(str, o.values())))  # fmt: skip
def test_second_order(options):
    xs = arrays(options["mode"], 2 if options.get("bidirectional") else 1, options.get("projection_size"))
    rng = numpy.random.default_rng(2)
    us, vs = ([rng.standard_normal(x.shape) for x in xs] for _ in range(2))
    block, h = Net(**options), 1e-6
    for active in (False, True):
        block.hybridize(active)

        def at(step, block=block):
            moved = [x + step * v for x, v in zip(xs, vs, strict=True)]
            return sum((g * u).sum() for g, u in zip(first(block, moved, None), us, strict=True))

        numeric = (at(h) - at(-h)) / (2 * h)
        exact = sum((g * v).sum() for g, v in zip(first(block, xs, us), vs, strict=True))
        assert abs(numeric - exact) < 1e-6 * max(1.0, abs(numeric))
