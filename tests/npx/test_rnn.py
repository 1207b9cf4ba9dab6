"""`npx.rnn`, the recurrent network in one vector: second order against differences, eager and hybridized."""

import numpy
import pytest

from numblocks import np, npx
from numblocks.gluon import HybridBlock
from numblocks.testing import check_gradients

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


@pytest.mark.parametrize("options", [
    {"mode": "rnn_tanh"}, {"mode": "rnn_relu", "bidirectional": True}, {"mode": "gru", "bidirectional": True},
    {"mode": "lstm"}, {"mode": "lstm", "bidirectional": True}, {"mode": "lstm", "projection_size": 1},
    {"mode": "lstm", "lstm_state_clip_min": -0.5, "lstm_state_clip_max": 0.5},
], ids=lambda o: " ".join(map(str, o.values())))  # fmt: skip
def test_second_order(options):
    xs = arrays(options["mode"], 2 if options.get("bidirectional") else 1, options.get("projection_size"))
    check_gradients(Net(**options), *xs, order=2, modes=("eager", "hybridized"))
